"""A registered file, a registered Zarr folder, and what is hashed of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets_tests.registry.consistency.stored import put, write_file, write_zarr


@pytest.fixture
def file(store) -> tuple[str, Path]:
    (uid,) = put(write_file)
    return uid, fetch(uid)[0]


@pytest.fixture
def zarr(store) -> tuple[str, Path]:
    (uid,) = put(write_zarr)
    return uid, fetch(uid)[0]


@pytest.fixture
def hashed(monkeypatch) -> list[Path]:
    """Files and folders that have been hashed since."""
    seen: list[Path] = []
    measure = files.measure

    def counting(path: Path) -> tuple[str, int]:
        seen.append(path)
        return measure(path)

    monkeypatch.setattr(files, "measure", counting)
    return seen
