"""A second model of the same cells, as a lab would add it: this module and nothing else.

``test_extra_model`` lets the platform find it among its own modules.
"""

import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from autophagy_assets.analysis.classifier import classification
from autophagy_assets.analysis.classifier.evaluation import evaluate
from autophagy_assets.analysis.classifier.evaluation_figures import confusion_picture
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.features.tables import PREDICTIONS
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.assets.definition import study_asset
from autophagy_assets.staleness.partitions import knockouts

GROUP = "linear_model"


@study_asset(group=GROUP, io="model_io", kinds={"scikitlearn", "joblib"}, labels="control")
def linear_classifier(context, training_cells: pd.DataFrame) -> TrainedClassifier:
    """Logistic regression on the cells that the forest is trained on."""
    seed = context.study.split.random_state
    model = make_pipeline(StandardScaler(), LogisticRegression(random_state=seed))
    version = context.version_of("training_cells")
    return classification.fit(model, training_cells, {"random_state": seed}, version)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    labels="control",
    schema=PREDICTIONS,
)
def linear_predictions(
    context, linear_classifier: TrainedClassifier, test_cells: pd.DataFrame
) -> pd.DataFrame:
    """Test cells with what the logistic regression says of them."""
    return classification.predict(linear_classifier, test_cells, "test_cells")


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    labels="control",
    title="What a straight line says of the test cells",
)
def linear_evaluation(context, linear_predictions: pd.DataFrame) -> Picture:
    """Confusion matrix of the logistic regression on the test cells."""
    return confusion_picture(evaluate(linear_predictions), context.study, "Linear model")


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    partitions=knockouts,
    title="What a straight line says of {}",
)
def linear_ko_evaluation(
    context, linear_classifier: TrainedClassifier, clean_features: pd.DataFrame
) -> Picture:
    """Confusion matrix of the logistic regression on the cells of a knockout."""
    name = f"clean_features[{context.partition}]"
    predictions = classification.predict(linear_classifier, clean_features, name)
    return confusion_picture(evaluate(predictions), context.study, "Linear model")
