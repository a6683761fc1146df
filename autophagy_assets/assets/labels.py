"""Labels: which cells may be labelled wrong, and where. Nothing is dropped here."""

import pandas as pd

from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.features.tables import AUDITED
from autophagy_assets.analysis.figures import Picture
from autophagy_assets.analysis.labels import audit_figures
from autophagy_assets.analysis.labels.agreement import agreement_table
from autophagy_assets.analysis.labels.agreement_figures import agreement_picture
from autophagy_assets.analysis.labels.audit import audit
from autophagy_assets.analysis.left_out import noted
from autophagy_assets.assets.definition import every, study_asset
from autophagy_assets.assets.galleries import MANIFESTS, SOURCE
from autophagy_assets.staleness.partitions import models

GROUP = "labels"


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"scikitlearn", "parquet"},
    partitions=models,
    labels="control",
    schema=AUDITED,
)
def label_audit(context, cross_validation: pd.DataFrame) -> pd.DataFrame:
    """Control cells with the evidence against their label, by a model that had not seen them.

    Nothing is dropped; the models of audited labels do their own audit, within each training part.
    """
    return audit(cross_validation)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    partitions=models,
    ins={"single_cell_images": MANIFESTS},
    deps=SOURCE,
    labels="control",
    title="Cells with the most suspect labels, by {}",
)
def label_audit_gallery(context, label_audit: pd.DataFrame, single_cell_images) -> Picture:
    """Control cells of each class whose label is most suspect, each under its score and puncta."""
    paths, pixel_um = context.images(label_audit, single_cell_images)
    return audit_figures.audit_gallery(label_audit, paths, context.study, pixel_um)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"matplotlib", "png"},
    partitions=models,
    labels="control",
    title="Suspect labels by clone and field of view, by {}",
)
def label_audit_shares(context, label_audit: pd.DataFrame) -> Picture:
    """Share of suspect labels in each clone and field of view of the control."""
    return audit_figures.shares_picture(label_audit, context.study)


@study_asset(
    group=GROUP,
    io="figure_io",
    kinds={"scikitlearn", "matplotlib"},
    ins={"cross_validation": every()},
    labels="control",
    title="Agreement of labels and models with people",
)
def annotation_agreement(context, annotations: pd.DataFrame, cross_validation) -> Picture:
    """Agreement of labels, models and people about control cells, and how many labels are wrong.

    By models that had not seen the cell nor learned from anybody's answer about it.
    """
    study = context.study
    calls = [unseen_predictions(cross_validation[m], study.model(m)) for m in cross_validation]
    table = None
    if calls:
        table = agreement_table(annotations, pd.concat(calls, ignore_index=True), study)
    return noted(agreement_picture(table, study), cross_validation.left_out)
