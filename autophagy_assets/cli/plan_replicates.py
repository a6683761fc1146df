"""``autophagy plan-replicates``: how many clones an effect needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ASSET = "replicate_plan"


@click.command("plan-replicates")
@click.option("--knockout", help="Default: every knockout.")
@click.option(
    "--measure", default="positive share", show_default=True, help="Measure of the response."
)
@click.option("--effect", type=float, help="A difference to plan for; default: as seen, and half.")
@click.option(
    "--power",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Chance to detect the effect.",
)
def plan_replicates(knockout: str | None, measure: str, effect: float | None, power: float) -> None:
    """Show how many clones the effect of a knockout needs.

    From how much clones, fields and cells of this study differ. An effect is seen where the
    interval over clones, as knockout_effect draws it, leaves out 0.
    """
    from autophagy_assets.analysis.effects.replicates import pilot_of, replicate_plan
    from autophagy_assets.analysis.effects.replicates_figures import ASSUMED
    from autophagy_assets.cli.output import console, show_replicates

    for name, table in _plans(knockout):
        if "measure" not in table:  # no plan could be made, and the table says why
            raise InputError(f"{name}: {table['sentence'].iloc[0]}")
        show_replicates(name, replicate_plan(pilot_of(table, measure), power, effect))
    console.print(f"\n{ASSUMED}")


def _plans(wanted: str | None) -> list[tuple[str, pd.DataFrame]]:
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.summary import stored
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.io_managers.parquet import read_table
    from autophagy_assets.staleness.materializations import TABLE_HASH, TABLE_UID
    from autophagy_assets.staleness.partitions import KNOCKOUT_PARTITIONS

    study = Study.load()
    require(study.name)
    instance = dagster_instance()
    known = sorted(instance.get_dynamic_partitions(KNOCKOUT_PARTITIONS))
    if wanted is not None and wanted not in known:
        named = f"; it has {', '.join(known)}" if known else ""
        raise InputError(f"The study has no knockout {wanted!r}{named}.")
    if not known:
        raise InputError(
            f"The study has no genotype but the control {study.control}, so there is no effect to "
            "plan for; ingest images of a knockout."
        )
    plans = []
    for name in [wanted] if wanted else known:
        path = stored(instance, ASSET, name, TABLE_UID, TABLE_HASH)
        if path is None:
            raise InputError(f"No plan of {name} has been made; run 'autophagy refresh' first.")
        plans.append((name, read_table(path)))
    return plans
