"""Private parts of what images are worked on with: still there."""

from __future__ import annotations

import pytest

from autophagy_assets_tests.private_parts.used import used_in


def test_numba_can_be_told_to_keep_what_it_compiles():
    with used_in("numba", "numba.core.dispatcher", "analysis/imaging/process_settings"):
        from numba.core import dispatcher

        assert callable(dispatcher.Dispatcher.enable_caching)


@pytest.mark.slow
def test_scportrait_opens_its_store_in_one_place():
    with used_in("scportrait", "filehandler._read_sdata", "analysis/imaging/project"):
        from scportrait.pipeline._utils.sdata_io import sdata_filehandler

        assert callable(sdata_filehandler._read_sdata)


@pytest.mark.slow
def test_scportrait_draws_the_sizes_of_cells_in_one_place():
    part, module = "SizeFilter._get_histogram_plot", "analysis/imaging/process_settings"
    with used_in("scportrait", part, module):
        from scportrait.processing.masks.mask_filtering import SizeFilter

        assert callable(SizeFilter._get_histogram_plot)
