"""Uploading a file in parts, where it is too large for one request.

Nothing is there until the last request, which puts all parts together on a condition, as an
upload of one request has it. What a process leaves that is killed in between is no object; a
server keeps it until it is told to end the upload.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autophagy_assets.errors import IntegrityError

PART = 64 * 2**20  # bytes of each but the last; held in memory
MOST_PARTS = 10_000
_GONE = {"404", "NoSuchKey", "NotFound"}
# An answer was lost, and the upload has ended meanwhile: what is there says whether well.
_ENDED = {"404", "NoSuchUpload"}


def put_in_parts(
    ask: Callable[..., Any],
    path: Path,
    sha256: str,
    condition: dict[str, str],
    taken: set[str],
) -> bool:
    """Upload a file in parts; False if the condition does not hold.

    Parameters
    ----------
    ask : callable
        Takes the name of a request of boto3, errors that are expected, and more of the request,
        and knows the object; gives None where one of the errors is answered.
    sha256 : str
        Hash of the file.
    condition : dict
        ``IfNoneMatch`` or ``IfMatch``.
    taken : set of str
        Errors that say that the condition does not hold.

    Raises
    ------
    IntegrityError
        If the file has changed.
    """
    if "IfNoneMatch" in condition and ask("head_object", _GONE) is not None:
        return False  # which the last request would say, after all parts
    upload = ask("create_multipart_upload", ChecksumAlgorithm="SHA256")["UploadId"]
    try:
        parts = _put_each(ask, upload, path, sha256)
        expected = taken | _ENDED
        more = {"UploadId": upload, "MultipartUpload": {"Parts": parts}, **condition}
        if ask("complete_multipart_upload", expected, **more) is not None:
            return True
    except BaseException:  # Ctrl-C, too
        ask("abort_multipart_upload", _ENDED, UploadId=upload)
        raise
    ask("abort_multipart_upload", _ENDED, UploadId=upload)
    return False


def _put_each(ask: Callable[..., Any], upload: str, path: Path, sha256: str) -> list[Any]:
    """Upload the parts; gives what the last request has to name of each."""
    whole, parts = hashlib.sha256(), list[Any]()
    with path.open("rb") as file:
        while piece := file.read(PART):
            whole.update(piece)
            checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
            own = {"PartNumber": len(parts) + 1, "ChecksumSHA256": checksum}
            tag = ask("upload_part", UploadId=upload, Body=piece, **own)["ETag"]
            parts.append(own | {"ETag": tag})
    if whole.hexdigest() != sha256:
        raise IntegrityError(f"{path} was changed while it was uploaded; run the step again.")
    return parts
