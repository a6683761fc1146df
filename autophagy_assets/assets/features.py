"""Features: the table of a genotype, and the part of it that a classifier may use."""

from collections.abc import Collection, Mapping

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.features.cleaning import clean, used_columns
from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.features.marker import MarkerFeatures
from autophagy_assets.analysis.features.parts import whole
from autophagy_assets.analysis.features.tables import CELLS, CLEAN
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.analysis.marker.features import marker_features as measured_marker
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.definition import every, in_pieces, study_asset
from autophagy_assets.errors import InputError
from autophagy_assets.io_managers.parquet import PIECES, stream_table
from autophagy_assets.io_managers.pieces import StoredTable, TablePieces
from autophagy_assets.io_managers.stored_tables import StackedTables
from autophagy_assets.registry.datasets import FEATURIZED, UNKNOWN
from autophagy_assets.staleness.partitions import genotype_of, genotypes

GROUP = "features"

source_features = dg.AssetSpec(
    "source_features",
    group_name=GROUP,
    kinds={"parquet"},
    partitions_def=genotypes,
    description="Featurized tables that were found in LaminDB and not computed here.",
)

source_datasets = dg.AssetSpec(
    "source_datasets",
    group_name=GROUP,
    kinds={"h5ad"},
    description="Single-cell image datasets that were found in LaminDB and not made here, with "
    "their labels: genotype, stimulation, clone, field of view, size of a pixel.",
)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    artifact=FEATURIZED,
    partitions=genotypes,
    ins={"cell_features": every(**{PIECES: True})},
    deps=[dg.AssetDep("source_features")],
    schema=CELLS,
)
def raw_features(context, cell_features) -> TablePieces:
    """Featurized single-cell images of a genotype.

    Found in the source instance where it has them, else put together from its samples.
    """
    name = f"raw_features[{context.partition}]"
    table: StoredTable | StackedTables
    if (uid := context.registry.tables.get(context.partition)) is not None:
        table = of_plain_types(StoredTable(context.read(uid), stream_table))
        name = f"{context.recorder.reads[uid].key} ({uid}), given for {name},"
    else:
        table = put_together(cell_features, context.partition)
    # Refused here and not only by the asset check: a broken table is not stored at all.
    used = table[used_columns(table, context.study)]
    check_feature_table(used, name, context.study.class_numbers)
    return TablePieces(len(table), table.pieces())


def of_plain_types(table: StoredTable) -> StoredTable:
    """Cell ids and classes as int64 where they are whole numbers, and text instead of categories.

    Parameters
    ----------
    table : StoredTable
        As another lab stored it.

    Returns
    -------
    StoredTable
        What is not a whole number is left for the table contract to refuse.
    """
    numbers = whole(table, [c for c in (CELL_ID, CLASS) if c in table.columns])
    plain = [c for c, v in numbers.select_dtypes("number").items() if (v % 1 == 0).all()]
    return table.as_types(
        dict.fromkeys(table.categories, "object") | dict.fromkeys(map(str, plain), "int64")
    )


def put_together(cell_features: Mapping[str, StoredTable], genotype: str) -> StackedTables:
    """Cells of all samples of a genotype.

    Parameters
    ----------
    cell_features : mapping of str to StoredTable
        Table of each sample.
    genotype : str
        Partition key.

    Raises
    ------
    InputError
        If there are no cells.
    """
    samples = sorted(sample for sample in cell_features if genotype_of(sample) == genotype)
    tables = [table for sample in samples if len(table := cell_features[sample])]
    if not tables:
        raise InputError(
            f"Genotype {genotype} has no cells: look at the reasons in the manifest of "
            "single_cell_images, or ingest more images."
        )
    return StackedTables(tables)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    partitions=genotypes,
    ins={"raw_features": in_pieces(), "single_cell_images": every()},
    deps=[dg.AssetDep("source_datasets"), dg.AssetDep("source_features")],
    schema=CLEAN,
)
def clean_features(context, raw_features, single_cell_images) -> TablePieces:
    """Cells of a genotype with identity and metadata apart from the features.

    Features of the marker channel are left out, as the marker defines the classes.
    """
    datasets = context.described(single_cell_images)
    name = f"raw_features[{context.partition}]"
    used = raw_features[used_columns(raw_features, context.study)]
    check_feature_table(used, name, context.study.class_numbers)  # a piece may not show all
    pieces = (clean(piece, datasets, context.study, name) for piece in used.pieces())
    return TablePieces(len(raw_features), (labelled(piece, context) for piece in pieces))


def labelled(cells: pd.DataFrame, context: StudyContext) -> pd.DataFrame:
    """Fill in genotype and stimulation of cells that follow from their table and class.

    Parameters
    ----------
    cells : pandas.DataFrame
        Clean features.

    Returns
    -------
    pandas.DataFrame
        Genotype from the partition and stimulation from the class, where they were unknown.
    """
    uid = context.registry.tables.get(context.partition, "")
    genotype = context.registry.table_labels.get(uid, UNKNOWN)
    stimulation = cells[CLASS].map(context.study.classes).fillna(UNKNOWN)
    return cells.assign(
        genotype=cells["genotype"].replace(UNKNOWN, genotype),
        stimulation=cells["stimulation"].where(cells["stimulation"] != UNKNOWN, stimulation),
    )


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    partitions=genotypes,
    ins={"clean_features": in_pieces(), "marker_features": every(**{PIECES: True})},
    deps=[dg.AssetDep("source_datasets")],
    schema=CLEAN,
)
def model_features(context, clean_features, marker_features) -> TablePieces:
    """Cells of a genotype with the features of all feature sets side by side.

    Crops that were found in the source instance have their marker measured here.
    """
    marker = MarkerFeatures(clean_features, f"clean_features[{context.partition}]")
    # Samples of the genotype come first, and mostly have them all.
    for sample in sorted(marker_features, key=lambda s: (genotype_of(s) != context.partition, s)):
        if marker.missing and len(table := marker_features[sample]):
            marker.add(table)
    for table in measured_here(marker.missing, context):
        marker.add(table)
    pieces = (marker.beside(cells) for cells in clean_features.pieces())
    return TablePieces(len(clean_features), pieces)


def measured_here(missing: Collection[str], context: StudyContext) -> list[pd.DataFrame]:
    """Marker features of cells whose crops were found in the source instance.

    Parameters
    ----------
    missing : collection of str
        Datasets that are in no table of marker features.

    Returns
    -------
    list of pandas.DataFrame
        A table for each of them that has crops.
    """
    found = context.registry.every_dataset
    found = found[found[DATASET].isin(missing)].drop_duplicates(DATASET)
    return [
        measured_marker(context.read(row.dataset), context.study, row.pixel_um).assign(
            **{DATASET: row.dataset}
        )
        for row in found.itertuples()
    ]
