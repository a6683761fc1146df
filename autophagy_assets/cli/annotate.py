"""``autophagy annotate``: hand in what a person answered on a review page."""

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
        click.echo(f"{done.gone} answers are kept out: their cells are not in the study any more.")
    if done.known:
        click.echo(f"The same {done.answers} answers by {name} are registered already: {done.key}")
        return
    click.echo(f"Registered {done.answers} answers by {name}: {done.key} ({done.uid})")
    if done.earlier:
        left = f"; {done.left_out} of them are not in this file and no longer count"
        click.echo(
            f"The {done.earlier} answers by {name} on this page of before are kept as an earlier "
            f"version{left if done.left_out else ''}."
        )
    sync(instance, study)
    click.echo("Run 'autophagy refresh' to have them in the table 'annotations'.")
