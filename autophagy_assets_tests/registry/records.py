"""How much stands in the store, to see whether something was added."""

from __future__ import annotations

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
    root = storage_root()
    return sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and ".lamindb" not in path.parts and not path.name.startswith("lamin.db")
    )


def snapshot() -> tuple[dict[str, int], list[str]]:
    return rows(), stored_files()


def unfinished(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob(".tmp-*")]


def values(artifact: Any) -> dict[str, Any]:
    """Labels of an artifact by their kind, as LaminDB gives them."""
    return artifact.features.get_values()
