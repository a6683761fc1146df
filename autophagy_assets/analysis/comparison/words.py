"""Changes in words: a short text for the end of a refresh, and the sentences of a report."""

from __future__ import annotations

import html
import re

from autophagy_assets.analysis.comparison.changes import (
    AFTER,
    BEFORE,
    Changes,
    class_changes,
    different,
)
from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE
from autophagy_assets.analysis.evidence.comparison import HOW
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME

_STORY = re.compile(r'<section id="story">(.*?)(?:<details>|</section>)', re.DOTALL)
_PARAGRAPH = re.compile(r"<h3>(.*?)</h3>\s*<p>(.*?)</p>", re.DOTALL)
_END = re.compile(r"(?<=[.?!])\s+(?=[A-Z0-9])")


def sentences_of(page: str) -> dict[str, list[str]]:
    """Sentences of a report, by heading.

    Parameters
    ----------
    page : str
        HTML, as ``render_report`` gives it.

    Returns
    -------
    dict of str to list of str
        Sentences by heading; none of a report that has no words.
    """
    story = _STORY.search(page)
    if story is None:
        return {}
    return {
        html.unescape(heading): _END.split(" ".join(html.unescape(text).split()))
        for heading, text in _PARAGRAPH.findall(story[1])
    }


def brief(found: Changes, model: str) -> str:
    """Summarise in a few words what changed.

    Parameters
    ----------
    model : str
        The one whose cells and AUC are named.
    """
    if not found.anything:
        return "nothing that the study says has changed."
    said = [*_cells(found, model), *_auc(found, model), *_clones(found)]
    changed = max(len(found.said), len(found.unsaid))
    said.append(
        f"{changed} {'sentence' if changed == 1 else 'sentences'} of the report changed"
        if changed
        else "the report says the same in words"
    )
    return "; ".join(said) + "."


def _cells(found: Changes, model: str) -> list[str]:
    counts = class_changes(found)
    counts = counts[counts[MODEL] == model].drop(columns=MODEL).sum(numeric_only=True)
    if not len(counts) or not counts[["cells", "gone", "new"]].sum():
        return []
    up, down = int(counts["to positive"]), int(counts["to negative"])
    text = f"{up + down} of {int(counts['cells'])} cells changed class by {model}"
    said = [f"{text} ({up} to positive, {down} to negative)" if up + down else text]
    if counts["gone"] or counts["new"]:
        said.append(f"{int(counts['new'])} cells are new and {int(counts['gone'])} are gone")
    return said


def _auc(found: Changes, model: str) -> list[str]:
    rows = found.auc[(found.auc[MODEL] == model)]
    rows = rows[different(rows, "auc")].dropna(subset=["auc" + BEFORE, "auc" + AFTER])
    return [
        f"AUC {HOW[row[SCHEME]]} {row['auc' + BEFORE]:.3f} -> {row['auc' + AFTER]:.3f}"
        for _, row in rows.iterrows()
    ]


def _clones(found: Changes) -> list[str]:
    rows = found.clones[found.clones["measure"] == POSITIVE_SHARE]
    rows = rows[different(rows, "value")].dropna(subset=["value" + BEFORE, "value" + AFTER])
    if rows.empty:
        return []
    moved = rows["value" + AFTER] - rows["value" + BEFORE]
    most = rows.loc[moved.abs().idxmax()]
    return [
        f"the response of {len(rows)} {'clone' if len(rows) == 1 else 'clones'} changed, most that "
        f"of {most['genotype']} {most['clone']} to {most['stimulation']} "
        f"({most['value' + BEFORE]:+.2f} -> {most['value' + AFTER]:+.2f})"
    ]
