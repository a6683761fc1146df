"""Lineage of one cell: crop, field, images, features, scores and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autophagy_assets.analysis.identity import (
    CLASS,
    FIRST_ID,
    METADATA,
    MODEL,
    OUTCOME,
    PREDICTED,
    SCORE,
)
from autophagy_assets.analysis.imaging.regions import places_of_cells
from autophagy_assets.analysis.review.answers import ANNOTATOR, ANSWER
from autophagy_assets.config.study import NO_CLASS
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.lineage.cell_tables import Cells, Read, latest_tables, tables_behind
from autophagy_assets.registry.lineage.lineage import (
    Node,
    NodeBuilder,
    artifact_called,
    make_node,
    nodes_of,
)
from autophagy_assets.registry.provenance.run_provenance import maker_of
from autophagy_assets.registry.shared_datasets import IMAGES, fields_of


class _CellWalk(NodeBuilder):
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
                self._held[table.artifact.id] = _row_text(number, row)
                self._labels |= {c: str(row[c]) for c in METADATA if c in row}
        self._field = cells.field_of(dataset)

    def tree(self) -> Node:
        """The cell; below it its crop and field with their images, and tables and figures."""
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
        others += [
            make_node(artifact, maker_of(artifact), detail=fault)
            for artifact, fault in self._cells.refused
        ]
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
            return self._of_field(artifact, run, where, inputs, before)
        if artifact.uid == self._field:
            return self._of_field(artifact, run, "field of view with masks", inputs, before)
        if artifact.id not in self._held:
            return make_node(artifact, run)
        kept = [a for a in inputs if a.id in self._held or a.uid in (self._dataset, self._field)]
        models = [a for a in inputs if a.kind == "model"]
        children = tuple(self.node(each, before) for each in (*kept, *models))
        detail = self._cells.fault(artifact) or self._held[artifact.id]
        left_out = len(inputs) - len(children)
        return make_node(artifact, run, detail=detail, inputs=children, omitted=left_out)

    def _of_field(
        self, artifact: Any, run: Any, detail: str, inputs: list[Any], before: int | None
    ) -> Node:
        """Node of crops or a store, above the images of the field of the cell."""
        own = inputs
        if fields := fields_of(artifact.extra_data):
            firsts = np.array([field[FIRST_ID] for field in fields])
            field = fields[int(places_of_cells(firsts, np.array([self._cell]))[0])]
            own = [each for each in inputs if each.uid in field[IMAGES]]
        children = tuple(self.node(each, before) for each in own)
        left_out = len(inputs) - len(own)
        return make_node(artifact, run, detail=detail, inputs=children, omitted=left_out)


def _row_text(number: int, row: Mapping[str, Any]) -> str:
    """What a table's row says of the cell."""
    said = [f"row {number}"]
    if "panel" in row:
        said = [f"shown in {row['panel']}, row {row['row'] + 1}, column {row['column'] + 1}"]
    elif CLASS in row:
        said.append("no class" if row[CLASS] == NO_CLASS else f"class {row[CLASS]}")
    if MODEL in row:
        said.append(f"model {row[MODEL]}")
    if PREDICTED in row:
        said.append(f"predicted class {row[PREDICTED]}")
    if SCORE in row:
        said.append(f"probability of class 1 {row[SCORE]:.4f}")
    if OUTCOME in row:
        said.append(str(row[OUTCOME]))
    if ANSWER in row:
        said.append(f"{row[ANNOTATOR]} answered {row[ANSWER]!r}")
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

    Raises
    ------
    InputError
        If there is no such dataset, or it does not have the cell.
    """
    return _CellWalk(Cells([dataset], latest_tables()), dataset, cell).tree()


def lineage_trees(
    figures: Mapping[str, str],
    cells: Iterable[tuple[str, int]] = (),
    read: Read | None = None,
) -> dict[str, Node]:
    """Lineage of figures and of cells that they show, for a report.

    Parameters
    ----------
    figures : mapping
        Name of a section to the LaminDB uid of the figure, table or model.
    cells : iterable of (str, int)
        Dataset and number of each cell. Of the tables that hold it those are looked at that the
        figures were made from.
    read : callable, optional
        As for :class:`~autophagy_assets.registry.lineage.cell_tables.Cells`.

    Returns
    -------
    dict
        By name; of a cell by ``dataset:number``.
    """
    walk = NodeBuilder()
    artifacts = {name: artifact_called(uid) for name, uid in figures.items()}
    trees = {name: walk.node(artifact) for name, artifact in artifacts.items()}
    wanted = list(dict.fromkeys((dataset, int(cell)) for dataset, cell in cells))
    tables = tables_behind(artifacts.values(), nodes_of(*trees.values())) if wanted else []
    known = Cells({dataset for dataset, _ in wanted}, tables, read)
    known.known |= walk.known
    for dataset, cell in wanted:
        trees[f"{dataset}:{cell}"] = _CellWalk(known, dataset, cell).tree()
    return trees
