"""``autophagy withdraw``: take fields of view out of a study."""

from __future__ import annotations

import click


@click.command()
@click.argument("fields", nargs=-1, required=True, metavar="FIELD...")
def withdraw(fields: tuple[str, ...]) -> None:
    """Take each FIELD of view out of the study; ingesting it again brings it back.

    FIELD is its name as messages have it, such as 'WT, clone 1, untreated, FOV1'. Its images go to
    LaminDB's trash, and the next refresh makes the tables without its cells.
    """
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.withdraw import withdraw as take_out

    study = Study.load()
    require(study.name)
    for name in take_out(fields, study):
        click.echo(f"Withdrawn: {name}")
    sync(dagster_instance(), study)
    click.echo("Run 'autophagy refresh' to make the tables without their cells.")
