"""From single-cell crops to a table of features, with scPortrait's ``CellFeaturizer``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import CELL_ID
from autophagy_assets.analysis.imaging.process_settings import cheap_collections, one_thread, quiet
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from autophagy_assets.config.study import Study

# scPortrait's own suggestion; a row does not depend on the other rows of its batch.
BATCH_SIZE = 900


def featurize(
    h5ad: str | PathLike[str] | Sequence[str | PathLike[str]], study: Study
) -> pd.DataFrame:
    """Describe every cell by its areas and the intensities of its channels.

    Parameters
    ----------
    h5ad : path-like or sequence of path-like
        Single-cell crops of one field of view, or of several.
    study : Study
        Gives the channels that the crops must have.

    Returns
    -------
    pandas.DataFrame
        One row per cell in the order of the crops, files one after the other:
        ``scportrait_cell_id`` (int64) and scPortrait's features (float64), by their names:
        areas of nucleus, cell and cytoplasm in px, and mean, median, quartiles, sum and sum
        per area of each channel in each of the three, of crops scaled to 0-1 each.

    Raises
    ------
    InputError
        If a file is missing, is not a single-cell file, or has other channels than the study.

    Notes
    -----
    Files are featurized one at a time on one thread, so a cell's features do not depend on
    what else is in the study or on the machine's cores.
    """
    import pandas as pd

    paths = [h5ad] if isinstance(h5ad, (str, PathLike)) else list(h5ad)
    tables = [_featurize_file(Path(path), study) for path in paths]
    if not tables:
        raise InputError("There are no single-cell files to featurize.")
    return pd.concat(tables, ignore_index=True)


def _featurize_file(path: Path, study: Study) -> pd.DataFrame:
    import pandas as pd

    _check_channels(path, study)
    with (
        tempfile.TemporaryDirectory(prefix="featurize-") as work,
        quiet(),
        cheap_collections(),
        one_thread(),
    ):
        from alphabase.io import tempmmap

        from autophagy_assets.analysis.imaging.scportrait_steps import CellFeaturizer

        config = {
            "batch_size": BATCH_SIZE,
            "dataloader_worker_number": 0,
            "inference_device": "cpu",
            "label": "features",
            "cache": work,
        }
        featurizer = CellFeaturizer(config, directory=work)
        found: Any = featurizer.process(str(path), return_results=True)
        features = tempmmap.mmap_array_from_path(found.features_path).astype("float64")
        cell_ids = tempmmap.mmap_array_from_path(found.cell_ids_path).ravel().astype("int64")
        names = [str(name) for name in found.var_names]
        featurizer.clear_temp_dir()
    table = pd.DataFrame(features, columns=pd.Index(names))
    table.insert(0, CELL_ID, cell_ids)
    return table


def _check_channels(path: Path, study: Study) -> None:
    import h5py

    if not path.is_file():
        raise InputError(f"Single-cell file {path} does not exist: run the imaging of its field.")
    try:
        with h5py.File(path, "r") as file:
            uns = file["uns/single_cell_images"]
            names = [name.decode() for name in uns["channel_names"][:]]
            n_masks = int(uns["n_masks"][()])
    except (OSError, KeyError) as error:
        raise InputError(
            f"Single-cell file {path} cannot be read ({error}): run the imaging of its field again."
        ) from error
    if tuple(names[n_masks:]) != study.channels or n_masks != 2:
        raise InputError(
            f"Single-cell file {path} holds {', '.join(names)}: this study needs two masks and "
            f"{', '.join(study.channels)}."
        )
