"""Galleries: pictures of the cells themselves, each under its own score."""

import dagster as dg
import numpy as np
import pandas as pd

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.classifier.view import called_view, seen
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.galleries import galleries
from autophagy_assets.analysis.galleries.cell_map import cell_map as placed
from autophagy_assets.analysis.galleries.cell_map_figures import cell_map_picture
from autophagy_assets.analysis.galleries.choice import choose_context_cell
from autophagy_assets.analysis.galleries.spatial_figures import (
    spatial_context as draw_spatial_context,
)
from autophagy_assets.analysis.identity import (
    CLASS,
    DATASET,
    IDENTITY,
    METADATA,
    of_classes,
    of_conditions,
    rows_of,
)
from autophagy_assets.assets.context import PIXEL_UM, Paths
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import control, every, study_asset
from autophagy_assets.registry.datasets import companion
from autophagy_assets.staleness.partitions import models

GROUP = "galleries"
CELLS = [*IDENTITY, CLASS, *METADATA]
SOURCE = [dg.AssetDep("source_datasets")]
MANIFESTS = every(columns=[DATASET, *METADATA, PIXEL_UM])
FROM_CONTROL = {
    "clean_features": control(columns=CELLS),
    "single_cell_images": MANIFESTS,
}


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    ins=FROM_CONTROL,
    deps=SOURCE,
    labels="control",
    title="What the classes look like",
)
def class_gallery(context, clean_features: pd.DataFrame, single_cell_images) -> Picture:
    """The marker in control cells of both classes."""
    paths, pixel_um = context.images(clean_features, single_cell_images)
    return galleries.class_gallery(clean_features, paths, context.study, pixel_um)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    ins=FROM_CONTROL,
    deps=SOURCE,
    labels="control",
    title="What was taken as a punctum",
)
def marker_example(context, clean_features: pd.DataFrame, single_cell_images) -> Picture:
    """Control cells of both classes with every punctum of the marker outlined."""
    from autophagy_assets.analysis.marker.example import marker_example as draw

    paths, pixel_um = context.images(clean_features, single_cell_images)
    return draw(clean_features, paths, context.study, pixel_um)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    partitions=models,
    ins={"single_cell_images": MANIFESTS},
    deps=SOURCE,
    labels="control",
    title="What {} got right and wrong",
)
def error_galleries(context, test_predictions: pd.DataFrame, single_cell_images) -> Picture:
    """Control cells that a model got right and wrong, each under its own score."""
    paths, pixel_um = context.images(test_predictions, single_cell_images)
    return galleries.error_gallery(test_predictions, paths, context.study, pixel_um)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib", "png"},
    partitions=models,
    ins={"model_features": every()},
    deps=SOURCE,
    title="What {} sees in cells",
)
def cell_map(
    context,
    autophagy_classifier: TrainedClassifier,
    test_predictions: pd.DataFrame,
    model_features,
) -> Picture:
    """A map of all cells by what a model goes by in them, with the score of each.

    Of cells of the control the scores are those of `test_predictions`.
    """
    tables, values = [], []
    for genotype in model_features:
        cells, name = model_features[genotype], f"model_features[{genotype}]"
        crops = crops_of(context, cells)
        if genotype == context.study.control:
            tested = rows_of(cells, test_predictions, name)
            tables.append(test_predictions)
            values.append(seen(autophagy_classifier, tested, name, crops))
            cells = of_conditions(cells)
        if len(cells):
            tables.append(classification.predict(autophagy_classifier, cells, name, crops))
            values.append(seen(autophagy_classifier, cells, name, crops))
    view = np.concatenate(values)
    table, shares = placed(pd.concat(tables, ignore_index=True), view)
    paths = Paths(context, table[DATASET].unique())
    by_what = called_view(autophagy_classifier, view.shape[1])
    return cell_map_picture(table, shares, by_what, paths, context.study)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    ins={"clean_features": every(columns=CELLS), "single_cell_images": MANIFESTS},
    deps=SOURCE,
    title="Control and knockouts",
)
def wt_ko_gallery(context, clean_features, single_cell_images) -> Picture:
    """The marker in control and knockout cells under every stimulation."""
    cells = pd.concat([clean_features[g] for g in clean_features], ignore_index=True)
    paths, pixel_um = context.images(cells, single_cell_images)
    return galleries.wt_ko_gallery(cells, paths, context.study, pixel_um)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    ins=FROM_CONTROL,
    deps=SOURCE,
    labels="control",
    title="One cell in its field of view",
)
def spatial_context(context, clean_features: pd.DataFrame, single_cell_images) -> Picture:
    """One control cell in all channels beside its place in the field of view."""
    seed = context.study.galleries.random_state
    cell = choose_context_cell(of_classes(clean_features), seed)
    dataset = cell[DATASET].iloc[0]
    crops = context.read(dataset)
    field = context.read(companion(dataset, "spatialdata.zarr"))
    pixel_um = context.pixel_um(cell, single_cell_images)
    return draw_spatial_context(cell, crops, field, context.study, pixel_um)
