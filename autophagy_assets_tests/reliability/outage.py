"""A refresh in a forked child, during which the database goes away or the disk gets full."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def run(number: int, folder: str, asset: str) -> dict[str, Any]:
    """Make everything; wait at the end of an asset's step until the test says go on."""
    from autophagy_assets.errors import store_away
    from autophagy_assets.registry.provenance import recorder as provenance
    from autophagy_assets_tests.reliability import fork_server

    reached, proceed = Path(folder, "reached"), Path(folder, "proceed")
    finish = provenance.Recorder.finish

    def finish_later(self: provenance.Recorder) -> None:
        if self.step.asset == asset and not reached.exists():
            reached.touch()
            while not proceed.exists():
                time.sleep(0.01)
        finish(self)

    provenance.Recorder.finish = finish_later
    try:
        return {"success": fork_server._run(), "said": ""}
    except Exception as error:
        return {"success": False, "said": str(store_away(error))}


def refresh(number: int) -> dict[str, Any]:
    """Refresh; what each asset failed with, or what ended the refresh."""
    from autophagy_assets.errors import store_away
    from autophagy_assets_tests.reliability import fork_server

    try:
        return {"errors": fork_server._refresh(), "said": ""}
    except Exception as error:
        return {"errors": {}, "said": str(store_away(error) or repr(error))}
