"""Private parts of LaminDB that are used: each part once, and only here.

``docs/design.md`` says why each is needed. A test tells which one an upgrade has moved. LaminDB
connects as it is imported, so that is done inside functions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

# LaminDB's branch for what was deleted and can be restored.
TRASH = -1
# Column of a run's status; the values are LaminDB's.
RUN_STATUS = "_status_code"
STARTED, FINISHED, ERRORED, ABORTED = -1, 0, 1, 2
_AT_ONCE = 20_000  # rows that are fetched at a time


def make_instance(storage: Path, name: str, database: str | None) -> None:
    """Make an instance that this process connects to, and no other by itself.

    Parameters
    ----------
    storage : pathlib.Path
        Storage root.
    name : str
        Without an owner.
    database : str or None
        Address of a PostgreSQL database; None for SQLite below the storage root.
    """
    import lamindb_setup

    lamindb_setup.init(
        storage=str(storage),
        name=name,
        modules="bionty",
        db=database,
        _write_settings=False,  # True would drop a settings file into the working directory
    )
    lamindb_setup.settings.instance._persist(write_to_disk=True, write_current_instance_file=False)


# Object by which LaminDB knows whose a bucket is.
STORAGE_MARK = ".lamindb/storage_uid.txt"


def storage_mark(ln: Any, uid: str) -> str:
    """Text of the object by which LaminDB knows whose a bucket is; its first line is the uid."""
    instance = ln.setup.settings.instance
    return f"{uid}\ncreation info:\ninstance_slug={instance.slug}\ninstance_uid={instance.uid}"


def add_storage(ln: Any, address: str, uid: str) -> Any:
    """Register a bucket as a storage of the instance, without asking LaminHub or the bucket."""
    of_instance = {"instance_uid": ln.setup.settings.instance.uid, "uid": uid, "run": None}
    return ln.Storage(
        root=address, type="s3", region=None, **of_instance, _skip_preparation=True
    ).save()


def every_artifact(ln: Any) -> Any:
    """Artifacts of every branch, those in the trash among them.

    ``Artifact.filter`` leaves the trash and most branches out, at each filter of a filter again.
    """
    return ln.Artifact.objects.all()


def artifact_rows(database: str) -> Any:
    """Artifacts of every branch in a database, by its alias."""
    from lamindb.models import Artifact

    return Artifact.objects.using(database).all()


def files_in_place(ln: Any, uids: list[str] | None = None) -> Iterator[tuple[str, str, int, Any]]:
    """Uid, path, size and time of registration of files that were registered where they lie.

    Without folders, and without what is in the trash. Of so many artifacts, or of all: reading a
    whole table takes a database far less than looking up each of its rows.
    """
    found = every_artifact(ln).filter(n_files=None, _real_key__isnull=False)
    found = found.exclude(branch_id=TRASH)
    if uids is not None:
        found = found.filter(uid__in=uids)
    for uid, root, place, size, registered in found.values_list(
        "uid", "storage__root", "_real_key", "size", "created_at"
    ).iterator(_AT_ONCE):
        yield uid, f"{root}/{place}", size, registered


def is_in_trash(artifact: Any) -> bool:
    """Whether an artifact was deleted, and can be restored."""
    return artifact.branch_id == TRASH


def registered_path(artifact: Any) -> str:
    """Path of an artifact's file below the storage root, as it was registered; perhaps empty."""
    return artifact._real_key or ""


def registered_paths(ln: Any) -> set[str]:
    """Paths below the storage root of artifacts of every branch, as they were registered."""
    return {path for path in every_artifact(ln).values_list("_real_key", flat=True) if path}


def registered_at(ln: Any, part: str) -> Any:
    """Artifacts of every branch in whose path below the storage root some text occurs."""
    return every_artifact(ln).filter(_real_key__contains=part)


def uploading(ln: Any) -> Any:
    """Artifacts of every branch whose upload has begun and not ended."""
    return every_artifact(ln).filter(_aux__so=1)


def end_upload(artifact: Any) -> None:
    """Mark the upload of an artifact as ended; it is yet to be saved."""
    artifact._storage_ongoing = False


def status_of(run: Any) -> int:
    """Status of a run, such as ``STARTED``."""
    return run._status_code


def set_status(run: Any, status: int) -> None:
    """Change the status of a run; it is yet to be saved."""
    run._status_code = status


def label_links() -> Any:
    """Links of labels to artifacts, through the feature that says of which kind a label is."""
    from lamindb.models import ArtifactULabel

    return ArtifactULabel


def label_registries() -> tuple[Any, Any]:
    """Labels, and the features that say of which kind a label is; of every database."""
    from lamindb.models import Feature, ULabel

    return ULabel, Feature


def number_links() -> tuple[Any, Any]:
    """Links of numbers to artifacts, and the numbers."""
    from lamindb.models import ArtifactJsonValue, JsonValue

    return ArtifactJsonValue, JsonValue


def content_hash(path: Path) -> str:
    """Hash by which LaminDB knows the content of a file or folder."""
    from lamindb_setup.core.hashing import hash_dir, hash_file

    return hash_dir(path)[1] if path.is_dir() else hash_file(path)[1]
