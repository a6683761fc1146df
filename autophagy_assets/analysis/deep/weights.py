"""Weights of networks as safetensors, a format that runs no code when it is loaded."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from autophagy_assets.config.estimators import Weights
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import torch


def weights_of(network: torch.nn.Module) -> bytes:
    """Weights of a network, with the counts and running averages of its layers.

    Returns
    -------
    bytes
        A safetensors file; the same for the same numbers, wherever they were computed.
    """
    from safetensors.torch import save

    return save({name: t.cpu().contiguous() for name, t in network.state_dict().items()})


def load_weights(network: torch.nn.Module, weights: bytes, name: str) -> None:
    """Load weights into a network.

    Parameters
    ----------
    weights : bytes
        A safetensors file.
    name : str
        What the reader calls it.

    Raises
    ------
    InputError
        If it is no such file, or is of another architecture: names the first tensor that differs.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        given = load(weights)
    except SafetensorError as error:
        raise InputError(
            f"{name} is no safetensors file ({error}). Weights in another format are not opened, "
            "as that would run code: convert them with safetensors.torch.save_file."
        ) from error
    wanted = network.state_dict()
    for tensor in sorted({*wanted, *given}):
        shapes = [tuple(of[tensor].shape) if tensor in of else None for of in (given, wanted)]
        if shapes[0] != shapes[1]:
            there, needed = ("no such tensor" if s is None else f"shape {s}" for s in shapes)
            raise InputError(
                f"{name} is of another architecture: {tensor!r} has {there}, and the model needs "
                f"{needed}; check architecture, channels and the size of crops."
            )
    network.load_state_dict(given)


def read_weights(given: Weights, model: str) -> bytes:
    """Read a file of weights that the study file names.

    Parameters
    ----------
    model : str
        Name of the model whose entry names the file.

    Returns
    -------
    bytes
        Its content, of the hash that the entry says; nothing of it has been interpreted.

    Raises
    ------
    InputError
        If it cannot be read or is another file.
    """
    try:
        content = Path(given.path).expanduser().read_bytes()
    except OSError as error:
        raise InputError(
            f"Weights {given.path} of model {model!r} cannot be read ({error}): correct "
            "weights.path of the model."
        ) from error
    found = sha256(content).hexdigest()
    if found != given.sha256:
        raise InputError(
            f"Weights {given.path} of model {model!r} are another file: their sha256 is {found}, "
            f"and the study file says {given.sha256}. Nothing was loaded; bring the file back, or "
            "correct weights.sha256 of the model if this one is meant."
        )
    return content
