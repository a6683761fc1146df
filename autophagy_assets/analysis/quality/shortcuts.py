"""Whether something without the biology tells the classes apart as well as a model."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.evidence.controls import cautions, in_strictest
from autophagy_assets.analysis.evidence.cross_validation import MODEL, SCHEME
from autophagy_assets.analysis.quality.finding import Finding


def no_shortcut(controls: pd.DataFrame, model: str) -> Finding:
    """Check the negative controls of a model, each in its strictest scheme.

    Parameters
    ----------
    controls : pandas.DataFrame
        As ``negative_controls`` gives it; rows of other models are left out.

    Returns
    -------
    Finding
        Failed if a control is flagged, or none was possible. That images differ in staining is
        said, and fails nothing where the model does not use it.
    """
    rows = controls[controls[MODEL] == model]
    strict = in_strictest(rows)
    flagged = int(strict["flagged"].sum())
    refused = rows.loc[rows[SCHEME] == "", "control"]
    said = f"Negative controls of model {model} that are flagged: {flagged} of {len(strict)}."
    if len(refused):
        said += f" Not possible: {', '.join(refused)}."
    numbers = {f"AUC, {row['control']}": float(row["auc"]) for _, row in strict.iterrows()}
    if len(strict):
        numbers["AUC, the model"] = float(strict["reference"].iloc[0])
    return Finding(
        passed=len(strict) > 0 and not flagged,
        sentence=" ".join([said, *cautions(rows)]),
        numbers={"controls flagged": flagged, **numbers},
        table=rows.drop(columns=[MODEL, "sentence"]),
    )
