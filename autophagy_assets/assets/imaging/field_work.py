"""Work of one field of view, done in a worker on this machine or another.

A worker knows neither Dagster nor LaminDB: it gets paths, and gives back what it made and which
entries of the study it read. Not here: what the step does with that (``fields``).
"""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

from autophagy_assets.analysis.identity import DATASET
from autophagy_assets.config.recorded_study import RecordedStudy
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.files import StoredFile, put

if TYPE_CHECKING:
    from autophagy_assets.analysis.imaging.regions import FieldFiles
    from autophagy_assets.registry.fields import Field

Places = dict[str, tuple[Path, str]]


@dataclass(frozen=True)
class WorkerResult:
    """Result of a worker for one field of view.

    Parameters
    ----------
    outcome : object
        What was made, or an ``InputError`` that says why the field cannot be used.
    entries : frozenset of str
        Entries of the study that were read.
    process : str
        Which process worked on it, on which machine.
    core_seconds : float
        What it took of the processor, s.
    """

    outcome: Any
    entries: frozenset[str]
    process: str = ""
    core_seconds: float = 0.0


@dataclass(frozen=True)
class StoredField:
    """The single cells of a field, in the store.

    Parameters
    ----------
    n_cells : int
        Number of cells with crops.
    files : dict
        Its files by the column of the manifest that names them.
    """

    n_cells: int
    files: dict[str, StoredFile]


def image_field(
    job: "tuple[Field, Mapping[str, Path], Places]", study: Study, scratch: Path, elsewhere: bool
) -> WorkerResult:
    """Segment and extract one field, and put its files in the store.

    Parameters
    ----------
    job : tuple
        The field, the image of each channel, and for each column of the manifest that names a file
        the folder of the store that it goes to and its ending.
    scratch : pathlib.Path
        Folder of the store for files that are not finished; the step removes it.
    elsewhere : bool
        Whether this may be another machine, which works on a disk of its own.

    Raises
    ------
    OSError
        If this machine does not see what the step has seen, or cannot write.
    """
    from autophagy_assets.analysis.imaging.segmentation import process_field

    _, images, places = job
    began = process_time()
    if elsewhere:
        require_visible([scratch.parent, *images.values()])
        scratch.mkdir(exist_ok=True)  # that of a run which was killed may be tidied up already
    noting = RecordedStudy.of(study)
    outcome: Any
    with tempfile.TemporaryDirectory(
        dir=None if elsewhere else scratch, ignore_cleanup_errors=True
    ) as work:
        try:
            made = process_field(images, noting, Path(work) / "field")
            sources = {DATASET: made.single_cells, "spatialdata": made.spatialdata}
            files = {
                name: put(partial(shutil.move, sources[name]), *place, scratch)
                for name, place in places.items()
            }
            outcome = StoredField(made.n_cells, files)
        except InputError as error:
            outcome = error
    used = process_time() - began
    return WorkerResult(outcome, frozenset(noting.entries_read), this_process(), used)


def put_fields_together(
    job: "tuple[tuple[FieldFiles, ...], Places]", study: Study, scratch: Path
) -> WorkerResult:
    """Put fields of view into one dataset, and its files into the store.

    Parameters
    ----------
    job : tuple
        The fields, and for each column of the manifest that names a file the folder of the store
        that it goes to and its ending.
    scratch : pathlib.Path
        As for :func:`image_field`.

    Returns
    -------
    WorkerResult
        What is noted of each field, and the files by their columns.

    Raises
    ------
    OSError
        As for :func:`image_field`.
    """
    from autophagy_assets.analysis.imaging.together import put_together

    fields, places = job
    require_visible(
        [scratch.parent, *(path for field in fields for path in (field.crops, field.spatialdata))]
    )
    scratch.mkdir(exist_ok=True)  # that of a run which was killed may be tidied up already
    with tempfile.TemporaryDirectory(dir=scratch, ignore_cleanup_errors=True) as work:
        made = {name: Path(work) / f"{name}{suffix}" for name, (_, suffix) in places.items()}
        noted = put_together(fields, *(made[name] for name in (DATASET, "spatialdata")))
        files = {
            name: put(partial(shutil.move, made[name]), *place, scratch)
            for name, place in places.items()
        }
    return WorkerResult((noted, files), frozenset())


def this_process() -> str:
    """Name of this process that is unique among all machines."""
    return f"{platform.node()}-{os.getpid()}"


def featurize_field(crops: Path, study: Study) -> WorkerResult:
    """Areas and intensities of the cells of one field, as a table."""
    from autophagy_assets.analysis.imaging.featurization import featurize

    noting = RecordedStudy.of(study)
    return WorkerResult(featurize(crops, noting), frozenset(noting.entries_read))


def measure_marker(job: tuple[Path, float, Path | None], study: Study) -> WorkerResult:
    """Puncta and texture of the marker in the cells of one field, as a table.

    Parameters
    ----------
    job : tuple
        Crops, size of a pixel in µm, and the SpatialData store of the field where there is one.
    """
    from autophagy_assets.analysis.marker.features import marker_features

    crops, pixel_um, image = job
    noting = RecordedStudy.of(study)
    return WorkerResult(
        marker_features(crops, noting, pixel_um, image), frozenset(noting.entries_read)
    )


def require_visible(paths: Iterable[Path]) -> None:
    """Raise an error where a worker does not see the files of the step.

    Raises
    ------
    FileNotFoundError
        Names the machine, and what to share.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(
                f"The worker on {platform.node()} does not see {path}, which the run sees (or the "
                "run has ended): share the store, and images that lie elsewhere, under the same "
                "paths."
            )
