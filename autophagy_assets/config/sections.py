"""Sections of a study file that say how cells are found, divided, shown and checked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from autophagy_assets.config.estimators import Strict


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


class Training(Strict):
    """How many of the control's cells models learn from and are tested on, at most."""

    most_cells: int = Field(default=500_000, ge=100)
    random_state: int = 42


class Storage(Strict):
    """How many fields of view of a sample share a file of crops and a SpatialData store."""

    fields_per_dataset: int = Field(default=1, ge=1)


class CrossValidation(Strict):
    """How the control's cells are divided into folds, and what is shuffled in the controls."""

    folds: int = Field(default=5, ge=2)
    permutations: int = Field(default=20, ge=1)
    random_state: int = 42


class Galleries(Strict):
    """How many cells the galleries show, which are drawn, and how much of a field."""

    class_cells: int = Field(gt=0)
    error_cells: int = Field(gt=0)
    random_state: int
    context_px: int = Field(gt=0)


class Checks(Strict):
    """Limits of the asset checks; beyond them they warn."""

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
