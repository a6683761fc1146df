"""Reports as self-contained HTML pages."""

from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.staleness.materializations import Materialization


class PageIOManager(LaminIOManager):
    """Stores HTML text."""

    suffix: ClassVar[str] = ".html"
    kind: ClassVar[str] = "report"

    def write(self, value: str, path: Path) -> None:
        """Write the page in UTF-8."""
        path.write_text(value, encoding="utf-8")

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> str:
        """Read the page."""
        return path.read_text(encoding="utf-8")

    def metadata(self, value: str, path: Path) -> dict[str, Any]:
        """Nothing beyond where it is stored."""
        return {}
