"""``autophagy status``: what is up to date, and why the rest is not."""

from __future__ import annotations

import click


@click.command()
@click.option("--verify", is_flag=True, help="Read every file and compare it with its hash.")
def status(verify: bool) -> None:
    """Show which assets are up to date and why others are not, and fields that were excluded."""
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.automation.next_runs import look
    from autophagy_assets.cli.output import show_status
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import excluded_fields

    require(Study.load().name)
    instance = dagster_instance()
    state = look(instance, None, verify=verify)
    show_status(state.plan, excluded_fields(state.study), instance)
