"""The images that benchmarks run on: real ones where they are at hand, else simulated ones."""

from __future__ import annotations

import os
from pathlib import Path

REAL = "AUTOPHAGY_REAL_DATA"


def images_of_a_study(scratch: Path, small: bool = False) -> Path:
    """Folder with images and metadata.

    Parameters
    ----------
    scratch : pathlib.Path
        Where a study is simulated if the real one is not at hand.
    small : bool
        Simulate one in any case, with fields of 420 px with 12 cells.

    Returns
    -------
    pathlib.Path
        ``AUTOPHAGY_REAL_DATA``, else ``../shared/data/autophagy_fov1``, else `scratch`.
    """
    from autophagy_assets.simulation import simulate

    if small:
        simulate(scratch, size=420, cells_per_field=12)
        return scratch
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "autophagy_fov1"
    for folder in (Path(os.environ.get(REAL) or beside), beside):
        if (folder / "metadata_files.csv").is_file():
            return folder
    simulate(scratch)
    return scratch
