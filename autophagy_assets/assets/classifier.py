"""Classifier: trained on control cells of both stimulations, tested on the rest of them."""

import dagster as dg
import pandas as pd
from pydantic import Field, create_model

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import auc_of, evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import evaluation_picture
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.assets.definition import control, study_asset
from autophagy_assets.config.study import ClassifierParameters, Study

GROUP = "classifier"


def launchpad_config(study: Study) -> type[dg.Config]:
    """Parameters of the classifier as the launchpad offers them, with the study's defaults.

    Parameters
    ----------
    study : Study

    Returns
    -------
    type
        A Dagster config class.
    """
    types = {"max_depth": int | None, "max_features": str | None, "criterion": str}
    fields = {
        name: (types.get(name, field.annotation), Field(getattr(study.classifier, name)))
        for name, field in ClassifierParameters.model_fields.items()
    }
    return create_model("RandomForest", __base__=dg.Config, **fields)  # type: ignore[call-overload]


def assets(study: Study) -> list[dg.AssetsDefinition]:
    """Assets of the group, for a study whose control is known.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of dagster.AssetsDefinition
    """
    from_control = {"clean_features": control(study)}
    Forest = launchpad_config(study)

    @study_asset(
        group=GROUP,
        io="table_io",
        kinds={"scikitlearn", "parquet"},
        ins=from_control,
        labels="control",
    )
    def training_cells(context, clean_features: pd.DataFrame) -> pd.DataFrame:
        """Control cells that the classifier is trained on: the notebook's random split."""
        return classification.split_cells(clean_features, context.study.split)[0]

    @study_asset(
        group=GROUP,
        io="table_io",
        kinds={"scikitlearn", "parquet"},
        ins=from_control,
        labels="control",
    )
    def test_cells(context, clean_features: pd.DataFrame) -> pd.DataFrame:
        """Control cells that the classifier is tested on: the other part of the split."""
        return classification.split_cells(clean_features, context.study.split)[1]

    @study_asset(
        group=GROUP,
        io="model_io",
        kinds={"scikitlearn", "joblib"},
        launchpad="classifier",
        labels="control",
    )
    def autophagy_classifier(
        context,
        config: Forest,  # type: ignore[valid-type]
        training_cells: pd.DataFrame,
    ) -> TrainedClassifier:
        """Random forest that tells stimulated from untreated control cells.

        Its feature names, library versions and the version of its training cells are inside.
        """
        parameters = ClassifierParameters.model_validate(dict(config))
        version = context.version_of("training_cells")
        return classification.train(training_cells, parameters, version)

    @study_asset(
        group=GROUP,
        io="table_io",
        kinds={"scikitlearn", "parquet"},
        labels="control",
    )
    def test_predictions(
        context, autophagy_classifier: TrainedClassifier, test_cells: pd.DataFrame
    ) -> pd.DataFrame:
        """Test cells with class, predicted class, probability and outcome."""
        return classification.predict(autophagy_classifier, test_cells, "test_cells")

    @study_asset(
        group=GROUP,
        io="figure_io",
        kinds={"scikitlearn", "matplotlib"},
        labels="control",
    )
    def classifier_evaluation(
        context, autophagy_classifier: TrainedClassifier, test_predictions: pd.DataFrame
    ) -> Picture:
        """ROC curve and confusion matrix of the test cells, as a figure and as a table.

        The table holds AUC, ROC points, counts and shares. The AUC is written to the model.
        """
        scores = evaluate(test_predictions)
        # The model is an input for this alone: another version of it may predict the same.
        for uid, record in context.recorder.reads.items():
            if record.key.endswith(".joblib"):
                context.recorder.annotate(uid, {"auc": auc_of(scores)})
        title = f"{context.study.control} test cells"
        return evaluation_picture(scores, context.study, title)

    return [
        training_cells,
        test_cells,
        autophagy_classifier,
        test_predictions,
        classifier_evaluation,
    ]
