"""``autophagy review``: a page on which people say what cells look like."""

from __future__ import annotations

from pathlib import Path

import click

from autophagy_assets.errors import InputError


@click.command()
@click.option("--cells", "n", type=click.IntRange(1, 2000), default=200, show_default=True)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the choice of cells.",
)
@click.option(
    "--genotype", "genotypes", multiple=True, help="Only cells of this genotype; may be repeated."
)
@click.option("--show-labels", is_flag=True, help="Say what each cell was treated with: not blind.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to write the page; default: review-PAGE.html in this folder.",
)
def review(
    n: int, seed: int, genotypes: tuple[str, ...], show_labels: bool, out: Path | None
) -> None:
    """Make a page on which people say what cells look like.

    One file that works offline and from a mail. Hand the answers that it saves in with
    'autophagy annotate'.
    """
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.review_page import make_page
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study

    study = Study.load()
    require(study.name)
    made = make_page(dagster_instance(), study, n, seed, genotypes, show_labels)
    file = out or Path(f"review-{made.page}.html")
    try:
        file.write_text(made.html, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}.") from error
    counts = made.cells["chosen_by"].value_counts()
    parts = ", ".join(f"{count} by {part}" for part, count in sorted(counts.items()))
    size = file.stat().st_size / 1e6
    click.echo(f"{file}: page {made.page}, {len(made.cells)} cells of {made.available} ({parts})")
    click.echo(
        f"{size:.1f} MB. Open it in a browser; then 'autophagy annotate answers-{made.page}.csv "
        "--by NAME'."
    )
