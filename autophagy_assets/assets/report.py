"""Report: the study on one page, for someone who has no Dagster."""

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.identity import CLASS, DATASET, IDENTITY, METADATA
from autophagy_assets.analysis.report.page import ReportContent, ReportFigure, render_report
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.definition import every, study_asset
from autophagy_assets.assets.freshness import within_a_night
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.registry.lineage.cells import lineage_trees
from autophagy_assets.registry.lineage.lineage import nodes_of
from autophagy_assets.registry.lineage.lineage_formats import tree_lines
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import Record

GROUP, LAST_REFRESH = "report", "last_refresh"
PACKAGES = ["autophagy-assets", "dagster", "lamindb", "scportrait", "scikit-learn", "pandas"]
TITLES = {
    "classifier_evaluation": "How well the classifier tells the classes apart",
    "ko_evaluation": "What it says of {}",
    "class_gallery": "What the classes look like",
    "error_galleries": "What it got right and wrong",
    "wt_ko_gallery": "Control and knockouts",
    "spatial_context": "One cell in its field of view",
}


@study_asset(
    group=GROUP,
    io="page_io",
    kinds={"html"},
    ins={
        "ko_evaluation": every(),
        "clean_features": every(columns=[*IDENTITY, CLASS, *METADATA]),
        "single_cell_images": every(),
    },
    deps=[dg.AssetDep("set_aside_fields")],
)
def study_report(
    context,
    classifier_evaluation: StoredPicture,
    ko_evaluation,
    class_gallery: StoredPicture,
    error_galleries: StoredPicture,
    wt_ko_gallery: StoredPicture,
    spatial_context: StoredPicture,
    clean_features,
    single_cell_images,
) -> str:
    """The whole study on one self-contained page: figures, numbers, and what was run on what."""
    knockouts = {name: ko_evaluation[name] for name in ko_evaluation}
    pictures = {
        "classifier_evaluation": classifier_evaluation,
        **{f"ko_evaluation[{name}]": picture for name, picture in knockouts.items()},
        "class_gallery": class_gallery,
        "error_galleries": error_galleries,
        "wt_ko_gallery": wt_ko_gallery,
        "spatial_context": spatial_context,
    }
    cells = pd.concat([clean_features[name] for name in clean_features], ignore_index=True)
    manifests = [single_cell_images[sample] for sample in single_cell_images]
    shown = [picture.table for picture in pictures.values() if DATASET in picture.table]
    cells_shown = pd.concat(shown)[IDENTITY].drop_duplicates().itertuples(index=False, name=None)
    uids = {name: picture.uid for name, picture in pictures.items()}
    content = ReportContent(
        study=context.study,
        figures=[report_figure(name, picture) for name, picture in pictures.items()],
        counts=cells.groupby(["genotype", "stimulation"]).size().reset_index(name="cells"),
        evaluation=classifier_evaluation.table,
        knockouts={name: picture.table for name, picture in knockouts.items()},
        manifest=pd.concat(manifests, ignore_index=True) if manifests else pd.DataFrame(),
        refused=context.registry.refused,
        records=records(context),
        parameters=context.study.model_dump(mode="json"),
        versions={name: version(name) for name in PACKAGES},
        lineage=lineage(context, uids, cells_shown),
    )
    return render_report(content)


def report_figure(name: str, picture: StoredPicture) -> ReportFigure:
    """A stored figure as the report shows it.

    Parameters
    ----------
    name : str
        Asset, with its partition in brackets if it has one.
    picture : StoredPicture

    Returns
    -------
    ReportFigure
    """
    asset, _, partition = name.removesuffix("]").partition("[")
    title = TITLES[asset].format(partition)
    return ReportFigure(name, title, picture.png, picture.table, picture.caption, picture.uid)


def lineage(
    context: StudyContext, figures: Mapping[str, str], cells: Iterable[tuple[str, int]]
) -> dict[str, list[str]]:
    """Lineage of figures and of cells as lines of text; all that is named is noted as an input.

    Parameters
    ----------
    context : StudyContext
    figures : mapping of str to str
        Name of a section to the uid of the figure.
    cells : iterable of (str, int)
        Dataset and number of each cell.

    Returns
    -------
    dict
        Lines by name; of a cell by ``dataset:number``. The same content has the same lines: run
        ids and times are left out.
    """
    trees = lineage_trees(figures, cells, context.read)
    named = [node for node in nodes_of(*trees.values()) if node.uid]
    context.recorder.named |= {
        one.uid: Record(one.uid, one.key, one.sha256, one.size) for one in named
    }
    return {name: tree_lines(tree, stable=True) for name, tree in trees.items()}


def records(context: StudyContext) -> list[dict[str, Any]]:
    """What the report was made from, as LaminDB knows it.

    Parameters
    ----------
    context : StudyContext

    Returns
    -------
    list of dict
        ``asset``, ``partition``, ``uid``, ``key`` and ``hash`` of every artifact read.
    """
    rows = []
    for record in sorted(context.recorder.reads.values(), key=lambda record: record.key):
        key = ArtifactKey.parse(record.key)  # None for what somebody has registered
        rows.append(
            {
                "asset": key.asset if key else "",
                "partition": "/".join(key.within) if key else "",
                "uid": record.uid,
                "key": record.key,
                "hash": record.sha256,
            }
        )
    return rows


# The assets say when they were made, which may be long ago where nothing has changed. This one
# says when they were last found to be up to date, so it is the one that can be late.
last_refresh = dg.AssetSpec(
    LAST_REFRESH,
    group_name=GROUP,
    kinds={"dagster"},
    description="When a refresh last ended with the whole study up to date, whether or not it had "
    "anything to make.",
    freshness_policy=within_a_night(),
)

assets: list[dg.AssetsDefinition | dg.AssetSpec] = [study_report, last_refresh]
