"""Checks of the fields of view: that none is lost, and that they hold as many cells as usual."""

import pandas as pd

from autophagy_assets.analysis.quality.fields import (
    cells_per_field,
    fields_accounted_for,
    fields_excluded,
)
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.config.study import Study
from autophagy_assets.registry.datasets import foreign_datasets
from autophagy_assets.registry.fields import raw_fields, sample_key
from autophagy_assets.registry.ingest.ingest import excluded_fields
from autophagy_assets.staleness.partitions import samples

REFUSED = "no_field_refused"
REFUSED_ASKS = "No field of view was refused when its images were ingested."


@study_checks(
    "single_cell_images",
    {
        "every_field_accounted_for": "Every registered field of view is in the manifest, once.",
        "no_field_excluded": "Every field of view of the sample could be segmented.",
        "cells_per_field": "Fields of view have about as many cells as usual.",
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
    }


def registered(study: Study, sample: str) -> set[str]:
    """Fields of view of a sample that LaminDB has images or single cells of.

    Parameters
    ----------
    study : Study
    sample : str
        Partition key.

    Returns
    -------
    set of str
    """
    given = {
        str(row.fov)
        for row in foreign_datasets(study).itertuples()
        if sample_key(row.genotype, row.clone, row.stimulation) == sample
    }
    return given | {field.fov for field in raw_fields(study) if field.sample == sample}


@study_checks("excluded_fields", {REFUSED: REFUSED_ASKS})
def check_excluded_fields(context) -> Findings:
    """Count the fields that an ingest did not take; ``sync`` reports it without a step."""
    return {REFUSED: fields_excluded(excluded_fields(context.study))}
