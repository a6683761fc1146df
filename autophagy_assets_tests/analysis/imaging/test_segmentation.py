from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.analysis.imaging.featurization import featurize
from autophagy_assets.analysis.imaging.project import METHODS, project_config
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.analysis.imaging.segmentation import process_field
from autophagy_assets.analysis.imaging.together import put_together
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.imaged_fields import hashes, real_field

STUDY = Study.load()


@pytest.fixture(scope="module")
def result(images, tmp_path_factory):
    """What a field became; that nothing else was written is asserted here."""
    here, folder = set(os.listdir()), tmp_path_factory.mktemp("imaged")
    found = process_field(images, STUDY, folder / "field")
    assert os.listdir(folder) == ["field"]
    assert set(os.listdir()) == here
    return found


def _process(out: Path, images):
    process_field(images, STUDY, out)
    return hashes(out)


def _written(directory: Path, **channels: np.ndarray) -> dict[str, Path]:
    for name, image in channels.items():
        tifffile.imwrite(directory / f"{name}.tif", image)
    return {name: directory / f"{name}.tif" for name in channels}


@pytest.mark.slow
def test_a_field_leaves_its_crops_and_its_spatialdata_and_nothing_else(result):
    field = result.single_cells.parent
    assert result.single_cells == field / "single_cell_data.h5ad"
    assert result.spatialdata == field / "spatialdata.zarr"
    assert set(field.iterdir()) == {result.single_cells, result.spatialdata}


@pytest.mark.slow
def test_scportrait_stays_silent(images, tmp_path, capfd, recwarn):
    process_field(images, STUDY, tmp_path / "field")
    assert capfd.readouterr() == ("", "")
    assert not [warning for warning in recwarn if "scportrait" in str(warning.filename)]


@pytest.mark.slow
def test_the_crops_are_read_by_scportrait(result):
    import scportrait

    cells = scportrait.io.read_h5sc(result.single_cells)
    assert result.n_cells == len(cells) == len(result.cell_ids) > 0
    assert tuple(cells.obs.scportrait_cell_id) == result.cell_ids
    assert list(cells.var.channels) == ["seg_all_nucleus", "seg_all_cytosol", *STUDY.channels]
    crops = cells.obsm["single_cell_images"]
    size = STUDY.segmentation.image_size
    assert crops.shape == (result.n_cells, 5, size, size)
    assert 0 <= np.min(crops[:]) < np.max(crops[:]) <= 1


@pytest.mark.slow
def test_the_spatialdata_holds_images_masks_and_centres(result, images):
    import spatialdata

    sdata = spatialdata.read_zarr(result.spatialdata)
    assert {"input_image", "seg_all_nucleus", "seg_all_cytosol", "centers_seg_all_nucleus"} <= {
        name for _, name, _ in sdata.gen_elements()
    }
    image = sdata["input_image"]["scale0"].image
    assert list(image.c.values) == list(STUDY.channels)
    for name, path in images.items():
        # scPortrait leaves out the last row and column
        np.testing.assert_array_equal(image.sel(c=name).values, tifffile.imread(path)[:-1, :-1])
    nuclei = sdata["seg_all_nucleus"]["scale0"].image.values
    centers = sdata["centers_seg_all_nucleus"].compute()
    assert set(result.cell_ids) <= set(centers.index)
    for cell in result.cell_ids:
        rows, columns = np.nonzero(nuclei == cell)
        np.testing.assert_allclose(centers.loc[cell, ["x", "y"]], [columns.mean(), rows.mean()])


@pytest.mark.slow
def test_fields_that_share_a_dataset_are_read_as_the_notebook_reads_one(result, tmp_path):
    import scportrait
    import spatialdata

    fields = [FieldFiles(f"FOV{n}", result.single_cells, result.spatialdata) for n in (1, 2)]
    crops, store = tmp_path / "single_cell_data.h5ad", tmp_path / "spatialdata.zarr"
    noted = put_together(fields, crops, store)
    cells = scportrait.io.read_h5sc(crops)
    ids = [cell + field["first_id"] for field in noted for cell in result.cell_ids]
    assert cells.obs["scportrait_cell_id"].astype(int).tolist() == ids
    assert cells.obs["fov"].tolist() == [f for f in ("FOV1", "FOV2") for _ in result.cell_ids]
    assert cells.uns["single_cell_images"]["n_cells"] == len(ids) == len(set(ids))
    sdata, cell = spatialdata.read_zarr(store), ids[-1]
    x, y = sdata["centers_seg_all_nucleus"].compute().loc[cell, :]
    mask = sdata["seg_all_nucleus"]["scale0"]["image"].values
    assert mask[round(y), round(x)] == cell
    cropped = scportrait.tl.sdata.pp.get_bounding_box_sdata(
        sdata, center_x=x, center_y=y, max_width=100
    )
    assert {"seg_all_nucleus", "seg_all_cytosol"} <= set(cropped.labels)
    one, both = featurize(result.single_cells, STUDY), featurize(crops, STUDY)
    assert both["scportrait_cell_id"].tolist() == ids
    twice = pd.concat([one, one], ignore_index=True)
    pd.testing.assert_frame_equal(both.iloc[:, 1:], twice.iloc[:, 1:])


@pytest.mark.slow
def test_cells_masks_and_crops_equal_a_plain_project(result, project):
    import scportrait
    import spatialdata

    ours, plain = scportrait.io.read_h5sc(result.single_cells), project.h5sc
    assert ours.obs.equals(plain.obs)
    np.testing.assert_array_equal(
        ours.obsm["single_cell_images"][:], plain.obsm["single_cell_images"][:]
    )
    sdata = spatialdata.read_zarr(result.spatialdata)
    for name in ("input_image", "seg_all_nucleus", "seg_all_cytosol"):
        for scale in sdata[name]:
            np.testing.assert_array_equal(
                sdata[name][scale].image.values, project.sdata[name][scale].image.values
            )
    for name in ("centers_seg_all_nucleus", "centers_seg_all_cytosol"):
        assert sdata[name].compute().equals(project.sdata[name].compute())


@pytest.mark.slow
def test_bytes_are_the_same_in_every_process_and_place(result, images, tmp_path):
    from autophagy_assets.compute.pool import map_fields

    here = hashes(result.single_cells.parent)
    outs = [tmp_path / "there", tmp_path / "else" / "where" / "deeper"]
    done = dict(map_fields(partial(_process, images=images), outs, 2))
    assert len(here) > 30
    assert [done[out] for out in outs] == [here] * len(outs)


@pytest.mark.slow
def test_a_real_field_has_a_plausible_number_of_cells(tmp_path):
    images = real_field(STUDY, "WT_clone1_untreated_FOV1")
    assert 64 <= process_field(images, STUDY, tmp_path / "field").n_cells <= 155


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nuclei", "reason"),
    [
        (np.zeros((300, 300), np.uint16), "no nuclei"),
        (np.full((300, 300), 700, np.uint16), "no nuclei"),
        (np.random.default_rng(0).integers(0, 500, (300, 300)).astype(np.uint16), "no nuclei"),
    ],
)
def test_a_field_without_cells_is_named_and_leaves_nothing(nuclei, reason, tmp_path):
    images = _written(tmp_path, DAPI=nuclei, Alexa488=nuclei, mCherry=nuclei)
    with pytest.raises(InputError, match=rf"no cells in .*DAPI\.tif \({reason}"):
        process_field(images, STUDY, tmp_path / "out" / "field")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
def test_nuclei_without_cells_around_them_are_no_cells(images, tmp_path):
    nuclei = tifffile.imread(images["DAPI"])
    black = np.zeros_like(nuclei)
    field = _written(tmp_path, DAPI=nuclei, Alexa488=black, mCherry=black)
    with pytest.raises(InputError, match=r"no cells .*told from the background"):
        process_field(field, STUDY, tmp_path / "field")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nucleus_min_px": 100_000, "nucleus_max_px": 200_000}, "no nuclei|no nucleus"),
        ({"image_size": 414}, "near to the border"),
    ],
)
def test_cells_that_the_study_does_not_allow_are_no_cells(images, tmp_path, changes, reason):
    study = STUDY.model_copy(update={"segmentation": STUDY.segmentation.model_copy(update=changes)})
    with pytest.raises(InputError, match=rf"no cells .*\(.*({reason})"):
        process_field(images, study, tmp_path / "field")


def test_an_image_smaller_than_a_crop_is_refused(tmp_path):
    small = np.zeros((300, 130), np.uint16)
    images = _written(tmp_path, DAPI=small, Alexa488=small, mCherry=small)
    with pytest.raises(InputError, match=r"DAPI\.tif is 300 x 130 px: crops of 128 px need"):
        process_field(images, STUDY, tmp_path / "field")


def test_a_field_lacking_a_channel_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no image for channel mCherry.*DAPI, Alexa488, mCherry"):
        process_field({"DAPI": tmp_path, "Alexa488": tmp_path}, STUDY, tmp_path / "field")


def test_a_channel_that_the_study_does_not_know_is_refused(tmp_path):
    images = dict.fromkeys([*STUDY.channels, "GFP"], tmp_path / "image.tif")
    with pytest.raises(InputError, match=r"image\.tif is of channel GFP"):
        process_field(images, STUDY, tmp_path / "field")


def test_a_channel_name_that_scportrait_would_cut_is_refused(tmp_path):
    long = "mCherry-LC3B-fusion"
    study = STUDY.model_copy(update={"channels": ("DAPI", "Alexa488", long)})
    images = dict.fromkeys(study.channels, tmp_path / "image.tif")
    with pytest.raises(InputError, match=f"{long}.*too long"):
        process_field(images, study, tmp_path / "field")


def test_a_directory_that_holds_something_is_not_touched(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        process_field({}, STUDY, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_roles_of_the_channels_go_by_name_not_by_position(tmp_path):
    study = STUDY.model_copy(update={"channels": ("mCherry", "DAPI", "Alexa488")})
    config = project_config(study, tmp_path)["WGASegmentation"]
    assert config["segmentation_channel_nuclei"] == [1]
    assert config["segmentation_channel_cytosol"] == [2]


@pytest.mark.slow
def test_the_order_of_the_channels_does_not_change_the_cells(result, images, tmp_path):
    import scportrait

    study = STUDY.model_copy(update={"channels": ("mCherry", "DAPI", "Alexa488")})
    turned = process_field(images, study, tmp_path / "field")
    assert turned.cell_ids == result.cell_ids
    crops = [scportrait.io.read_h5sc(found.single_cells) for found in (result, turned)]
    original, other = (cells.obsm["single_cell_images"][:] for cells in crops)
    np.testing.assert_array_equal(original, other[:, [0, 1, 3, 4, 2]])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["classical", "cellpose"])
def test_scportrait_accepts_the_configuration_of_each_method(method, tmp_path):
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation import workflows

    changed = STUDY.segmentation.model_copy(update={"method": method})
    study = STUDY.model_copy(update={"segmentation": changed})
    (tmp_path / "project").mkdir()
    project = Project(
        str(tmp_path / "project"),
        config_path=project_config(study, tmp_path),
        segmentation_f=getattr(workflows, METHODS[method]),
        overwrite=True,
    )
    step = project.segmentation_f
    assert step.segmentation_channels == [0, 1]
    step._check_for_size_filtering(mask_types=step.MASK_NAMES)
    assert step.nucleus_thresholds[0] == STUDY.segmentation.nucleus_min_px
