"""Models that a study trains side by side: their features, estimators and parameters.

Not here: the rest of the study (``study``), and how a model is trained (``analysis.classifier``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

SCPORTRAIT, MARKER = "scportrait", "marker"
AS_PUBLISHED = "as_published"
SPLIT, ALL = "split", "all"
AS_GIVEN, AUDITED, ANNOTATED = "as_given", "audited", "annotated"
RANDOM_FOREST = "random_forest"


class Strict(BaseModel):
    """Entries of a study file: no unknown ones, and nothing changes after they are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RandomForest(Strict):
    """Parameters of scikit-learn's ``RandomForestClassifier``."""

    random_state: int = 42
    n_estimators: int = Field(default=100, gt=0)
    max_depth: int | None = Field(default=10, gt=0)
    min_samples_split: int = Field(default=2, ge=2)
    min_samples_leaf: int = Field(default=1, ge=1)
    max_features: Literal["sqrt", "log2"] | None = "sqrt"
    criterion: Literal["gini", "entropy", "log_loss"] = "gini"
    bootstrap: bool = True


class LogisticRegression(Strict):
    """Parameters of scikit-learn's ``LogisticRegression``, on features scaled to unit variance."""

    random_state: int = 42
    C: float = Field(default=1.0, gt=0)
    max_iter: int = Field(default=1000, gt=0)
    class_weight: Literal["balanced"] | None = None


class HistogramGradientBoosting(Strict):
    """Parameters of scikit-learn's ``HistGradientBoostingClassifier``."""

    random_state: int = 42
    learning_rate: float = Field(default=0.1, gt=0)
    max_iter: int = Field(default=100, gt=0)
    max_leaf_nodes: int = Field(default=31, ge=2)
    max_depth: int | None = Field(default=None, gt=0)
    min_samples_leaf: int = Field(default=20, ge=1)
    l2_regularization: float = Field(default=0.0, ge=0)


EstimatorParameters = RandomForest | LogisticRegression | HistogramGradientBoosting
ESTIMATORS: dict[str, type[EstimatorParameters]] = {
    RANDOM_FOREST: RandomForest,
    "logistic_regression": LogisticRegression,
    "histogram_gradient_boosting": HistogramGradientBoosting,
}


def parameters_of(estimator: str, given: Any) -> EstimatorParameters:
    """Validate the parameters of an estimator.

    Parameters
    ----------
    estimator : str
        One of ``ESTIMATORS``.
    given : object
        By name; those that are left out have the default.

    Raises
    ------
    ValueError
        If there is no such parameter, or not with that value; names it.
    """
    try:
        return ESTIMATORS[estimator].model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(["parameters", *map(str, first["loc"])])
        raise ValueError(f"{name} of {estimator}: {first['msg']}") from error


class Model(Strict):
    """One way to tell the classes apart: which features, which estimator, which cells.

    Parameters
    ----------
    name : str
        Names its partition, its files, and it in every table.
    primary : bool
        Whether it leads the galleries and the headline.
    feature_sets : tuple of str
        ``scportrait``: areas and intensities; ``marker``: what the marker looks like.
    marker_scales : tuple of str
        Scales of marker features that it uses: ``contrast`` within the cell, ``units`` of the
        image. What is told apart in units may be the staining alone.
    excluded_features : tuple of str
        A feature whose name contains one of these is not used.
    estimator : str
        One of ``ESTIMATORS``.
    parameters : EstimatorParameters
        Of the estimator.
    trained_on : str
        ``split``: the training part of the study's random split, tested on the rest of it.
        ``all``: all cells of the control, tested by cross-validation.
    calibrated : bool
        Whether scores are made probabilities, within the folds.
    false_positive_rate : float or None
        Of the control's untreated cells, the share that may be called positive: it sets the
        threshold. None: a cell is positive if that is the more probable class.
    labels : str
        Of the cells it learns from. ``as_given``: the stimulation of the image. ``audited``: as
        given, without those that are suspect. ``annotated``: as people said who looked at them.
        Every model is tested with the labels as given.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    primary: bool = False
    feature_sets: tuple[Literal["scportrait", "marker"], ...] = Field(min_length=1)
    marker_scales: tuple[Literal["contrast", "units"], ...] = Field(("contrast",), min_length=1)
    excluded_features: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    estimator: Literal["random_forest", "logistic_regression", "histogram_gradient_boosting"]
    parameters: EstimatorParameters
    trained_on: Literal["split", "all"] = "all"
    calibrated: bool = True
    false_positive_rate: float | None = Field(default=0.05, gt=0, lt=1)
    # Not written where it is the default: what was made before there was this entry stays as it is.
    labels: Literal["as_given", "audited", "annotated"] = Field(
        default="as_given", exclude_if=lambda labels: labels == AS_GIVEN
    )

    @model_validator(mode="before")
    @classmethod
    def _parameters_of_its_estimator(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("estimator") not in ESTIMATORS:
            return given
        parameters = given.get("parameters") or {}
        if isinstance(parameters, Strict):
            parameters = parameters.model_dump()
        # Validated as what it is: tried one after the other, a wrong entry would be said of each.
        return given | {"parameters": parameters_of(given["estimator"], parameters)}


def default_models() -> list[dict[str, Any]]:
    """Models of a study file that has no list of them, as such a file would have them.

    Returns
    -------
    list of dict
        ``as_published``: the reference notebook's. ``puncta``: what the marker looks like.
    """
    return [
        {
            "name": AS_PUBLISHED,
            "feature_sets": [SCPORTRAIT],
            "estimator": "random_forest",
            "trained_on": "split",
            "calibrated": False,
            "false_positive_rate": None,
        },
        {
            "name": "puncta",
            "primary": True,
            "feature_sets": [MARKER],
            "estimator": "random_forest",
            "parameters": {"n_estimators": 200, "max_depth": 10},
        },
    ]


def with_models(entries: Any) -> Any:
    """Entries of a study file with its models; the default ones where it has none.

    Parameters
    ----------
    entries : object
        As read from YAML.

    Returns
    -------
    object
        ``classifier``, which is how files without models give the parameters of the notebook's
        model, is gone.

    Raises
    ------
    ValueError
        If both are given.
    """
    if not isinstance(entries, dict):
        return entries
    if "models" in entries:
        if "classifier" in entries:
            raise ValueError("has classifier and models: move its parameters to a model")
        return entries
    found = {name: value for name, value in entries.items() if name != "classifier"}
    found["models"] = default_models()
    if "classifier" in entries:
        found["models"][0]["parameters"] = entries["classifier"]
    return found


def check_models(models: tuple[Model, ...]) -> None:
    """Refuse a list of models that cannot be trained side by side.

    Raises
    ------
    ValueError
        If two have one name, or there is not one primary model.
    """
    names = [model.name for model in models]
    if again := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two models are named {again[0]!r}: give each a name of its own")
    primary = [model.name for model in models if model.primary]
    if not primary:
        raise ValueError(
            "no model is primary: say 'primary: true' of the one that leads the report, of "
            + ", ".join(names)
        )
    if len(primary) > 1:
        raise ValueError(f"more than one model is primary: {', '.join(primary)}; keep one")
