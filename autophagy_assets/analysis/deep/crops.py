"""Crops of cells for networks, by identity, a batch at a time.

Here: crops as scPortrait stores them, masked by the outline of the cell. Not here: those that show
what surrounds a cell (``surroundings``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from autophagy_assets.analysis.deep.surroundings import Surroundings
from autophagy_assets.analysis.galleries.crops import fetch_crops
from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.config.study import Study


class Crops:
    """Crops of the cells of a study, read on demand.

    Parameters
    ----------
    paths : mapping of str to path-like
        The h5sc file of each dataset.
    stores : mapping of str to path-like
        The SpatialData zarr store of each dataset that has one.
    study : Study
        Names the marker's channel.
    """

    def __init__(
        self,
        paths: Mapping[str, str | os.PathLike[str]],
        stores: Mapping[str, str | os.PathLike[str]],
        study: Study,
    ) -> None:
        self._paths, self._study = paths, study
        self._found: dict[str, str | os.PathLike[str]] = {}
        self._surroundings = Surroundings(stores)

    def channels(self, named: Sequence[str]) -> tuple[str, ...]:
        """Channels that a network sees: those that are named, or the marker's alone."""
        return tuple(named) or (self._study.marker_channel,)

    def read(self, cells: pd.DataFrame, channels: Sequence[str], masked: bool) -> np.ndarray:
        """Read crops.

        Parameters
        ----------
        cells : pandas.DataFrame, shape (n, any)
            Holds the identity of the cells.
        masked : bool
            Whether what lies beyond the outline of a cell is 0.

        Returns
        -------
        numpy.ndarray of float32, shape (n, n_channels, size, size)
            In the order of `cells`. Each channel of each crop is scaled by itself: its 0.1st
            percentile is 0 and its 99.9th is 1.

        Raises
        ------
        InputError
            If a dataset, cell or channel is not there; names it.
        """
        # What is found is verified, which is not done again for every batch.
        for dataset in set(cells[DATASET]) - set(self._found):
            with suppress(KeyError):  # said where a crop of it is looked for
                self._found[dataset] = self._paths[dataset]
        if masked:
            return np.stack([fetch_crops(cells, self._found, one) for one in channels], axis=1)
        size = fetch_crops(cells.head(1), self._found, channels[0]).shape[-1]
        return self._surroundings.read(cells, channels, size)
