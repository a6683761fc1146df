"""What stands in the store, to see whether something was added."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.store.instance import connect, storage_root
from autophagy_assets_tests.registry.image_folder import FIELD


def rows() -> dict[str, int]:
    """Number of rows of every table of LaminDB that has any."""
    connect()
    from django.apps import apps

    counts = {model.__name__: model._base_manager.count() for model in apps.get_models()}
    return {name: count for name, count in counts.items() if count}


def stored_files() -> list[str]:
    """Every file below the storage root but LaminDB's own."""
    root, found = str(storage_root()), list[str]()
    for folder, folders, names in os.walk(root):  # many times faster than Path.rglob
        folders[:] = [name for name in folders if name != ".lamindb"]
        below = os.path.relpath(folder, root)
        found += [os.path.join(below, n) for n in names if not n.startswith("lamin.db")]
    return sorted(found)


def snapshot() -> tuple[dict[str, int], list[str]]:
    return rows(), stored_files()


def unfinished(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".tmp-*")]


def values(artifact: Any) -> dict[str, Any]:
    """Labels of an artifact by their kind, as LaminDB gives them."""
    return artifact.features.get_values()


def stored(store, study) -> dict[str, bytes]:
    """Bytes that are registered of each channel of the field of tests."""
    (images,) = (field.images for field in raw_fields(study) if field.name == ", ".join(FIELD))
    return {channel: Path(store.Artifact.get(uid=uid).path).read_bytes() for channel, uid in images}


def refused(folder: Path, study, *words: str) -> None:
    """Hold that an ingest is refused in one sentence with some words, and changes nothing."""
    before = snapshot()
    with pytest.raises(InputError) as raised:
        ingest(folder, study)
    for word in words:
        assert word in str(raised.value), str(raised.value)
    assert "\n" not in str(raised.value) and snapshot() == before
