"""Review pages: which cells they show and why, kept so that answers can be checked against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import study_slug
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import transform_key
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.labels import STUDY

REVIEW = "review"
FOLDER = "review"


def register_page(
    recorder: Recorder, study: Study, page: str, html: str, manifest: Mapping[str, Any]
) -> None:
    """Register a page and its manifest, made from what the recorder has read.

    Parameters
    ----------
    page : str
        Id of the page.
    manifest : mapping
        JSON-like: study, models, and the cells with why each was chosen.
    """
    key, labels = f"{study_slug(study)}/{FOLDER}/{page}", {STUDY: study.name}
    n = len(manifest["cells"])
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    recorder.put(
        lambda path: path.write_text(html, encoding="utf-8"),
        f"{key}.html",
        f"Review page {page} of {n} cells",
        labels,
        kind="report",
        rows=n,
    )
    recorder.put(
        lambda path: path.write_text(text, encoding="utf-8"),
        f"{key}.json",
        f"Cells of review page {page}, and why they were chosen",
        labels,
        kind="dataset",
        rows=n,
    )
    recorder.finish()


def read_page(recorder: Recorder, study: Study, page: str) -> dict[str, Any]:
    """Manifest of a page; page and manifest are noted as read.

    Returns
    -------
    dict
        As it was registered.

    Raises
    ------
    InputError
        If there is no such page, or it belongs to another study.
    """
    found = connect().Artifact.filter(
        key__endswith=f"/{FOLDER}/{page}.json",
        is_latest=True,
        run__transform__key=transform_key(REVIEW),
    )
    keys = dict(found.values_list("key", "uid"))
    own = f"{study_slug(study)}/{FOLDER}/{page}.json"
    if own not in keys:
        if keys:
            other = next(iter(keys)).partition("/")[0]
            raise InputError(
                f"Page {page} is of study {other!r}, and this is {study.name!r}: hand the answers "
                "in where that study is."
            )
        raise InputError(
            f"There is no review page {page} here: hand the answers in where "
            "'autophagy review' has made it."
        )
    manifest = json.loads(recorder.read(keys[own]).read_text(encoding="utf-8"))
    shown = connect().Artifact.filter(key=own.removesuffix("json") + "html", is_latest=True)
    for uid in shown.values_list("uid", flat=True):
        recorder.read(uid)
    return manifest
