"""Galleries: pictures of the cells themselves, each under its own score."""

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.galleries import galleries
from autophagy_assets.analysis.galleries.spatial import choose_context_cell
from autophagy_assets.analysis.galleries.spatial_figures import (
    spatial_context as draw_spatial_context,
)
from autophagy_assets.analysis.identity import CLASS, DATASET, IDENTITY, METADATA, of_classes
from autophagy_assets.assets.context import PIXEL_UM
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
