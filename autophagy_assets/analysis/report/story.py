"""Summary of a report in words: question, answer, certainty, and what speaks against it.

All numbers are claims of the tables behind the figures (see ``claims``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE
from autophagy_assets.analysis.evidence.comparison import HOW, POOLED, headline, pooled_rows
from autophagy_assets.analysis.evidence.controls import cautions, in_strictest
from autophagy_assets.analysis.evidence.folds import RANDOM
from autophagy_assets.analysis.evidence.shortcuts import BETTER
from autophagy_assets.analysis.labels.agreement import ALL, MEASURE, NEXT, NOISE
from autophagy_assets.analysis.report.claims import Claim, Source
from autophagy_assets.config.models import AS_GIVEN, AS_PUBLISHED
from autophagy_assets.config.study import Study

COMPARISON, CARD, PEOPLE = "model_comparison", "shortcut_card", "annotation_agreement"
EFFECT, ROBUSTNESS = "knockout_effect", "effect_robustness"
SOURCES = (COMPARISON, CARD, PEOPLE, EFFECT, ROBUSTNESS)  # whole: a part has other numbers
_AS_PUBLISHED = (
    f"model == {AS_PUBLISHED!r} and scheme == {RANDOM!r} and measure == {POSITIVE_SHARE!r} and "
    "threshold == 'the more probable class'"
)


@dataclass(frozen=True)
class Story:
    """Summary of a report: headings with paragraphs, and their claims.

    Attributes
    ----------
    paragraphs : sequence of (str, str)
        Heading and text.
    claims : sequence of Claim
        Every number of the text.
    """

    paragraphs: Sequence[tuple[str, str]]
    claims: Sequence[Claim]


def tell(sources: Mapping[str, Source], study: Study) -> Story:
    """Write the summary of a study.

    Parameters
    ----------
    sources : mapping of str to Source
        Tables of figures, by asset with its partition in brackets.

    Returns
    -------
    Story
        What is not there is left out.
    """
    parts = [
        ("The question", [*_question(sources, study)]),
        ("The answer", [*_how_well(sources, study), *_effects(sources, study)]),
        ("How sure that is", [*_robust(sources)]),
        ("What speaks against it", [*_against(sources, study)]),
        ("What other labels change", [*_other_labels(sources, study), *_people(sources, study)]),
        ("As published", [*_published(sources, study)]),
    ]
    paragraphs = [(title, " ".join(t for t, _ in said)) for title, said in parts if said]
    claims = [claim for _, said in parts for _, found in said for claim in found]
    return Story(paragraphs, claims)


Said = Iterator[tuple[str, list[Claim]]]


def _question(sources: Mapping[str, Source], study: Study) -> Said:
    knockouts = _partitions(sources, EFFECT)
    asked = f" Do cells of {' and of '.join(knockouts)} respond as they do?" if knockouts else ""
    yield (
        f"Are {study.classes[1]} cells of {study.control} told apart from {study.classes[0]} ones "
        f"by their {study.marker_name}?{asked}",
        [],
    )


def _how_well(sources: Mapping[str, Source], study: Study) -> Said:
    if (source := sources.get(COMPARISON)) is None:
        return
    if _missing(source, study.primary):
        yield f"Not known: model {study.primary}, which leads this report, is missing.", []
        return
    found = headline(source.table, study.primary)
    of_scheme = f"model == {found.model!r} and scheme == {found.scheme!r}"
    pooled = f"{of_scheme} and fold == {POOLED!r}"
    cells = source.number(pooled, "n_cells", "cells", style=".0f")
    left_out = f"{of_scheme} and fold != {POOLED!r}"
    folds = source.number(left_out, "fold", "folds", style=".0f", how="count")
    n = f"{cells.says} cells in {folds.says} folds"
    auc = source.number(pooled, "auc", "AUC", n)
    tells = "tells them apart with" if found.auc >= BETTER else "does not tell them apart, with"
    claims = [cells, folds, auc]
    text = (
        f"Model {found.model} {tells} an AUC of {auc.says} {HOW[found.scheme]} "
        f"({cells.says} cells, left out in {folds.says} groups in turn; guessing is one half)."
    )
    if found.leakage_gap == found.leakage_gap:
        gap = source.number(pooled, "leakage_gap", "AUC", n, "+.2f")
        claims.append(gap)
        text += f" On cells drawn at random the AUC differs by {gap.says}."
    yield text, claims


def _effects(sources: Mapping[str, Source], study: Study) -> Said:
    for partition in _partitions(sources, EFFECT):
        source = sources[f"{EFFECT}[{partition}]"]
        rows = (
            f"level == 'difference' and measure == {POSITIVE_SHARE!r} and "
            f"stimulation == {study.classes[1]!r}"
        )
        claim = source.sentence(rows if "level" in source.table else "index == index")
        yield claim.says, [claim]


def _robust(sources: Mapping[str, Source]) -> Said:
    for partition in _partitions(sources, ROBUSTNESS):
        claim = sources[f"{ROBUSTNESS}[{partition}]"].sentence("index == index")
        yield claim.says, [claim]


def _against(sources: Mapping[str, Source], study: Study) -> Said:
    card = sources.get(f"{CARD}[{study.primary}]")
    if card is not None:
        warned = cautions(card.table)
        for said in warned:
            row = card.table[card.table["sentence"] == said].iloc[0]
            claim = card.sentence(f"control == {row['control']!r} and scheme == {row['scheme']!r}")
            yield claim.says, [claim]
        if not warned:
            yield _nothing_against(card)
    yield (
        f"One time point of {study.marker_name} is not flux: more puncta may be more "
        "autophagosomes made, or fewer degraded.",
        [],
    )


def _nothing_against(card: Source) -> tuple[str, list[Claim]]:
    """How many controls speak for a model, each by its strictest scheme, which alone decides."""
    strict = in_strictest(card.table)
    if strict.empty:
        return "No negative control could be measured.", []
    places = zip(strict["control"], strict["scheme"], strict=True)
    rows = " or ".join(f"(control == {one!r} and scheme == {scheme!r})" for one, scheme in places)
    measured = card.number(rows, "control", "controls", "", ".0f", "count")
    absent = card.number("scheme == ''", "control", "controls", "", ".0f", "count")
    said = f"None of {measured.says} negative controls is flagged"
    if not absent.value:
        return f"{said}.", [measured]
    return f"{said}; {absent.says} more could not be measured.", [measured, absent]


def _other_labels(sources: Mapping[str, Source], study: Study) -> Said:
    source = sources.get(COMPARISON)
    for model in study.models if source is not None else ():
        same = {"name": "", "primary": False, "labels": AS_GIVEN}
        twins = [
            other.name
            for other in study.models
            if model.labels != AS_GIVEN == other.labels
            and other.model_copy(update=same) == model.model_copy(update=same)
        ]
        compared = [model.name, *twins[:1]]
        if source is None or not twins or any(_missing(source, name) for name in compared):
            continue
        scheme = headline(source.table, model.name).scheme
        rows = [
            f"model == {name!r} and scheme == {scheme!r} and fold == {POOLED!r}"
            for name in compared
        ]
        cells = source.number(rows[0], "n_cells", "cells", style=".0f")
        aucs = [source.number(one, "auc", "AUC", f"{cells.says} cells") for one in rows]
        yield (
            f"Trained with {model.labels} labels, model {model.name} has an AUC of {aucs[0].says} "
            f"{HOW[scheme]}, against {aucs[1].says} of {twins[0]} with labels as given "
            f"({cells.says} cells, all tested with labels as given).",
            [*aucs, cells],
        )


def _people(sources: Mapping[str, Source], study: Study) -> Said:
    source = sources.get(PEOPLE)
    if source is None or MEASURE not in source.table:
        return
    noise = f"measure == {NOISE!r} and `class` == {ALL!r}"
    if not source.table.query(noise).empty:
        n = source.number(noise, "n_cells", "cells", style=".0f")
        wrong = source.number(noise, "count", "cells", f"{n.says} cells", ".0f")
        yield (
            f"Of {n.says} {study.control} cells that were drawn at random and whose class people "
            f"agree on, {wrong.says} have another class than their label says.",
            [wrong, n],
        )
    ahead = f"measure == {NEXT!r} and who == {ALL!r}"
    n = source.number(ahead, "n_cells", "cells", style=".0f")
    found = [
        source.number(ahead, column, "labels", f"{n.says} cells", ".0f")
        for column in ("count", "value", "low", "high")
    ]
    changed, expected, low, high = (claim.says for claim in found)
    yield (
        f"Answers about {n.says} cells changed {changed} labels; the next fifty can be expected to "
        f"change {expected} ({low} to {high}).",
        [*found, n],
    )


def _published(sources: Mapping[str, Source], study: Study) -> Said:
    source = sources.get(COMPARISON)
    if source is None or study.primary == AS_PUBLISHED:
        return
    rows = f"model == {AS_PUBLISHED!r} and scheme == {RANDOM!r} and fold == {POOLED!r}"
    if source.table.query(rows).empty:
        return
    cells = source.number(rows, "n_cells", "cells", style=".0f")
    auc = source.number(rows, "auc", "AUC", f"{cells.says} cells")
    yield (
        f"The reference notebook's model would have had an AUC of {auc.says}, on cells drawn at "
        f"random ({cells.says} cells).",
        [auc, cells],
    )
    for partition in _partitions(sources, ROBUSTNESS):
        found = sources[f"{ROBUSTNESS}[{partition}]"]
        if "measure" not in found.table or len(found.table.query(_AS_PUBLISHED)) != 1:
            continue
        clones = found.number(_AS_PUBLISHED, "n_knockout", "clones", style=".0f")
        value = found.number(_AS_PUBLISHED, "difference", "share", f"{clones.says} clones", "+.2f")
        yield (
            f"By it the response of the positive share of {partition} minus that of "
            f"{study.control} would have been {value.says} ({clones.says} clones).",
            [value, clones],
        )


def _missing(comparison: Source, model: str) -> bool:
    return pooled_rows(comparison.table, model).empty


def _partitions(sources: Mapping[str, Source], asset: str) -> list[str]:
    return [
        name.removesuffix("]").partition("[")[2] for name in sources if name.startswith(f"{asset}[")
    ]
