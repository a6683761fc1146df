"""An empty inbox that the settings name."""

from __future__ import annotations

from pathlib import Path

import pytest

from autophagy_assets_tests.automation.inbox_folder import Inbox


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    made = Inbox(tmp_path)
    monkeypatch.setenv("AUTOPHAGY_INBOX", str(made.folder))
    return made
