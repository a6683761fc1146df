"""What the body of an asset has beside its inputs: study, partition, and recorded files."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.registry.datasets import datasets_by_uid
from autophagy_assets.registry.files import TEMPORARY
from autophagy_assets.registry.instance import storage_root
from autophagy_assets.registry.provenance import Recorder
from autophagy_assets.staleness.materializations import Materialization
from autophagy_assets.study import Study


@dataclass(frozen=True)
class StudyContext:
    """What the body of an asset may use beside its inputs.

    Parameters
    ----------
    study : Study
    partition : str
        Partition key; empty for an asset without partitions.
    recorder : Recorder
        Reads artifacts and puts files in place, so that both are in the records.
    log : object
        Dagster's logger.
    before : callable
        Gives what Dagster recorded last of this asset and partition, if anything.
    """

    study: Study
    partition: str
    recorder: Recorder
    log: Any
    before: Callable[[], Materialization | None]

    def read(self, uid: str) -> Path:
        """Verified local path of a LaminDB artifact, noted as an input of the step."""
        return self.recorder.read(uid)

    def images(self, cells: pd.DataFrame) -> tuple["Paths", float | None]:
        """Paths of the crops of cells, and the size of a pixel in um."""
        datasets = cells[DATASET].unique()
        return Paths(self, datasets), self.pixel_um(datasets)

    def pixel_um(self, datasets: Iterable[str]) -> float | None:
        """Size of a pixel in um, where all datasets are known to have the same."""
        sizes = datasets_by_uid(map(str, datasets), self.study)["pixel_um"].unique()
        return float(sizes[0]) if len(sizes) == 1 and sizes[0] > 0 else None

    def version_of(self, asset: str) -> str:
        """Hash of the content of an upstream asset that this step has loaded."""
        return next(
            record.sha256
            for record in self.recorder.reads.values()
            if record.key.split("/")[-1].split(".")[0] == asset
        )

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Folder for files on their way into the store, on the same disk, removed at the end."""
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=storage_root()) as folder:
            yield Path(folder)


class Paths(Mapping[str, Path]):
    """Local paths of datasets by uid: only those that are looked at are fetched and recorded.

    Parameters
    ----------
    context : StudyContext
    uids : iterable of str
        Datasets that may be looked at.
    """

    def __init__(self, context: StudyContext, uids: Iterable[str]) -> None:
        self._context, self._uids = context, sorted({str(uid) for uid in uids})

    def __getitem__(self, uid: str) -> Path:
        if uid not in self._uids:
            raise KeyError(uid)
        return self._context.read(uid)

    def __iter__(self) -> Iterator[str]:
        return iter(self._uids)

    def __len__(self) -> int:
        return len(self._uids)
