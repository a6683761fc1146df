"""Imaging: from the microscope images of a sample to single cells and their features."""

from contextlib import closing
from functools import partial

import dagster as dg
import pandas as pd
from pydantic import Field

from autophagy_assets.analysis.features.tables import CELLS, MANIFEST
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.assets.imaging.field_files import share_datasets
from autophagy_assets.assets.imaging.field_work import (
    WorkerResult,
    featurize_field,
    image_field,
    this_process,
)
from autophagy_assets.assets.imaging.fields import (
    describe_field,
    in_order,
    note_entries,
    readable_fields,
    row_of_worked,
    what_is_imaged,
)
from autophagy_assets.assets.imaging.finished_fields import finished_fields, forget_finished
from autophagy_assets.assets.imaging.kept_fields import kept_fields
from autophagy_assets.assets.imaging.manifest import (
    datasets_in,
    known_datasets,
    manifest_of,
    without,
)
from autophagy_assets.assets.imaging.method import note_method
from autophagy_assets.assets.imaging.shared_datasets import put_in_datasets
from autophagy_assets.assets.imaging.work import work_on
from autophagy_assets.errors import InputError
from autophagy_assets.staleness.materializations import IMAGED, WORKER_SECONDS
from autophagy_assets.staleness.partitions import samples

GROUP = "imaging"


class ImagingConfig(dg.Config):
    """Config of a run that images a sample, as the launchpad offers it."""

    image_again: bool = Field(
        default=False,
        description="Segment every field of the sample, also those of which there are single "
        "cells of the same images, parameters and code; for instance after an upgrade of "
        "scPortrait.",
    )


raw_images = dg.AssetSpec(
    "raw_images",
    group_name=GROUP,
    kinds={"tiff"},
    partitions_def=samples,
    description="Microscope images of a sample, one per field of view and channel, as registered "
    "in LaminDB by `autophagy ingest` or found in the source instance.",
)

excluded_fields = dg.AssetSpec(
    "excluded_fields",
    group_name=GROUP,
    kinds={"tiff"},
    description="Fields of view whose images `autophagy ingest` could not take, with the reason.",
)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scportrait", "h5ad", "zarr"},
    schema=MANIFEST,
    partitions=samples,
    deps=[dg.AssetDep("raw_images")],
    by_field=True,
)
def single_cell_images(context, config: ImagingConfig) -> pd.DataFrame:
    """Manifest of a sample: its fields of view with their single cells.

    Nuclei and cytosol are segmented, and each cell gets a crop in every channel. A field that
    cannot be used is excluded with its reason. Fields whose images, parameters and code are
    those of the last time are kept and not segmented again, unless the launchpad says so; so are
    those that a run had finished which was cut off.
    """
    fields, rows = context.registry.fields, known_datasets(context)
    if not fields and not rows:
        raise InputError(
            f"Sample {context.partition} has no registered field of view: ingest its images, or "
            "run 'autophagy refresh', which removes samples without images."
        )
    rows += [] if config.image_again else kept_fields(context, without(fields, rows))
    rows += [] if config.image_again else finished_fields(context, without(fields, rows))
    jobs, damaged = readable_fields(context, without(fields, rows))
    rows += damaged
    with context.scratch() as scratch:
        where = {"scratch": scratch, "elsewhere": context.compute.elsewhere}
        image = partial(image_field, study=context.study, **where)
        with closing(work_on(context, image, jobs, what_is_imaged)) as outcomes:
            for (field, _, _), worked in outcomes:
                note_entries(context, worked)
                note_cost(context, worked)
                context.log.info(describe_field(field, worked))
                rows.append(row_of_worked(context, field, worked))
        note_method(context)
        if share_datasets(context):
            rows = put_in_datasets(context, fields, rows, scratch)
    forget_finished(context)
    return manifest_of(rows)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scportrait", "parquet"},
    partitions=samples,
    schema=CELLS,
    by_field=True,
)
def cell_features(context, single_cell_images: pd.DataFrame) -> pd.DataFrame:
    """Areas and intensities of every cell of a sample, by scPortrait's CellFeaturizer."""
    fields = datasets_in(single_cell_images)
    crops = [context.read(field.dataset) for field in fields]
    tables = in_order(context, featurize_field, crops)
    for field, cells in zip(fields, tables, strict=True):
        cells.insert(0, DATASET, field.dataset)
        cells.insert(2, CLASS, context.study.class_of(field.stimulation))
    return pd.concat(tables, ignore_index=True) if tables else blank_features()


def blank_features() -> pd.DataFrame:
    """Feature table of a sample without a usable field: the identity columns, no rows."""
    types = {DATASET: str, CELL_ID: "int64", CLASS: "int64"}
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in types.items()})


def note_cost(context: StudyContext, worked: WorkerResult | Exception) -> None:
    """Add a field to the recorded cost of imaging, from which later costs are estimated."""
    cost = context.recorder.measured
    cost[IMAGED] = cost.get(IMAGED, 0) + 1
    # What was worked on in this process is in its own seconds already.
    if isinstance(worked, WorkerResult) and worked.process != this_process():
        used = cost.get(WORKER_SECONDS, 0.0) + worked.core_seconds
        cost[WORKER_SECONDS] = round(used, 2)
