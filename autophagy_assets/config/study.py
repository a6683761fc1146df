"""The study: labels, classes, channels and parameters.

Everything that differs between two screens stands in a YAML file that is validated
here. No code outside that file and ``simulation`` knows a label of a study.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from autophagy_assets.config import settings
from autophagy_assets.config.estimators import Strict
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.models import Model, check_channels, check_models, with_models
from autophagy_assets.config.sections import (
    Checks,
    CrossValidation,
    Galleries,
    Segmentation,
    Split,
    Storage,
    Training,
)
from autophagy_assets.errors import InputError

DEFAULT_STUDY = Path(__file__).with_name("default_study.yaml")
NO_CLASS = -1  # class number of stimulations that are no class
# In front of a model's name, and for which one is primary, where entries are listed by name.
MODEL_ENTRY, PRIMARY_ENTRY = "models.", "primary_model"


class Study(Strict):
    """One screen: labels, classes, channels and the parameters of every step."""

    name: str = Field(min_length=1)
    control: str = Field(min_length=1)
    classes: dict[int, str]
    conditions: tuple[str, ...] = ()
    channels: tuple[str, ...] = Field(min_length=1)
    nucleus_channel: str
    cytosol_channel: str
    marker_channel: str
    marker_name: str
    excluded_features: tuple[str, ...]
    split: Split
    models: tuple[Model, ...] = Field(min_length=1)
    training: Training = Training()
    cross_validation: CrossValidation = CrossValidation()
    segmentation: Segmentation
    storage: Storage = Storage()
    marker: MarkerFeatures = MarkerFeatures()
    galleries: Galleries
    checks: Checks = Checks()
    pin_code: bool = False

    @field_validator("classes")
    @classmethod
    def _two_classes(cls, classes: dict[int, str]) -> dict[int, str]:
        if set(classes) != {0, 1} or len(set(classes.values())) != 2:
            raise ValueError("must map 0 and 1 to two different stimulations")
        return classes

    @field_validator("conditions")
    @classmethod
    def _conditions_differ(cls, conditions: tuple[str, ...]) -> tuple[str, ...]:
        for label in conditions:
            if not label.strip():
                raise ValueError("a condition has no name")
            if conditions.count(label) > 1:
                raise ValueError(f"{label!r} is there twice; remove one of them")
        return conditions

    @model_validator(mode="before")
    @classmethod
    def _models_given(cls, entries: Any) -> Any:
        return with_models(entries)

    @field_validator("models")
    @classmethod
    def _side_by_side(cls, models: tuple[Model, ...]) -> tuple[Model, ...]:
        check_models(models)
        return models

    @model_validator(mode="after")
    def _untreated_comes_first(self) -> Study:
        if self.classes[0] in self.conditions:
            raise ValueError(
                f"conditions: {self.classes[0]!r} is class 0, which comes first; take it out"
            )
        return self

    @model_validator(mode="after")
    def _channels_known(self) -> Study:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels must be different from each other")
        for role in ("nucleus_channel", "cytosol_channel", "marker_channel"):
            if getattr(self, role) not in self.channels:
                raise ValueError(f"{role} must be one of channels {list(self.channels)}")
        check_channels(self.models, self.channels)
        return self

    @classmethod
    def load(cls, path: str | os.PathLike[str] | None = None) -> Study:
        """Read and validate a study file.

        Parameters
        ----------
        path : path-like, optional
            A YAML file; default the one named by ``AUTOPHAGY_STUDY``, else the notebook's study.

        Raises
        ------
        InputError
            If the file is missing, is not YAML, or a value is not allowed; names file and entry.
        """
        source = Path(path or settings.study_file() or DEFAULT_STUDY)
        try:
            text = source.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"Study file {source} cannot be read: {error}.") from error
        return cls._parse(text, source)

    @classmethod
    @cache  # every step of a refresh asks for the study
    def _parse(cls, text: str, source: Path) -> Study:
        try:
            raw = yaml.safe_load(text)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"Study file {source} cannot be read: {reason}.") from error
        if not isinstance(raw, dict):
            raise InputError(f"Study file {source} must hold named entries, as the default study.")
        try:
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            entry = ".".join(str(part) for part in first["loc"]) or "the study"
            raise InputError(f"Study file {source}: {entry}: {first['msg']}.") from error

    def class_of(self, stimulation: str) -> int:
        """Class number of a stimulation.

        Parameters
        ----------
        stimulation : str
            A label of the study.

        Returns
        -------
        int
            ``NO_CLASS`` for a condition that is no class.

        Raises
        ------
        InputError
            If the study does not have it.
        """
        for number, label in self.classes.items():
            if label == stimulation:
                return number
        if stimulation in self.conditions:
            return NO_CLASS
        known = ", ".join(map(repr, self.stimulations))
        raise InputError(f"Stimulation {stimulation!r} is unknown: this study has {known}.")

    @property
    def stimulations(self) -> tuple[str, ...]:
        """Labels of all stimulations: class 0, then as ``conditions`` orders them.

        Class 1 is the last one, unless ``conditions`` names it to say where it belongs.
        """
        first, last = self.classes[0], self.classes[1]
        listed = self.conditions
        return (first, *listed, *(() if last in listed else (last,)))

    @property
    def class_numbers(self) -> tuple[int, ...]:
        """Class numbers that cells may have."""
        return (0, 1, NO_CLASS) if len(self.stimulations) > len(self.classes) else (0, 1)

    def model(self, name: str) -> Model:
        """A model by its name.

        Raises
        ------
        InputError
            If the study has none of that name.
        """
        models: tuple[Model, ...] = object.__getattribute__(self, "__dict__")["models"]
        for model in models:
            if model.name == name:
                return model
        known = ", ".join(model.name for model in models)
        raise InputError(f"Model {name!r} is unknown: this study has {known}.")

    @property
    def primary(self) -> str:
        """Name of the model that leads galleries and headline."""
        models: tuple[Model, ...] = object.__getattribute__(self, "__dict__")["models"]
        return next(model.name for model in models if model.primary)

    def values(self) -> dict[str, Any]:
        """Every entry with its value, JSON-like; of a recorded study nothing counts as read.

        Returns
        -------
        dict
            A model is an entry of its own, ``models.<name>``, and which one is primary is another:
            what was made with one of them is not out of date when another one changes.
        """
        values = BaseModel.model_dump(self, mode="json")
        models = {f"{MODEL_ENTRY}{model.pop('name')}": model for model in values.pop("models")}
        names = [name for name, model in models.items() if model.pop("primary")]
        return values | models | {PRIMARY_ENTRY: names[0].removeprefix(MODEL_ENTRY)}

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Study:
        """The study of values that were recorded earlier.

        Parameters
        ----------
        values : mapping of str to object
            As :meth:`values` gave them then; entries that came later have their defaults.

        Raises
        ------
        InputError
            If they are not those of a study of this release.
        """
        entries, models = dict(values), []
        primary = entries.pop(PRIMARY_ENTRY, None)
        for entry in sorted(name for name in entries if name.startswith(MODEL_ENTRY)):
            name = entry.removeprefix(MODEL_ENTRY)
            models.append({"name": name, **entries.pop(entry), "primary": name == primary})
        try:
            return cls.model_validate({**entries, "models": models})
        except ValidationError as error:
            first = error.errors()[0]
            entry = ".".join(str(part) for part in first["loc"]) or "the study"
            raise InputError(
                f"This release cannot read a recorded study: {entry}: {first['msg']}."
            ) from error
