"""Tables of the store that hold cells, and figures that draw them: read once, asked often."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    METADATA,
    OUTCOME,
    PREDICTED,
    SCORE,
)
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.artifacts import fetch, find
from autophagy_assets.registry.datasets import companion
from autophagy_assets.registry.instance import connect
from autophagy_assets.registry.runs import transform_key

_PLACE = ["panel", "row", "column"]
_SHOWN = [DATASET, CELL_ID, CLASS, *METADATA, PREDICTED, SCORE, OUTCOME, *_PLACE]


@dataclass(frozen=True)
class CellTable:
    """A table that has cells in its rows, or the figure that draws them.

    Parameters
    ----------
    artifact : lamindb.Artifact
        The table, or the figure beside it.
    rows : pandas.DataFrame
        Identity and what else is known of each cell; indexed by row number.
    """

    artifact: Any
    rows: pd.DataFrame

    @cached_property
    def first_rows(self) -> dict[tuple[str, int], tuple[int, dict[str, Any]]]:
        """Number and content of the first row of each cell, by dataset and number."""
        rows = self.rows.drop_duplicates([DATASET, CELL_ID])
        cells = zip(rows[DATASET], rows[CELL_ID], strict=True)
        return dict(zip(cells, zip(rows.index, rows.to_dict("records"), strict=True), strict=True))


class Cells:
    """The cells of the store: tables are read once, then any number of cells can be asked for.

    Parameters
    ----------
    datasets : iterable of str, optional
        Only cells of these datasets are kept in memory.
    """

    def __init__(self, datasets: Iterable[str] | None = None) -> None:
        self._wanted = None if datasets is None else set(datasets)
        self._ids: dict[str, np.ndarray] = {}
        self._faults: dict[str, str] = {}
        # Inputs by artifact and run, for the walks through the lineage of each cell.
        self.known: dict[tuple[int, int], list[Any]] = {}
        self._fields: dict[str, str | None] = {}
        self._artifacts: dict[str, Any] = {}

    def artifact(self, uid: str) -> Any:
        """Artifact of that uid, asked of LaminDB once."""
        if uid not in self._artifacts:
            from django.db.models import prefetch_related_objects

            self._artifacts[uid] = find(uid)
            prefetch_related_objects([self._artifacts[uid]], "recreating_runs", "run__transform")
        return self._artifacts[uid]

    def field_of(self, dataset: str) -> str | None:
        """Uid of the SpatialData that was saved beside a dataset, if there is one."""
        if dataset not in self._fields:
            try:
                self._fields[dataset] = companion(dataset, "spatialdata.zarr")
            except LookupError:
                self._fields[dataset] = None
        return self._fields[dataset]

    @cached_property
    def tables(self) -> list[CellTable]:
        """Latest tables of this platform that hold cells, and figures that draw them."""
        latest = connect().Artifact.filter(
            is_latest=True, run__transform__key__startswith=transform_key("")
        )
        # Every cell asks who made each of them.
        latest = latest.select_related("run__transform", "run__environment")
        latest = latest.prefetch_related("recreating_runs")
        figures = {a.key.rsplit(".", 1)[0]: a for a in latest.filter(kind="figure")}
        found = []
        for artifact in latest.filter(suffix=".parquet").order_by("key"):
            rows = self._rows_of(artifact)
            if rows is not None and len(rows):
                shown = figures.get(artifact.key.rsplit(".", 1)[0], artifact)
                found.append(CellTable(shown, rows))
        return found

    def _rows_of(self, artifact: Any) -> pd.DataFrame | None:
        import pyarrow.parquet as pq

        path = str(artifact.path)
        try:
            names = pq.read_schema(path).names
            if DATASET not in names or CELL_ID not in names:
                return None
            table = pq.read_table(path, columns=[n for n in _SHOWN if n in names]).to_pandas()
        except (OSError, ValueError):  # gone or damaged: for reconcile to tell
            return None
        table = table.reset_index(drop=True)
        return table if self._wanted is None else table[table[DATASET].isin(self._wanted)]

    def position(self, dataset: str, cell: int) -> str:
        """Where the crop of a cell stands.

        Parameters
        ----------
        dataset : str
        cell : int

        Returns
        -------
        str

        Raises
        ------
        InputError
            If the dataset does not have the cell.
        """
        if dataset not in self._ids:
            import h5py

            from autophagy_assets.analysis.crops import IDS

            try:
                with h5py.File(fetch(dataset)[0], "r") as file:
                    self._ids[dataset] = np.asarray(file[IDS]).astype("int64")
            except IntegrityError as error:
                return str(error)
        rows = np.flatnonzero(self._ids[dataset] == cell)
        if not len(rows):
            raise InputError(
                f"Dataset {dataset} has {len(self._ids[dataset])} cells, none with "
                f"scportrait_cell_id {cell}; take both from one row of a table."
            )
        return f"crop in row {rows[0]} of {len(self._ids[dataset])}"

    def fault(self, artifact: Any) -> str:
        """What is wrong with the file of a table, if anything."""
        if artifact.uid not in self._faults:
            try:
                fetch(artifact.uid)
                self._faults[artifact.uid] = ""
            except IntegrityError as error:
                self._faults[artifact.uid] = str(error)
        return self._faults[artifact.uid]
