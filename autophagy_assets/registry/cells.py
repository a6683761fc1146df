"""Where one cell comes from and where it went: crop, field, images, features, score, figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
from autophagy_assets.registry.lineage import Node, Walk, artifact_called, bare
from autophagy_assets.registry.lineage_formats import tree_lines
from autophagy_assets.registry.origins import maker_of
from autophagy_assets.registry.provenance import transform_key

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

    def lineage_of(self, dataset: str, cell: int) -> Node:
        """Lineage of one cell.

        Parameters
        ----------
        dataset : str
            LaminDB uid of its single-cell images.
        cell : int
            Its number within the dataset.

        Returns
        -------
        Node
            The cell; below it its crop with the field's images, every table that has it in
            a row, and every figure that shows it.
        """
        return _CellWalk(self, dataset, cell).tree()


class _CellWalk(Walk):
    """A walk that follows one cell and leaves out what it has no part in."""

    def __init__(self, cells: Cells, dataset: str, cell: int) -> None:
        super().__init__(cells.known)
        self._cells, self._dataset, self._cell = cells, dataset, cell
        self._held: dict[int, str] = {}
        self._labels: dict[str, str] = {}
        self._tables = []
        for table in cells.tables:
            if (found := table.first_rows.get((dataset, cell))) is not None:
                number, row = found
                self._tables.append(table.artifact)
                self._held[table.artifact.id] = _told(number, row)
                self._labels |= {c: str(row[c]) for c in METADATA if c in row}
        self._field = cells.field_of(dataset)

    def tree(self) -> Node:
        """The cell with all that holds it."""
        try:
            crops = self._cells.artifact(self._dataset)
        except IntegrityError as error:
            raise InputError(
                f"LaminDB has no dataset {self._dataset}; take dataset and scportrait_cell_id from "
                "one row of a table."
            ) from error
        own = [self.node(crops)]
        if self._field is not None:
            own.append(self.node(self._cells.artifact(self._field)))
        others = [self.node(artifact) for artifact in self._tables]
        return Node(
            kind="cell",
            key=f"{self._dataset}:{self._cell}",
            uid="",
            description="one cell",
            detail=", ".join(self._labels.get(c, "") for c in METADATA if self._labels.get(c)),
            inputs=(*own, *sorted(others, key=lambda node: (_depth(node), node.key))),
        )

    def node(self, artifact: Any, before: int | None = None) -> Node:
        """Node of an artifact, with what of its inputs holds the cell."""
        run = maker_of(artifact, before)
        place = (artifact.id, run.id if run is not None else None)
        if place not in self._nodes:
            self._nodes[place] = self._narrowed(artifact, run)
        return self._nodes[place]

    def _narrowed(self, artifact: Any, run: Any) -> Node:
        inputs, before = (self.inputs(artifact, run), run.id) if run is not None else ([], None)
        if artifact.uid == self._dataset:
            where = self._cells.position(self._dataset, self._cell)
            children = tuple(self.node(each, before) for each in inputs)
            return bare(artifact, run, detail=where, inputs=children)
        if artifact.uid == self._field:
            children = tuple(self.node(each, before) for each in inputs)
            return bare(artifact, run, detail="field of view with masks", inputs=children)
        if artifact.id not in self._held:
            return bare(artifact, run)
        kept = [a for a in inputs if a.id in self._held or a.uid in (self._dataset, self._field)]
        models = [a for a in inputs if a.kind == "model"]
        children = tuple(self.node(each, before) for each in (*kept, *models))
        detail = self._cells.fault(artifact) or self._held[artifact.id]
        left_out = len(inputs) - len(children)
        return bare(artifact, run, detail=detail, inputs=children, omitted=left_out)


def _told(number: int, row: Mapping[str, Any]) -> str:
    """What a table's row says of the cell."""
    said = [f"row {number}"]
    if "panel" in row:
        said = [f"shown in {row['panel']}, row {row['row'] + 1}, column {row['column'] + 1}"]
    elif CLASS in row:
        said.append(f"class {row[CLASS]}")
    if SCORE in row:
        said.append(f"predicted class {row[PREDICTED]}, probability of class 1 {row[SCORE]:.4f}")
        said.append(str(row[OUTCOME]))
    return ", ".join(said)


def _depth(node: Node) -> int:
    return 1 + max((_depth(child) for child in node.inputs), default=0)


def lineage_of_cell(dataset: str, cell: int) -> Node:
    """Lineage of one cell: its images, its features, its scores, and figures that show it.

    Parameters
    ----------
    dataset : str
        LaminDB uid of its single-cell images.
    cell : int
        Its number within the dataset.

    Returns
    -------
    Node

    Raises
    ------
    InputError
        If there is no such dataset, or it does not have the cell.
    """
    return Cells([dataset]).lineage_of(dataset, cell)


def lineage_sections(
    figures: Mapping[str, str], cells: Iterable[tuple[str, int]] = ()
) -> dict[str, list[str]]:
    """Lineage of figures and of cells as lines of text, for a report.

    Parameters
    ----------
    figures : mapping
        Name of a section to the LaminDB uid of the figure, table or model.
    cells : iterable of (str, int)
        Dataset and number of each cell.

    Returns
    -------
    dict
        Lines by name; of a cell by ``dataset:number``. The same content has the same lines:
        run ids and times are left out.
    """
    wanted = list(dict.fromkeys((dataset, int(cell)) for dataset, cell in cells))
    known = Cells({dataset for dataset, _ in wanted})
    walk = Walk(known.known)
    sections = {
        name: tree_lines(walk.node(artifact_called(uid)), stable=True)
        for name, uid in figures.items()
    }
    for dataset, cell in wanted:
        tree = known.lineage_of(dataset, cell)
        sections[f"{dataset}:{cell}"] = tree_lines(tree, stable=True)
    return sections
