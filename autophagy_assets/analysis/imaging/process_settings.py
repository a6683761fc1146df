"""Process settings for scPortrait: silent, on one thread, with compiled code kept."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any


@contextmanager
def quiet() -> Iterator[None]:
    """Keep scPortrait's progress bars, prints and warnings off the terminal."""
    with (
        open(os.devnull, "w") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


@contextmanager
def cheap_collections() -> Iterator[None]:
    """Exempt existing objects from garbage collection.

    scPortrait collects garbage after each step, and walking the million objects that its
    imports leave behind takes half a second every time.
    """
    frozen_elsewhere = gc.get_freeze_count() > 0
    if frozen_elsewhere:
        gc.collect()  # cheap here, and what is garbage now would be kept for good
    gc.freeze()
    try:
        yield
    finally:
        if not frozen_elsewhere:
            gc.unfreeze()


@contextmanager
def no_histograms() -> Iterator[None]:
    """Keep scPortrait from drawing a histogram of the sizes of cells, of which nothing is kept.

    It draws one for each mask, asked to or not: a tenth of the time that a small field takes.
    """
    from scportrait.processing.masks.mask_filtering import SizeFilter

    kind: Any = SizeFilter
    draw = kind._get_histogram_plot
    kind._get_histogram_plot = lambda *args, **options: None
    try:
        yield
    finally:
        kind._get_histogram_plot = draw


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, so that sums are taken in one order and fields can share cores."""
    import numba
    import torch

    threads, numba_threads = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        numba.set_num_threads(numba_threads)


@contextmanager
def compiled_code_kept(*packages: str) -> Iterator[None]:
    """Let numba keep the machine code of packages that are imported meanwhile.

    Compiling takes 15 s per process, and the import of Cellpose alone 4 s more. The code lies
    where numba puts it: beside the byte code of the package, or in ``NUMBA_CACHE_DIR``.
    """
    from numba.core import dispatcher

    kind: Any = dispatcher.Dispatcher
    plain = kind.__init__

    def remembering(self: Any, *args: Any, **options: Any) -> None:
        plain(self, *args, **options)
        if self.py_func.__module__.partition(".")[0] in packages:
            with suppress(RuntimeError):  # nowhere to write
                self.enable_caching()

    kind.__init__ = remembering
    try:
        yield
    finally:
        kind.__init__ = plain
