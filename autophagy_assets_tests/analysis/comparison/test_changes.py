"""Changes between two versions follow from their tables, cell by cell, checked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.comparison.changes import (
    AFTER,
    BEFORE,
    Changes,
    changes,
    class_changes,
    different,
)
from autophagy_assets.analysis.comparison.flips_figure import SHOWN, flipped_cells, flips_picture
from autophagy_assets.analysis.comparison.results import Results
from autophagy_assets.analysis.comparison.words import brief
from autophagy_assets.analysis.effects.effect import effect_of
from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE, responses
from autophagy_assets.analysis.evidence.comparison import auc_of
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.analysis.identity import CELL_ID, DATASET
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.comparison.versions import CONTROL, results
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.synthetic import codes, decoded, write_h5sc

pytestmark = pytest.mark.slow

DEEP, FLAT = (
    forest(name="puncta", parameters={"n_estimators": 20, "max_depth": depth}) for depth in (10, 1)
)


@pytest.fixture(scope="module")
def versions() -> tuple[Results, Results]:
    said = {"The answer": ["It responds.", "Less by 0.5."]}, {"The answer": ["It responds."]}
    claim = {"says": "0.90", "value": 0.9, "unit": "AUC", "asset": "model_comparison",
             "rows": "fold == 'pooled'", "column": "auc", "how": "one"}  # fmt: skip
    kept = claim | {"rows": "fold == 'a'"}
    claims = (
        [claim, kept, claim | {"column": "gone"}],
        [claim | {"value": 0.8, "says": "0.80"}, kept],
    )
    return (
        results("A", DEEP, claims=claims[0], sentences=said[0]),
        results("B", FLAT, claims=claims[1], sentences=said[1]),
    )


@pytest.fixture(scope="module")
def found(versions: tuple[Results, Results]) -> Changes:
    return changes(*versions)


def positive_by_hand(version: Results, model: str) -> dict[tuple[str, int], bool]:
    """Class of every cell, one by one, from the tables that are stored."""
    scores = version.cross_validations[model]
    scoring = scoring_of(scores, version.study.model(model))
    strict = scores[scores["scheme"] == scoring.scheme]
    called = {}
    for row in strict.itertuples():
        probability = float(scoring.probabilities([row.score])[0])
        called[row.dataset, row.scportrait_cell_id] = probability > scoring.positive_above
    for row in version.predictions[0].query(f"model == {model!r}").itertuples():
        called[row.dataset, row.scportrait_cell_id] = bool(row.predicted_class)
    return called


@pytest.mark.parametrize("model", ["puncta", "as_published"])
def test_cells_that_changed_class_are_those_of_the_tables(versions, found, model) -> None:
    was, now = (positive_by_hand(version, model) for version in versions)
    flipped = found.flipped.query(f"model == {model!r}")
    expected = {cell for cell in was if was[cell] != now[cell]}
    assert set(zip(flipped[DATASET], flipped[CELL_ID], strict=True)) == expected
    counts = class_changes(found).query(f"model == {model!r}")
    assert counts["to positive"].sum() == sum(now[cell] and not was[cell] for cell in was)
    assert counts["to negative"].sum() == sum(was[cell] and not now[cell] for cell in was)
    assert counts["cells"].sum() == len(was) and not counts[["gone", "new"]].to_numpy().any()
    assert set(counts["genotype"]) == {"WT", "KO"}
    assert bool(expected) == (model == "puncta")  # the published model is the same in both


def test_the_largest_change_of_score_comes_first(found) -> None:
    moved = (found.flipped["prob_class1" + AFTER] - found.flipped["prob_class1" + BEFORE]).abs()
    assert moved.is_monotonic_decreasing and len(moved) > 3


def test_the_auc_in_every_scheme_is_that_of_the_scores(versions, found) -> None:
    assert len(found.auc) == 6  # two models, three schemes
    for row in found.auc.to_dict("records"):
        for version, end in zip(versions, (BEFORE, AFTER), strict=True):
            scores = version.cross_validations[row["model"]].query(f"scheme == {row['scheme']!r}")
            assert row["auc" + end] == pytest.approx(auc_of(scores["class"], scores["score"]))
    assert different(found.auc, "auc")[found.auc["model"] == "puncta"].any()
    assert not different(found.auc, "auc")[found.auc["model"] == "as_published"].any()


def test_responses_of_clones_are_those_of_the_effect(versions, found) -> None:
    rows = found.clones.query(f"measure == {POSITIVE_SHARE!r}")
    for version, end in zip(versions, (BEFORE, AFTER), strict=True):
        measured = version.effects[0].query("level in ('clone', 'field')")
        study = version.study
        effect = effect_of(
            responses(measured, study), "KO", study.classes[1], POSITIVE_SHARE, study
        )
        for genotype, values in (
            ("WT", effect.control_responses),
            ("KO", effect.knockout_responses),
        ):
            of_arm = rows[rows["genotype"] == genotype].sort_values("clone")
            assert tuple(of_arm["value" + end]) == pytest.approx(values)


def test_sentences_and_claims_that_changed_are_named(found) -> None:
    assert found.unsaid == [("The answer", "Less by 0.5.")] and found.said == []
    assert found.claims[["column", "says before", "says after"]].to_numpy().tolist() == [
        ["auc", "0.90", "0.80"],
        ["gone", "0.90", ""],
    ]


def test_in_short_it_says_the_numbers_of_the_tables(found) -> None:
    counts = class_changes(found).query("model == 'puncta'").sum(numeric_only=True)
    up, down = int(counts["to positive"]), int(counts["to negative"])
    said = brief(found, "puncta")
    assert f"{up + down} of {int(counts['cells'])} cells changed class by puncta" in said
    assert f"({up} to positive, {down} to negative)" in said
    row = found.auc.query("model == 'puncta' and scheme == 'leave a clone out'").iloc[0]
    assert f"AUC on clones that it had not seen {row['auc before']:.3f} -> " in said
    assert "1 sentence of the report changed" in said


def test_a_version_beside_itself_has_no_changes(versions) -> None:
    same = changes(versions[0], versions[0])
    assert not same.anything and same.flipped.empty
    assert brief(same, "puncta") == "nothing that the study says has changed."


def test_cells_that_are_gone_or_new_are_counted_and_never_matched_by_position(versions) -> None:
    first = CONTROL[DATASET].iloc[0]
    again = CONTROL.assign(**{DATASET: CONTROL[DATASET].replace({first: "segmented again"})})
    other = changes(versions[0], results("C", DEEP, control=again.iloc[::-1]), ["puncta"])
    counts = class_changes(other).sum(numeric_only=True)
    n = int((CONTROL[DATASET] == first).sum())
    assert (counts["gone"], counts["new"]) == (n, n)
    assert other.anything and f"{n} cells are new and {n} are gone" in brief(other, "puncta")
    assert set(other.cells["model"]) == {"puncta"}


def test_models_of_one_version_alone_are_named(versions) -> None:
    other = results("D", forest(name="other"))
    assert changes(versions[0], other).models == (["puncta"], ["other"])


def test_the_gallery_shows_every_chosen_cell_under_its_own_scores(
    versions, found, tmp_path
) -> None:
    chosen = flipped_cells(found, "puncta")
    names = sorted(chosen[DATASET].unique())
    study = versions[0].study
    paths = {
        name: write_h5sc(tmp_path / f"{number}.h5ad", number, range(1, 40), study.channels)
        for number, name in enumerate(names)
    }
    picture = flips_picture(found, "puncta", paths, study, ("A", "B"))
    assert len(picture.table) == len(chosen) <= 2 * SHOWN
    dataset_of, drawn = codes(paths), []
    for ax in picture.figure.axes[:2]:
        crops = [decoded(image.get_array()) for image in ax.images]
        labels = [text.get_text() for text in ax.texts if "→" in text.get_text()]
        drawn += [(dataset_of[code], cell, label) for (code, cell, _), label in
                  zip(crops, labels, strict=True)]  # fmt: skip
    expected = [
        (
            row[DATASET],
            row[CELL_ID],
            f"{row['prob_class1 before']:.2f} → {row['prob_class1 after']:.2f}",
        )
        for row in chosen.to_dict("records")
    ]
    assert sorted(drawn) == sorted(expected)
    assert "A" in picture.caption and "puncta" in picture.caption


def test_a_gallery_of_no_cell_is_a_sentence(versions) -> None:
    same = changes(versions[0], versions[0])
    with pytest.raises(InputError, match="No cell changed class by model puncta"):
        flips_picture(same, "puncta", {}, versions[0].study, ("A", "A"))


def test_results_without_tables_have_no_changes(versions) -> None:
    nothing = Results("A", versions[0].study)
    found = changes(nothing, nothing)
    assert not found.anything and class_changes(found).empty
    assert isinstance(found.claims, pd.DataFrame)
