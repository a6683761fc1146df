"""The gallery of all cells: a page of its own beside the report, as it may be large."""

from collections.abc import Iterator, Mapping

import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import RAW, SCHEME
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.galleries import cell_gallery as page
from autophagy_assets.analysis.galleries.gallery_cells import (
    MOST_CELLS,
    SOURCE,
    scores_of,
    shown_cells,
    sortable,
)
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin
from autophagy_assets.analysis.identity import (
    CLASS,
    DATASET,
    FIELD_OF_VIEW,
    IDENTITY,
    METADATA,
    MODEL,
    OUTCOME,
    SCORE,
    among,
    rows_of,
)
from autophagy_assets.assets.context import PIXEL_UM, StudyContext
from autophagy_assets.assets.definition import every, in_pieces, study_asset
from autophagy_assets.assets.galleries import GROUP
from autophagy_assets.assets.galleries import SOURCE as DATASETS
from autophagy_assets.io_managers.parquet import PIECES
from autophagy_assets.io_managers.pieces import StoredTable
from autophagy_assets.registry.datasets import companion
from autophagy_assets.registry.store.artifacts import keys_of
from autophagy_assets.registry.store.keys import ArtifactKey

CELLS = [*IDENTITY, CLASS, *METADATA]


@study_asset(
    group=GROUP,
    io="gallery_io",
    kinds={"html"},
    ins={
        "model_features": every(**{PIECES: True}),
        "cross_validation": every(columns=[*CELLS, MODEL, SCHEME, RAW]),
        "condition_predictions": in_pieces(),
        "ko_predictions": every(**{PIECES: True}),
        "single_cell_images": every(columns=[DATASET, *METADATA, PIXEL_UM, "images"]),
    },
    deps=DATASETS,
)
def cell_gallery(
    context,
    model_features,
    cross_validation,
    ko_predictions,
    condition_predictions,
    single_cell_images,
) -> page.CellGallery:
    """A page with all cells, or 2,000 of them: filter, sort, and look at each in its field of view.

    Each under its own score of every model; of cells of the control by models that had not seen
    them.
    """
    every_cell = all_cells(model_features)
    cells = with_sortable(shown_cells(every_cell, MOST_CELLS, context.study), model_features)
    tables = {
        f"ko_predictions[{knockout}]": ko_predictions[knockout] for knockout in ko_predictions
    }
    predictions = [
        *unseen(cross_validation, context),
        *(
            among(piece, cells).assign(**{SOURCE: name})
            for name, table in (tables | {"condition_predictions": condition_predictions}).items()
            for piece in table.pieces([*IDENTITY, MODEL, SCORE, OUTCOME])
        ),
    ]
    manifests = {sample: single_cell_images[sample] for sample in single_cell_images}
    paths, pixel_um = context.images(cells, manifests)
    return page.cell_gallery(
        cells,
        len(every_cell),
        scores_of(cells, predictions),
        paths,
        origins(cells, manifests, context),
        tables_read(context),
        context.study,
        pixel_um,
        left_out=cross_validation.left_out,
    )


def all_cells(model_features: Mapping[str, StoredTable]) -> pd.DataFrame:
    """Identity, class and metadata of the cells of all genotypes."""
    tables = [model_features[genotype].pieces(CELLS) for genotype in model_features]
    return pd.concat([piece for table in tables for piece in table], ignore_index=True)


def with_sortable(cells: pd.DataFrame, model_features: Mapping[str, StoredTable]) -> pd.DataFrame:
    """Cells with the features by which people can sort them, and the table that has these."""
    tables = []
    for genotype in model_features:
        table = model_features[genotype]
        pieces = table.pieces([*CELLS, *sortable(table.columns)])
        found = pd.concat([among(piece, cells) for piece in pieces], ignore_index=True)
        tables.append(found.assign(**{SOURCE: f"model_features[{genotype}]"}))
    return rows_of(pd.concat(tables, ignore_index=True), cells, "model_features")


def unseen(
    cross_validation: Mapping[str, pd.DataFrame], context: StudyContext
) -> Iterator[pd.DataFrame]:
    """Predictions of each model for control cells that it had not seen."""
    for model in cross_validation:
        found = unseen_predictions(cross_validation[model], context.study.model(model))
        yield found.assign(**{SOURCE: f"cross_validation[{model}]"})


def origins(
    cells: pd.DataFrame, manifests: Mapping[str, pd.DataFrame], context: StudyContext
) -> dict[tuple[str, str], FieldOrigin]:
    """Origins of the fields of view of cells.

    Parameters
    ----------
    manifests : mapping of str to pandas.DataFrame
        Of each sample; of datasets from elsewhere the images are not known.

    Returns
    -------
    dict of (str, str) to FieldOrigin
        By dataset and field of view. Each dataset is noted as an input of the step.
    """
    places = cells[FIELD_OF_VIEW].astype(str).drop_duplicates()
    datasets, known = [*places[DATASET].unique()], dict[tuple[str, str], list[str]]()
    for sample in manifests:
        table = manifests[sample]
        named = pd.MultiIndex.from_frame(table[FIELD_OF_VIEW])
        known |= dict(zip(named, table["images"].str.split(";"), strict=True))
    stores = {dataset: _companion(dataset) for dataset in datasets}
    images = {place: known.get(place, []) for place in places.itertuples(index=False, name=None)}
    keys = keys_of([*datasets, *(uid for uids in images.values() for uid in uids)])
    found = {}
    for dataset, fov in images:
        field = stores[dataset]
        found[dataset, fov] = FieldOrigin(
            key=keys.get(dataset, ""),
            spatialdata=field,
            store=context.read(field) if field else None,
            images=tuple(keys[uid] for uid in images[dataset, fov] if uid in keys),
        )
    return found


def _companion(dataset: str) -> str:
    try:
        return companion(dataset, "spatialdata.zarr")
    except LookupError:
        return ""


def tables_read(context: StudyContext) -> dict[str, str]:
    """Uid of each table that the step has read, by asset with its partition in brackets."""
    found = {}
    for uid, record in context.recorder.reads.items():
        key = ArtifactKey.parse(record.key)
        if key is not None and key.suffix == ".parquet":
            found[f"{key.asset}[{key.partition}]" if key.partition else key.asset] = uid
    return dict(sorted(found.items()))
