"""What came out of a study: numbers and files, read back from the records."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.classifier.evaluation import auc_of, confusion_of
from autophagy_assets.analysis.identity import METADATA
from autophagy_assets.io_managers.parquet import read_table
from autophagy_assets.registry.consistency.run_outputs import has_content
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.files import measure
from autophagy_assets.staleness.materializations import HASH, TABLE_HASH, TABLE_UID, UID, latest
from autophagy_assets.staleness.partitions import GENOTYPE_SPACE, KNOCKOUT_SPACE

FIGURES = ["classifier_evaluation", "class_gallery", "error_galleries", "wt_ko_gallery"]
FIGURES += ["spatial_context"]
REPORT = "study_report"
PAGE = "index.html"
_KNOCKOUT = "ko_evaluation"


@dataclass
class Summary:
    """Numbers of a study.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells by genotype (rows) and stimulation (columns).
    auc : float or None
        Area under the ROC curve of the control's test cells.
    confusions : dict
        What was tested to its confusion matrix: counts, true class by predicted class.
    """

    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    auc: float | None = None
    confusions: dict[str, pd.DataFrame] = field(default_factory=dict)


def summarise(instance: dg.DagsterInstance) -> Summary:
    """Read the numbers of a study.

    Parameters
    ----------
    instance : dagster.DagsterInstance

    Returns
    -------
    Summary
        What has not been made yet is left out.
    """
    tables = []
    for genotype in sorted(instance.get_dynamic_partitions(GENOTYPE_SPACE)):
        if path := stored(instance, "clean_features", genotype, UID, HASH):
            tables.append(read_table(path, METADATA))
    summary = Summary()
    if tables:
        cells = pd.concat(tables, ignore_index=True)
        summary.cells = pd.crosstab(cells["genotype"], cells["stimulation"])
    if path := stored(instance, "classifier_evaluation", None, TABLE_UID, TABLE_HASH):
        table = read_table(path)
        summary.auc = auc_of(table)
        summary.confusions["control, test cells"] = confusion_of(table)
    for knockout in sorted(instance.get_dynamic_partitions(KNOCKOUT_SPACE)):
        if path := stored(instance, "ko_evaluation", knockout, TABLE_UID, TABLE_HASH):
            summary.confusions[f"{knockout}, all cells"] = confusion_of(read_table(path))
    return summary


def export(instance: dg.DagsterInstance, folder: Path) -> list[Path]:
    """Copy report and figures out of the store, under names that a person recognises.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    folder : pathlib.Path
        Created when missing.

    Returns
    -------
    list of pathlib.Path
        The report first, if it has been made.
    """
    knockouts = sorted(instance.get_dynamic_partitions(KNOCKOUT_SPACE))
    wanted: list[tuple[str, str | None, str]] = [(REPORT, None, PAGE)]
    wanted += [(asset, None, f"{asset}.png") for asset in FIGURES]
    wanted += [(_KNOCKOUT, name, f"{_KNOCKOUT}-{name}.png") for name in knockouts]
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for asset, partition, name in wanted:
        if path := stored(instance, asset, partition, UID, HASH):
            copies.append(Path(shutil.copyfile(path, folder / name)))
    _remove_earlier(folder, {copy.name for copy in copies})
    return copies


def is_exported(name: str) -> bool:
    """Whether a file name is one under which :func:`export` writes.

    Parameters
    ----------
    name : str

    Returns
    -------
    bool
    """
    figures = "|".join(map(re.escape, FIGURES))
    return name == PAGE or re.fullmatch(rf"({figures}|{_KNOCKOUT}-.+)\.png", name) is not None


def _remove_earlier(folder: Path, wanted: set[str]) -> None:
    """Delete figures of an earlier export that are no longer part of the study.

    A person may keep a file of such a name in the same folder, so only what has the content of
    something in the store goes.
    """
    for file in sorted(folder.iterdir()):
        earlier = is_exported(file.name) and file.name not in wanted and file.is_file()
        if earlier and has_content(measure(file)[0]):
            file.unlink()


def stored(
    instance: dg.DagsterInstance, asset: str, partition: str | None, uid: str, sha256: str
) -> Path | None:
    """Verified file of an asset's latest materialization.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    asset : str
    partition : str or None
    uid, sha256 : str
        Names of the metadata that hold the artifact's uid and hash.

    Returns
    -------
    pathlib.Path or None
        None where it has not been made.
    """
    found = latest(instance, dg.AssetKey(asset), partition)
    if found is None or uid not in found.metadata:
        return None
    return fetch(found.metadata[uid], {"sha256": found.metadata[sha256]})[0]
