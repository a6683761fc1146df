"""The report's words are of whole tables, however little of them is shown."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from autophagy_assets.analysis.evidence.comparison import COLUMNS, POOLED
from autophagy_assets.analysis.evidence.folds import CLONE
from autophagy_assets.analysis.report.claims import Source, check_claims
from autophagy_assets.analysis.report.content import MOST_ROWS
from autophagy_assets.analysis.report.story import tell
from autophagy_assets.assets.report import labels_in, named_pictures, report_figure
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.registry.store.identifiers import slug

STUDY = Study.load()
TITLES = {"model_comparison": "Models"}


def comparison(folds: int) -> pd.DataFrame:
    rows = [
        {"model": name, "scheme": CLONE, "fold": fold, "n_cells": 9, "auc": 0.9, "note": ""}
        for name in sorted(("another", STUDY.primary))
        for fold in (POOLED, *(f"clone {number}" for number in range(folds)))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_models_with_very_many_folds_are_told_of_by_all_of_them():
    folds = MOST_ROWS * 3 // 4
    stored = StoredPicture(b"", comparison(folds), "", "uid")
    pictures = dict(named_pictures({"model_comparison": stored}, TITLES))
    sources = {name: Source(name, one.uid, one.table) for name, one in pictures.items()}
    text = dict(tell(sources, STUDY).paragraphs)["The answer"]
    assert f"left out in {folds} groups in turn" in text
    shown = report_figure("model_comparison", pictures["model_comparison"], TITLES)
    assert len(shown.table) == MOST_ROWS


@pytest.mark.parametrize("knockout", ["KO_1", "8", "p62 (2)"])
def test_studies_whose_labels_are_numbers_or_end_in_one_can_be_told_of(knockout):
    effect = {"level": "difference", "measure": "positive share", "sentence": "It responds less."}
    tables = {
        "model_comparison": comparison(3),
        f"knockout_effect[{slug(knockout)}]": pd.DataFrame(
            [effect | {"stimulation": STUDY.classes[1]}]
        ),
    }
    story = tell({name: Source(name, "uid", one) for name, one in tables.items()}, STUDY)
    fields = pd.DataFrame(
        {"genotype": ["WT", knockout], "stimulation": "untreated", "clone": ["9", "3"], "fov": "0"}
    )
    names = labels_in(fields, SimpleNamespace(study=STUDY))
    check_claims([text for _, text in story.paragraphs], story.claims, tables, names)


def test_a_table_that_no_word_is_of_is_shortened_at_once():
    cells = pd.DataFrame({"shown": [True] + [False] * MOST_ROWS})
    stored = {"puncta": StoredPicture(b"", cells, "", "uid")}
    (picture,) = dict(named_pictures({"cell_map": stored}, ["cell_map"])).values()
    assert len(picture.table) == 1


def test_the_effect_of_a_knockout_with_very_many_fields_of_view_is_told():
    fields = pd.DataFrame({"level": ["field"] * (MOST_ROWS + 1)})
    effect = {"level": "difference", "measure": "positive share", "sentence": "It responds less."}
    effects = pd.DataFrame([effect | {"stimulation": STUDY.classes[1]}])
    table = pd.concat([fields, effects], ignore_index=True)
    stored = {"KO": StoredPicture(b"", table, "", "uid")}
    pictures = named_pictures({"knockout_effect": stored}, ["knockout_effect"])
    sources = {name: Source(name, one.uid, one.table) for name, one in pictures}
    assert "It responds less." in dict(tell(sources, STUDY).paragraphs)["The answer"]
