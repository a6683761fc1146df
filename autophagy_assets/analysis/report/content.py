"""Content of a report, and the page that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from autophagy_assets.analysis.classifier.evaluation import ROC, is_evaluation
from autophagy_assets.analysis.galleries.cell_map import SHOWN
from autophagy_assets.analysis.identity import METADATA
from autophagy_assets.analysis.report.claims import Claim
from autophagy_assets.analysis.report.story import Story
from autophagy_assets.config.study import Study

MOST_ROWS = 2_000
N_ROWS = "rows of the whole table"


def abridged(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table of a figure for the report, if it has very many rows.

    Returns
    -------
    pandas.DataFrame
        Of more than 2,000 rows those whose crop is drawn, or those of an evaluation that are no
        points of a curve, or else the first 2,000; ``attrs`` has how many there were.
    """
    if len(table) <= MOST_ROWS:
        return table
    if is_evaluation(table):
        kept = table[table["part"] != ROC]
    else:
        kept = table[table[SHOWN]] if SHOWN in table else table.head(MOST_ROWS)
    found = kept.reset_index(drop=True)
    found.attrs[N_ROWS] = len(table)
    return found


def cells_by_field(pieces: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Count the cells of each field of view.

    Parameters
    ----------
    pieces : iterable of pandas.DataFrame
        Metadata of the cells of all genotypes, of some of them at a time.

    Returns
    -------
    pandas.DataFrame
        Metadata and ``cells``.
    """
    counts = pd.concat([piece.groupby(METADATA).size() for piece in pieces])
    return counts.groupby(METADATA).sum().reset_index(name="cells")


@dataclass(frozen=True)
class ReportFigure:
    """A figure of the report.

    Attributes
    ----------
    name : str
        Of the asset, with its partition if it has one; also the anchor in the page.
    title, caption : str
        Above and below the figure.
    png : bytes
        The figure.
    table : pandas.DataFrame
        What it shows, listed below it; as `abridged` gives it.
    uid : str
        Its LaminDB uid.
    """

    name: str
    title: str
    png: bytes
    table: pd.DataFrame
    caption: str
    uid: str = ""


@dataclass(frozen=True)
class GalleryLink:
    """The gallery of all cells, a page of its own.

    Attributes
    ----------
    name : str
        Of the asset.
    uid : str
        Its LaminDB uid.
    shown, available : int
        How many cells it shows, of how many.
    """

    name: str
    uid: str
    shown: int
    available: int

    @property
    def file(self) -> str:
        """Name of the page beside the report."""
        return f"{self.name}.html"


@dataclass(frozen=True)
class ReportContent:
    """Content of the report.

    Attributes
    ----------
    study : Study
        Names and parameters.
    figures : sequence of ReportFigure
        In reading order.
    counts : pandas.DataFrame
        ``genotype``, ``stimulation`` and ``cells``, one row per group.
    evaluation : pandas.DataFrame
        `evaluation.evaluate` of control cells that a model has not seen, of all models.
    knockouts : mapping of str to pandas.DataFrame
        The same for each knockout.
    manifest : pandas.DataFrame
        One row per field of view; empty where the images were not processed here.
    refused : mapping of str to str
        Fields whose images could not be taken in the first place, and why.
    records : sequence of mapping
        What was run on what: ``asset``, ``partition``, ``uid``, ``key``, ``hash``.
    parameters : mapping
        May be nested.
    versions : mapping of str to str
        Versions of packages.
    lineage : mapping of str to sequence of str
        Lines that say where something comes from, by figure name and, for cells, by
        ``dataset:id``.
    story : Story
        What the study has found, in words.
    left_out : sequence of str
        What of a model could not be made, and why.
    gallery : GalleryLink or None
        The page that shows the cells themselves, if there is one.
    """

    study: Study
    figures: Sequence[ReportFigure]
    counts: pd.DataFrame
    evaluation: pd.DataFrame
    knockouts: Mapping[str, pd.DataFrame]
    manifest: pd.DataFrame
    refused: Mapping[str, str] = field(default_factory=dict)
    records: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    lineage: Mapping[str, Sequence[str]] = field(default_factory=dict)
    story: Story = field(default_factory=lambda: Story((), ()))
    left_out: Sequence[str] = ()
    gallery: GalleryLink | None = None


@dataclass(frozen=True)
class ReportPage:
    """The page and its claims, as the IO manager stores them.

    Attributes
    ----------
    html : str
        A self-contained page.
    claims : sequence of Claim
        Every number of its text.
    """

    html: str
    claims: Sequence[Claim]
