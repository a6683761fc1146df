"""How much stands in the store, to see whether something was added."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autophagy_assets.registry.store.instance import connect, storage_root


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
