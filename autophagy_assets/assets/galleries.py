"""Galleries: pictures of the cells themselves, each under its own score."""

from collections.abc import Iterator, Mapping

import dagster as dg
import numpy as np
import pandas as pd

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.classifier.representation import describe_representation, represent
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.galleries import galleries
from autophagy_assets.analysis.galleries.cell_map import cell_map as placed
from autophagy_assets.analysis.galleries.cell_map import on_map
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
    NOT_FEATURES,
    among,
    of_classes,
    of_conditions,
    rows_of,
)
from autophagy_assets.assets.context import PIXEL_UM, Paths, StudyContext
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import control, every, study_asset
from autophagy_assets.io_managers.parquet import PIECES
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.registry.datasets import companion
from autophagy_assets.staleness.partitions import control_of, models

GROUP, PARTITION = "galleries", "partition"
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

    paths = Paths(context, clean_features[DATASET].unique())
    # As they were measured: each field by its own size of a pixel.
    sizes = context.pixel_sizes(clean_features, single_cell_images).to_dict()
    return draw(clean_features, paths, context.study, sizes)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    partitions=models,
    ins={"single_cell_images": MANIFESTS},
    deps=SOURCE,
    labels="control",
    title="Cells that {} got right and wrong",
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
    ins={"model_features": every(**{PIECES: True})},
    deps=SOURCE,
    title="Map of cells by {}",
)
def cell_map(
    context,
    autophagy_classifier: TrainedClassifier,
    test_predictions: pd.DataFrame,
    model_features,
) -> Picture:
    """Map of cells (all, or a random selection) by the features or the embedding that a model uses.

    Of cells of the control the scores are those of `test_predictions`.
    """
    available = mapped_cells(model_features, test_predictions, control_of(context.study))
    chosen = on_map(available, context.study)
    found = list(
        scored_and_seen(autophagy_classifier, test_predictions, model_features, chosen, context)
    )
    view = np.concatenate([values for _, values in found])
    scored = pd.concat([table for table, _ in found], ignore_index=True)
    table, shares = placed(scored, view)
    paths = Paths(context, table[DATASET].unique())
    by_what = describe_representation(autophagy_classifier, view.shape[1])
    return cell_map_picture(table, shares, by_what, paths, context.study, len(available))


def mapped_cells(
    model_features: Mapping[str, StoredTable], test_predictions: pd.DataFrame, control: str
) -> pd.DataFrame:
    """Identity, class and metadata of the cells that a map is of, and their partition.

    Of the control those that were tested, and those of conditions that are no class.
    """
    found = []
    for genotype in model_features:
        tables = list(model_features[genotype].pieces(CELLS))
        if genotype == control:
            tables = [test_predictions[CELLS], *(of_conditions(piece) for piece in tables)]
        found += [table.assign(**{PARTITION: genotype}) for table in tables if len(table)]
    return pd.concat(found, ignore_index=True)


def scored_and_seen(
    model: TrainedClassifier,
    test_predictions: pd.DataFrame,
    model_features: Mapping[str, StoredTable],
    chosen: pd.DataFrame,
    context: StudyContext,
) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
    """Scores of cells, and their representation by a model, genotype by genotype.

    Parameters
    ----------
    chosen : pandas.DataFrame
        As `mapped_cells` gives them, or some of them.
    """
    columns = [*sorted(NOT_FEATURES), PUNCTA, *model.feature_names]
    for genotype, wanted in chosen.groupby(PARTITION, sort=False):
        name = f"model_features[{genotype}]"
        pieces = (among(piece, wanted) for piece in model_features[genotype].pieces(columns))
        cells = rows_of(pd.concat(pieces, ignore_index=True), wanted, name)
        crops, tested = crops_of(context, cells), among(cells, test_predictions)
        others = cells.drop(index=tested.index).reset_index(drop=True)
        if len(tested):
            scores = rows_of(test_predictions, tested, "test_predictions")
            yield scores, represent(model, tested, name, crops)
        if len(others):
            scores = classification.predict(model, others, name, crops)
            yield scores, represent(model, others, name, crops)


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
