"""Context of the body of an asset: study, partition, and files whose reading is recorded."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from autophagy_assets.analysis.identity import DATASET, FIRST_ID, METADATA
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.registry.fields import sample_key
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.state import RegistryState
from autophagy_assets.registry.store.files import temporary
from autophagy_assets.registry.store.instance import storage_root
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.staleness.materializations import Materialization

Manifests = Mapping[str, pd.DataFrame]
PIXEL_UM = "pixel_um"


@dataclass(frozen=True)
class StudyContext:
    """Context of the body of an asset, beside its inputs.

    Parameters
    ----------
    study : RecordedStudy
        Notes which of its entries are read.
    partition : str
        Partition key; empty for an asset without partitions.
    registry : RegistryState
        What LaminDB has from outside, as it was when the step began.
    recorder : Recorder
        Reads artifacts and puts files in place, so that both are in the records.
    log : object
        Dagster's logger.
    before : callable
        Gives what Dagster recorded last of this asset and partition, if anything.
    given : dict
        What the definition of the asset gives its body.
    compute : ComputeResource or None
        Has fields of view worked on; None for an asset that is not made by field.
    """

    study: RecordedStudy
    partition: str
    registry: RegistryState
    recorder: Recorder
    log: Any
    before: Callable[[], Materialization | None]
    given: Mapping[str, Any] = field(default_factory=dict)
    compute: Any = None

    def read(self, uid: str) -> Path:
        """Verified local path of a LaminDB artifact, noted as an input of the step."""
        return self.recorder.read(uid)

    def described(self, manifests: Manifests) -> pd.DataFrame:
        """Fields of view of datasets with their labels: of manifests, and of the source."""
        columns = [DATASET, FIRST_ID, *METADATA, PIXEL_UM]
        tables = [self.registry.every_dataset, *(manifests[sample] for sample in manifests)]
        known = pd.concat([table.reindex(columns=columns) for table in tables], ignore_index=True)
        known = known[known[DATASET].fillna("") != ""]
        known = known.fillna({FIRST_ID: 0}).astype({FIRST_ID: "int64"})
        return known.drop_duplicates([DATASET, FIRST_ID], keep="last", ignore_index=True)

    def images(self, cells: pd.DataFrame, manifests: Manifests) -> tuple["Paths", float | None]:
        """Paths of the crops of cells, and the size of a pixel in um."""
        return Paths(self, cells[DATASET].unique()), self.pixel_um(cells, manifests)

    def pixel_um(self, cells: pd.DataFrame, manifests: Manifests) -> float | None:
        """Size of a pixel in um, where all datasets of cells are known to have the same."""
        sizes = self.pixel_sizes(cells, manifests).unique()
        return float(sizes[0]) if len(sizes) == 1 and sizes[0] > 0 else None

    def pixel_sizes(self, cells: pd.DataFrame, manifests: Manifests) -> pd.Series:
        """Size of a pixel in um of each dataset of cells; NaN where it is not known."""
        places = cells[["genotype", "clone", "stimulation"]].drop_duplicates()
        samples = {sample_key(*place) for place in places.itertuples(index=False)}
        known = self.described({s: manifests[s] for s in sorted(samples) if s in manifests})
        known = known.drop_duplicates(DATASET).set_index(DATASET)
        return known[PIXEL_UM].reindex(cells[DATASET].unique())

    def version_of(self, asset: str) -> str:
        """Hash of the content of an upstream asset that this step has loaded."""
        return next(
            record.sha256
            for record in self.recorder.reads.values()
            if (key := ArtifactKey.parse(record.key)) is not None and key.asset == asset
        )

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Folder for files on their way into the store, on the same disk, removed at the end."""
        with tempfile.TemporaryDirectory(prefix=temporary(), dir=storage_root()) as folder:
            yield Path(folder)


class Paths(Mapping[str, Path]):
    """Local paths of datasets by uid: only those that are used are fetched and recorded.

    Parameters
    ----------
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
