"""Crops of cells for networks, located when they are read."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.assets.context import Paths
from autophagy_assets.registry.datasets import companion

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext


def crops_of(context: "StudyContext", cells: pd.DataFrame) -> Crops:
    """Crops of the cells of a table.

    They need no input of their own: a table of cells names the artifacts of its crops, and is made
    again where those are. For models of features nothing is read, so nothing is in their records.
    """
    return Crops(Paths(context, cells[DATASET].unique()), Fields(context, cells), context.study)


class Fields(Mapping[str, Path]):
    """SpatialData stores of datasets by uid: only those that are used are recorded.

    Parameters
    ----------
    cells : pandas.DataFrame
        Their datasets may be looked at.
    """

    def __init__(self, context: "StudyContext", cells: pd.DataFrame) -> None:
        self._context, self._cells = context, cells

    @cached_property
    def _uids(self) -> list[str]:
        return sorted(self._cells[DATASET].unique())  # which most models do not ask for

    def __getitem__(self, uid: str) -> Path:
        if uid not in self._uids:
            raise KeyError(uid)
        try:
            return self._context.read(companion(uid, "spatialdata.zarr"))
        except LookupError as error:
            raise KeyError(uid) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._uids)

    def __len__(self) -> int:
        return len(self._uids)
