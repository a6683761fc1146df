"""Tables as parquet: whole, by column, or in pieces for tables larger than memory."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from autophagy_assets.analysis.classifier.selection import NEEDED, select_cells
from autophagy_assets.analysis.features.tables import TABLES
from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.io_managers.columns import column_lineage, column_schema
from autophagy_assets.io_managers.encoding import encoding
from autophagy_assets.io_managers.pieces import StoredTable, TablePieces, write_in_row_groups
from autophagy_assets.io_managers.steps import running_step
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.store.outputs import Output
from autophagy_assets.registry.store.schemas import validated
from autophagy_assets.staleness.materializations import Materialization

COLUMNS, SELECTED, PIECES = "columns", "selected", "pieces"
_PREVIEW_ROWS, _PREVIEW_COLUMNS = 8, 10
ROW_GROUP, MAPPED_BYTES = 65_536, 32_000_000
_CATEGORIES = b"autophagy_assets.categories"


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table, the same bytes for the same table.

    Parameters
    ----------
    path : pathlib.Path
        Does not exist yet.
    """
    arrow = pa.Table.from_pandas(table)
    if not len(table) and (known := _categories(table)):
        # Parquet keeps categories with the values, so those of a table without rows are lost.
        arrow = arrow.replace_schema_metadata(
            {**(arrow.schema.metadata or {}), _CATEGORIES: json.dumps(known).encode()}
        )
    pq.write_table(arrow, path, row_group_size=ROW_GROUP, **encoding(arrow.schema))


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table or some of its columns."""
    # A large file is mapped and not copied first: what that saves pays for hashing it beside.
    # Files of the store are replaced and never written to, so the map cannot change.
    arrow = pq.read_table(path, columns=columns, memory_map=path.stat().st_size > MAPPED_BYTES)
    known = (arrow.schema.metadata or {}).get(_CATEGORIES)
    # A large table is turned into columns of their own: putting them together into blocks
    # costs as much as reading. (Small ones would come out read-only that way.)
    large = len(arrow) > ROW_GROUP
    table = arrow.to_pandas(split_blocks=large, self_destruct=large)
    del arrow  # it was taken apart
    if known is not None:
        for name, (categories, ordered) in json.loads(known).items():
            if name in table.columns:
                table[name] = pd.Categorical([], categories, ordered)
    return table


def read_selected(
    path: Path, columns: list[str] | None, most: int, random_state: int
) -> pd.DataFrame:
    """Read the random selection of cells that models learn from, a row group at a time.

    Parameters
    ----------
    columns : list of str or None
        None for all.
    most, random_state : int
        As of :func:`autophagy_assets.analysis.classifier.selection.select_cells`.

    Returns
    -------
    pandas.DataFrame
        The table as it is where it has no more rows; else the selected ones, in its order.
    """
    if pq.read_metadata(path).num_rows <= most:
        return read_table(path, columns)
    chosen = select_cells(read_table(path, NEEDED), most, random_state)
    kept, begin = [], 0
    for piece in stream_table(path, columns):
        kept.append(piece[chosen[begin : begin + len(piece)]])
        begin += len(piece)
    return pd.concat(kept, ignore_index=True)


def _categories(table: pd.DataFrame) -> dict[str, tuple[list[Any], bool]]:
    return {
        str(name): (dtype.categories.tolist(), bool(dtype.ordered))
        for name, dtype in table.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype)
    }


def stream_table(
    path: Path, columns: list[str] | None = None, only: Iterable[int] | None = None
) -> Iterator[pd.DataFrame]:
    """Read a table a row group at a time.

    Parameters
    ----------
    columns : list of str, optional
        Default all.
    only : iterable of int, optional
        Numbers of the row groups, from 0; default all.

    Yields
    ------
    pandas.DataFrame
        At most ``ROW_GROUP`` rows.
    """
    # Buffering ahead doubles the memory; one group is read while the one before it is worked on.
    with pq.ParquetFile(path, pre_buffer=False) as file, ThreadPoolExecutor(1) as pool:

        def read(group: int) -> pd.DataFrame:
            return file.read_row_group(group, columns=columns).to_pandas()

        groups = [*range(file.num_row_groups)] if only is None else [*only]
        ahead: Future[pd.DataFrame] | None = None
        for place, group in enumerate(groups):
            piece = (ahead or pool.submit(read, group)).result()
            last = place + 1 == len(groups)
            ahead = None if last else pool.submit(read, groups[place + 1])
            yield piece


class ParquetIOManager(LaminIOManager):
    """Stores ``pandas.DataFrame``.

    Input metadata: ``columns`` (list of str) loads only those, ``pieces`` (bool) gives a
    :class:`StoredTable` to be read piece by piece, ``selected`` (bool) the cells that models learn
    from. What an asset gives as :class:`TablePieces` is written piece by piece.
    """

    suffix: ClassVar[str] = ".parquet"

    def write(self, value: pd.DataFrame | TablePieces, path: Path) -> None:
        """Write a table."""
        if isinstance(value, TablePieces) and len(value) > ROW_GROUP:
            write_in_row_groups(value, path, ROW_GROUP)
        elif isinstance(value, TablePieces):
            write_table(pd.concat(list(value), ignore_index=True), path)
        else:
            write_table(value, path)

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> Any:
        """Read a table, some columns of it, or an iterator over its pieces."""
        wanted = context.definition_metadata or {}
        if wanted.get(PIECES):
            stored = StoredTable(path, stream_table)
            self.recorder(context).columns[context.asset_key.to_user_string()] = stored.columns
            return stored
        load: Callable[..., pd.DataFrame] = read_table
        if wanted.get(SELECTED):
            training = running_step(context.step_context, self.study_file).study.training
            most, seed = training.most_cells, training.random_state
            load = partial(read_selected, most=most, random_state=seed)
        table = load(path, wanted.get(COLUMNS))
        names = [str(column) for column in table.columns]
        self.recorder(context).columns[context.asset_key.to_user_string()] = names
        return table

    def verified_first(self, context: dg.InputContext) -> bool:
        """Pieces are handed out before the end of the table is read, so it is verified first."""
        return bool((context.definition_metadata or {}).get(PIECES))

    def extra(
        self,
        recorder: Recorder,
        value: pd.DataFrame | TablePieces,
        output: Output,
        contract: str | None,
    ) -> dict[str, Any]:
        """Describe the columns, and the columns that they come from."""
        head = _head(value)
        lineage = column_lineage([str(c) for c in head.columns], recorder.columns)
        return column_schema(head, TABLES.get(contract or "")) | lineage

    def schema_of(self, value: pd.DataFrame | TablePieces, contract: str | None, asset: str) -> Any:
        """Validate as the kind of table that the asset names."""
        if not contract:
            return None
        fits = partial(validated, kind=TABLES[contract], name=asset)
        return value.checked(fits) if isinstance(value, TablePieces) else fits(value)

    def rows(self, value: pd.DataFrame | TablePieces) -> int:
        """Count the rows."""
        return len(value)

    def metadata(self, value: pd.DataFrame | TablePieces, path: Path) -> dict[str, Any]:
        """Row count and the first rows."""
        head = _head(value).iloc[:_PREVIEW_ROWS, :_PREVIEW_COLUMNS]
        return {
            "dagster/row_count": len(value),
            "preview": dg.MetadataValue.md(head.to_markdown(index=False)),
        }


def _head(value: pd.DataFrame | TablePieces) -> pd.DataFrame:
    return value.head if isinstance(value, TablePieces) else value
