from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.imaging.featurization import featurize
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

STUDY = Study.load()
CELL_ID = "scportrait_cell_id"


@pytest.fixture(scope="module")
def crops(project):
    return project.extraction_f.extraction_file


def _crops(path, ids, seed=0, channels=STUDY.channels):
    from scportrait.io.h5sc import numpy_to_h5sc

    rng = np.random.default_rng(seed)
    masks = np.zeros((len(ids), 2, 128, 128), np.float16)
    masks[:, 0, 50:70, 50:70] = 1
    masks[:, 1, 40:80, 40:90] = 1
    numpy_to_h5sc(
        mask_names=["seg_all_nucleus", "seg_all_cytosol"],
        channel_names=list(channels),
        mask_imgs=masks,
        channel_imgs=rng.random((len(ids), len(channels), 128, 128)).astype(np.float16),
        output_path=str(path),
        cell_ids=np.array(ids),
    )
    return path


@pytest.mark.slow
def test_features_equal_those_of_a_plain_project(project, crops):
    table = featurize(crops, STUDY)
    plain = project.sdata["features_nucleus"]
    assert list(table.columns) == [CELL_ID, *plain.var_names]
    np.testing.assert_array_equal(table[CELL_ID], plain.obs[CELL_ID])
    np.testing.assert_array_equal(table.drop(columns=CELL_ID), plain.to_df().astype("float64"))


@pytest.mark.slow
def test_a_table_has_ids_and_57_features_as_numbers(crops):
    table = featurize(crops, STUDY)
    assert table.shape[1] == 58
    assert table.dtypes[CELL_ID] == np.int64
    assert set(table.dtypes.drop(CELL_ID)) == {np.dtype("float64")}
    assert table.columns.is_unique
    assert table.index.equals(pd.RangeIndex(len(table)))
    for channel in STUDY.channels:
        assert f"{channel}_median_cytosol_only" in table


@pytest.mark.slow
def test_features_are_what_their_names_say(tmp_path):
    import scportrait

    path = _crops(tmp_path / "cells.h5ad", [4, 9])
    table = featurize(path, STUDY).set_index(CELL_ID)
    images = scportrait.io.read_h5sc(path).obsm["single_cell_images"][1].astype("float64")
    cell = table.loc[9]
    inside = images[1] > 0
    assert cell["nucleus_area"] == 400
    assert cell["cytosol_area"] == 2000
    assert cell["cytosol_only_area"] == 1600
    for number, channel in enumerate(STUDY.channels, start=2):
        pixels = images[number][inside]
        np.testing.assert_allclose(cell[f"{channel}_mean_cytosol"], pixels.mean(), rtol=1e-5)
        np.testing.assert_allclose(cell[f"{channel}_median_cytosol"], np.median(pixels), rtol=1e-5)


@pytest.mark.slow
def test_a_cells_features_do_not_depend_on_other_files_or_cores(tmp_path):
    import torch

    one = _crops(tmp_path / "one.h5ad", [1, 2, 7])
    two = _crops(tmp_path / "two.h5ad", [2, 3], seed=1)
    alone = pd.concat([featurize(one, STUDY), featurize(two, STUDY)], ignore_index=True)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        together = featurize([one, two], STUDY)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    pd.testing.assert_frame_equal(together, alone, check_exact=True)
    assert list(together[CELL_ID]) == [1, 2, 7, 2, 3]


@pytest.mark.slow
def test_featurizing_is_silent_and_leaves_no_files(tmp_path, capfd, monkeypatch):
    path = _crops(tmp_path / "cells.h5ad", [1])
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.chdir(scratch)
    featurize(path, STUDY)
    assert capfd.readouterr() == ("", "")
    # alphabase keeps one empty directory per process until that ends
    assert [name for name in os.listdir(scratch) if not name.startswith("temp_mmap_")] == []


def test_no_files_are_refused():
    with pytest.raises(InputError, match="no single-cell files"):
        featurize([], STUDY)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cells\.h5ad does not exist"):
        featurize(tmp_path / "cells.h5ad", STUDY)


def test_a_file_that_holds_no_cells_is_named(tmp_path):
    (tmp_path / "cells.h5ad").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cells\.h5ad cannot be read"):
        featurize(tmp_path / "cells.h5ad", STUDY)


@pytest.mark.slow
def test_crops_of_another_study_are_refused(tmp_path):
    path = _crops(tmp_path / "cells.h5ad", [1], channels=["DAPI", "GFP"])
    with pytest.raises(InputError, match=r"cells\.h5ad holds .*GFP: this study needs .*mCherry"):
        featurize(path, STUDY)
