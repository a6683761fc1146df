"""Networks: from crops of cells to two classes.

Here: what they are made of. Not here: how they learn (``training``) and how their weights are
stored (``weights``).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    import torch

VGG2, SMALL = "vgg2", "small"
_HALVED = {VGG2: 6, SMALL: 4}  # so many times a network halves the side of a crop
_WIDTHS = (16, 32, 64, 128)
_DROPOUT = 0.3


def network_of(architecture: str, channels: int, size: int) -> torch.nn.Module:
    """Create an untrained network; its weights follow from torch's seed.

    Parameters
    ----------
    architecture : str
        ``vgg2``: scPortrait's ``VGG2`` as it is by default (8 convolutions, 6 million weights at
        128 px). ``small``: four convolutions, each normalised and halved by its maxima, the
        average over the crop and one layer (98 thousand weights whatever the size).
    channels : int
        Of a crop.
    size : int
        Side of a crop, px.

    Returns
    -------
    torch.nn.Module
        Takes crops, shape (n, channels, size, size), and gives the logarithm of the probability
        of each class, shape (n, 2).

    Raises
    ------
    InputError
        If a crop is too small to be halved so often.
    """
    smallest = 2 ** _HALVED[architecture]
    if size < smallest:
        raise InputError(
            f"Architecture {architecture} needs crops of at least {smallest} px, and these have "
            f"{size}: set a larger image_size in the segmentation of the study, or take another "
            "architecture."
        )
    if architecture == VGG2:
        from scportrait.tools.ml.models import VGG2 as Network

        return Network(in_channels=channels, num_classes=2, image_size_factor=size // smallest)
    return _small(channels)


def _small(channels: int) -> torch.nn.Module:
    from torch import nn

    layers: list[tuple[str, Any]] = [("norm", nn.BatchNorm2d(channels))]
    before = channels
    for number, width in enumerate(_WIDTHS):
        layers += [
            (f"convolution{number}", nn.Conv2d(before, width, kernel_size=3, padding=1)),
            (f"normalised{number}", nn.BatchNorm2d(width)),
            (f"relu{number}", nn.ReLU()),
            (f"maxima{number}", nn.MaxPool2d(2)),
        ]
        before = width
    layers += [
        ("average", nn.AdaptiveAvgPool2d(1)),
        ("flat", nn.Flatten()),
        ("dropout", nn.Dropout(_DROPOUT)),
        ("classes", nn.Linear(before, 2)),
        ("softmax", nn.LogSoftmax(dim=1)),
    ]
    return nn.Sequential(OrderedDict(layers))


def last_layer(network: torch.nn.Module) -> torch.nn.Module:
    """Last linear layer, whose input is the embedding of a crop.

    Parameters
    ----------
    network : torch.nn.Module
        As `network_of` gives it.
    """
    from torch import nn

    return [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
