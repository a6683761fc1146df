"""Report: the study on one page, for someone who has no Dagster."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.identity import DATASET, IDENTITY, METADATA
from autophagy_assets.analysis.report.claims import Source, check_claims
from autophagy_assets.analysis.report.content import (
    GalleryLink,
    ReportContent,
    ReportFigure,
    ReportPage,
    abridged,
    cells_by_field,
)
from autophagy_assets.analysis.report.page import render_report
from autophagy_assets.analysis.report.story import SOURCES, tell
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.definition import every, study_asset, title_of
from autophagy_assets.io_managers.base import Partitions
from autophagy_assets.io_managers.figure import StoredPicture
from autophagy_assets.io_managers.gallery import StoredGallery
from autophagy_assets.io_managers.parquet import PIECES
from autophagy_assets.registry.lineage.cells import lineage_trees
from autophagy_assets.registry.lineage.lineage import nodes_of
from autophagy_assets.registry.lineage.lineage_formats import tree_lines
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.outputs import Record

GROUP, LAST_REFRESH, TITLES = "report", "last_refresh", "titles"
GALLERY = "cell_gallery"
PACKAGES = ["autophagy-assets", "dagster", "lamindb", "scportrait", "scikit-learn", "pandas"]


def define_report(figures: Iterable[dg.AssetsDefinition]) -> dg.AssetsDefinition:
    """Define the asset that shows all figures of a study.

    Parameters
    ----------
    figures : iterable of dagster.AssetsDefinition
        In reading order; each has a title.
    """
    names = {figure.key.to_user_string(): figure for figure in figures}
    return study_asset(
        group=GROUP,
        io="page_io",
        kinds={"html"},
        ins={
            **{name: every() for name, figure in names.items() if figure.partitions_def},
            **{name: dg.AssetIn() for name, figure in names.items() if not figure.partitions_def},
            "clean_features": every(**{PIECES: True}),
            "single_cell_images": every(),
            GALLERY: dg.AssetIn(),
        },
        deps=[dg.AssetDep("excluded_fields")],
        given={TITLES: {name: title_of(figure) for name, figure in names.items()}},
    )(study_report)


def study_report(
    context, clean_features, single_cell_images, cell_gallery: StoredGallery, **figures
) -> ReportPage:
    """The whole study on one self-contained page: summary, figures, parameters and versions."""
    pictures = dict(named_pictures(figures, context.given[TITLES]))
    tables = (clean_features[name] for name in clean_features)
    fields = cells_by_field(piece for table in tables for piece in table.pieces(METADATA))
    manifests = [single_cell_images[sample] for sample in single_cell_images]
    shown = [picture.table for picture in pictures.values() if DATASET in picture.table]
    cells_shown = pd.concat(shown)[IDENTITY].drop_duplicates().itertuples(index=False, name=None)
    uids = {name: picture.uid for name, picture in pictures.items()}
    uids[GALLERY] = cell_gallery.uid
    story = tell(
        {name: Source(name, p.uid, p.table) for name, p in pictures.items()}, context.study
    )
    check_claims(
        [text for _, text in story.paragraphs],
        story.claims,
        {name: picture.table for name, picture in pictures.items()},
        labels_in(fields, context),
    )
    content = ReportContent(
        study=context.study,
        story=story,
        figures=[
            report_figure(name, picture, context.given[TITLES])
            for name, picture in pictures.items()
        ],
        counts=fields.groupby(["genotype", "stimulation"])["cells"].sum().reset_index(),
        evaluation=pd.concat(
            [p.table for name, p in pictures.items() if name.startswith("classifier_evaluation[")],
            ignore_index=True,
        ),
        knockouts={
            name: pictures[f"ko_evaluation[{name}]"].table for name in figures["ko_evaluation"]
        },
        manifest=pd.concat(manifests, ignore_index=True) if manifests else pd.DataFrame(),
        refused=context.registry.refused,
        records=records(context),
        parameters=context.study.model_dump(mode="json"),
        versions={name: version(name) for name in PACKAGES},
        lineage=lineage(context, uids, cells_shown),
        left_out=left_out(figures.values()),
        gallery=GalleryLink(GALLERY, cell_gallery.uid, cell_gallery.shown, cell_gallery.available),
    )
    return ReportPage(render_report(content), story.claims)


def left_out(figures: Iterable[Any]) -> list[str]:
    """Models that could not be made, with the reasons, each once.

    Parameters
    ----------
    figures : iterable of object
        Figures, and mappings of those with partitions.
    """
    found = [one.left_out.values() for one in figures if isinstance(one, Partitions)]
    return sorted({reason for reasons in found for reason in reasons})


def labels_in(fields: pd.DataFrame, context: StudyContext) -> set[str]:
    """Labels that the text of the report may hold, whose digits are no numbers.

    Parameters
    ----------
    fields : pandas.DataFrame
        Metadata of all fields of view.
    """
    study = context.study
    # Clones and fields of view are not named; many are called 1 or 2, as numbers are. Knockouts are
    # named as their partitions.
    named = {*fields["stimulation"], *fields["genotype"], *map(slug, fields["genotype"].unique())}
    models = {model.name for model in study.models}
    return named | models | set(study.classes.values()) | {study.marker_name, study.control}


def named_pictures(
    figures: Mapping[str, Any], order: Iterable[str]
) -> Iterator[tuple[str, StoredPicture]]:
    """Iterate over figures, each partition under its own name.

    Large tables are shortened, but not those that the words of the report are of.

    Parameters
    ----------
    figures : mapping of str to object
        Asset to its figure, or to a mapping of its partitions.
    order : iterable of str
        Assets in reading order.

    Yields
    ------
    tuple of (str, StoredPicture)
        Asset, with its partition in brackets if it has one, and the figure.
    """
    for asset in order:
        one = figures[asset]
        found = {f"{asset}[{key}]": key for key in one} if isinstance(one, Mapping) else {asset: ""}
        for name, key in found.items():
            picture = one[key] if isinstance(one, Mapping) else one
            table = picture.table if asset in SOURCES else abridged(picture.table)
            yield name, replace(picture, table=table)


def report_figure(name: str, picture: StoredPicture, titles: Mapping[str, str]) -> ReportFigure:
    """A stored figure as the report shows it.

    Parameters
    ----------
    name : str
        Asset, with its partition in brackets if it has one.
    titles : mapping of str to str
        Title of each asset, with ``{}`` for the partition.
    """
    asset, _, partition = name.removesuffix("]").partition("[")
    title = titles[asset].format(partition)
    table = abridged(picture.table)
    return ReportFigure(name, title, picture.png, table, picture.caption, picture.uid)


def lineage(
    context: StudyContext, figures: Mapping[str, str], cells: Iterable[tuple[str, int]]
) -> dict[str, list[str]]:
    """Lineage of figures and of cells as lines of text; all that is named is noted as an input.

    Parameters
    ----------
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
    """LaminDB records of what the report was made from.

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
# says when they were last found to be up to date, so it is the one that can be late: see
# ``automation.asset_definitions``, as when it is late depends on a setting.
last_refresh = dg.AssetSpec(
    LAST_REFRESH,
    group_name=GROUP,
    kinds={"dagster"},
    description="When a refresh last ended with the whole study up to date, whether or not it had "
    "anything to make.",
)
