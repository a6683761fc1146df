"""Which cells a gallery shows, under which score, and what it does when there are few."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.galleries.choice import choose_class_cells, choose_error_cells
from autophagy_assets.analysis.galleries.galleries import (
    class_gallery,
    error_gallery,
    wt_ko_gallery,
)
from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY
from autophagy_assets.config.study import NO_CLASS, Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.synthetic import codes, decoded, write_h5sc
from autophagy_assets_tests.platform import with_conditions

STUDY = Study.load()


def predictions(genotype: str, n: int = 25) -> pd.DataFrame:
    """Cells of four datasets with the same ids; a score encodes dataset and id."""
    rows = []
    for label, stimulation in STUDY.classes.items():
        for clone in (2, 1):
            for cell in range(n, 0, -1):
                score = (cell + 30 * clone + 40 * label) / 150 + label / 1000
                predicted = int(score > 0.5)
                outcome = ("T" if predicted == label else "F") + ("P" if predicted else "N")
                dataset = f"{genotype}-{label}-{clone}"
                rows.append((dataset, cell, label, genotype, stimulation, f"clone {clone}", "FOV1",
                             predicted, score, outcome))  # fmt: skip
    columns = [DATASET, CELL_ID, "class", "genotype", "stimulation", "clone", "fov",
               "predicted_class", "prob_class1", "outcome"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).assign(model="puncta")


WT, KO = predictions("WT"), predictions("KO")


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crops")
    names = sorted({*WT[DATASET], *KO[DATASET]})
    return {
        name: write_h5sc(folder / f"{name}.h5ad", code, range(1, 30), STUDY.channels)
        for code, name in enumerate(names)
    }


def panels(picture):
    return [ax for ax in picture.figure.axes if ax.get_title(loc="left")]


def drawn_cells(picture, paths) -> list[tuple[str, int]]:
    dataset_of = codes(paths)
    crops = [decoded(image.get_array()) for ax in panels(picture) for image in ax.images]
    return [(dataset_of[code], cell) for code, cell, _ in crops]


def test_highest_scores_of_those_called_positive_and_lowest_of_the_others():
    chosen = choose_error_cells(WT, 3)
    assert list(chosen["panel"]) == [o for o in ("TP", "TN", "FN", "FP") for _ in range(3)]
    for outcome, scores in chosen.groupby("panel")["prob_class1"]:
        every = WT.loc[WT["outcome"] == outcome, "prob_class1"].sort_values(ascending=False)
        expected = every.head(3) if outcome in ("TP", "FP") else every.tail(3)
        assert list(scores) == list(expected)


def test_class_cells_come_from_the_first_field_and_do_not_change():
    stimulation = STUDY.classes[1]
    chosen = choose_class_cells(WT, "WT", stimulation, 16, 42)
    assert set(chosen[DATASET]) == {"WT-1-1"}
    assert len(chosen.drop_duplicates(IDENTITY)) == 16
    again = choose_class_cells(WT.iloc[::-1], "WT", stimulation, 16, 42)
    assert set(again[DATASET]) == {"WT-1-1"}
    pd.testing.assert_frame_equal(chosen, choose_class_cells(WT, "WT", stimulation, 16, 42))
    other = choose_class_cells(WT, "WT", stimulation, 16, 43)
    assert set(other[CELL_ID]) != set(chosen[CELL_ID])


@pytest.mark.parametrize("gallery", [error_gallery, class_gallery, wt_ko_gallery])
def test_table_and_drawing_agree_cell_by_cell(gallery, paths):
    cells = pd.concat([WT, KO]) if gallery is wt_ko_gallery else WT
    picture = gallery(cells, paths, STUDY, 0.6)
    table = picture.table
    assert drawn_cells(picture, paths) == list(zip(table[DATASET], table[CELL_ID], strict=True))
    score_of = cells.set_index(IDENTITY)["prob_class1"]
    expected = [score_of[tuple(cell)] for cell in table[IDENTITY].to_numpy()]
    assert list(table["score"]) == expected
    labels = [t.get_text() for ax in panels(picture) for t in ax.texts if "." in t.get_text()[:2]]
    assert labels == [f"{score:.2f}" for score in expected]


def test_places_in_the_table_are_those_in_the_drawing(paths):
    table = error_gallery(WT, paths, STUDY).table
    first = table[table["panel"] == "TP"]
    assert list(first["row"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert list(first["column"]) == [0, 1, 2] * 3


def test_rows_are_genotypes_with_the_control_first(paths):
    table = wt_ko_gallery(pd.concat([KO, WT]), paths, STUDY).table
    one, two = STUDY.classes[0], STUDY.classes[1]
    assert list(dict.fromkeys(table["panel"])) == [
        f"WT, {one}", f"WT, {two}", f"KO, {one}", f"KO, {two}",
    ]  # fmt: skip
    assert table.groupby("panel")["genotype"].nunique().eq(1).all()


def test_conditions_of_which_there_are_cells_have_a_column_in_their_order(paths):
    study = with_conditions("2h Torin-1", "6h Torin-1")
    both = pd.concat([WT, KO])
    late = KO[KO["class"] == 1].assign(**{"stimulation": "6h Torin-1", "class": NO_CLASS})
    picture = wt_ko_gallery(pd.concat([both[both["class"] == 0], late, WT]), paths, study)
    columns = ["untreated", "6h Torin-1", "14h Torin-1"]
    titles = [ax.get_title(loc="left") for ax in panels(picture)]
    assert titles == [f"{genotype}, {label}" for genotype in ("WT", "KO") for label in columns]
    assert "from left to right: untreated, 6h Torin-1, 14h Torin-1." in picture.caption
    rows = picture.table[picture.table["panel"] == "KO, 6h Torin-1"]
    assert len(rows) == 16 and set(rows["stimulation"]) == {"6h Torin-1"}
    assert png_bytes(picture.figure).startswith(b"\x89PNG")


def test_many_knockouts_are_cut_and_said_to_be(paths):
    others = [KO.assign(genotype=f"KO{i}") for i in range(4)]
    picture = wt_ko_gallery(pd.concat([WT, *others]), paths, STUDY, most_knockouts=2)
    assert "Of 4 knockouts the first 2 are shown." in picture.caption
    assert set(picture.table["genotype"]) == {"WT", "KO0", "KO1"}


def test_cells_without_scores_are_drawn_without(paths):
    picture = class_gallery(WT.drop(columns="prob_class1"), paths, STUDY)
    assert picture.table["score"].isna().all()
    assert "score" not in picture.caption
    assert len(picture.table) == 32


def test_too_few_cells_are_drawn_and_counted(paths):
    few = pd.concat([WT[WT["outcome"] == "TN"].head(5), WT[WT["outcome"] == "TP"]])
    picture = error_gallery(few, paths, STUDY)
    titles = [" ".join(t.get_text() for t in ax.texts) for ax in panels(picture)]
    assert "9 shown" in titles[0]
    assert "only 5 of the 9 wanted" in titles[1]
    assert "no cells" in titles[2] and "no cells" in titles[3]
    assert len(picture.table) == 14


def test_no_cell_at_all_is_refused(paths):
    with pytest.raises(InputError, match="no cell to show"):
        error_gallery(WT.head(0), paths, STUDY)


def test_the_figure_says_what_is_shown_and_how_large(paths):
    picture = error_gallery(WT, paths, STUDY, 0.6)
    for ax in panels(picture):
        assert any("µm" in text.get_text() for text in ax.texts)
        assert any("n = " in text.get_text() for text in ax.texts)
    assert STUDY.marker_name in picture.caption and STUDY.classes[1] in picture.caption
    assert "scaled" in picture.caption


@pytest.mark.slow
def test_the_same_cells_give_the_same_bytes(paths):
    first, second = (png_bytes(error_gallery(WT, paths, STUDY).figure) for _ in range(2))
    assert first == second
