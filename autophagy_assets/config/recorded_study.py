"""A study that notes which of its entries a step has read."""

from __future__ import annotations

from typing import Any

from pydantic import PrivateAttr

from autophagy_assets.config.models import Model
from autophagy_assets.config.study import MODEL_ENTRY, PRIMARY_ENTRY, Study

# Whether changed code counts is no part of a result: to ask for it is not to use it.
_ENTRIES = frozenset(Study.model_fields) - {"pin_code"}


class RecordedStudy(Study):
    """A study that notes which of its entries have been read.

    A step gets one, so that what it was made with is known from what it did and is declared
    nowhere. A copy in another process starts empty: what is read there has to be brought back.
    """

    _read: set[str] = PrivateAttr(default_factory=set)

    @classmethod
    def of(cls, study: Study) -> RecordedStudy:
        """The same study, of which nothing has been read yet."""
        # Not by its attributes: of a recorded study, all of them would count as read.
        return cls.model_construct(**study.__dict__)

    def __getattribute__(self, name: str) -> Any:
        if name in _ENTRIES:
            found = super().__getattribute__(name)
            models = [f"{MODEL_ENTRY}{model.name}" for model in found] if name == "models" else []
            self._read.update([*models, PRIMARY_ENTRY] if models else [name])
            return found
        return super().__getattribute__(name)

    def model(self, name: str) -> Model:
        """A model by its name; it alone counts as read."""
        self._read.add(f"{MODEL_ENTRY}{name}")
        return super().model(name)

    @property
    def primary(self) -> str:
        """Name of the model that leads; no model counts as read."""
        self._read.add(PRIMARY_ENTRY)
        return super().primary

    @property
    def entries_read(self) -> set[str]:
        """Names of the entries that have been read so far; may be added to."""
        return self._read

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As of any study; all of it counts as read."""
        self._read.update(self.values().keys() - {"pin_code"})
        return super().model_dump(**options)

    def __reduce__(self) -> Any:
        return RecordedStudy.of, (Study.model_construct(**self.__dict__),)
