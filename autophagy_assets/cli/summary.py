"""Results of a study: numbers and files, read back from the records."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.classifier.evaluation import (
    auc_of,
    confusion_of,
    is_evaluation,
    models_of,
    of_model,
)
from autophagy_assets.analysis.evidence.comparison import headline, pooled_rows
from autophagy_assets.analysis.identity import METADATA
from autophagy_assets.analysis.report.content import cells_by_field
from autophagy_assets.assets.catalog import figures
from autophagy_assets.assets.report import GALLERY
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers.parquet import read_table, stream_table
from autophagy_assets.registry.consistency.run_outputs import has_content
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.files import measure
from autophagy_assets.staleness.materializations import (
    CLAIMS_HASH,
    CLAIMS_UID,
    HASH,
    TABLE_HASH,
    TABLE_UID,
    UID,
    latest,
)
from autophagy_assets.staleness.partitions import GENOTYPE_PARTITIONS
from autophagy_assets.staleness.upstream import Target, partitions_name

REPORT = "study_report"
PAGE = "index.html"
_EVALUATION, _COMPARISON = "classifier_evaluation", "model_comparison"
CLAIMS = "claims.json"
CELLS = f"{GALLERY}.html"
# What the confusion matrices of the study's own models are of.
_CELLS = {_EVALUATION: "control cells not seen by {0}", "ko_evaluation": "{1} cells, by {0}"}


@dataclass
class Summary:
    """Numbers of a study.

    Parameters
    ----------
    cells : pandas.DataFrame
        Cells by genotype (rows) and stimulation (columns).
    auc : dict
        Model to the area under the ROC curve of control cells that it has not seen.
    headline : str
        How good the primary model is, by the strictest evidence; empty before it is known.
    confusions : dict
        What was tested to its confusion matrix: counts, true class by predicted class.
    """

    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    auc: dict[str, float] = field(default_factory=dict)
    headline: str = ""
    confusions: dict[str, pd.DataFrame] = field(default_factory=dict)


def summarise(instance: dg.DagsterInstance, study: Study) -> Summary:
    """Read the numbers of a study.

    Returns
    -------
    Summary
        What has not been made yet is left out.
    """
    paths = []
    for genotype in sorted(instance.get_dynamic_partitions(GENOTYPE_PARTITIONS)):
        if path := stored(instance, "clean_features", genotype, UID, HASH):
            paths.append(path)
    summary = Summary()
    if paths:
        fields = cells_by_field(piece for path in paths for piece in stream_table(path, METADATA))
        by_both = fields.groupby(["genotype", "stimulation"])["cells"]
        summary.cells = by_both.sum().unstack(fill_value=0)
    for figure, partition in _shown(instance):
        asset = figure.key.to_user_string()
        path = stored(instance, asset, partition, TABLE_UID, TABLE_HASH)
        if path is None:
            continue
        table = read_table(path)
        if asset == _COMPARISON and not pooled_rows(table, study.primary).empty:
            summary.headline = headline(table, study.primary).sentence
        if not is_evaluation(table):
            continue
        for model in models_of(table):
            part = of_model(table, model)
            cells = _CELLS.get(asset, f"{Target(asset, partition)}, {{0}}")
            summary.confusions[cells.format(model, partition)] = confusion_of(part)
            if asset == _EVALUATION:
                summary.auc[model] = auc_of(part)
    return summary


def export(instance: dg.DagsterInstance, folder: Path) -> list[Path]:
    """Copy report and figures out of the store, under names that a person recognises.

    Parameters
    ----------
    folder : pathlib.Path
        Created when missing.

    Returns
    -------
    list of pathlib.Path
        The report first, if it has been made.
    """
    wanted: list[tuple[str, str | None, str]] = [
        (REPORT, None, PAGE),
        (GALLERY, None, CELLS),
    ]
    for figure, partition in _shown(instance):
        asset = figure.key.to_user_string()
        wanted.append(
            (asset, partition, f"{asset}-{partition}.png" if partition else f"{asset}.png")
        )
    folder.mkdir(parents=True, exist_ok=True)
    copies = []
    for asset, partition, name in wanted:
        if path := stored(instance, asset, partition, UID, HASH):
            copies.append(Path(shutil.copyfile(path, folder / name)))
    if path := stored(instance, REPORT, None, CLAIMS_UID, CLAIMS_HASH):
        copies.append(Path(shutil.copyfile(path, folder / CLAIMS)))
    _remove_earlier(folder, {copy.name for copy in copies})
    return copies


def exported_names() -> re.Pattern[str]:
    """Names under which :func:`export` writes."""
    names = [
        re.escape(figure.key.to_user_string()) + ("-.+" if figure.partitions_def else "")
        for figure in figures()
    ]
    pages = "|".join(re.escape(page) for page in (PAGE, CELLS, CLAIMS))
    return re.compile(rf"{pages}|({'|'.join(names)})\.png")


def _shown(instance: dg.DagsterInstance) -> Iterator[tuple[dg.AssetsDefinition, str | None]]:
    """Every figure with each of its partitions."""
    for figure in figures():
        space = partitions_name(figure.partitions_def)
        for partition in sorted(instance.get_dynamic_partitions(space)) if space else [None]:
            yield figure, partition


def _remove_earlier(folder: Path, wanted: set[str]) -> None:
    """Delete figures of an earlier export that are no longer part of the study.

    A person may keep a file of such a name in the same folder, so only what has the content of
    something in the store goes.
    """
    names = exported_names()
    for file in sorted(folder.iterdir()):
        earlier = names.fullmatch(file.name) and file.name not in wanted and file.is_file()
        if earlier and has_content(measure(file)[0]):
            file.unlink()


def stored(
    instance: dg.DagsterInstance, asset: str, partition: str | None, uid: str, sha256: str
) -> Path | None:
    """Verified file of an asset's latest materialization.

    Parameters
    ----------
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
