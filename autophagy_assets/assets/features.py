"""Features: the table of a genotype, and the part of it that a classifier may use."""

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.features.cleaning import clean, used_columns
from autophagy_assets.analysis.features.contract import check_feature_table
from autophagy_assets.analysis.features.sets import with_marker
from autophagy_assets.analysis.features.tables import CELLS, CLEAN
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET
from autophagy_assets.analysis.marker.features import marker_features as measured_marker
from autophagy_assets.assets.context import StudyContext
from autophagy_assets.assets.definition import every, study_asset
from autophagy_assets.errors import InputError
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
    ins={"cell_features": every()},
    deps=[dg.AssetDep("source_features")],
    schema=CELLS,
)
def raw_features(context, cell_features) -> pd.DataFrame:
    """Featurized single-cell images of a genotype.

    Found in the source instance where it has them, else put together from its samples.
    """
    name = f"raw_features[{context.partition}]"
    if (uid := context.registry.tables.get(context.partition)) is not None:
        table = whole_numbers(pd.read_parquet(context.read(uid)))
        name = f"{context.recorder.reads[uid].key} ({uid}), given for {name},"
    else:
        table = put_together(cell_features, context.partition)
    # Refused here and not only by the asset check: a broken table is not stored at all.
    used = used_columns(table, context.study)
    check_feature_table(used, name, context.study.class_numbers)
    return table


def whole_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Cell ids and classes as int64 where they are whole numbers of another type.

    Parameters
    ----------
    table : pandas.DataFrame
        As another lab stored it.

    Returns
    -------
    pandas.DataFrame
        What is not a whole number is left for the table contract to refuse.
    """
    present = table[[c for c in (CELL_ID, CLASS) if c in table.columns]]
    whole = [c for c, v in present.select_dtypes("number").items() if (v % 1 == 0).all()]
    return table.astype(dict.fromkeys(whole, "int64"))


def put_together(cell_features: Mapping[str, pd.DataFrame], genotype: str) -> pd.DataFrame:
    """Cells of all samples of a genotype.

    Parameters
    ----------
    cell_features : mapping of str to pandas.DataFrame
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
    return pd.concat(tables, ignore_index=True)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    partitions=genotypes,
    ins={"single_cell_images": every()},
    deps=[dg.AssetDep("source_datasets"), dg.AssetDep("source_features")],
    schema=CLEAN,
)
def clean_features(context, raw_features: pd.DataFrame, single_cell_images) -> pd.DataFrame:
    """Cells of a genotype with identity and metadata apart from the features.

    Features of the marker channel are left out, as the marker defines the classes.
    """
    datasets = context.described(single_cell_images)
    name = f"raw_features[{context.partition}]"
    return labelled(clean(raw_features, datasets, context.study, name), context)


def labelled(cells: pd.DataFrame, context: StudyContext) -> pd.DataFrame:
    """Cells with what is known of them though their dataset does not say it.

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
    ins={"marker_features": every()},
    deps=[dg.AssetDep("source_datasets")],
    schema=CLEAN,
)
def model_features(context, clean_features: pd.DataFrame, marker_features) -> pd.DataFrame:
    """Cells of a genotype with the features of all feature sets side by side.

    Crops that were found in the source instance have their marker measured here.
    """
    measured = [table for s in marker_features if len(table := marker_features[s])]
    measured += measured_here(clean_features, measured, context)
    return with_marker(clean_features, measured, f"clean_features[{context.partition}]")


def measured_here(
    cells: pd.DataFrame, measured: list[pd.DataFrame], context: StudyContext
) -> list[pd.DataFrame]:
    """Marker features of cells whose crops were found in the source instance.

    Parameters
    ----------
    measured : list of pandas.DataFrame
        Marker features of samples that are imaged here.

    Returns
    -------
    list of pandas.DataFrame
        A table for each dataset of `cells` that is in none of `measured` and has crops.
    """
    known = {dataset for table in measured for dataset in table[DATASET].unique()}
    found = context.registry.every_dataset
    found = found[found[DATASET].isin(set(cells[DATASET]) - known)].drop_duplicates(DATASET)
    return [
        measured_marker(context.read(row.dataset), context.study, row.pixel_um).assign(
            **{DATASET: row.dataset}
        )
        for row in found.itertuples()
    ]
