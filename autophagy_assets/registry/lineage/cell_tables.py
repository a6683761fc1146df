"""Tables of the store that hold cells, and figures that draw them: read once, asked often."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from autophagy_assets.analysis.identity import (
    CELL_ID,
    CLASS,
    DATASET,
    METADATA,
    MODEL,
    OUTCOME,
    PREDICTED,
    SCORE,
)
from autophagy_assets.analysis.review.answers import ANNOTATOR, ANSWER
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.datasets import companion
from autophagy_assets.registry.lineage.lineage import Node
from autophagy_assets.registry.provenance.run_provenance import maker_of
from autophagy_assets.registry.provenance.runs import transform_key
from autophagy_assets.registry.store.artifacts import fetch, find
from autophagy_assets.registry.store.database import fetch_related
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.keys import ArtifactKey

Read = Callable[[str], Path]
_PLACE = ["panel", "row", "column"]
_ANSWER = [ANNOTATOR, ANSWER]
_SHOWN = [DATASET, CELL_ID, CLASS, *METADATA, MODEL, PREDICTED, SCORE, OUTCOME, *_PLACE, *_ANSWER]


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


def latest_tables() -> list[tuple[Any, Any]]:
    """Latest tables of this platform, whichever study they belong to.

    Returns
    -------
    list of (lamindb.Artifact, lamindb.Artifact)
        Each with the figure that draws it, or with itself.
    """
    return _with_figures(connect().Artifact.filter(is_latest=True))


def tables_behind(figures: Iterable[Any], nodes: Iterable[Node]) -> list[tuple[Any, Any]]:
    """Tables that figures were made from, in the versions that were read, and their own.

    Parameters
    ----------
    figures : iterable of lamindb.Artifact
    nodes : iterable of Node
        The lineage of the figures.

    Returns
    -------
    list of (lamindb.Artifact, lamindb.Artifact)
        As :func:`latest_tables`.
    """
    uids = {node.uid for node in nodes if node.kind == "table"}
    registry = connect().Artifact
    for figure in figures:
        uids.add(figure.uid)
        if (key := ArtifactKey.parse(figure.key)) is None:
            continue  # somebody's own figure, of which nothing is known
        beside = registry.filter(key=str(replace(key, suffix=".parquet")))
        run = maker_of(figure)
        for made in (beside.filter(run=run), beside.filter(recreating_runs=run)):
            uids.update(made.values_list("uid", flat=True))
    return _with_figures(registry.filter(uid__in=uids))


def _with_figures(found: Any) -> list[tuple[Any, Any]]:
    found = found.filter(run__transform__key__startswith=transform_key(""))
    # Every cell asks who made each of them.
    found = found.select_related("run__transform", "run__environment")
    found = found.prefetch_related("recreating_runs")
    keys = ((ArtifactKey.parse(figure.key), figure) for figure in found.filter(kind="figure"))
    figures: dict[str | None, Any] = {key.stem: figure for key, figure in keys if key is not None}
    tables = found.filter(suffix=".parquet").order_by("key", "uid")
    return [(table, figures.get(_stem(table.key), table)) for table in tables]


def _stem(key: str) -> str | None:
    parsed = ArtifactKey.parse(key)
    return parsed.stem if parsed is not None else None


class Cells:
    """The cells of some datasets: tables are read once, then any number of cells asked for.

    Parameters
    ----------
    datasets : iterable of str
        Only their cells are kept in memory.
    tables : iterable of (lamindb.Artifact, lamindb.Artifact)
        Tables in which to look for them, each with what is said to hold them.
    read : callable, optional
        How a step reads: takes a uid, gives a verified path, and notes an input. Then a file
        that is gone or changed stops the step, so that it is repaired first; but an older version
        is never made again, so what is wrong with it is reported in place of what it holds.
        Without, nothing is noted and whatever is wrong is raised.
    """

    def __init__(
        self,
        datasets: Iterable[str],
        tables: Iterable[tuple[Any, Any]],
        read: Read | None = None,
    ) -> None:
        self._wanted, self._sources = set(datasets), list(tables)
        self._read, self._stops = read or (lambda uid: fetch(uid)[0]), read is not None
        self._ids: dict[str, np.ndarray] = {}
        self._faults: dict[str, str] = {}
        # Inputs by artifact and run, for the walks through the lineage of each cell.
        self.known: dict[tuple[int, int], list[Any]] = {}
        self._fields: dict[str, str | None] = {}
        self._artifacts: dict[str, Any] = {}

    def artifact(self, uid: str) -> Any:
        """Artifact of that uid, asked of LaminDB once."""
        if uid not in self._artifacts:
            self._artifacts[uid] = find(uid)
            fetch_related([self._artifacts[uid]], "recreating_runs", "run__transform")
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
        """Tables that hold cells of the datasets, and figures that draw them."""
        found = []
        for artifact, shown in self._sources:
            rows = self._rows_of(artifact)
            if rows is not None and len(rows):
                found.append(CellTable(shown, rows))
        return found

    @property
    def refused(self) -> list[tuple[Any, str]]:
        """Tables that were not read, as their file is gone or changed, and what is wrong."""
        faults = [(table, self._faults.get(table.uid)) for table, _ in self._sources]
        return [(table, fault) for table, fault in faults if fault]

    def _rows_of(self, artifact: Any) -> pd.DataFrame | None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if (path := self._verified(artifact)) is None:
            return None
        try:
            names = pq.read_schema(path).names
        except pa.ArrowInvalid:  # somebody's file that only ends as a table does
            names = []
        if not {DATASET, CELL_ID} <= set(names):
            return None
        columns, kept, n = [n for n in _SHOWN if n in names], [], 0
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns).to_pandas()
                rows.index = pd.RangeIndex(n, n := n + len(rows))
                kept.append(rows[rows[DATASET].isin(self._wanted)])
        return pd.concat(kept) if kept else None

    def _verified(self, artifact: Any) -> Path | None:
        """Path of an artifact; None where it is refused, and the fault is kept."""
        try:
            return self._read(artifact.uid)
        except IntegrityError as error:
            if self._stops and artifact.is_latest:
                raise
            self._faults[artifact.uid] = str(error)
            return None

    def position(self, dataset: str, cell: int) -> str:
        """Where the crop of a cell stands.

        Parameters
        ----------
        dataset : str
            Uid of the crops.
        cell : int
            Its ``scportrait_cell_id``.

        Raises
        ------
        InputError
            If the dataset does not have the cell.
        """
        if dataset not in self._ids:
            import h5py

            from autophagy_assets.analysis.galleries.crops import IDS

            if (path := self._verified(self.artifact(dataset))) is None:
                return self._faults[dataset]
            with h5py.File(path, "r") as file:
                self._ids[dataset] = np.asarray(file[IDS]).astype("int64")
        rows = np.flatnonzero(self._ids[dataset] == cell)
        if not len(rows):
            raise InputError(
                f"Dataset {dataset} has {len(self._ids[dataset])} cells, none with "
                f"scportrait_cell_id {cell}; take both from one row of a table."
            )
        return f"crop in row {rows[0]} of {len(self._ids[dataset])}"

    def fault(self, artifact: Any) -> str:
        """What is wrong with the file of a table or figure, if anything."""
        if artifact.uid not in self._faults and self._verified(artifact) is not None:
            self._faults[artifact.uid] = ""
        return self._faults[artifact.uid]
