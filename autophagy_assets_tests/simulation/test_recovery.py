"""The simulated study through the real segmentation, featurizer and classifier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.config.models import AS_PUBLISHED
from autophagy_assets.config.study import Study
from autophagy_assets.simulation import SimulatedStudy, simulate

pytestmark = pytest.mark.slow

SIZE = 1080
# A cell counts when its whole crop of 128 px lies in the field, with room for the distance
# between true and segmented centre: scPortrait drops cells nearer to the border.
BORDER = 64 + 10
NEAR = 10

# Field -> features of its cells, and the centres of their nuclei.
Segmented = dict[str, tuple[pd.DataFrame, np.ndarray]]


def segment(folder: Path, field: str, out: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Features of the cells of a field, and the centres (x, y) of their nuclei."""
    import spatialdata

    from autophagy_assets.analysis.imaging.featurization import featurize
    from autophagy_assets.analysis.imaging.segmentation import process_field

    study = Study.load()
    images = {channel: folder / f"images/{field}_{channel}.tif" for channel in study.channels}
    found = process_field(images, study, out / field)
    store = spatialdata.read_zarr(found.spatialdata)
    centres = store["centers_seg_all_nucleus"].compute().loc[list(found.cell_ids), ["x", "y"]]
    return featurize(found.single_cells, study).assign(field=field), centres.to_numpy()


@pytest.fixture(scope="module")
def default_study(tmp_path_factory: pytest.TempPathFactory) -> SimulatedStudy:
    out = tmp_path_factory.mktemp("default") / "study"
    return simulate(out, size=SIZE, fields_per_sample=1)


def segment_all(folder: Path, out: Path) -> Segmented:
    """Every field of a simulated study."""
    fields = pd.read_csv(folder / "ground_truth.csv")["field"].unique()
    return {field: segment(folder, field, out) for field in fields}


@pytest.fixture(scope="module")
def field_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the files of each field, once they are segmented."""
    return tmp_path_factory.mktemp("segmented")


@pytest.fixture(scope="module")
def segmented(default_study: SimulatedStudy, field_files: Path) -> Segmented:
    return segment_all(default_study.folder, field_files)


def test_segmentation_finds_nine_of_ten_true_cells(
    default_study: SimulatedStudy, segmented: Segmented
):
    from scipy.optimize import linear_sum_assignment

    found = []
    for field, cells in default_study.ground_truth.groupby("field"):
        counted = cells[["x", "y"]].to_numpy()
        counted = counted[((counted > BORDER) & (counted < SIZE - BORDER)).all(axis=1)]
        centres = segmented[field][1]
        distance = np.linalg.norm(counted[:, None] - centres[None], axis=2)
        # One to one, so no segmented cell stands for two true ones.
        rows, columns = linear_sum_assignment(np.minimum(distance, NEAR))
        matched = distance[rows, columns] < NEAR
        found += [1] * matched.sum() + [0] * (len(counted) - matched.sum())
        # Nor does it invent cells: what it finds beside the counted ones lies at the border.
        others = np.delete(centres, columns[matched], axis=0)
        inner = ((others > BORDER + NEAR) & (others < SIZE - BORDER - NEAR)).all(axis=1)
        assert inner.sum() <= 0.1 * len(counted)
    assert len(found) > 250
    assert np.mean(found) >= 0.9


def test_classifier_without_lc3b_is_neither_perfect_nor_blind(segmented: Segmented):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split

    study = Study.load()
    cells = pd.concat([features for features, _ in segmented.values()], ignore_index=True)
    wild = cells["field"].str.startswith("WT")
    treated = cells["field"].str.contains("Torin").astype(int)
    names = [c for c in cells if c not in ("field", "scportrait_cell_id") and "mCherry" not in c]
    assert len(names) == 39
    auc, called = [], []
    for split in range(5):  # the mean over splits: one split of so few cells is mostly chance
        train, test = train_test_split(
            cells.index[wild], test_size=study.split.test_size, random_state=split
        )
        forest = RandomForestClassifier(**study.model(AS_PUBLISHED).parameters.model_dump())
        forest.fit(cells.loc[train, names], treated[train])
        score = forest.predict_proba(cells.loc[test, names])[:, 1]
        auc.append(roc_auc_score(treated[test], score))
        predicted = pd.Series(forest.predict(cells[names]), cells.index)
        called.append(
            [
                predicted[test][treated[test] == 1].mean(),
                predicted[~wild & (treated == 1)].mean(),
                predicted[~wild & (treated == 0)].mean(),
            ]
        )
    assert 0.65 < np.mean(auc) < 0.92
    stimulated_wild, stimulated_knockout, resting_knockout = np.mean(called, axis=0)
    assert resting_knockout < 0.35
    assert stimulated_knockout < 0.45
    assert stimulated_knockout < stimulated_wild


def test_every_field_of_a_tiny_study_yields_a_few_cells(tiny_study: Path, tmp_path: Path):
    for features, _ in segment_all(tiny_study, tmp_path).values():
        assert len(features) >= 3


# Two puncta nearer to each other than this are one to these optics: it is the width at half height
# of a spot of 0.5 px seen through a point spread of 0.95 px, and as far may one be found from where
# it is.
RESOLVED_PX = 2.5


def test_puncta_are_found_and_few_others(
    default_study: SimulatedStudy, segmented: Segmented, field_files: Path
):
    """At least 0.8 of the true ones in measured cells, and at most 0.2 of the found ones false.

    True ones are merged, the brightest first, with those that the optics do not tell from them;
    then found and true ones are matched one to one. Where a found one lies beside one that was
    merged, it is not false.
    """
    true = hit = found = right = 0
    for field in segmented:
        truth = default_study.puncta.query("field == @field")
        measured, centres = puncta_of(field_files / field, Study.load())
        places = truth[["y", "x"]].to_numpy(dtype=int)
        visible = measured[tuple(np.minimum(places, len(measured) - 1).T)]
        resolved = merged(places[visible], truth["photons"].to_numpy()[visible])
        true, found = true + len(resolved), found + len(centres)
        hit, right = hit + matched(resolved, centres), right + matched(places, centres)
    assert found > 1000
    assert hit / true >= 0.8
    assert 1 - right / found <= 0.2


def puncta_of(folder: Path, study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Which pixels of a field are measured, and centres (row, column) of the puncta found."""
    import h5py
    from scipy import ndimage as ndi

    from autophagy_assets.analysis.imaging.segmentation import SINGLE_CELLS, SPATIALDATA
    from autophagy_assets.analysis.marker.puncta import find_puncta
    from autophagy_assets.analysis.marker.views import cells_of_crops, read_marker

    field = read_marker(folder / SPATIALDATA, study.marker_channel)
    boxes = ndi.find_objects(field.cell_ids)
    measured, centres = np.zeros(field.cell_ids.shape, dtype=bool), [np.zeros((0, 2))]
    with h5py.File(folder / SINGLE_CELLS) as file:
        side = file["obsm/single_cell_images"].shape[-1]
    for cell, seen in cells_of_crops(
        folder / SINGLE_CELLS, study.marker_channel, study.marker, 0.598
    ):
        ends = np.array([(part.start, part.stop) for part in boxes[cell - 1]])
        # Views have a margin of 2 px; of a cell that its crop cuts, the place is not known.
        corner = ends[:, 0] - 2
        if (np.abs(seen.cell.shape - np.diff(ends).T[0] - 4) > 1).any() or max(
            seen.cell.shape
        ) >= side:
            continue
        rows, columns = np.nonzero(seen.inside)
        measured[rows + corner[0], columns + corner[1]] = True
        centres.append(find_puncta(seen, study.marker, 0.598).centres + corner)
    return measured, np.concatenate(centres)


def merged(places: np.ndarray, photons: np.ndarray) -> np.ndarray:
    """The brightest of those that are nearer to each other than the optics resolve."""
    kept: list[np.ndarray] = []
    for place in places[np.argsort(-photons)]:
        if all(np.hypot(*(place - other)) > RESOLVED_PX for other in kept):
            kept.append(place)
    return np.array(kept).reshape(-1, 2)


def matched(true: np.ndarray, found: np.ndarray) -> int:
    """How many can be paired one to one, no pair farther apart than the optics resolve."""
    from scipy.optimize import linear_sum_assignment

    distance = np.linalg.norm(true[:, None] - found[None], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(distance, 2 * RESOLVED_PX))
    return int((distance[rows, columns] <= RESOLVED_PX).sum())
