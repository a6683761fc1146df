"""Checks of the knockouts: that their tables have the features of every model."""

from typing import Any

import dagster as dg

from autophagy_assets.analysis.identity import NOT_FEATURES
from autophagy_assets.analysis.quality.cells import features_match
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.io_managers.joblib import FEATURE_NAMES
from autophagy_assets.staleness.fingerprint import is_left_out
from autophagy_assets.staleness.materializations import latest
from autophagy_assets.staleness.partitions import MODEL_PARTITIONS, knockouts

COLUMN_SCHEMA = "dagster/column_schema"


@study_checks(
    "ko_predictions",
    {"features_are_the_models": "The knockout's table has the features of every model."},
    partitions=knockouts,
)
def check_ko_predictions(context) -> Findings:
    """Compare the recorded names of features, so that nothing has to be loaded."""
    name = context.named("model_features")
    schema = remembered(context.instance, "model_features", context.partition).get(COLUMN_SCHEMA)
    used = latest(context.instance, dg.AssetKey("ko_predictions"), context.partition)
    inputs = used.fingerprint.inputs if used and used.fingerprint else {}
    known: dict[str, list[str]] = {
        model: remembered(context.instance, "autophagy_classifier", model).get(FEATURE_NAMES, [])
        for model in sorted(context.instance.get_dynamic_partitions(MODEL_PARTITIONS))
        if not is_left_out(inputs.get(f"autophagy_classifier[{model}]"))
    }
    if schema is None or not all(known.values()):
        sentence = f"The features of {name} or of a model are not recorded: make both again."
        return {"features_are_the_models": Finding(False, sentence)}
    # Of a model of crops, what says which cells they are, and every table has that.
    known = {m: [n for n in names if n not in NOT_FEATURES] for m, names in known.items()}
    features = [c.name for c in schema.columns if c.name not in NOT_FEATURES]
    return {"features_are_the_models": features_match(features, known, name)}


def remembered(instance: dg.DagsterInstance, asset: str, partition: str | None) -> dict[str, Any]:
    """Metadata of the latest materialization.

    Returns
    -------
    dict
        Empty where there is none.
    """
    found = latest(instance, dg.AssetKey(asset), partition)
    return found.metadata if found else {}
