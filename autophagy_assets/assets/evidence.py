"""Evidence: what the models are worth on cells, fields of view and clones they have not seen."""

import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.features.tables import OUT_OF_FOLD
from autophagy_assets.assets.definition import control, study_asset
from autophagy_assets.staleness.partitions import models

GROUP = "evidence"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=models,
    ins={"model_features": control()},
    labels="control",
    schema=OUT_OF_FOLD,
)
def cross_validation(context, model_features: pd.DataFrame) -> pd.DataFrame:
    """Scores of every control cell by models that have not seen it, its field, or its clone."""
    model = context.study.model(context.partition)
    return cross_validate(model_features, model, context.study)
