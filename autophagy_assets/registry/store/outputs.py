"""Outputs: files that a step has stored, and the records that they will get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autophagy_assets.registry.store import files
from autophagy_assets.registry.store.identifiers import artifact_uid
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets.registry.store.labels import Labels


@dataclass(frozen=True)
class Record:
    """Record of one version of an artifact.

    Parameters
    ----------
    uid, key : str
        LaminDB uid and key.
    sha256 : str
        Hash of the content; empty where a source did not record one.
    size : int
        Bytes.
    """

    uid: str
    key: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Output:
    """A stored file that waits to be registered.

    Parameters
    ----------
    file : StoredFile
        The file, below the storage root.
    key : str
        Constant key; the versions of a key form one family.
    description : str
        What it is, in the field's words.
    labels : mapping
        Kind of label to names.
    kind : str, optional
        LaminDB's ``dataset``, ``model`` or another kind.
    rows : int, optional
        Number of observations, for tables.
    schema : lamindb.Schema, optional
        The schema that the content was validated against.
    made_from : tuple of str, optional
        Uids of those inputs of the step that it was made from, where not from all.
    notes : mapping, optional
        JSON-like, kept with the artifact in ``extra_data``.
    """

    file: files.StoredFile
    key: str
    description: str
    labels: Labels = field(default_factory=dict)
    kind: str | None = None
    rows: int | None = None
    schema: Any = None
    made_from: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def record(self) -> Record:
        """What will be known of it; derived, so it can be named before it is registered."""
        uid = artifact_uid(self.key, self.file.sha256)
        return Record(uid, self.key, self.file.sha256, self.file.size)


def folder_of(key: str) -> Path:
    """Folder of the store that holds the versions of a key.

    Parameters
    ----------
    key : str
        LaminDB key, with an ending.
    """
    place = storage_root() / key
    return place.with_name(place.name.rpartition(".")[0])  # a dose such as 0.1 has a point, too


def place_of(key: str) -> tuple[Path, str]:
    """Where a new version of a key is put: its folder, and the ending of its name.

    Parameters
    ----------
    key : str
        LaminDB key, with an ending.
    """
    return folder_of(key), "." + key.rsplit(".", 1)[1]
