"""A bucket with the S3 interface: requests, and messages for those that fail.

An object is there whole or not at all, and there is no rename. What the objects are is no business
of this module. boto3 takes 0.3 s to import, so that is done inside functions.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from autophagy_assets.config.settings import STORAGE_VARIABLE
from autophagy_assets.errors import InputError, StoreAwayError
from autophagy_assets.registry.store import parts

LARGEST = 5 * 2**30  # bytes that one request may upload
_ATTEMPTS = 4
_PIECE = 1 << 20
_PAGE = 1000  # objects that a server lists at once
_GONE = {"404", "NoSuchKey", "NotFound"}
# Somebody has put something there already, or is putting it at this moment.
_TAKEN = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_NO_RIGHTS = {"403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


@dataclass(frozen=True)
class Entry:
    """Entry of a listing: size and time of change of an object.

    Parameters
    ----------
    size : int
        Bytes.
    modified : datetime.datetime
        When it was put, by the clock of the server, in whole seconds.
    """

    size: int
    modified: datetime


class _BrokenOffError(StoreAwayError):
    """An answer has ended before its end."""


class Bucket:
    """The objects below a prefix of a bucket; keys are relative to it.

    Parameters
    ----------
    address : str
        ``s3://bucket/prefix``, with ``?endpoint_url=`` where the server is not Amazon's. Who may
        use it is found as in every program that uses boto3.
    """

    def __init__(self, address: str) -> None:
        place, _, query = address.partition("?")
        self.address = address
        self.name, _, prefix = place.removeprefix("s3://").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = parse_qs(query).get("endpoint_url", [""])[0]

    def uri(self, key: str) -> str:
        """Address of an object for other programs."""
        return f"s3://{self.name}/{self._prefix}{key}"

    def put(self, key: str, path: Path, sha256: str) -> None:
        """Upload a file, unless it is there; replace what is there and is another one.

        A server that knows no conditions replaces an object by its equal. One that checks hashes,
        as Amazon's, refuses what has not arrived as it is; of others it is refused when it is read.

        Raises
        ------
        InputError
            If it is too large, or may not be put there.
        StoreAwayError
            If the bucket does not answer, or others write to the same place all the time.
        """
        if (size := path.stat().st_size) > (most := parts.PART * parts.MOST_PARTS):
            raise InputError(
                f"{key} has {size / 2**30:.1f} GiB, and a file in a bucket may have at most "
                f"{most / 2**30:.0f}: make it of fewer cells, or make a home without "
                f"{STORAGE_VARIABLE}."
            )
        condition = {"IfNoneMatch": "*"}
        for _ in range(_ATTEMPTS):
            if self._put_file_if(key, path, sha256, condition):
                return
            there = self._head(key)
            if there is None:
                condition = {"IfNoneMatch": "*"}
            elif there["ContentLength"] == size and self.sha256(key) == sha256:
                return
            else:
                condition = {"IfMatch": there["ETag"]}
        raise StoreAwayError(f"Other processes keep writing to {self.uri(key)}; refresh again.")

    def claim(self, key: str, text: str) -> str:
        """Put a text where there is none yet, and return the text that is there."""
        body = text.encode()
        if self._put_if(key, body, hashlib.sha256(body).hexdigest(), {"IfNoneMatch": "*"}):
            return text
        return b"".join(self._read(key)).decode()

    def get(self, key: str, path: Path) -> None:
        """Download an object into a file that does not exist yet.

        Raises
        ------
        FileNotFoundError
            If there is no such object.
        StoreAwayError
            If the bucket does not answer, or its answers break off.
        """
        for attempt in range(_ATTEMPTS):
            try:
                with path.open("wb") as stream:
                    stream.writelines(self._read(key))
                return
            except _BrokenOffError:
                if attempt == _ATTEMPTS - 1:
                    raise

    def sha256(self, key: str) -> str:
        """Hash of an object, as the server took it when it came in; else it is downloaded.

        Returns
        -------
        str
            64 hexadecimal digits; empty where there is no object.
        """
        known = self._head(key)
        if known is None:
            return ""
        if "-" not in (checksum := known.get("ChecksumSHA256", "-")) + known["ETag"]:
            return base64.b64decode(checksum).hex()
        digest = hashlib.sha256()  # put in parts or by others, or the server keeps no checksums
        for piece in self._read(key):
            digest.update(piece)
        return digest.hexdigest()

    def list(self, prefix: str = "") -> dict[str, Entry]:
        """Objects whose key begins with a prefix, by key."""
        found: dict[str, Entry] = {}
        more: dict[str, Any] = {}
        while True:
            page = self._ask("list_objects_v2", Prefix=self._prefix + prefix, MaxKeys=_PAGE, **more)
            for item in page.get("Contents", []):
                key = item["Key"].removeprefix(self._prefix)
                found[key] = Entry(item["Size"], item["LastModified"])
            if not page.get("IsTruncated"):
                return found
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, key: str) -> None:
        """Delete an object if it is there."""
        self._ask("delete_object", Key=self._prefix + key)

    def _put_file_if(self, key: str, path: Path, sha256: str, condition: dict[str, str]) -> bool:
        if path.stat().st_size > LARGEST:
            ask = partial(self._ask, Key=self._prefix + key)
            return parts.put_in_parts(ask, path, sha256, condition, _TAKEN)
        with path.open("rb") as body:
            return self._put_if(key, body, sha256, condition)

    def _put_if(self, key: str, body: Any, sha256: str, condition: dict[str, str]) -> bool:
        """Whether an object was put; False if the condition does not hold."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        more = {"Body": body, "ChecksumSHA256": checksum, **condition}
        return self._ask("put_object", _TAKEN, Key=self._prefix + key, **more) is not None

    def _head(self, key: str) -> dict[str, Any] | None:
        return self._ask("head_object", _GONE, Key=self._prefix + key, ChecksumMode="ENABLED")

    def _read(self, key: str) -> Iterator[bytes]:
        from botocore.exceptions import BotoCoreError

        answer = self._ask("get_object", _GONE, Key=self._prefix + key)
        if answer is None:
            raise FileNotFoundError(self.uri(key))
        try:
            yield from answer["Body"].iter_chunks(_PIECE)
        except BotoCoreError as error:  # what reading asks for is not asked for again by boto3
            raise _BrokenOffError(str(self._explained("get_object", error))) from None

    def _ask(self, operation: str, expected: AbstractSet[str] = frozenset(), **more: Any) -> Any:
        """Answer to a request; None where the server has answered with an expected error."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = _client(self._endpoint, os.getpid())
            return getattr(client, operation)(Bucket=self.name, **more)
        except ClientError as error:
            if error.response["Error"]["Code"] in expected:
                return None
            raise self._explained(operation, error) from None
        except BotoCoreError as error:
            raise self._explained(operation, error) from None

    def _explained(self, operation: str, error: Any) -> Exception:
        """The sentence that a person reads; without the cause, which says less."""
        from botocore.exceptions import ClientError, NoCredentialsError, PartialCredentialsError

        bucket = f"Bucket {self.name}" + (f" at {self._endpoint}" if self._endpoint else "")
        if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
            return InputError(
                f"{bucket}: no credentials were found; set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
            )
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
        if code == "NoSuchBucket":
            return InputError(f"{bucket} does not exist; make it, or correct {STORAGE_VARIABLE}.")
        if code in _EXPIRED:
            return StoreAwayError(
                f"{bucket}: the credentials have expired; renew them and refresh again. Nothing of "
                "this step was recorded."
            )
        if code in _NO_RIGHTS:
            return InputError(
                f"{bucket} refuses {operation} ({code}); see that your credentials are right and "
                "may list, read, put and delete objects in it."
            )
        said = " ".join(str(error).split())
        return StoreAwayError(
            f"{bucket} does not answer as it should: {said}; see that it runs and can be reached, "
            "then refresh again. Nothing of this step was recorded."
        )


@cache
def _client(endpoint: str, pid: int) -> Any:
    """One for each process, since connections are not to be shared with a parent."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=10, read_timeout=60, max_pool_connections=16, retries={"mode": "standard"}
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint or None, config=config)
