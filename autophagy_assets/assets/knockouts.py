"""Knockouts: predictions of the control's models for cells of every other genotype."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import pandas as pd

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import confusion_pictures
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.features.tables import PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.identity import CLASS, MODEL, NOT_FEATURES, PREDICTION, of_conditions
from autophagy_assets.assets.crops import crops_of
from autophagy_assets.assets.definition import control, every, in_pieces, study_asset
from autophagy_assets.io_managers.parquet import PIECES
from autophagy_assets.io_managers.pieces import StoredTable, TablePieces
from autophagy_assets.io_managers.stored_tables import ByValue
from autophagy_assets.staleness.partitions import knockouts

if TYPE_CHECKING:
    from autophagy_assets.assets.context import StudyContext

GROUP = "knockouts"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=knockouts,
    ins={"autophagy_classifier": every(), "model_features": in_pieces()},
    schema=PREDICTIONS,
)
def ko_predictions(context, autophagy_classifier, model_features) -> TablePieces:
    """Predictions of each model for the cells of a knockout: class, probability, outcome.

    Of stimulations that are no class too, whose outcome is "no class".
    """
    name = f"model_features[{context.partition}]"
    models = [autophagy_classifier[model] for model in autophagy_classifier]
    predicted = scored(context, models, model_features, name, lambda cells: cells)
    return TablePieces(len(models) * len(model_features), predicted)


def scored(
    context: "StudyContext",
    models: Iterable[TrainedClassifier],
    cells: StoredTable,
    name: str,
    chosen: Callable[[pd.DataFrame], pd.DataFrame],
) -> Iterator[pd.DataFrame]:
    """Predict by each model in turn, a part of the cells at a time.

    Parameters
    ----------
    name : str
        What messages call the table of cells.
    chosen : callable
        Which of some cells are scored.
    """
    for model in models:
        for piece in cells.pieces([*sorted(NOT_FEATURES), PUNCTA, *model.feature_names]):
            if len(part := chosen(piece)):
                crops = crops_of(context, part)
                yield classification.predict(model, part, name, crops)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    ins={"autophagy_classifier": every(), "model_features": control(**{PIECES: True})},
    labels="control",
    schema=PREDICTIONS,
)
def condition_predictions(context, autophagy_classifier, model_features) -> TablePieces:
    """Predictions of each model for control cells of stimulations that are no class.

    No model was trained on them. Empty where the study has no such conditions.
    """
    n_cells = sum(len(of_conditions(piece)) for piece in model_features.pieces([CLASS]))
    if not n_cells:
        return TablePieces(0, [no_predictions(next(model_features.pieces()))])
    models = [autophagy_classifier[model] for model in autophagy_classifier]
    predicted = scored(context, models, model_features, "model_features", of_conditions)
    return TablePieces(len(models) * n_cells, predicted)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=knockouts,
    ins={"ko_predictions": in_pieces()},
    title="Predicted classes of cells of {}",
)
def ko_evaluation(context, ko_predictions) -> Picture:
    """What each model calls a knockout's cells, as a figure and as a table."""
    genotype = next(ko_predictions.pieces(["genotype"], only=[0]))["genotype"].iloc[0]
    predictions = ByValue(ko_predictions, MODEL, [CLASS, *PREDICTION])
    return confusion_pictures(evaluate(predictions), context.study, f"{genotype} cells")
