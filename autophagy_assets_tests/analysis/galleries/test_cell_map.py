"""A map of cells: where they lie follows from what a model sees, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.legend import Legend

from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.galleries import cell_map as module
from autophagy_assets.analysis.galleries import cell_map_figures
from autophagy_assets.analysis.galleries.cell_map import ACROSS, SHOWN, UP, cell_map, on_map
from autophagy_assets.analysis.galleries.cell_map_figures import cell_map_picture
from autophagy_assets.analysis.identity import CLASS, IDENTITY, SCORE
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.tables import cells_of
from autophagy_assets_tests.analysis.synthetic import write_crops

pytestmark = pytest.mark.slow

STUDY = Study.load()


def scored(cells: int = 10) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells of two genotypes of which a model sees five values, one of them by class."""
    labels = {f"clone {n}": (["FOV1"], ["FOV1"]) for n in (1, 2)}
    table = pd.concat(
        [cells_of(STUDY, labels, cells, genotype) for genotype in ("WT", "KO")], ignore_index=True
    )
    random = np.random.default_rng(0)
    seen = random.normal(size=(len(table), 5)) * [1, 1, 1, 50, 0]
    seen[:, :2] += 4 * table[CLASS].to_numpy()[:, None]
    scores = 1 / (1 + np.exp(-(seen[:, 0] - 2)))
    return table.assign(**{SCORE: scores, "model": "pixels"}), seen


def test_what_differs_most_comes_first_and_grows_with_the_score():
    table, seen = scored()
    found, shares = cell_map(table, seen)
    assert np.corrcoef(found[ACROSS], found[SCORE])[0, 1] > 0.8
    assert 1 > shares[0] > shares[1] > 0
    again, _ = cell_map(table, -seen)
    np.testing.assert_allclose(again[ACROSS], found[ACROSS], atol=2e-6)


def test_every_value_counts_alike_whatever_its_unit():
    table, seen = scored()
    found, _ = cell_map(table, seen * [1, 1, 1000, 1, 1] + 7)
    expected, _ = cell_map(table, seen)
    np.testing.assert_allclose(found[[ACROSS, UP]], expected[[ACROSS, UP]], atol=2e-6)


def test_rounding_errors_move_no_cell():
    """Nor does a value that is the same in all cells but for them."""
    table, seen = scored()
    seen = np.column_stack([seen, np.full(len(seen), 0.1)])
    noise = np.random.default_rng(2).choice([-1, 0, 1], size=seen.shape)
    found, shares = cell_map(table, seen * (1 + noise * np.finfo(float).eps))
    expected, of_variance = cell_map(table, seen)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert shares == of_variance


def test_a_cell_has_its_place_in_any_order_of_rows():
    table, seen = scored()
    mixed = np.random.default_rng(1).permutation(len(table))
    found, _ = cell_map(table.iloc[mixed], seen[mixed])
    expected, _ = cell_map(table, seen)
    kept = [*IDENTITY, ACROSS, UP, SHOWN]
    columns = [frame[kept].sort_values(IDENTITY, ignore_index=True) for frame in (found, expected)]
    pd.testing.assert_frame_equal(*columns)


@pytest.mark.parametrize(("cells", "values"), [(40, "one"), (2, "all"), (1, "all"), (40, "alike")])
def test_few_cells_or_values_still_give_a_map(cells, values, tmp_path):
    table, seen = scored()
    seen = {"one": seen[:, :1], "all": seen, "alike": np.ones_like(seen)}[values][:cells]
    found, shares = cell_map(table.head(cells), seen)
    assert (found[UP].abs() < 1e-9).all() and shares[1] < 1e-9
    assert found[SHOWN].any()
    paths = write_crops([found], tmp_path, STUDY)
    png_bytes(cell_map_picture(found, shares, "some values", paths, STUDY, len(found)).figure)


def test_of_very_many_cells_each_genotype_clone_and_stimulation_keeps_its_share(monkeypatch):
    table, _ = scored()
    assert on_map(table, STUDY) is table
    monkeypatch.setattr(module, "MOST_CELLS", len(table) // 2)
    few = on_map(table, STUDY)
    by = ["genotype", "clone", "stimulation"]
    assert (few.groupby(by).size() * 2 == table.groupby(by).size()).all()
    mixed = table.sample(frac=1, random_state=1)
    assert set(on_map(mixed, STUDY).index) == set(few.index)


def test_no_cells_are_refused():
    table, seen = scored()
    with pytest.raises(InputError, match="no cells to draw a map of"):
        cell_map(table.head(0), seen[:0])


def test_the_figure_has_a_row_for_each_cell_and_says_how_many_there_are(tmp_path):
    table, seen = scored()
    found, shares = cell_map(table, seen)
    paths = write_crops([found], tmp_path, STUDY)
    picture = cell_map_picture(found, shares, "its 5 features", paths, STUDY, len(found))
    assert len(picture.table) == len(table) == picture.numbers["cells"]
    assert "(n = 80), placed by its 5 features" in picture.caption
    assert "drawn at random" not in picture.caption
    few = cell_map_picture(found, shares, "its 5 features", paths, STUDY, 2_000_000)
    assert "drawn at random (seed 42) from 2,000,000, of each genotype" in few.caption
    texts = {text.get_text() for text in picture.figure.findobj(lambda o: hasattr(o, "get_text"))}
    assert {"WT (40)", "KO (40)", "untreated (40)", "WT, clone 1 (20)", "Score"} <= texts
    images = [len(ax.images) for part in picture.figure.subfigs for ax in part.axes]
    assert max(images) == int(found[SHOWN].sum())
    assert png_bytes(picture.figure) == png_bytes(
        cell_map_picture(found, shares, "its 5 features", paths, STUDY, len(found)).figure
    )


def test_points_of_very_many_cells_are_smaller(tmp_path, monkeypatch):
    table, seen = scored()
    found, shares = cell_map(table, seen)
    paths = write_crops([found], tmp_path, STUDY)

    def sizes() -> np.ndarray:
        figure = cell_map_picture(found, shares, "5 features", paths, STUDY, len(found)).figure
        clouds = figure.findobj(PathCollection)
        return np.array([c.get_sizes()[0] for c in clouds if len(c.get_offsets()) == len(found)])

    few = sizes()
    assert len(few) == 5
    monkeypatch.setattr(cell_map_figures, "_MANY", len(found) // 4)
    np.testing.assert_allclose(sizes(), few / 2)


@pytest.mark.parametrize("words", [3, 9])
def test_more_clones_than_colours_share_the_last_one_and_no_legend_lies_on_points(words, tmp_path):
    table, seen = scored()
    many = table.assign(clone=[f"clone {n % 5}" + " of many" * words for n in range(len(table))])
    found, shares = cell_map(many, seen)
    paths = write_crops([found], tmp_path, STUDY)
    picture = cell_map_picture(found, shares, "its 5 features", paths, STUDY, len(found))
    texts = {text.get_text() for text in picture.figure.findobj(lambda o: hasattr(o, "get_text"))}
    assert "5 others (40)" in texts
    png_bytes(picture.figure)
    panels = [ax.get_window_extent() for part in picture.figure.subfigs for ax in part.axes]
    legends = [legend.get_window_extent() for legend in picture.figure.findobj(Legend)]
    assert len(legends) == 3
    edges = np.array([[box.x0, box.y0, box.x1, box.y1] for box in legends])
    assert (edges >= 0).all() and (edges[:, 2] <= picture.figure.bbox.x1).all()
    assert not any(legend.overlaps(panel) for legend in legends for panel in panels)
