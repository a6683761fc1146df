"""STUB"""

import pandas as pd

from autophagy_assets.analysis.features.tables import CELLS
from autophagy_assets.analysis.identity import CLASS, DATASET
from autophagy_assets.analysis.marker.features import marker_features as measure
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.assets.imaging.samples import blank_features
from autophagy_assets.staleness.partitions import samples


@study_asset(
    group="imaging",
    io="table_io",
    kinds={"scikitimage", "parquet"},
    partitions=samples,
    schema=CELLS,
)
def marker_features(context, single_cell_images: pd.DataFrame) -> pd.DataFrame:
    """Puncta and texture of the marker of every cell of a sample, in contrast and in units."""
    tables = []
    for field in single_cell_images.query("status == 'ok'").itertuples():
        store = context.read(field.spatialdata) if field.spatialdata else None
        cells = measure(context.read(field.dataset), context.study, field.pixel_um, store)
        cells.insert(0, DATASET, field.dataset)
        cells.insert(2, CLASS, context.study.class_of(field.stimulation))
        tables.append(cells)
    return pd.concat(tables, ignore_index=True) if tables else blank_features()
