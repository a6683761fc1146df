from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from autophagy_assets.analysis.imaging.featurization import featurize
from autophagy_assets.analysis.imaging.regions import FieldFiles
from autophagy_assets.analysis.imaging.segmentation import process_field
from autophagy_assets.analysis.imaging.together import put_together
from autophagy_assets.config.study import Study
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
def test_the_order_of_the_channels_does_not_change_the_cells(result, images, tmp_path):
    import scportrait

    study = STUDY.model_copy(update={"channels": ("mCherry", "DAPI", "Alexa488")})
    turned = process_field(images, study, tmp_path / "field")
    assert turned.cell_ids == result.cell_ids
    crops = [scportrait.io.read_h5sc(found.single_cells) for found in (result, turned)]
    original, other = (cells.obsm["single_cell_images"][:] for cells in crops)
    np.testing.assert_array_equal(original, other[:, [0, 1, 3, 4, 2]])
