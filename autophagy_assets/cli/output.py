"""How the command line prints states and results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from autophagy_assets.cli.summary import PAGE, summarise
from autophagy_assets.config.home import dagster_instance
from autophagy_assets.config.study import Study

if TYPE_CHECKING:
    from autophagy_assets.automation.rounds import Refreshed
    from autophagy_assets.registry.ingest.ingest import Ingested
    from autophagy_assets.staleness.plan import Plan

# Names of samples and genotypes stand in brackets: nothing is markup unless it says so.
console = Console(highlight=False, markup=False, emoji=False)


def show_ingested(done: Ingested) -> None:
    """Print what an ingest did."""
    counts = {
        "new": done.new_images,
        "with corrected labels": done.corrected_images,
        "restored": done.restored_images,
        "unchanged": done.unchanged_images,
    }
    reasons = ", ".join(
        f"{n} {what}" for what, n in counts.items() if n or what in ("new", "unchanged")
    )
    console.print(
        f"Images: {reasons}; the study has "
        f"{len(done.fields)} fields of view in {len({f.sample for f in done.fields})} samples."
    )
    _show_reasons("Excluded", "yellow", done.excluded)


def show_refreshed(done: Refreshed) -> None:
    """Print the result of a refresh."""
    console.print(f"Made {len(done.made)}; {done.fresh} up to date.")
    _show_reasons("Failed", "red", done.failed)
    if done.skipped:
        names = ", ".join(str(target) for target in sorted(done.skipped, key=str))
        console.print(f"Not made because of that: {names}", soft_wrap=True)
    if done.left:
        _show_reasons("Out of date again", "yellow", done.left)
        console.print(
            "Images or study have changed while this went on; run 'autophagy refresh' again."
        )


def _show_reasons(title: str, colour: str, reasons: Mapping[Any, str]) -> None:
    for name, reason in reasons.items():
        console.print(title, style=colour, end="")
        console.print(f": {name}: {reason}", soft_wrap=True)


def show_status(plan: Plan, excluded: dict[str, str], instance: Any) -> None:
    """Print the state of every asset, and why some are out of date.

    Parameters
    ----------
    excluded : dict
        Name of a field to why it was excluded at ingest.
    instance : dagster.DagsterInstance
    """
    table = Table("asset", "up to date", "to make", "waiting", box=None, pad_edge=False)
    for asset in plan.partitions_of:
        states = [
            sum(target.asset == asset for target in group)
            for group in (plan.fresh, plan.ready, plan.waiting)
        ]
        table.add_row(asset, *(str(count or "") for count in states))
    console.print(table)
    without = {target for target in plan.left_out if target not in plan.failed}
    _show_reasons("Failed", "red", plan.failed)
    if without:
        names = ", ".join(str(target) for target in sorted(without))
        console.print(f"Not made because of that: {names}", soft_wrap=True)
    left = {target: why for target, why in plan.ready.items() if target not in plan.left_out}
    _show_reasons("To make", "yellow", left)
    pinned = {target: v.pinned for target, v in plan.verdicts.items() if v.pinned}
    if pinned:
        example, reasons = next(iter(pinned.items()))
        console.print(
            f"Kept as they are, since the study file pins the code (pin_code): {len(pinned)} that "
            f"were made with other code, such as {example}: {'; '.join(reasons)}.",
            soft_wrap=True,
        )
    _show_reasons("Excluded", "yellow", {**excluded, **_excluded_in_imaging(instance)})
    if left:
        console.print("Run 'autophagy refresh' to make what is new or out of date.")
    elif plan.failed:
        console.print("Fix what failed, and run 'autophagy refresh'.")


def _excluded_in_imaging(instance: Any) -> dict[str, str]:
    from autophagy_assets.cli.summary import stored
    from autophagy_assets.io_managers.parquet import read_table
    from autophagy_assets.staleness.materializations import HASH, UID
    from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS

    reasons: dict[str, str] = {}
    for sample in sorted(instance.get_dynamic_partitions(SAMPLE_PARTITIONS)):
        if path := stored(instance, "single_cell_images", sample, UID, HASH):
            manifest = read_table(path)
            bad = manifest[manifest["status"] != "ok"]
            reasons |= dict(zip(bad["field"], bad["reason"], strict=True))
    return reasons


def show_replicates(knockout: str, plan: pd.DataFrame) -> None:
    """Print the clones that would show the effect of a knockout.

    Parameters
    ----------
    plan : pandas.DataFrame
        As ``replicate_plan`` gives it.
    """
    console.print(f"\n{knockout}", style="bold")
    console.print(str(plan["sentence"].iloc[0]), soft_wrap=True)
    rows = pd.DataFrame(
        {
            "effect": plan["effect"] + plan["true_difference"].map(" ({:+.2f})".format),
            "variance": plan["variance_between_clones"],
            "design": plan["design"],
            "clones": plan["needed"].map(lambda n: "> 200" if pd.isna(n) else f"{n:.0f}"),
        }
    )
    rows["case"] = rows["effect"] + ", " + rows["variance"]
    wide = rows.pivot(index="case", columns="design", values="clones")
    wide = wide.loc[rows["case"].unique(), rows["design"].unique()]
    _print_frame(wide, "Clones that each arm needs", "effect, variance between clones")


def show_summary(report_folder: Path, ui: str = "make ui, or autophagy ui") -> None:
    """Print the numbers of a study, and where its report and figures are.

    Parameters
    ----------
    ui : str
        What shows the study in the Dagster UI.
    """
    study = Study.load()
    summary = summarise(dagster_instance(), study)
    if not summary.cells.empty:
        console.print()
        _print_frame(summary.cells, "Cells", "genotype")
    if summary.headline:
        console.print(f"\n{summary.headline}", style="bold")
    for model in sorted(summary.auc, key=lambda name: name != study.primary):
        console.print(f"\nAUC, {study.control} cells not seen by {model}: ", end="")
        console.print(f"{summary.auc[model]:.3f}", style="bold")
    for what, counts in summary.confusions.items():
        shares = counts.div(counts.sum(axis=1).replace(0, 1), axis=0)
        text = counts.astype(str) + shares.map(lambda share: f" ({share:.0%})")
        text = text.rename(index=study.classes, columns=lambda c: f"called {study.classes[c]}")
        console.print()
        _print_frame(text, f"Confusion matrix: {what}", "true class")
    if (report_folder / PAGE).exists():
        console.print(f"\nReport:  {report_folder / PAGE}", soft_wrap=True)
        console.print(f"Figures: {report_folder}", soft_wrap=True)
        console.print(f"Dagster UI: {ui}")


def _print_frame(frame: pd.DataFrame, title: str, index: str) -> None:
    console.print(title, style="bold")
    table = Table(index, *(str(column) for column in frame.columns), box=None, pad_edge=False)
    for name, row in frame.iterrows():
        table.add_row(str(name), *(str(value) for value in row))
    console.print(table)
