"""The gallery of all cells as one self-contained HTML page."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.galleries.cell_gallery import CellGallery
from autophagy_assets.analysis.galleries.shown_scores import shown_scores
from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.staleness.materializations import UID, Materialization

SHOWN, AVAILABLE = "cells shown", "cells"


@dataclass(frozen=True)
class StoredGallery:
    """A gallery that was stored: its uid, and how many cells it shows.

    Parameters
    ----------
    uid : str
        LaminDB uid of the page.
    shown, available : int
        How many cells it shows, of how many.
    html : str
        The page.
    """

    uid: str
    shown: int
    available: int
    html: str

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores on the page, by identity of the cell and model."""
        return shown_scores(self.html)


class GalleryIOManager(LaminIOManager):
    """Stores ``CellGallery``; loads ``StoredGallery``, as the page is for people."""

    suffix: ClassVar[str] = ".html"
    kind: ClassVar[str] = "report"

    def write(self, value: CellGallery, path: Path) -> None:
        """Write the page in UTF-8."""
        path.write_text(value.html, encoding="utf-8")

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> StoredGallery:
        """Read which page it is, and how many cells it shows."""
        known, html = found.metadata, path.read_text(encoding="utf-8")
        return StoredGallery(known[UID], int(known[SHOWN]), int(known[AVAILABLE]), html)

    def metadata(self, value: CellGallery, path: Path) -> dict[str, Any]:
        """How many cells the page shows, of how many."""
        return {SHOWN: value.shown, AVAILABLE: value.available}
