"""Removing secrets from texts that people see."""

from __future__ import annotations

import os
import re

from autophagy_assets.config.settings import SECRET

_LONGEST = 1000
# user:password@ in an address of any kind.
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@'\"]+@")


def without_secrets(text: str) -> str:
    """Replace secret addresses and passwords in a text by their names, and shorten it."""
    for variable in SECRET:  # right or wrong
        if secret := os.environ.get(variable, "").strip():
            text = text.replace(secret, f"<{variable}>")
    text = _CREDENTIALS.sub("<credentials>@", text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
