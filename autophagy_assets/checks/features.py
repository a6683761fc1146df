"""Checks of feature tables: the contract that downstream assets rely on, and the measurement.

Nothing downstream of a broken table is worth making, so the contract blocks; all else warns.
"""

from autophagy_assets.analysis.features import contract
from autophagy_assets.analysis.features.cleaning import used_columns
from autophagy_assets.analysis.quality import cells as quality
from autophagy_assets.analysis.quality.drift import drift
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.checks.definition import Findings, study_checks
from autophagy_assets.staleness.partitions import genotypes

CONTRACT = ("table_contract", "cell_identity_unique", "finite_values")


@study_checks(
    "raw_features",
    {
        "table_contract": "There are cells, with identity, a class of the study, and features.",
        "cell_identity_unique": "Every cell is there once, by dataset and cell id.",
        "finite_values": "Every feature that is used is a finite number in every cell.",
        "class_balance": "Neither class is rare.",
        "nucleus_and_cytosol_differ": "Nucleus and cytosol do not have the same intensities.",
    },
    blocking=CONTRACT,
    partitions=genotypes,
    pieces=["raw_features"],
)
def check_raw_features(context, raw_features) -> Findings:
    """Check the contract that the rest of the study relies on, and the measurement itself."""
    study, name = context.study, context.named("raw_features")
    used = raw_features[used_columns(raw_features, study)]
    found = {
        "table_contract": contract.table_contract(used, name, study),
        "cell_identity_unique": contract.identity_unique(used, name),
        "finite_values": contract.finite_values(used, name),
    }
    if not all(finding.passed for finding in found.values()):
        skipped = Finding(False, f"{name} was not looked at, as its contract is broken.")
        return {**found, "class_balance": skipped, "nucleus_and_cytosol_differ": skipped}
    return {
        **found,
        "class_balance": quality.class_balance(used, name, study),
        "nucleus_and_cytosol_differ": quality.intensities_differ(raw_features, name, study.checks),
    }


@study_checks(
    "clean_features",
    {"no_drift_between_samples": "Samples of the same condition have about the same features."},
    partitions=genotypes,
    pieces=["clean_features"],
)
def check_clean_features(context, clean_features) -> Findings:
    """Compare the samples of each condition, feature by feature."""
    name = context.named("clean_features")
    return {"no_drift_between_samples": drift(clean_features, name, context.study.checks)}
