"""Estimators that a model of the study file can name, and their parameters.

Not here: models (``models``), and the estimators themselves (``analysis.classifier.estimators``).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

RANDOM_FOREST, CNN = "random_forest", "cnn"
SHA256 = r"^[0-9a-f]{64}$"


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


class Weights(Strict):
    """A file of pretrained weights.

    Parameters
    ----------
    path : str
        A safetensors file, as the process that trains sees it; nothing else is opened.
    sha256 : str
        Of its bytes: another file under this path is refused.
    """

    path: str = Field(min_length=1)
    sha256: str = Field(pattern=SHA256)


class ConvolutionalNetwork(Strict):
    """Parameters of a convolutional network that is trained from scratch on crops of cells.

    Parameters
    ----------
    architecture : str
        ``vgg2``: scPortrait's ``VGG2``. ``small``: four convolutions and an average over the crop.
    masked : bool
        Whether it sees the cell alone, or what surrounds it too.
    channels : tuple of str
        Of the study; none for the marker's alone.
    epochs : int
        At most so many times every training cell is seen.
    patience : int
        Training ends after so many epochs that did no better on the cells that are set aside.
    augment : bool
        Whether each crop is turned and mirrored at random whenever it is seen.
    weights : Weights or None
        In place of training.
    """

    random_state: int = Field(default=42, ge=0)
    architecture: Literal["vgg2", "small"] = "small"
    masked: bool = True
    channels: tuple[str, ...] = ()
    epochs: int = Field(default=50, gt=0)
    batch_size: int = Field(default=32, ge=2)
    learning_rate: float = Field(default=0.001, gt=0)
    weight_decay: float = Field(default=0.0001, ge=0)
    patience: int = Field(default=10, gt=0)
    augment: bool = True
    weights: Weights | None = None


EstimatorParameters = (
    RandomForest | LogisticRegression | HistogramGradientBoosting | ConvolutionalNetwork
)
ESTIMATORS: dict[str, type[EstimatorParameters]] = {
    RANDOM_FOREST: RandomForest,
    "logistic_regression": LogisticRegression,
    "histogram_gradient_boosting": HistogramGradientBoosting,
    CNN: ConvolutionalNetwork,
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
