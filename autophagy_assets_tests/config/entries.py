"""Entries of study files: those of the default study, with changes."""

from __future__ import annotations

import yaml

from autophagy_assets.config.study import DEFAULT_STUDY

DEFAULT = yaml.safe_load(DEFAULT_STUDY.read_text())


def without(entry: str) -> dict:
    return {name: value for name, value in DEFAULT.items() if name != entry}


def with_model(at: int = 0, **changes) -> dict:
    models = [dict(model) for model in DEFAULT["models"]]
    models[at] |= changes
    return {**DEFAULT, "models": models}
