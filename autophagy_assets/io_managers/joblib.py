"""Models as joblib files.

A joblib file runs code when it is loaded. :class:`~autophagy_assets.io_managers.base`
therefore hashes the file before this module opens it, and refuses one that has changed.
"""

from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import joblib

from autophagy_assets.analysis.classifier.model import TrainedClassifier, dumps
from autophagy_assets.io_managers.base import LaminIOManager
from autophagy_assets.staleness.materializations import Materialization

FEATURE_NAMES = "feature_names"


class JoblibIOManager(LaminIOManager):
    """Stores ``TrainedClassifier``."""

    suffix: ClassVar[str] = ".joblib"
    kind: ClassVar[str] = "model"

    def write(self, value: TrainedClassifier, path: Path) -> None:
        """Write a classifier."""
        path.write_bytes(dumps(value))

    def read(self, path: Path, found: Materialization, context: dg.InputContext) -> Any:
        """Read a classifier whose file has been verified."""
        return joblib.load(path)

    def metadata(self, value: TrainedClassifier, path: Path) -> dict[str, Any]:
        """Parameters, library versions and what it was trained on."""
        return {
            "model": value.name,
            "threshold": value.threshold if value.threshold is not None else "more probable class",
            "parameters": dg.MetadataValue.json(dict(value.parameters)),
            "versions": dg.MetadataValue.json(dict(value.versions)),
            "features": len(value.feature_names),
            FEATURE_NAMES: dg.MetadataValue.json(list(value.feature_names)),
            "training_cells_by_class": dg.MetadataValue.json(
                {str(k): int(v) for k, v in value.n_training_cells.items()}
            ),
            "training_data": value.training_data,
        }
