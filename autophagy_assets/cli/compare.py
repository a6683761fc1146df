"""``autophagy compare``: the differences between two versions of a study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.analysis.comparison.changes import Changes
    from autophagy_assets.analysis.comparison.results import Results
    from autophagy_assets.analysis.figures import Picture

FOLDER, GALLERY = "comparisons", "flipped_cells.png"
# Of each table of a comparison, the name of the file that it is written to.
TABLES = {"flipped": "flipped_cells.csv", "auc": "auc.csv", "clones": "responses.csv",
          "claims": "claims.csv"}  # fmt: skip


@click.command()
@click.argument("a", default="previous")
@click.argument("b", default="latest")
@click.option("--model", help="Model that is compared; default: the primary one of B.")
@click.option("--to", type=click.Path(path_type=Path), help="Folder; default: in AUTOPHAGY_HOME.")
@click.option("--list", "listed", is_flag=True, help="List the versions that there are.")
def compare(a: str, b: str, model: str | None, to: Path | None, listed: bool) -> None:
    """Show the differences between two versions of the study, A and B.

    A version is what a report was made from. A and B are 'previous', 'latest', a date such as
    2026-11-25 or 2026-11-25T14:30 (the last report by then), the uid of a report, of a run, or of
    a model or a table that a report was made from. Cells that changed class are drawn, and all
    tables are written to a folder.
    """
    from autophagy_assets.analysis.comparison.changes import changes
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.changes_output import show_changes
    from autophagy_assets.cli.output import console
    from autophagy_assets.cli.report_results import results_of
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.report_versions import report_versions, version_meant

    study = Study.load()
    require(study.name)
    versions = report_versions(study)
    if listed and versions:
        for version in versions:
            console.print(version.name, soft_wrap=True)
        return
    chosen = version_meant(a, versions), version_meant(b, versions)
    if chosen[0] == chosen[1]:
        raise InputError(f"Both are the same report, {chosen[0].name}; 'autophagy compare --list'.")
    before, after = (results_of(version) for version in chosen)
    found = changes(before, after)
    leading = model or after.study.primary
    if leading not in after.models or leading not in before.models:
        both = ", ".join(name for name in after.models if name in before.models) or "none"
        raise InputError(
            f"Model {leading!r} is not in both versions; these are: {both}. Name one with --model."
        )
    show_changes(found, before, after, leading)
    folder = to or Home.locate().root / FOLDER / f"{chosen[0].uid}-{chosen[1].uid}"
    for path in write(found, before, after, leading, folder):
        console.print(str(path), soft_wrap=True)


def write(found: Changes, before: Results, after: Results, model: str, folder: Path) -> list[Path]:
    """Write the tables of a comparison, and the gallery if cells changed class.

    Parameters
    ----------
    model : str
        Whose cells are drawn.
    folder : pathlib.Path
        Created when missing.

    Returns
    -------
    list of pathlib.Path
        What was written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, file in TABLES.items():
        getattr(found, name).to_csv(folder / file, index=False)
        written.append(folder / file)
    (folder / GALLERY).unlink(missing_ok=True)  # of an earlier look, by another model
    if (found.flipped["model"] == model).any():
        from autophagy_assets.analysis.figures import png_bytes

        picture = _gallery(found, before, after, model)
        (folder / GALLERY).write_bytes(png_bytes(picture.figure))
        written.append(folder / GALLERY)
    return written


def _gallery(found: Changes, before: Results, after: Results, model: str) -> Picture:
    from autophagy_assets.analysis.comparison.flips_figure import flipped_cells, flips_picture
    from autophagy_assets.analysis.identity import DATASET
    from autophagy_assets.registry.datasets import single_cell_datasets
    from autophagy_assets.registry.store.artifacts import fetch

    shown = flipped_cells(found, model)[DATASET].unique()
    paths = {uid: fetch(uid)[0] for uid in shown}
    known = single_cell_datasets(after.study, every_version=True).drop_duplicates(DATASET)
    sizes = known.set_index(DATASET)["pixel_um"].reindex(shown).unique()
    pixel_um = float(sizes[0]) if len(sizes) == 1 and sizes[0] > 0 else None
    names = before.name, after.name
    return flips_picture(found, model, paths, after.study, names, pixel_um)
