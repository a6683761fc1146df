"""``autophagy lineage``: where a figure, a table, a model or a cell comes from."""

from __future__ import annotations

import click

from autophagy_assets.errors import InputError


@click.command()
@click.argument("what", required=False)
@click.option("--cell", metavar="DATASET:ID", help="One cell: uid of its dataset, and its number.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["tree", "json", "dot", "svg"]),
    default="tree",
    show_default=True,
    help="svg needs the graphviz program.",
)
def lineage(what: str | None, cell: str | None, style: str) -> None:
    """Show where WHAT comes from, back to the microscope images.

    WHAT is a LaminDB uid or key, an asset such as model_comparison, or a partition of an
    asset such as 'clean_features[WT]'.
    """
    from autophagy_assets.registry.lineage.cells import lineage_of_cell
    from autophagy_assets.registry.lineage.lineage import lineage_of
    from autophagy_assets.registry.lineage.lineage_formats import render

    if (what is None) == (cell is None):
        raise click.UsageError("Name one thing: WHAT, or --cell DATASET:ID.")
    try:
        tree = lineage_of(what) if what is not None else lineage_of_cell(*_parsed(cell or ""))
        click.echo(render(tree, style), nl=False)
    except InputError as error:
        raise click.ClickException(str(error)) from error


def _parsed(cell: str) -> tuple[str, int]:
    dataset, _, number = cell.rpartition(":")
    if not dataset or not number.isdecimal():
        raise click.UsageError(
            f"--cell {cell!r}: write DATASET:ID, such as 3jmKGBSJX8jKh3o3Eq5q:15."
        )
    return dataset, int(number)
