"""Figures as PNG, each with the table of what it draws beside it."""

from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.figures import Picture, data_uri, png_bytes, preview
from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.io_managers.parquet import read_table, write_table
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import Output
from autophagy_assets.staleness.materializations import (
    CAPTION,
    TABLE_HASH,
    TABLE_UID,
    UID,
    Materialization,
)


@dataclass(frozen=True)
class StoredPicture:
    """A figure that was stored: its table, caption and uid.

    Parameters
    ----------
    table : pandas.DataFrame
        What is drawn: cells with their scores, or numbers.
    uid : str
        LaminDB uid of the PNG.
    """

    png: bytes
    table: pd.DataFrame
    caption: str
    uid: str


class FigureIOManager(LaminIOManager):
    """Stores ``Picture``; loads ``StoredPicture``."""

    suffix: ClassVar[str] = ".png"
    kind: ClassVar[str] = "figure"

    def write(self, value: Picture, path: Path) -> None:
        """Write the figure as PNG."""
        path.write_bytes(png_bytes(value.figure))

    def extra(
        self, recorder: Recorder, value: Picture, output: Output, contract: str | None
    ) -> dict[str, Any]:
        """Store the table of what is drawn beside the figure."""
        key = ArtifactKey.parse(output.key)
        assert key is not None, f"{output.key} was put together as a key of an asset"
        table = recorder.put(
            lambda path: write_table(value.table, path),
            str(replace(key, suffix=".parquet")),
            f"What {key.name} draws",
            output.labels,
            kind="dataset",
            rows=len(value.table),
        )
        return {TABLE_UID: table.record.uid, TABLE_HASH: table.record.sha256}

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> StoredPicture:
        """Read the figure and its table."""
        recorder = self.recorder(context)
        table = recorder.read(found.metadata[TABLE_UID], {"sha256": found.metadata[TABLE_HASH]})
        remembered = found.metadata
        return StoredPicture(
            path.read_bytes(), read_table(table), remembered[CAPTION], remembered[UID]
        )

    def metadata(self, value: Picture, path: Path) -> dict[str, Any]:
        """Caption, a small preview, and the numbers that the UI plots over time."""
        return {
            CAPTION: value.caption,
            "preview": dg.MetadataValue.md(
                f"![{value.caption}]({data_uri(preview(path.read_bytes()))})"
            ),
            "dagster/row_count": len(value.table),
            **{name: number for name, number in value.numbers.items() if isfinite(number)},
        }
