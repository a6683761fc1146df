"""``autophagy annotate``: register the answers of a person on a review page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", "name", required=True, metavar="NAME", help="Who answered.")
def annotate(file: Path, name: str) -> None:
    """Register the answers in FILE, which a review page has saved.

    Answers of several people and of several pages are all kept.
    """
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.cli.review_page import cells_there
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.review.annotate import annotate as register

    study = Study.load()
    require(study.name)
    instance = dagster_instance()
    done = register(file, name, study, cells_there(instance, study))
    if done.gone:
        click.echo(f"Kept out, as their cells are not in the study any more: {done.gone} answers")
    if done.known:
        click.echo(f"The same {done.answers} answers by {name} are registered already: {done.key}")
        return
    click.echo(f"Registered {done.answers} answers by {name}: {done.key} ({done.uid})")
    if done.earlier:
        click.echo(f"Kept as an earlier version: {done.earlier} answers by {name} on this page")
    if done.left_out:
        click.echo(f"Of those not in this file, so no longer counted: {done.left_out}")
    sync(instance, study)
    click.echo("Run 'autophagy refresh' to have them in the table 'annotations'.")
