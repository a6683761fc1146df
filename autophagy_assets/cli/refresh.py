"""``autophagy refresh``: make whatever is new or out of date."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import click

from autophagy_assets.config.home import Home

if TYPE_CHECKING:
    from autophagy_assets.automation.rounds import Refreshed

REPORT_FOLDER = "report"


@click.command()
@click.option(
    "--workers", type=click.IntRange(min=1), help="Default: as many as cores and memory allow."
)
@click.option("--verify", is_flag=True, help="Read every file, and make damaged ones again.")
@click.option("--dry-run", is_flag=True, help="Only say what would be made, and the cost.")
def refresh(workers: int | None, verify: bool, dry_run: bool) -> None:
    """Make whatever is new or out of date, and nothing else.

    Ends with exit code 1 where something is not up to date in the end.
    """
    if dry_run:
        show_what_would_be_made(workers, verify)
        return
    from autophagy_assets.cli.changes_output import show_since_last
    from autophagy_assets.cli.output import show_summary
    from autophagy_assets.cli.summary import REPORT
    from autophagy_assets.config.study import Study

    done = run_refresh(workers, verify)
    show_summary(Home.locate().root / REPORT_FOLDER)
    if any(target.asset == REPORT for target in done.made):
        show_since_last(Study.load())
    sys.exit(0 if done.complete else 1)


def show_what_would_be_made(workers: int | None, verify: bool) -> None:
    """Print what a refresh would make, and the estimated cost.

    Parameters
    ----------
    workers : int or None
        Processes that would image samples; None for as many as this machine can run.
    verify : bool
        Read every file, and count damaged ones.
    """
    import shutil

    from autophagy_assets.automation.cost_estimate import estimate_cost
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.automation.next_runs import look
    from autophagy_assets.automation.rounds import require_control
    from autophagy_assets.cli.estimate_output import show_estimate
    from autophagy_assets.compute.pool import default_workers
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.store.instance import storage_root

    require(Study.load().name)
    instance = dagster_instance(capture=False)
    state = look(instance, None, verify=verify)
    require_control(instance, state.study)
    free = shutil.disk_usage(storage_root()).free
    show_estimate(estimate_cost(state, instance), workers or default_workers(), free)


def run_refresh(workers: int | None, verify: bool = False) -> Refreshed:
    """Refresh as the command does: with a progress bar, and the report in its folder.

    Parameters
    ----------
    workers : int or None
        Processes that image samples; None for as many as this machine can run.
    verify : bool
        Read every file, and make damaged ones again.
    """
    from autophagy_assets.automation.home_study import claim
    from autophagy_assets.automation.refresh import refresh as bring_up_to_date
    from autophagy_assets.cli.output import show_refreshed
    from autophagy_assets.cli.refresh_progress import RefreshProgress
    from autophagy_assets.cli.summary import export
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study

    claim(Study.load().name)
    gc.freeze()  # what the imports left would be walked again and again
    with RefreshProgress() as progress:
        done = bring_up_to_date(None, progress, workers, verify=verify)
    export(dagster_instance(), Home.locate().root / REPORT_FOLDER)
    show_refreshed(done)
    return done
