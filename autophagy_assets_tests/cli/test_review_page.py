"""From a study to a page of its cells."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from autophagy_assets.analysis.identity import DATASET, IDENTITY
from autophagy_assets.cli.review_page import make_page
from autophagy_assets.errors import InputError
from autophagy_assets_tests.cli.answers import N, inputs

pytestmark = pytest.mark.slow


def test_a_page_shows_cells_of_control_and_knockout_and_is_the_same_again(scored, made):
    platform, given = scored
    every = pd.concat(given.tables.values())[IDENTITY]
    shown = pd.MultiIndex.from_frame(made.cells[IDENTITY])
    assert len(shown) == len(set(shown)) == N < made.available == len(every)
    assert set(shown) <= set(pd.MultiIndex.from_frame(every))
    assert set(made.cells["genotype"]) == {"WT", "EI24KO"}
    again = make_page(platform.instance, platform.study, N)
    assert (again.page, again.html) == (made.page, made.html)
    assert make_page(platform.instance, platform.study, N, seed=1).page != made.page


def test_only_cells_of_a_genotype_that_was_asked_for_are_shown(scored):
    platform, _ = scored
    page = make_page(platform.instance, platform.study, 10, genotypes=["EI24KO"])
    assert set(page.cells["genotype"]) == {"EI24KO"}
    with pytest.raises(InputError, match="no scored cell of genotype 'ATG5KO'; known: EI24KO, WT"):
        make_page(platform.instance, platform.study, 10, genotypes=["ATG5KO"])


def test_page_and_manifest_are_kept_with_what_they_were_made_from(scored, made, store):
    platform, _ = scored
    key = f"reviewed/review/{made.page}"
    page = store.Artifact.get(key=f"{key}.html", is_latest=True)
    assert page.path.read_text() == made.html
    manifest = json.loads(store.Artifact.get(key=f"{key}.json", is_latest=True).path.read_text())
    assert manifest["models"] == {
        model: platform.artifact("autophagy_classifier", model).uid
        for model in ("as_published", "puncta")
    }
    assert manifest["cells"] == made.cells[[*IDENTITY, "chosen_by"]].to_numpy().tolist()
    found = inputs(page)
    assert {f"reviewed/evidence/cross_validation/{m}.parquet" for m in manifest["models"]} <= found
    assert {f"reviewed/classifier/autophagy_classifier/{m}.joblib" for m in manifest["models"]} <= (
        found
    )
    assert "reviewed/knockouts/ko_predictions/EI24KO.parquet" in found
    crops = {store.Artifact.get(uid=uid).key for uid in made.cells[DATASET].unique()}
    assert crops == {key for key in found if key.endswith(".h5ad")}
