"""Pages that show cells, each one file that needs no server and no network.

A page is a template with its looks and what it does beside it: ``<name>.html``, ``<name>.css`` and
``<name>.js``. What all of them share is in ``page.css`` and ``sprites.js`` beside this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
_LOOKS, _SPRITES = "page.css", "sprites.js"


def web_page(template: Path, data: Mapping[str, Any], **words: Any) -> str:
    """Make a page.

    Parameters
    ----------
    template : pathlib.Path
        The ``.html`` file. It gets ``style``, ``script`` and ``data`` to put into elements of
        their own, the last one of the type ``application/json``.
    data : mapping
        What the script reads, JSON-like.
    **words
        What the template names besides; escaped.

    Returns
    -------
    str
        HTML; the same for the same arguments.
    """
    environment = Environment(
        loader=FileSystemLoader(template.parent), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template.name).render(
        style=_together(_HERE / _LOOKS, template.with_suffix(".css")),
        script=_together(_HERE / _SPRITES, template.with_suffix(".js")),
        data=json_element(data),
        **words,
    )


def json_element(data: Mapping[str, Any]) -> Markup:
    """Encode JSON for a script element; "<" is escaped."""
    text = dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _together(*files: Path) -> Markup:
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))
