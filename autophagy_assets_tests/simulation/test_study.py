"""A simulated study has the form of the real one, and its ground truth is that of its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.errors import InputError
from autophagy_assets.simulation import SimulatedStudy, simulate
from autophagy_assets_tests.simulation.tiny import TINY, files

pytestmark = pytest.mark.slow

COLUMNS = [
    "image_path", "genotype", "stimulation", "cell_line", "cell_line_clone", "channel", "FOV",
    "magnification", "microscope", "imaged structure", "resolution",
]  # fmt: skip
TRUTH = [
    "field", "cell", "x", "y", "nucleus_area", "cell_area", "n_puncta",
    "genotype", "clone", "stimulation", "fov",
    "autophagic", "spontaneous", "mitotic", "dying", "touches_border",
]  # fmt: skip


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SimulatedStudy:
    return simulate(tmp_path_factory.mktemp("tiny") / "study", **TINY)


def test_metadata_file_has_the_columns_of_the_real_study(tiny: SimulatedStudy):
    written = pd.read_csv(tiny.folder / "metadata_files.csv")
    assert list(written.columns) == COLUMNS
    pd.testing.assert_frame_equal(written, tiny.metadata)


def test_metadata_equals_that_of_the_real_study(tiny: SimulatedStudy, real_data: Path):
    real = pd.read_csv(real_data / "metadata_files.csv")
    simulated = pd.read_csv(tiny.folder / "metadata_files.csv")
    pd.testing.assert_frame_equal(simulated, real)
    image = tifffile.imread(real_data / real["image_path"][0])
    mine = tifffile.imread(tiny.folder / real["image_path"][0])
    assert (mine.dtype, mine.ndim) == (image.dtype, image.ndim)


def test_default_study_has_16_fields_of_three_channels():
    from autophagy_assets.simulation.treatments import conditions

    rows = [row for condition in conditions(2, 2) for row in condition.metadata()]
    paths = {row["image_path"] for row in rows}
    assert len(paths) == len(rows) == 48
    assert "images/EI24KO_clone2_14h-Torin-1_FOV2_mCherry.tif" in paths
    assert "images/WT_clone1_untreated_FOV1_DAPI.tif" in paths


def test_images_are_those_that_the_metadata_lists(tiny: SimulatedStudy):
    on_disk = {f"images/{path.name}" for path in (tiny.folder / "images").iterdir()}
    assert on_disk == set(tiny.metadata["image_path"])


def test_images_are_uint16_and_stretched_over_the_whole_range(tiny: SimulatedStudy):
    for path in tiny.metadata["image_path"]:
        image = tifffile.imread(tiny.folder / path)
        assert image.shape == (420, 420)
        assert image.dtype == np.uint16
        # As in the real files: 0.1 % of the pixels clipped at either end.
        assert 0.0005 < (image == 0).mean() < 0.003
        assert 0.0005 < (image == 65535).mean() < 0.003


def test_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path):
    options = {**TINY, "clones": 1}
    first, again, other = (
        files(simulate(tmp_path / name, seed=seed, **options).folder)
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first == again
    images = [name for name in first if name.endswith(".tif")]
    assert all(first[name] != other[name] for name in images)


def test_a_field_does_not_depend_on_how_many_others_there_are(tiny: SimulatedStudy, tmp_path: Path):
    alone = files(simulate(tmp_path / "one", **{**TINY, "clones": 1}).folder / "images")
    together = files(tiny.folder / "images")
    assert len(alone) == 12
    assert all(together[name] == content for name, content in alone.items())


def test_ground_truth_has_one_row_per_cell_in_its_field(tiny: SimulatedStudy):
    truth = pd.read_csv(tiny.folder / "ground_truth.csv")
    assert list(truth.columns) == TRUTH
    assert not truth.duplicated(["field", "cell"]).any()
    assert truth["x"].between(0, 420).all()
    assert truth["y"].between(0, 420).all()
    images = {f"images/{field}_DAPI.tif" for field in truth["field"]}
    assert images == {p for p in tiny.metadata["image_path"] if p.endswith("_DAPI.tif")}
    assert set(truth["clone"]) == set(tiny.metadata["cell_line_clone"])


def test_puncta_are_as_many_as_the_cells_have_and_lie_where_the_marker_is_bright(
    tiny: SimulatedStudy,
):
    puncta = pd.read_csv(tiny.folder / "ground_truth_puncta.csv")
    assert list(puncta.columns) == ["field", "cell", "x", "y", "photons"]
    listed = puncta[puncta["cell"] > 0].groupby(["field", "cell"]).size()
    truth = tiny.ground_truth.set_index(["field", "cell"])["n_puncta"]
    pd.testing.assert_series_equal(
        listed.reindex(truth.index, fill_value=0), truth, check_names=False
    )
    for field, spots in puncta.groupby("field"):
        image = tifffile.imread(tiny.folder / f"images/{field}_mCherry.tif").astype(float)
        bright = spots.nlargest(5, "photons")
        inside = image[image > np.median(image)]
        assert (image[tuple(bright[["y", "x"]].to_numpy().T)] > np.median(inside)).all()


def test_ground_truth_lies_on_the_nuclei_of_the_image(tiny: SimulatedStudy):
    for field, cells in tiny.ground_truth.groupby("field"):
        dna = tifffile.imread(tiny.folder / f"images/{field}_DAPI.tif")
        inner = cells[~cells["touches_border"]]
        at_nuclei = dna[inner["y"].round().astype(int), inner["x"].round().astype(int)]
        assert (at_nuclei > 10 * np.median(dna)).mean() > 0.9


def test_puncta_can_be_seen_in_the_image(tiny: SimulatedStudy):
    from scipy import ndimage

    def spots(stimulation: str) -> float:
        """Share of LC3B contrast at the scale of a punctum."""
        found = []
        for path in tiny.metadata.query(
            "genotype == 'WT' and channel == 'mCherry' and stimulation == @stimulation"
        )["image_path"]:
            image = tifffile.imread(tiny.folder / path).astype(float)
            found.append((image - ndimage.gaussian_filter(image, 3)).std() / image.std())
        return float(np.mean(found))

    assert spots("14h Torin-1") > 1.3 * spots("untreated")


def test_progress_reports_every_field(tmp_path: Path):
    reported: list[tuple[int, int, str]] = []
    simulate(
        tmp_path / "s", **{**TINY, "clones": 1}, progress=lambda *field: reported.append(field)
    )
    assert [(done, total) for done, total, _ in reported] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert reported[0][2] == "WT_clone1_untreated_FOV1"


def test_a_folder_that_holds_files_is_refused_and_left_alone(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match=r"not an empty folder: choose another"):
        simulate(tmp_path, **TINY)
    assert files(tmp_path) == {"mine.txt": b"keep"}


def test_an_empty_folder_is_filled(tmp_path: Path):
    out = tmp_path / "study"
    out.mkdir()
    simulate(out, **{**TINY, "clones": 1})
    assert (out / "metadata_files.csv").exists()


def test_an_interrupted_simulation_leaves_nothing(tmp_path: Path):
    def stop(done: int, total: int, field: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "study", **TINY, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("size", 100),
        ("cells_per_field", 0),
        ("fields_per_sample", 0),
        ("clones", 0),
        ("effect", -0.1),
        ("effect", 1.6),
        ("effect", float("nan")),
        ("seed", -1),
    ],
)
def test_an_option_out_of_range_is_named(tmp_path: Path, option: str, value: float):
    with pytest.raises(InputError, match=f"Option {option} .* is {value}: give a value from"):
        simulate(tmp_path / "study", **{**TINY, option: value})
    assert list(tmp_path.iterdir()) == []
