"""Posting a message to a webhook in the format of Slack."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_S = 10.0


class NotPosted(RuntimeError):
    """Error: a message has not reached the webhook. It does not name the address."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Refuses redirects: only the given address gets the message."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Refuse; the redirect is then an error like any other."""


def post(url: str, text: str, timeout_s: float = TIMEOUT_S) -> None:
    """Post a message.

    Parameters
    ----------
    url : str
        ``http`` or ``https``.
    timeout_s : float
        How long to wait for each answer of the server, in s.

    Raises
    ------
    NotPosted
        If the server does not take it.
    """
    # In such messages <...> is a link and & begins an entity.
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    request = urllib.request.Request(
        url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        reason = f"it answers {error.code}"
        error.close()
    except urllib.error.URLError as error:
        reason = f"it cannot be reached ({_kind(error.reason)})"
    except Exception as error:  # whatever else a broken server can cause
        reason = f"it cannot be reached ({_kind(error)})"
    else:
        return
    # Not chained: the messages of the errors below may hold the address, which is a secret.
    raise NotPosted(f"Nothing was posted to the webhook: {reason}.")


def _kind(reason: object) -> str:
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return type(reason).__name__
