"""Evidence: how good models are on cells, fields of view and clones they have not seen."""

from typing import TYPE_CHECKING

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.evidence.background_features import (
    PATCH,
    SWAPPED,
)
from autophagy_assets.analysis.evidence.background_features import (
    background_features as measured_background,
)
from autophagy_assets.analysis.evidence.comparison import compare
from autophagy_assets.analysis.evidence.comparison_figures import (
    comparison_picture,
    reliability_picture,
)
from autophagy_assets.analysis.evidence.controls import negative_controls
from autophagy_assets.analysis.evidence.controls_figures import controls_picture
from autophagy_assets.analysis.evidence.cross_validation import cross_validate, refusals
from autophagy_assets.analysis.features.tables import BACKGROUND, OUT_OF_FOLD
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import CLASS, DATASET, IDENTITY, KIND, METADATA
from autophagy_assets.analysis.left_out import noted
from autophagy_assets.assets.context import PIXEL_UM, Manifests
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import (
    answers,
    control,
    every,
    selected_control,
    study_asset,
)
from autophagy_assets.assets.imaging.marker import segmented_field
from autophagy_assets.registry.fields import sample_key
from autophagy_assets.staleness.partitions import models

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

GROUP, SPATIALDATA = "evidence", "spatialdata"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=models,
    ins={"model_features": selected_control(), "annotations": answers()},
    labels="control",
    schema=OUT_OF_FOLD,
)
def cross_validation(context, model_features: pd.DataFrame, annotations) -> pd.DataFrame:
    """Scores of every control cell by models that have not seen it, its field, or its clone."""
    model = context.study.model(context.partition)
    crops = crops_of(context, model_features)
    return cross_validate(model_features, model, context.study, annotations, crops)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    ins={
        "cross_validation": every(),
        "model_features": selected_control(columns=[*IDENTITY, CLASS, *METADATA]),
    },
    labels="control",
    title="How good each model is, and on what",
)
def model_comparison(context, cross_validation, model_features: pd.DataFrame) -> Picture:
    """All models on the same folds, from random cells to clones that they have not seen."""
    tables = [cross_validation[model] for model in cross_validation]
    refused = refusals(model_features, context.study)
    scores = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    table = compare(scores, refused)
    picture = comparison_picture(table, context.study.primary, context.study)
    return noted(picture, cross_validation.left_out)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=models,
    labels="control",
    title="Calibration of the scores of {}",
)
def score_reliability(context, cross_validation: pd.DataFrame) -> Picture:
    """Share of stimulated cells among cells of about the same score, and the Brier score."""
    return reliability_picture(cross_validation, context.partition, context.study)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scipy", "parquet"},
    ins={
        "clean_features": control(columns=[*IDENTITY, CLASS, *METADATA]),
        "single_cell_images": every(columns=[DATASET, *METADATA, PIXEL_UM, SPATIALDATA]),
    },
    deps=[dg.AssetDep("source_datasets")],
    labels="control",
    schema=BACKGROUND,
)
def background_features(context, clean_features: pd.DataFrame, single_cell_images) -> pd.DataFrame:
    """Marker of control fields where there is no cell, and of cells on another background.

    Two negative controls: neither should tell the classes apart. Empty where LaminDB has the
    crops alone.
    """
    fields = control_fields(context, clean_features, single_cell_images)
    stores = {
        field.dataset: store
        for field in fields.itertuples()
        if (store := segmented_field(context, field)) is not None
    }
    pixel_um = fields.set_index(DATASET)[PIXEL_UM].to_dict()
    table, left_out = measured_background(clean_features, stores, pixel_um, context.study)
    for sentence in left_out:
        context.log.warning(sentence)
    return table


def control_fields(
    context: "StudyContext", cells: pd.DataFrame, manifests: Manifests
) -> pd.DataFrame:
    """Fields of view of cells, with their metadata.

    Parameters
    ----------
    cells : pandas.DataFrame
        Identity and metadata.
    manifests : mapping of str to pandas.DataFrame
        Manifest of each sample; those of other cells are not looked at.

    Returns
    -------
    pandas.DataFrame
        A row by dataset: metadata, ``pixel_um``, and ``spatialdata``, empty where it is not made
        here.
    """
    places = cells[["genotype", "clone", "stimulation"]].drop_duplicates()
    samples = {sample_key(*place) for place in places.itertuples(index=False)}
    there = {sample: manifests[sample] for sample in sorted(samples) if sample in manifests}
    fields = context.described(there)
    fields = fields[fields[DATASET].isin(cells[DATASET])]
    stores = {
        row.dataset: row.spatialdata for table in there.values() for row in table.itertuples()
    }
    return fields.assign(**{SPATIALDATA: fields[DATASET].map(stores).fillna("")})


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=models,
    ins={"model_features": selected_control()},
    labels="control",
    title="Negative controls of {}",
)
def shortcut_card(
    context, model_features: pd.DataFrame, cross_validation, background_features: pd.DataFrame
) -> Picture:
    """Negative controls of a model: other stains, background, and permuted labels."""
    model, kind = context.study.model(context.partition), background_features[KIND]
    table = negative_controls(
        model_features,
        model,
        context.study,
        cross_validation,
        background=background_features[kind == PATCH],
        swapped=background_features[kind == SWAPPED],
    )
    return controls_picture(table, model.name, context.study)
