"""Results of one small study at two times, as its tables have them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.comparison.results import Results
from autophagy_assets.analysis.effects.knockout import measured_effect
from autophagy_assets.analysis.evidence.comparison import compare
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.models import PUBLISHED
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

CONTROL = measured_cells(Study.load(), cells=12, biology=1.0)
KNOCKOUT = measured_cells(Study.load(), cells=12, genotype="KO", seed=2, biology=1.0, response=0.3)


def results(name: str, *models: Model, control: pd.DataFrame = CONTROL, **more: Any) -> Results:
    """What a study with these models and the published one finds; the first one leads."""
    every = (*models, PUBLISHED)
    study = Study.load().model_copy(update={"models": every})
    scores = {model.name: cross_validate(control, model, study) for model in every}
    predicted = []
    for model in every:
        scoring = scoring_of(scores[model.name], model)
        trained = train(control, model, "v1", scoring.calibrator, scoring.threshold)
        predicted.append(predict(trained, KNOCKOUT))
    predictions, none = pd.concat(predicted, ignore_index=True), no_predictions(control)
    first = models[0]
    measured, _, effects = measured_effect(scores[first.name], predictions, none, first, study)
    return Results(
        name=name,
        study=study,
        cross_validations=scores,
        predictions=[predictions, none],
        comparison=compare(pd.concat(scores.values()), {}),
        effects=[pd.concat([measured, effects], ignore_index=True)],
        **more,
    )
