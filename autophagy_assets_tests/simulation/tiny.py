"""A study of small fields, and what is in its folder."""

from __future__ import annotations

from pathlib import Path

TINY = {"size": 420, "cells_per_field": 12, "fields_per_sample": 1}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
