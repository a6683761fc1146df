"""Features of the marker of a sample."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from autophagy_assets.analysis.features.tables import CELLS
from autophagy_assets.analysis.identity import CLASS, DATASET
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.assets.imaging.field_work import measure_marker
from autophagy_assets.assets.imaging.fields import in_order
from autophagy_assets.assets.imaging.manifest import datasets_in
from autophagy_assets.assets.imaging.samples import GROUP, blank_features
from autophagy_assets.registry.datasets import companion
from autophagy_assets.staleness.partitions import samples

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scipy", "parquet"},
    partitions=samples,
    schema=CELLS,
    by_field=True,
)
def marker_features(context, single_cell_images: pd.DataFrame) -> pd.DataFrame:
    """Puncta and texture of the marker of every cell of a sample.

    On two scales: contrast within the cell, and units of the image above its background. Of
    datasets whose field of view is not in LaminDB there is contrast alone.
    """
    fields = datasets_in(single_cell_images)
    jobs = [
        (context.read(field.dataset), field.pixel_um, segmented_field(context, field))
        for field in fields
    ]
    tables = in_order(context, measure_marker, jobs)
    for field, cells in zip(fields, tables, strict=True):
        cells.insert(0, DATASET, field.dataset)
        cells.insert(2, CLASS, context.study.class_of(field.stimulation))
    # A table has the same features of every cell: those that all of its fields have.
    return pd.concat(tables, ignore_index=True, join="inner") if tables else blank_features()


def segmented_field(context: "StudyContext", field: Any) -> Any:
    """SpatialData store of a field.

    Parameters
    ----------
    field : namedtuple
        Row of a manifest.

    Returns
    -------
    pathlib.Path or None
        None where LaminDB has the crops alone.
    """
    if field.spatialdata:
        return context.read(field.spatialdata)
    try:
        return context.read(companion(field.dataset, "spatialdata.zarr"))
    except LookupError:
        return None
