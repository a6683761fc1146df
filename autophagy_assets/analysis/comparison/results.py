"""Results of one version of a study, as far as versions are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from autophagy_assets.analysis.effects.responses import CLONE, responses
from autophagy_assets.analysis.effects.scored_cells import Predictions, scored_cells
from autophagy_assets.analysis.evidence.comparison import POOLED
from autophagy_assets.analysis.evidence.cross_validation import FOLD, MODEL, SCHEME
from autophagy_assets.analysis.identity import CLASS, IDENTITY, METADATA, SCORE
from autophagy_assets.config.study import Study

POSITIVE = "positive"


@dataclass(frozen=True)
class Results:
    """Results of a study, as one version of its report has them.

    Attributes
    ----------
    name : str
        What a person calls the version.
    study : Study
        As it was.
    cross_validations : mapping of str to pandas.DataFrame
        By model, as ``cross_validate`` gives them.
    predictions : sequence of (pandas.DataFrame or mapping of str to pandas.DataFrame)
        Of cells that no model was trained on, by all models.
    comparison : pandas.DataFrame
        As ``compare`` of the evidence gives it; empty where there is none.
    effects : sequence of pandas.DataFrame
        Tables of ``knockout_effect``.
    claims : sequence of mapping
        As ``Claim.as_json`` gives them.
    sentences : mapping of str to sequence of str
        What the report says in words, by heading.
    lacking : sequence of str
        A sentence for each table that could not be read.
    """

    name: str
    study: Study
    cross_validations: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    predictions: Sequence[Predictions] = ()
    comparison: pd.DataFrame = field(default_factory=pd.DataFrame)
    effects: Sequence[pd.DataFrame] = ()
    claims: Sequence[Mapping[str, Any]] = ()
    sentences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacking: Sequence[str] = ()

    @property
    def models(self) -> list[str]:
        """Models of which there are scores, the primary one first."""
        return sorted(self.cross_validations, key=lambda name: (name != self.study.primary, name))

    def cells(self, model: str) -> pd.DataFrame:
        """Every cell that a model has scored without having seen it.

        Returns
        -------
        pandas.DataFrame
            Identity, class, metadata, ``prob_class1`` and ``positive`` (above the threshold that
            the model had then).
        """
        scored, threshold = scored_cells(
            self.cross_validations[model], self.study.model(model), *self.predictions
        )
        kept = scored[[*IDENTITY, CLASS, *METADATA, SCORE]].copy()
        kept[POSITIVE] = kept[SCORE] > threshold
        return kept

    def aucs(self) -> pd.DataFrame:
        """AUC of every model in every scheme of the cross-validation.

        Returns
        -------
        pandas.DataFrame
            ``model``, ``scheme``, ``n_cells`` and ``auc``, of all folds together.
        """
        columns = [MODEL, SCHEME, "n_cells", "auc"]
        if self.comparison.empty:
            return pd.DataFrame(columns=columns)
        return self.comparison.loc[self.comparison[FOLD] == POOLED, columns]

    def clones(self) -> pd.DataFrame:
        """Response of every clone, in every measure, by the primary model.

        Returns
        -------
        pandas.DataFrame
            ``genotype``, ``clone``, ``stimulation``, ``measure`` and ``value``.
        """
        columns = ["genotype", "clone", "stimulation", "measure", "value"]
        measured = [table[table["level"] == CLONE] for table in self.effects if "level" in table]
        if not measured:
            return pd.DataFrame(columns=columns)
        # Clones of the control are in the table of each knockout.
        found = responses(pd.concat(measured), self.study)[columns].drop_duplicates()
        return found.reset_index(drop=True)
