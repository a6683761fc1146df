"""Stored files and folders as objects of a bucket: a file is one, a folder one for each member."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from autophagy_assets.registry.store.bucket import Bucket, Entry
from autophagy_assets.registry.store.files import hash_of_folder, measure, members, recorded_hash

_AT_ONCE = 8  # requests


def upload(bucket: Bucket, path: Path, name: str, sha256: str) -> None:
    """Put a file or a folder into a bucket, whole.

    Parameters
    ----------
    path : pathlib.Path
        A file or a folder.
    name : str
        Key of the file, or how the keys of the members begin.
    sha256 : str
        Hash of its content, as :func:`~autophagy_assets.registry.store.files.measure` takes it.
    """
    if path.is_file():
        bucket.put(name, path, sha256)
        return
    found = {f"{name}/{relative}": member for relative, member in members(path).items()}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        put = pool.map(lambda key: bucket.put(key, found[key], measure(found[key])[0]), found)
        list(put)  # raises what went wrong
    for key in bucket.list(f"{name}/").keys() - found.keys():
        bucket.delete(key)  # somebody has added it


def find(bucket: Bucket, name: str) -> dict[str, Entry]:
    """What a bucket has of a file or a folder.

    Returns
    -------
    dict
        Entries by key; one under the name itself for a file, none where there is nothing.
    """
    return grouped(bucket.list(name)).get(name, {})


def grouped(listed: Mapping[str, Entry]) -> dict[str, dict[str, Entry]]:
    """Objects by the file or folder that they belong to: a part of the key that is a hash.

    Parameters
    ----------
    listed : mapping
        From :meth:`~autophagy_assets.registry.store.bucket.Bucket.list`.

    Returns
    -------
    dict
        Entries by key, by the name of file or folder; those of nothing that is stored here are
        left out.
    """
    found: dict[str, dict[str, Entry]] = {}
    for key, entry in listed.items():
        places = [*reversed(PurePosixPath(key).parents), PurePosixPath(key)]
        if name := next((str(place) for place in places if recorded_hash(place)), None):
            found.setdefault(name, {})[key] = entry
    return found


def content_hash(bucket: Bucket, name: str, found: Mapping[str, Entry]) -> str:
    """Hash of a file or a folder in a bucket, without downloading what the server knows it of.

    Parameters
    ----------
    found : mapping
        From :func:`find`.

    Returns
    -------
    str
        As :func:`~autophagy_assets.registry.store.files.measure` takes it.
    """
    if name in found:
        return bucket.sha256(name)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        hashes = dict(zip(found, pool.map(bucket.sha256, found), strict=True))
    return hash_of_folder({key.removeprefix(f"{name}/"): hashes[key] for key in hashes})


def download(bucket: Bucket, name: str, path: Path) -> None:
    """Copy a file or a folder to a path that does not exist yet.

    Raises
    ------
    FileNotFoundError
        If the bucket has nothing of it.
    """
    found = find(bucket, name)
    if name in found or not found:
        bucket.get(name, path)
        return
    places = {key: path / key.removeprefix(f"{name}/") for key in found}
    for place in places.values():
        place.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda key: bucket.get(key, places[key]), places))
