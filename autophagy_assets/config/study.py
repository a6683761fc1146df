"""What a study is: its labels, classes, channels and parameters.

Everything that differs between two screens stands in a YAML file that is validated
here. No code outside that file and ``simulation`` knows a label of a study.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from autophagy_assets.config import settings
from autophagy_assets.config.marker import MarkerFeatures
from autophagy_assets.config.models import Model, Strict, check_models, with_models
from autophagy_assets.errors import InputError

DEFAULT_STUDY = Path(__file__).with_name("default_study.yaml")


class Split(Strict):
    """How cells are divided into training and test cells."""

    test_size: float = Field(gt=0, lt=1)
    random_state: int


class Segmentation(Strict):
    """How nuclei and cells are found; sizes in px, thresholds on images scaled to 0-1."""

    method: Literal["classical", "cellpose"]
    image_size: int = Field(gt=0)
    nucleus_threshold: float = Field(gt=0, lt=1)
    nucleus_min_px: int = Field(gt=0)
    nucleus_max_px: int = Field(gt=0)
    cytosol_threshold: float = Field(gt=0, lt=1)
    cytosol_min_px: int = Field(gt=0)
    cytosol_max_px: int = Field(gt=0)
    median_filter_px: int = Field(gt=0)


class CrossValidation(Strict):
    """How the control's cells are divided into folds, and what is shuffled in the controls."""

    folds: int = Field(default=5, ge=2)
    permutations: int = Field(default=20, ge=1)
    random_state: int = 42


class Galleries(Strict):
    """How many cells the galleries show, and which cell is shown in its field."""

    class_cells: int = Field(gt=0)
    error_cells: int = Field(gt=0)
    random_state: int
    context_px: int = Field(gt=0)


class Checks(Strict):
    """What the asset checks take as usual; beyond it they warn."""

    cells_per_field: tuple[int, int] = (20, 300)
    smallest_class: float = Field(default=0.2, ge=0, le=0.5)
    same_intensity: float = Field(default=0.05, ge=0, le=1)
    drift: float = Field(default=1.0, gt=0)
    drift_min_cells: int = Field(default=20, ge=2)
    auc_above: float = Field(default=0.5, ge=0, lt=1)
    auc_standard_errors: float = Field(default=2.0, ge=0)
    calibration_error: float = Field(default=0.15, gt=0, lt=1)
    calibration_bins: int = Field(default=5, ge=2)

    @field_validator("cells_per_field")
    @classmethod
    def _a_range(cls, cells: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= cells[0] <= cells[1]:
            raise ValueError("must be the fewest and the most cells, such as [20, 300]")
        return cells


class Study(Strict):
    """One screen: labels, classes, channels and the parameters of every step."""

    name: str = Field(min_length=1)
    control: str = Field(min_length=1)
    classes: dict[int, str]
    channels: tuple[str, ...] = Field(min_length=1)
    nucleus_channel: str
    cytosol_channel: str
    marker_channel: str
    marker_name: str
    excluded_features: tuple[str, ...]
    split: Split
    models: tuple[Model, ...] = Field(min_length=1)
    cross_validation: CrossValidation = CrossValidation()
    segmentation: Segmentation
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
    def _channels_known(self) -> Study:
        if len(set(self.channels)) != len(self.channels):
            raise ValueError("channels must be different from each other")
        for role in ("nucleus_channel", "cytosol_channel", "marker_channel"):
            if getattr(self, role) not in self.channels:
                raise ValueError(f"{role} must be one of channels {list(self.channels)}")
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
            text = source.read_text()
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

        Raises
        ------
        InputError
            If the study has no class for it.
        """
        for number, label in self.classes.items():
            if label == stimulation:
                return number
        known = ", ".join(repr(label) for label in self.classes.values())
        raise InputError(f"Stimulation {stimulation!r} is unknown: this study has {known}.")

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
        models = {f"{_MODEL}{model.pop('name')}": model for model in values.pop("models")}
        names = [name for name, model in models.items() if model.pop("primary")]
        return values | models | {_PRIMARY: names[0].removeprefix(_MODEL)}


class RecordedStudy(Study):
    """A study that notes which of its entries have been read.

    A step gets one, so that what it was made with is known from what it did and is declared
    nowhere. A copy in another process starts anew: what is read there has to be brought back.
    """

    _read: set[str] = PrivateAttr(default_factory=set)

    @classmethod
    def of(cls, study: Study) -> RecordedStudy:
        """The same study, of which nothing has been read yet."""
        # Not by its attributes: of a recorded study, all of them would count as read.
        return cls.model_construct(**study.__dict__)

    def __getattribute__(self, name: str) -> Any:
        if name in _ENTRIES:
            found = super().__getattribute__(name)
            models = [f"{_MODEL}{model.name}" for model in found] if name == "models" else []
            self._read.update([*models, _PRIMARY] if models else [name])
            return found
        return super().__getattribute__(name)

    def model(self, name: str) -> Model:
        """A model by its name; it alone counts as read."""
        self._read.add(f"{_MODEL}{name}")
        return super().model(name)

    @property
    def primary(self) -> str:
        """Name of the model that leads; no model counts as read."""
        self._read.add(_PRIMARY)
        return super().primary

    @property
    def entries_read(self) -> set[str]:
        """Names of the entries that have been read so far; may be added to."""
        return self._read

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """As of any study; all of it counts as read."""
        self._read.update(self.values().keys() - {"pin_code"})
        return super().model_dump(**options)

    def __reduce__(self) -> Any:
        return RecordedStudy.of, (Study.model_construct(**self.__dict__),)


_MODEL, _PRIMARY = "models.", "primary_model"
# Whether changed code counts is no part of a result: to ask for it is not to use it.
_ENTRIES = frozenset(Study.model_fields) - {"pin_code"}
