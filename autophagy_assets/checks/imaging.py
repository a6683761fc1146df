"""Checks of the fields of view: none lost, as many cells as usual, images as they were taken."""

import pandas as pd

from autophagy_assets.analysis.imaging.images import read_image
from autophagy_assets.analysis.quality.fields import (
    cells_per_field,
    fields_accounted_for,
    fields_excluded,
)
from autophagy_assets.analysis.quality.marker import marker_measurable
from autophagy_assets.analysis.quality.stretch import (
    Evidence,
    evidence_of,
    images_not_stretched,
)
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.registry.datasets import foreign_datasets
from autophagy_assets.registry.fields import raw_fields, sample_key
from autophagy_assets.registry.ingest.ingest import excluded_fields
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.staleness.partitions import samples

REFUSED = "no_field_refused"
REFUSED_ASKS = "No field of view was refused when its images were ingested."


@study_checks(
    "single_cell_images",
    {
        "every_field_accounted_for": "Every registered field of view is in the manifest, once.",
        "no_field_excluded": "Every field of view of the sample could be segmented.",
        "cells_per_field": "Fields of view have about as many cells as usual.",
        "images_not_stretched": "No image was stretched over the range of its file.",
    },
    partitions=samples,
)
def check_single_cell_images(context, single_cell_images: pd.DataFrame) -> Findings:
    """Compare the manifest of a sample with what is registered of it."""
    excluded = single_cell_images[single_cell_images["status"] != "ok"]
    reasons = dict(zip(excluded["fov"], excluded["reason"], strict=True))
    return {
        "every_field_accounted_for": fields_accounted_for(
            registered(context.study, context.partition), single_cell_images
        ),
        "no_field_excluded": fields_excluded(reasons, len(single_cell_images)),
        "cells_per_field": cells_per_field(single_cell_images, context.study.checks),
        "images_not_stretched": images_not_stretched(evidence(single_cell_images, context.study)),
    }


@study_checks(
    "marker_features",
    {"marker_measurable": "The marker is neither flat nor saturated in many cells."},
    partitions=samples,
)
def check_marker_features(context, marker_features: pd.DataFrame) -> Findings:
    """Count the cells of a sample whose marker is flat or saturated."""
    found = marker_measurable(marker_features, context.named("marker_features"))
    return {"marker_measurable": found}


def evidence(manifest: pd.DataFrame, study: Study) -> dict[tuple[str, str], Evidence | str]:
    """Collect evidence of stretching from every image of a sample.

    Returns
    -------
    dict of (str, str) to (Evidence or str)
        Field of view and channel, to what was seen or why the image cannot be read. Fields that
        somebody else has imaged have no images here.
    """
    found: dict[tuple[str, str], Evidence | str] = {}
    for row in manifest.itertuples():
        uids = [uid for uid in str(row.images).split(";") if uid]
        # An image may be missing of a field that was excluded; then it is not known which one.
        channels = study.channels if len(uids) == len(study.channels) else uids
        for channel, uid in zip(channels, uids, strict=True):
            try:
                found[str(row.fov), channel] = evidence_of(read_image(fetch(uid)[0]))
            except (InputError, IntegrityError, LookupError) as error:
                found[str(row.fov), channel] = str(error)
    return found


def registered(study: Study, sample: str) -> set[str]:
    """Fields of view of a sample that LaminDB has images or single cells of.

    Parameters
    ----------
    sample : str
        Partition key.
    """
    given = {
        str(row.fov)
        for row in foreign_datasets(study).itertuples()
        if sample_key(row.genotype, row.clone, row.stimulation) == sample
    }
    return given | {field.fov for field in raw_fields(study, sample)}


@study_checks("excluded_fields", {REFUSED: REFUSED_ASKS})
def check_excluded_fields(context) -> Findings:
    """Count the fields that an ingest did not take; ``sync`` reports it without a step."""
    return {REFUSED: fields_excluded(excluded_fields(context.study))}
