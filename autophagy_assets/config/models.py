"""Models that a study trains side by side: their features, estimators and cells.

Not here: parameters of estimators (``estimators``), the rest of the study (``study``), and how a
model is trained (``analysis.classifier``, ``analysis.deep``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from autophagy_assets.config.estimators import (
    CNN,
    ESTIMATORS,
    RANDOM_FOREST,
    ConvolutionalNetwork,
    EstimatorParameters,
    Strict,
    parameters_of,
)

SCPORTRAIT, MARKER, CROPS = "scportrait", "marker", "crops"
EMBEDDING = CNN  # what a network of that kind sees, as features
AS_PUBLISHED = "as_published"
SPLIT, ALL = "split", "all"
AS_GIVEN, AUDITED, ANNOTATED = "as_given", "audited", "annotated"


class Model(Strict):
    """One way to tell the classes apart: which features, which estimator, which cells.

    Parameters
    ----------
    name : str
        Names its partition, its files, and it in every table.
    primary : bool
        Whether it leads the galleries and the headline.
    feature_sets : tuple of str
        ``scportrait``: areas and intensities; ``marker``: what the marker looks like; ``cnn``:
        what goes into the last layer of a network that is trained on the same cells; ``crops``: the
        pixels themselves, for a ``cnn`` and nothing else.
    marker_scales : tuple of str
        Scales of marker features that it uses: ``contrast`` within the cell, ``units`` of the
        image. What is told apart in units may be the staining alone.
    excluded_features : tuple of str
        A feature whose name contains one of these is not used.
    estimator : str
        One of ``ESTIMATORS``.
    parameters : EstimatorParameters
        Of the estimator.
    network : ConvolutionalNetwork or None
        Which one the feature set ``cnn`` is of; None without that set.
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

    # Entries that came later are not written where they are the default: what was made before there
    # were such entries stays as it is.
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    primary: bool = False
    feature_sets: tuple[Literal["scportrait", "marker", "cnn", "crops"], ...] = Field(min_length=1)
    marker_scales: tuple[Literal["contrast", "units"], ...] = Field(("contrast",), min_length=1)
    excluded_features: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    estimator: Literal["random_forest", "logistic_regression", "histogram_gradient_boosting", "cnn"]
    parameters: EstimatorParameters
    network: ConvolutionalNetwork | None = Field(default=None, exclude_if=lambda it: it is None)
    trained_on: Literal["split", "all"] = "all"
    calibrated: bool = True
    false_positive_rate: float | None = Field(default=0.05, gt=0, lt=1)
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
        given = given | {"parameters": parameters_of(given["estimator"], parameters)}
        sets = given.get("feature_sets")
        if isinstance(sets, list | tuple) and EMBEDDING in sets and given.get("network") is None:
            given["network"] = {}
        return given

    @model_validator(mode="after")
    def _pixels_are_for_networks(self) -> Model:
        on_pixels = set(self.feature_sets) == {CROPS}
        if on_pixels != (self.estimator == CNN) or (CROPS in self.feature_sets) != on_pixels:
            raise ValueError(
                f"estimator {CNN} takes feature_sets [{CROPS}] and no other estimator takes it: "
                f"{self.estimator} has [{', '.join(self.feature_sets)}]; for another estimator on "
                f"what a network sees, set feature_sets [{EMBEDDING}]"
            )
        if self.network is not None and EMBEDDING not in self.feature_sets:
            raise ValueError(
                f"network is of the feature set {EMBEDDING}, which model {self.name} does not use: "
                f"its feature_sets are [{', '.join(self.feature_sets)}]; add {EMBEDDING} to them, "
                "or take network out"
            )
        return self

    @property
    def network_used(self) -> ConvolutionalNetwork | None:
        """Parameters of the network that looks at crops, by itself or for another estimator.

        None of a model of features alone.
        """
        if isinstance(self.parameters, ConvolutionalNetwork):
            return self.parameters
        return self.network


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
            "estimator": RANDOM_FOREST,
            "trained_on": "split",
            "calibrated": False,
            "false_positive_rate": None,
        },
        {
            "name": "puncta",
            "primary": True,
            "feature_sets": [MARKER],
            "estimator": RANDOM_FOREST,
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


def check_channels(models: tuple[Model, ...], channels: tuple[str, ...]) -> None:
    """Refuse a network that looks at a channel which the study does not have.

    Raises
    ------
    ValueError
        If one does; names it.
    """
    for model in models:
        network = model.network_used
        if unknown := sorted(set(network.channels if network else ()) - set(channels)):
            raise ValueError(
                f"channels of model {model.name} must be some of {list(channels)}, and "
                f"{unknown[0]!r} is not"
            )
