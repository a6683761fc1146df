"""Small models for tests of the evaluation."""

from __future__ import annotations

from autophagy_assets.config.models import Model


def forest(**entries: object) -> Model:
    """A random forest of 20 trees on the marker's features."""
    given = {
        "name": "small",
        "primary": True,
        "feature_sets": ["marker"],
        "estimator": "random_forest",
        "parameters": {"n_estimators": 20},
    }
    return Model.model_validate(given | entries)


PUBLISHED = forest(
    name="as_published",
    primary=False,
    feature_sets=["scportrait"],
    calibrated=False,
    false_positive_rate=None,
)
