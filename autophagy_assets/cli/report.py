"""``autophagy report``: write report and figures to a folder."""

from __future__ import annotations

from pathlib import Path

import click

from autophagy_assets.cli.refresh import REPORT_FOLDER
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError


@click.command()
@click.option("--to", type=click.Path(path_type=Path), help="Folder; default: in AUTOPHAGY_HOME.")
def report(to: Path | None) -> None:
    """Write the study's report and figures to a folder."""
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.summary import export
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study

    require(Study.load().name)
    copies = export(dagster_instance(), to or Home.locate().root / REPORT_FOLDER)
    if not copies:
        raise InputError("There is no report yet; run 'autophagy refresh' first.")
    for path in copies:
        click.echo(path)
