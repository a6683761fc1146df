"""``autophagy ingest``: register microscope images."""

from __future__ import annotations

from pathlib import Path

import click

from autophagy_assets.errors import InputError, unusable_place


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--replace", is_flag=True, help="Images may take the place of registered ones.")
def ingest(folder: Path, replace: bool) -> None:
    """Register the microscope images in FOLDER.

    FOLDER holds one TIFF per field of view and channel, and metadata_files.csv with a row
    for each image: image_path, genotype, stimulation, cell_line_clone, channel, FOV and
    whatever else is known of it. The images are copied; FOLDER is not changed.
    """
    from autophagy_assets.automation.home_study import claim
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.cli.output import show_ingested
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import ingest as bring_in

    study = Study.load()
    claim(study.name)
    try:
        done = bring_in(
            folder, study, lambda name: click.echo(f"  reading {name}", err=True), replace
        )
    except OSError as error:  # a full disk, a network folder that went away
        said = unusable_place(error) or f"{error}."
        raise InputError(f"{said} Nothing was ingested.") from error
    sync(dagster_instance(), study)
    show_ingested(done)
