"""How the command line prints the differences between two versions of a study."""

import pandas as pd
from rich.table import Table

from autophagy_assets.analysis.comparison.changes import (
    AFTER,
    BEFORE,
    Changes,
    changes,
    class_changes,
    different,
)
from autophagy_assets.analysis.comparison.results import Results
from autophagy_assets.analysis.comparison.words import brief
from autophagy_assets.analysis.effects.responses import POSITIVE_SHARE
from autophagy_assets.analysis.evidence.cross_validation import MODEL
from autophagy_assets.cli.output import console
from autophagy_assets.cli.report_results import results_of
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.report_versions import report_versions


def show_changes(found: Changes, before: Results, after: Results, model: str) -> None:
    """Print the differences between two versions of a study.

    Parameters
    ----------
    model : str
        That the summary names.
    """
    console.print(f"Before: {before.name}\nAfter:  {after.name}", soft_wrap=True)
    for entry, values in study_changes(before.study, after.study):
        console.print(f"Study file: {entry}: {values}", soft_wrap=True)
    for lacking in [*before.lacking, *after.lacking]:
        console.print("Left out", style="yellow", end="")
        console.print(f": {lacking}", soft_wrap=True)
    for names, what in zip(found.models, ("gone", "new"), strict=True):
        if names:
            console.print(f"Models that are {what}: {', '.join(names)}")
    console.print(f"\nIn short: {brief(found, model)}", style="bold", soft_wrap=True)
    if not found.anything:
        return
    _show_cells(class_changes(found))
    _frame("AUC in each scheme (all folds together)", _with_change(found.auc, "auc", 3))
    _show_clones(found.clones)
    for title, sentences in (("No longer said", found.unsaid), ("Said now", found.said)):
        if sentences:
            console.print(f"\n{title}", style="bold")
            for heading, sentence in sentences:
                console.print(f"  {heading}: {sentence}", soft_wrap=True)
    if len(found.claims):
        console.print(
            f"\n{len(found.claims)} numbers and sentences of the report have other values now.",
        )
    console.print()


def show_since_last(study: Study) -> None:
    """Print in a line what the latest report has changed, where there was one before."""
    versions = report_versions(study)
    if len(versions) < 2:
        return
    try:
        before, after = (results_of(version, [study.primary]) for version in versions[-2:])
        said = brief(changes(before, after), study.primary)
    except (InputError, IntegrityError) as error:  # the refresh itself has done its work
        said = f"changes cannot be shown: {error}"
    console.print(f"\nSince the report of {versions[-2].name}: {said}", soft_wrap=True)
    console.print("Details: autophagy compare")


def study_changes(before: Study, after: Study) -> list[tuple[str, str]]:
    """Entries of the study file that are not the same.

    Returns
    -------
    list of (str, str)
        The entry, and both values.
    """
    was, now = _flat(before.values()), _flat(after.values())
    return [
        (entry, f"{was.get(entry, 'not there')} -> {now.get(entry, 'not there')}")
        for entry in dict.fromkeys([*was, *now])
        if was.get(entry) != now.get(entry) and entry != "pin_code"
    ]


def _show_cells(counts: pd.DataFrame) -> None:
    moved = counts[["to positive", "to negative", "gone", "new"]].sum(axis=1)
    kept = moved.groupby(counts[MODEL]).transform("sum") > 0
    _frame("Cells that changed class", counts[kept])
    for model in counts.loc[~kept, MODEL].unique():
        console.print(f"Model {model}: none of {counts.loc[counts[MODEL] == model, 'cells'].sum()}")


def _show_clones(clones: pd.DataFrame) -> None:
    """A line each, as names of clones are long."""
    rows = clones[different(clones, "value")]
    if rows.empty:
        console.print("\nResponse of each clone", style="bold")
        console.print("  as before")
    rows = rows.sort_values("measure", key=lambda names: names != POSITIVE_SHARE, kind="stable")
    for measure, of_measure in rows.groupby("measure", sort=False):
        console.print(f"\nResponse of each clone: {measure}", style="bold")
        for row in of_measure.to_dict("records"):
            was, now = row["value" + BEFORE], row["value" + AFTER]
            console.print(
                f"  {row['genotype']}, {row['clone']}, {row['stimulation']}: "
                f"{was:+.2f} -> {now:+.2f} ({now - was:+.2f})".replace("+nan", "none"),
                soft_wrap=True,
            )


def _flat(values: dict[str, object], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _with_change(table: pd.DataFrame, column: str, digits: int) -> pd.DataFrame:
    """Before, after and change as text, the rows that changed only."""
    rows = table[different(table, column)]
    change = rows[column + AFTER] - rows[column + BEFORE]
    text = {
        f"{column} before": rows[column + BEFORE].map(f"{{:.{digits}f}}".format),
        f"{column} after": rows[column + AFTER].map(f"{{:.{digits}f}}".format),
        "change": change.map(f"{{:+.{digits}f}}".format),
    }
    labels = [name for name in rows.columns if not name.endswith((BEFORE, AFTER))]
    return pd.concat([rows[labels], pd.DataFrame(text)], axis=1).replace({"nan": "", "+nan": ""})


def _frame(title: str, frame: pd.DataFrame) -> None:
    console.print(f"\n{title}", style="bold")
    if frame.empty:
        console.print("  as before")
        return
    table = Table(*(str(column) for column in frame.columns), box=None, pad_edge=False)
    for row in frame.itertuples(index=False):
        table.add_row(*(str(value) for value in row))
    console.print(table)
