"""Applying a network to cells, with reproducible results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from autophagy_assets.analysis.deep.networks import last_layer, network_of
from autophagy_assets.analysis.deep.weights import load_weights
from autophagy_assets.compute.limits import granted_processors
from autophagy_assets.config.estimators import ConvolutionalNetwork

if TYPE_CHECKING:
    import torch

Read = Callable[[np.ndarray], np.ndarray]
# Of batches with fewer pixels, threads wait for each other for longer than they work, and wait by
# keeping a processor busy.
WORTH_THREADS = 2**17


def applied(
    weights: bytes, read: Read, n_cells: int, parameters: ConvolutionalNetwork,
    shape: tuple[int, int], name: str, embedded: bool = False,
) -> np.ndarray:  # fmt: skip
    """Apply a trained network to cells.

    Parameters
    ----------
    weights : bytes
        As safetensors.
    read : callable
        Gives the crops of cells by their positions, float32, shape (n, channels, size, size).
    parameters : ConvolutionalNetwork
        Architecture and size of a batch.
    shape : (int, int)
        Channels and side of a crop.
    name : str
        What the reader calls the weights.
    embedded : bool
        Whether what goes into the last layer is asked for.

    Returns
    -------
    numpy.ndarray of float, shape (n_cells, 2) or (n_cells, n_dimensions)
        Probabilities of the classes, or the input of the last layer.

    Raises
    ------
    InputError
        If the weights are of another architecture.
    """
    seen: list[np.ndarray] = []
    with reproducible(parameters, shape[1]) as device:
        network = network_of(parameters.architecture, *shape)
        load_weights(network, weights, name)
        network.to(device)
        if embedded:
            last_layer(network).register_forward_pre_hook(
                lambda layer, given: seen.append(given[0].cpu().numpy())
            )
        found = outputs(network, read, np.arange(n_cells), parameters.batch_size, device)
    return np.concatenate(seen).astype(float) if embedded else np.exp(found)


def outputs(
    network: torch.nn.Module, read: Read, places: np.ndarray, batch_size: int, device: torch.device
) -> np.ndarray:
    """Outputs of a network in evaluation mode: running averages, no dropout.

    Parameters
    ----------
    read : callable
        As for `applied`.
    places : numpy.ndarray of int, shape (n_cells,)

    Returns
    -------
    numpy.ndarray of float, shape (n_cells, 2)
        Logarithms of the probabilities of the classes.
    """
    import torch

    network.eval()
    with torch.no_grad():
        found = [
            network(torch.from_numpy(read(part)).to(device)).cpu().numpy()
            for part in batches(places, batch_size)
        ]
    return np.concatenate(found).astype(float)


@contextmanager
def reproducible(parameters: ConvolutionalNetwork, size: int) -> Iterator[torch.device]:
    """Make torch deterministic within a block, and restore its settings afterwards.

    Parameters
    ----------
    parameters : ConvolutionalNetwork
        The seed of weights that are drawn and of dropout, and the size of a batch.
    size : int
        Side of a crop, px.

    Yields
    ------
    torch.device
        A GPU where there is one.
    """
    import torch

    on_gpu = torch.cuda.is_available()
    before = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    threads = torch.get_num_threads()
    threaded = parameters.batch_size * size**2 >= WORTH_THREADS
    with torch.random.fork_rng(enabled=True):
        torch.manual_seed(parameters.random_state)
        # On a GPU some have no such algorithm, and an error would leave it without any network.
        torch.use_deterministic_algorithms(True, warn_only=on_gpu)
        torch.set_num_threads(max(1, int(granted_processors())) if threaded else 1)
        try:
            yield torch.device("cuda" if on_gpu else "cpu")
        finally:
            torch.use_deterministic_algorithms(before, warn_only=only_warned)
            torch.set_num_threads(threads)


def batches(places: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """Divide positions into parts of `size`, the last one smaller."""
    for start in range(0, len(places), size):
        yield places[start : start + size]
