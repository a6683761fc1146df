"""Training: a network learns from crops that are read a batch at a time.

Not here: which cells are set aside (``early_stopping``), what makes a training the same every time
(``applying``) and what is kept of a network (``estimator``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from autophagy_assets.analysis.deep.applying import Read, batches, outputs, reproducible
from autophagy_assets.analysis.deep.networks import network_of
from autophagy_assets.analysis.deep.symmetries import turned
from autophagy_assets.analysis.deep.weights import weights_of
from autophagy_assets.config.estimators import ConvolutionalNetwork
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import torch


class Trained(NamedTuple):
    """Result of a training.

    Attributes
    ----------
    weights : bytes
        As safetensors, of the best epoch.
    epochs : int
        After which they were best, from 1.
    """

    weights: bytes
    epochs: int


def train(
    read: Read,
    classes: np.ndarray,
    aside: np.ndarray,
    parameters: ConvolutionalNetwork,
    shape: tuple[int, int],
    name: str,
) -> Trained:
    """Train a network from scratch.

    Parameters
    ----------
    read : callable
        Gives the crops of cells by their positions, float32, shape (n, channels, size, size).
    classes : numpy.ndarray of int, shape (n_cells,)
        0 or 1.
    aside : numpy.ndarray of bool, shape (n_cells,)
        Cells that are not learned from and say when to stop; none for all epochs.
    shape : (int, int)
        Channels and side of a crop.
    name : str
        Of the model, for messages.

    Returns
    -------
    Trained
        With the same arguments the same bytes, on one kind of processor with as many cores. On a
        GPU, as near to it as torch comes.

    Raises
    ------
    InputError
        If the loss is not a number any more.

    Notes
    -----
    Adam with decoupled weight decay, on the negative log-likelihood; every epoch sees each training
    cell once, in an order drawn again.
    """
    import torch
    from torch.nn.functional import nll_loss

    learned = np.flatnonzero(~aside)
    random = np.random.default_rng(parameters.random_state)
    with reproducible(parameters, shape[1]) as device:
        network = network_of(parameters.architecture, *shape).to(device)
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
        )
        best, best_loss, epoch = Trained(b"", 0), math.inf, 0
        while epoch < parameters.epochs and epoch - best.epochs < parameters.patience:
            epoch += 1
            network.train()
            for places in batches(random.permutation(learned), parameters.batch_size):
                crops = read(places)
                if parameters.augment:
                    crops = turned(crops, random)
                optimizer.zero_grad()
                found = network(torch.from_numpy(crops).to(device))
                loss = nll_loss(found, torch.from_numpy(classes[places]).to(device))
                _require_finite(loss.item(), name, epoch, parameters)
                loss.backward()
                optimizer.step()
            if not aside.any():
                best = Trained(b"", epoch)
                continue
            loss_aside = _loss(network, read, classes, np.flatnonzero(aside), parameters, device)
            _require_finite(loss_aside, name, epoch, parameters)
            if loss_aside < best_loss:
                best, best_loss = Trained(weights_of(network), epoch), loss_aside
        return best if best.weights else Trained(weights_of(network), epoch)


def _loss(
    network: torch.nn.Module, read: Read, classes: np.ndarray, places: np.ndarray,
    parameters: ConvolutionalNetwork, device: torch.device,
) -> float:  # fmt: skip
    """Negative log-likelihood of cells that the network does not learn from."""
    found = outputs(network, read, places, parameters.batch_size, device)
    return float(-found[np.arange(len(places)), classes[places]].mean())


def _require_finite(loss: float, name: str, epoch: int, parameters: ConvolutionalNetwork) -> None:
    if not math.isfinite(loss):
        raise InputError(
            f"Training of model {name!r} diverged: its loss is {loss} in epoch {epoch}, and "
            f"nothing of it is kept. Set a learning_rate below {parameters.learning_rate:g} of "
            "the network, or a larger batch_size."
        )
