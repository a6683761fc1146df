"""Permuted labels: classes of images exchanged within clones, so that nothing is left to learn."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
import pandas as pd

from autophagy_assets.analysis.evidence.field_groups import CLONE
from autophagy_assets.analysis.evidence.folds import Fold
from autophagy_assets.analysis.identity import CLASS, FIELD_OF_VIEW, field_numbers
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError

_LISTED = 5000  # so many arrangements are listed; of more, some are drawn


class Permutations(NamedTuple):
    """AUCs with permuted labels.

    Attributes
    ----------
    aucs : numpy.ndarray of float
        One by arrangement that was tried.
    possible : int
        Arrangements that there are, besides the true one and its mirror image.
    """

    aucs: np.ndarray
    possible: int


def permuted(
    cells: pd.DataFrame,
    parted: Sequence[Fold],
    study: Study,
    auc: Callable[[np.ndarray], float],
) -> Permutations:
    """Measure the AUC of models that are fitted on permuted labels.

    Parameters
    ----------
    cells : pandas.DataFrame, shape (n_cells, n_columns)
        ``dataset``, ``fov``, ``clone`` and ``class``.
    parted : sequence of Fold
        An arrangement whose training parts lack a class is left out.
    study : Study
        Number of permutations, random state.
    auc : callable
        Gives the measure for classes, shape (n_cells,).

    Raises
    ------
    InputError
        If images are too few to be exchanged, or an image holds both classes.

    Notes
    -----
    Cells of an image have one class and look alike, so images and not cells are exchanged, and only
    within their clone: each keeps as many images of each class. The mirror image of the truth, all
    classes exchanged, is as easy to learn as the truth and is left out.
    """
    images = cells.groupby(FIELD_OF_VIEW).agg({CLONE: "first", CLASS: ["min", "max"]})
    images.columns = [CLONE, "low", "high"]
    if mixed := int((images["low"] != images["high"]).sum()):
        raise InputError(f"Labels cannot be permuted: {mixed} images hold cells of both classes.")
    truth = images["low"].to_numpy()
    members = list(images.reset_index(drop=True).groupby(CLONE).indices.values())
    ways = math.prod(math.comb(len(m), int(truth[m].sum())) for m in members)
    at = field_numbers(cells)
    kept = []
    for labels in _arrangements(truth, members, ways, study):
        classes = labels[at]
        if all(len(set(classes[fold.train])) == 2 for fold in parted):
            kept.append(classes)
        if len(kept) == study.cross_validation.permutations:
            break
    mirrored = all(2 * int(truth[m].sum()) == len(m) for m in members)
    possible = ways - (2 if mirrored else 1)
    if not kept:
        raise InputError(
            f"Labels cannot be permuted: with {len(truth)} images there is no other way to give "
            "classes to the images of a clone; add fields of view."
        )
    return Permutations(np.array([auc(classes) for classes in kept]), possible)


def _arrangements(
    truth: np.ndarray, members: list[np.ndarray], ways: int, study: Study
) -> Iterator[np.ndarray]:
    """Classes of the images in all ways but the true one and its mirror image, in random order."""
    random = np.random.default_rng(study.cross_validation.random_state)
    for labels in (
        _listed(truth, members, random)
        if ways <= _LISTED
        else _drawn(truth, members, random, 20 * study.cross_validation.permutations)
    ):
        if not (labels == truth).all() and not (labels == 1 - truth).all():
            yield labels


def _listed(
    truth: np.ndarray, members: list[np.ndarray], random: np.random.Generator
) -> Iterator[np.ndarray]:
    choices = [list(combinations(m, int(truth[m].sum()))) for m in members]
    every = list(product(*choices))
    for number in random.permutation(len(every)):
        labels = np.zeros_like(truth)
        labels[[image for chosen in every[number] for image in chosen]] = 1
        yield labels


def _drawn(
    truth: np.ndarray, members: list[np.ndarray], random: np.random.Generator, number: int
) -> Iterator[np.ndarray]:
    seen = set()
    for _ in range(number):
        labels = truth.copy()
        for m in members:
            labels[m] = random.permutation(truth[m])
        if labels.tobytes() not in seen:
            seen.add(labels.tobytes())
            yield labels
