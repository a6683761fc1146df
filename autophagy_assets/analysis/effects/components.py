"""Components of the variance of a clone's response: clones, fields of view, cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from autophagy_assets.analysis.effects.power import upper_variance
from autophagy_assets.analysis.effects.responses import CLONE, FIELD_NUMBER, responses
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

UPPER = 0.8  # of all studies have their true variance below the bound
_GROUP = ["genotype", "clone"]


@dataclass(frozen=True)
class Components:
    """Components of the variance between the responses of clones of one arm.

    Attributes
    ----------
    clones : float
        What clones differ by, however many fields and cells are measured of each.
    fields : float
        What fields of view of a clone add, as many as were imaged; NaN where each clone has one
        under each stimulation, and what fields differ by is counted with the clones.
    cells : float
        What cells of a field add, as many as were measured.
    observed : float
        Variance between the clones as it was measured. The three others are estimated one by
        one, none below 0, and so may add up to more.
    degrees : int
        Degrees of freedom of `observed`: clones of both arms, less one for each arm.
    n_fields, n_cells : float
        Fields of a clone under one stimulation, and cells of a field, in the mean.
    """

    clones: float
    fields: float
    cells: float
    observed: float
    degrees: int
    n_fields: float
    n_cells: float

    def variance(self, more_fields: float = 1.0, more_cells: float = 1.0) -> float:
        """Variance between clones with other numbers of fields and cells.

        Parameters
        ----------
        more_fields, more_cells : float
            How many times as many fields of a clone, and cells of a field; may be infinite.
        """
        fields = 0.0 if np.isnan(self.fields) else self.fields
        return self.clones + fields / more_fields + self.cells / more_fields / more_cells

    def at_upper_bound(self) -> Components:
        """Components with the variance between clones at its upper confidence bound.

        Returns
        -------
        Components
            The variance between clones is the upper bound of 80 % confidence of that observed;
            what is more is put to the clones.
        """
        bound = upper_variance(self.observed, self.degrees, UPPER)
        return replace(self, clones=self.clones + max(0.0, bound - self.variance()))


def components_of(
    values: pd.DataFrame,
    measured: pd.DataFrame,
    knockout: str,
    stimulation: str,
    measure: str,
    study: Study,
) -> Components:
    """Estimate the components of the variance of a response.

    Parameters
    ----------
    values : pandas.DataFrame
        As ``responses.cell_values`` gives it.
    measured : pandas.DataFrame
        As ``responses.measure`` gives it, of the same cells.
    knockout, stimulation, measure : str
        As they are called there.
    study : Study
        Names the control, and the stimulation that is none.

    Raises
    ------
    InputError
        If each arm has one clone, or each field one cell.

    Notes
    -----
    By the analysis of variance of nested groups of unequal sizes, cells in fields in clones,
    pooled over both arms and both stimulations. A response is a difference of two means, so what
    fields and cells add counts twice: once under each stimulation.
    """
    found = responses(measured, study)
    clones = found[
        (found["level"] == CLONE)
        & (found["stimulation"] == stimulation)
        & (found["measure"] == measure)
        & found["genotype"].isin([study.control, knockout])
    ]
    arms = clones.groupby("genotype")["value"]
    degrees = len(clones) - arms.ngroups
    if degrees < 1:
        raise InputError(
            f"How much clones scatter is not known: {study.control} and {knockout} have no two "
            "clones with a response between them; add a clone to either."
        )
    observed = float((arms.var(ddof=1) * (arms.size() - 1)).sum() / degrees)
    kept = values[values["stimulation"].isin([study.classes[0], stimulation])]
    kept = kept.merge(clones[_GROUP].drop_duplicates(), on=_GROUP)
    of_cells, of_fields, sizes = _nested(kept, measure)
    # Of each clone: what its fields and cells add to the variance of its response.
    cells_part = float((of_cells / sizes["n"]).groupby(_GROUP).sum().mean())
    weights = (sizes["n2"] / sizes["n"] ** 2).groupby(_GROUP).sum()
    fields_part = of_fields * float(weights.mean())
    within = cells_part + (0.0 if np.isnan(fields_part) else fields_part)
    return Components(
        max(0.0, observed - within),
        fields_part,
        cells_part,
        observed,
        degrees,
        float(sizes["fields"].mean()),
        float(sizes["n"].sum() / sizes["fields"].sum()),
    )


def _nested(cells: pd.DataFrame, measure: str) -> tuple[float, float, pd.DataFrame]:
    """Variance of cells and of fields, and the sizes of clones under each stimulation."""
    by = [*_GROUP, "stimulation"]
    fields = cells.groupby([*by, FIELD_NUMBER])[measure].agg(["size", "mean", "var"])
    n = fields["size"]
    if (left := int(n.sum() - len(n))) < 1:
        raise InputError(
            "How much cells of a field of view scatter is not known, as each field has one cell."
        )
    of_cells = float((fields["var"].fillna(0) * (n - 1)).sum() / left)
    sizes = pd.DataFrame(
        {
            "n": n.groupby(by).sum(),
            "n2": (n**2).groupby(by).sum(),
            "fields": n.groupby(by).size(),
        }
    )
    means = (fields["mean"] * n).groupby(by).sum() / sizes["n"]
    away = fields["mean"] - means.reindex(fields.index.droplevel(FIELD_NUMBER)).to_numpy()
    degrees = len(fields) - len(sizes)
    if not degrees:
        return of_cells, float("nan"), sizes
    weight = float((sizes["n"] - sizes["n2"] / sizes["n"]).sum())
    of_fields = float((n * away**2).sum() - degrees * of_cells) / weight
    return of_cells, max(0.0, of_fields), sizes
