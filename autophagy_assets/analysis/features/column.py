"""A column of a table: name, type, meaning and unit, for people and for LaminDB."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """A column of a table: its name, type, meaning, and unit where it has one."""

    name: str
    type: type
    meaning: str
    unit: str | None = None

    @property
    def description(self) -> str:
        """Meaning and unit, for people."""
        return f"{self.meaning}, {self.unit}" if self.unit else self.meaning
