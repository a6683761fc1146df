"""Properties of the cells of a field, and their response to the treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from autophagy_assets.simulation.treatments import Condition, Genotype

SPONTANEOUS = 0.04  # share of cells in autophagy without treatment (nutrient scarcity)
RESPONDERS: dict[Genotype, float] = {"WT": 0.85, "EI24KO": 0.2}
PUNCTA: dict[Genotype, float] = {"WT": 70.0, "EI24KO": 22.0}  # mean of a cell in autophagy
RESTING_PUNCTA = 3.0
SLOWED_GROWTH = 0.4  # mTOR inhibition: share of cells that a treated field has fewer
MITOTIC = 0.02
DYING = 0.01


@dataclass(frozen=True)
class Clone:
    """What sets a clone apart from its sister clones, as factors around 1."""

    nucleus: float
    spread: float
    membrane: float
    marker: float
    puncta: float
    density: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Clone:
        """Draw a clone.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        """
        spread = np.array([0.02, 0.03, 0.25, 0.25, 0.15, 0.1])
        return cls(*np.exp(rng.normal(0, spread)).tolist())


def draw(
    rng: np.random.Generator,
    centres: np.ndarray,
    condition: Condition,
    clone: Clone,
    effect: float,
    knockout: float = 1.0,
) -> pd.DataFrame:
    """Draw the properties of the cells of a field.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centres : numpy.ndarray of shape (n, 2)
        x and y of the nuclei in px.
    condition : Condition
        Field the cells are in.
    clone : Clone
        Their clone.
    effect, knockout : float
        Strength of the treatment and of the knockout, see ``simulate``.

    Returns
    -------
    pandas.DataFrame
        One row per cell: position, flags, ``severity`` (0-1, to 1.5 with
        more effect: how far autophagy has gone),
        ``n_puncta`` and what the drawing needs: radii in px, shapes, brightness.

    Notes
    -----
    A share of the cells is in autophagy: few at rest, most of the treated WT cells, few of the
    treated knockout (EI24 is needed for autophagosome maturation). Only those cells differ:
    besides more puncta they are somewhat smaller and rounder, their chromatin is smoother and
    membrane moves from contacts to vesicles inside. Each shift is below the spread between
    cells, so a classifier that does not see LC3B is neither blind nor perfect. The shifts are
    assumptions made for testing, not measurements: their sizes, the spread between cells
    and clones and the slowed growth were tuned by hand on seed 0 until the notebook's
    classifier did about as well as on the real cells. Its scores say nothing about biology.
    """
    n = len(centres)
    responders, full = _of_genotype(condition.genotype, knockout)
    responders = responders if condition.is_stimulated else SPONTANEOUS
    share = SPONTANEOUS + (responders - SPONTANEOUS) * min(effect, 1.0)
    autophagic = rng.random(n) < share
    strength = max(effect, 1.0) if condition.is_stimulated else 1.0
    severity = np.where(autophagic, rng.beta(5, 2.5, n) * strength, 0.0)
    fate = rng.random(n)
    mitotic, dying = fate < MITOTIC, fate > 1 - DYING
    cycle = rng.beta(1.2, 2, n)  # 0: just divided, 1: about to
    return pd.DataFrame(
        {
            "x": centres[:, 0],
            "y": centres[:, 1],
            "autophagic": autophagic,
            "spontaneous": autophagic & (not condition.is_stimulated),
            "mitotic": mitotic,
            "dying": dying,
            "n_puncta": _puncta(rng, full * clone.puncta, clone, severity),
            "severity": severity,
            **_shape(rng, severity, cycle, mitotic, dying, clone),
            **_brightness(rng, severity, cycle, mitotic, dying, clone),
        }
    )


def _of_genotype(genotype: Genotype, knockout: float) -> tuple[float, float]:
    """Share of treated cells that respond, and their puncta; between the control's and its own."""
    return tuple(  # type: ignore[return-value]
        values["WT"] + (values[genotype] - values["WT"]) * knockout
        for values in (RESPONDERS, PUNCTA)
    )


def _puncta(
    rng: np.random.Generator, full: float, clone: Clone, severity: np.ndarray
) -> np.ndarray:
    """Puncta per cell: overdispersed counts, more of them with severity."""
    mean = RESTING_PUNCTA * clone.puncta + (full - RESTING_PUNCTA) * severity / 0.67
    return rng.poisson(mean * rng.gamma(6, 1 / 6, len(severity)))


def _shape(
    rng: np.random.Generator,
    severity: np.ndarray,
    cycle: np.ndarray,
    mitotic: np.ndarray,
    dying: np.ndarray,
    clone: Clone,
) -> dict[str, np.ndarray]:
    """Radii in px and how far from round cells and nuclei are."""
    n = len(severity)
    nucleus = 12.2 * clone.nucleus * (1 + 0.16 * cycle) * np.exp(rng.normal(0, 0.06, n))
    nucleus *= 1 - 0.12 * severity
    spread = 29.0 * clone.spread * np.exp(rng.normal(0, 0.14, n)) * (1 - 0.15 * severity)
    elongation = 1 + rng.gamma(2.5, 0.12, n) * (1 - 0.3 * severity)
    return {
        "nucleus_radius": np.where(dying, 10.5, nucleus),
        "nucleus_elongation": np.where(mitotic, 2.2, np.where(dying, 1.0, elongation)),
        "nucleus_angle": rng.uniform(0, np.pi, n),
        "cell_radius": np.where(mitotic | dying, 18.0, spread),
        "protrusion": np.where(mitotic | dying, 0.0, rng.gamma(3, 0.25, n) * (1 - 0.4 * severity)),
        "chromatin": rng.gamma(5, 1 / 5, n) * (1 - 0.4 * severity),
    }


def _brightness(
    rng: np.random.Generator,
    severity: np.ndarray,
    cycle: np.ndarray,
    mitotic: np.ndarray,
    dying: np.ndarray,
    clone: Clone,
) -> dict[str, np.ndarray]:
    """Brightness of the stains, in expected photons per px."""
    n = len(severity)
    rounded = np.where(mitotic | dying, 1.9, 1.0)  # a rounded cell is thicker
    condensed = np.where(mitotic, 1.7, np.where(dying, 2.0, 1.0))
    return {
        "halo": 48 * np.exp(rng.normal(0, 0.3, n)) * rounded,
        "dna": 900 * (1 + 0.3 * cycle) * np.exp(rng.normal(0, 0.13, n)) * condensed,
        "membrane": 420 * clone.membrane * np.exp(rng.normal(0, 0.1, n)) * rounded,
        "contact": 1.5 * rng.gamma(8, 1 / 8, n) * (1 - 0.6 * severity),
        "vesicles": rng.gamma(3, 1 / 3, n) * (1 + 1.6 * severity),
        "marker": 150
        * clone.marker
        * np.exp(rng.normal(0, 0.2, n))
        * rounded
        * (1 - 0.35 * np.minimum(severity, 1)),
    }
