"""``autophagy delete``: delete a study with all its results."""

from __future__ import annotations

import os

import click


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(yes: bool) -> None:
    """Delete the study with all its images, tables, models, figures and records.

    What this platform has not made stays. While a refresh, an ingest or the UI is at work, nothing
    is deleted.
    """
    from autophagy_assets.cli.home_removal import remove, require_home
    from autophagy_assets.config.home import Home
    from autophagy_assets.config.settings import home_folder

    home = Home.locate()
    require_home(home.root, home_folder())
    if not yes:
        click.confirm(f"Delete the study in {home.root} with all that was made of it?", abort=True)
    stays = remove(home, home_folder())
    if stays:
        click.echo(f"Deleted what this platform made in {home.root}. Not its own, so it stays:")
        for path in stays:
            click.echo(f"  {path}")
    else:
        click.echo(f"Deleted {home.root}.")
    if instance := os.environ.get("LAMIN_CURRENT_INSTANCE"):
        click.echo(f"Your own LaminDB instance {instance} has not been touched.")
