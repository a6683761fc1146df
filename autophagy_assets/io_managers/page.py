"""Reports as self-contained HTML pages, each with the claims of its text beside it."""

from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg

from autophagy_assets.analysis.report.content import ReportPage
from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import Output
from autophagy_assets.staleness.materializations import (
    CLAIMS_HASH,
    CLAIMS_UID,
    Materialization,
)


class PageIOManager(LaminIOManager):
    """Stores ``ReportPage``; loads the HTML text."""

    suffix: ClassVar[str] = ".html"
    kind: ClassVar[str] = "report"

    def write(self, value: ReportPage, path: Path) -> None:
        """Write the page in UTF-8."""
        path.write_text(value.html, encoding="utf-8")

    def extra(
        self, recorder: Recorder, value: ReportPage, output: Output, contract: str | None
    ) -> dict[str, Any]:
        """Store the claims of the page beside it, as JSON."""
        key = ArtifactKey.parse(output.key)
        assert key is not None, f"{output.key} was put together as a key of an asset"
        claims = dumps([claim.as_json() for claim in value.claims], indent=1, ensure_ascii=False)
        stored = recorder.put(
            lambda path: path.write_text(claims, encoding="utf-8"),
            str(replace(key, suffix=".json")),
            f"Numbers of the text of {key.name}, and where they come from",
            output.labels,
            kind="dataset",
            rows=len(value.claims),
        )
        return {CLAIMS_UID: stored.record.uid, CLAIMS_HASH: stored.record.sha256}

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> str:
        """Read the page."""
        return path.read_text(encoding="utf-8")

    def metadata(self, value: ReportPage, path: Path) -> dict[str, Any]:
        """How many numbers of the text can be looked up."""
        return {"claims": len(value.claims)}
