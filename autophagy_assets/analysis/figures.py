"""How every figure of the study looks, and how it becomes an image.

Here: the picture type, style, grids of crops, scale bars, PNG and preview bytes. Not here:
what is drawn (``evaluation``, ``galleries``, ``spatial``).
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 150
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"  # Okabe-Ito
SKY, GREY, INK = "#56B4E9", "#767676", "#222222"
CROP_MAP = "gray"
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}
_GLOBAL = ("backend", "backend_fallback", "interactive", "toolbar", "timezone", "datapath")
_GAP, _LABEL = 0.05, 0.17  # of a crop's side: between crops, and the line for a label

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Picture:
    """A figure with what it shows.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The drawing.
    table : pandas.DataFrame
        What is drawn: cells with identity and score, or the numbers.
    caption : str
        One or two sentences, readable without code.
    """

    figure: Figure
    table: pd.DataFrame
    caption: str


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in the style of this project, whatever the process has set.

    Parameters
    ----------
    draw : callable
        A function that makes or saves figures.

    Returns
    -------
    callable
        The same function; matplotlib's settings are as before once it has returned.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        defaults = {k: v for k, v in mpl.rcParamsDefault.items() if k not in _GLOBAL}
        with mpl.rc_context({**defaults, **STYLE}):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure that belongs to no window and no global state.

    Parameters
    ----------
    width, height : float
        In inches.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@styled
def png_bytes(figure: Figure, dpi: int = DPI) -> bytes:
    """PNG of a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    dpi : int
        Dots per inch.

    Returns
    -------
    bytes
    """
    if figure.get_layout_engine() is not None:
        # The layout starts from where the last one ended, so a second save would shift pixels.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def preview(image: Figure | bytes, max_bytes: int = 100_000) -> bytes:
    """Small JPEG of a figure, for a page that shows many.

    Parameters
    ----------
    image : matplotlib.figure.Figure or bytes
        A figure or its PNG.
    max_bytes : int
        Upper bound of the preview as base64 text, which is how pages carry it.

    Returns
    -------
    bytes
        JPEG; see `data_uri` for the text to put in a page.
    """
    png = image if isinstance(image, bytes) else png_bytes(image)
    with Image.open(io.BytesIO(png)) as opened:
        full = opened.convert("RGB")
    for width in (1000, 800, 640, 480, 320, 200):
        small = full.copy()
        small.thumbnail((width, width))
        for quality in (85, 70, 55):
            buffer = io.BytesIO()
            small.save(buffer, format="JPEG", quality=quality, optimize=True)
            if len(data_uri(buffer.getvalue())) <= max_bytes:
                return buffer.getvalue()
    raise ValueError(f"No preview of at most {max_bytes} bytes can be made of this figure.")


def data_uri(image: bytes) -> str:
    """Image as text that a web page or markdown can carry.

    Parameters
    ----------
    image : bytes
        PNG or JPEG.

    Returns
    -------
    str
        ``data:image/...;base64,...``
    """
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode('ascii')}"


def scale_bar(
    ax: Axes, pixel_um: float | None, width_px: float, origin: tuple[float, float], side: float = 1
) -> None:
    """Draw a scale bar of about a quarter of the width of an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes that show the image.
    pixel_um : float or None
        Size of a pixel in um; unknown gives a bar in pixels.
    width_px : float
        Width of the image in pixels.
    origin : (float, float)
        Lower right corner of the image in data coordinates.
    side : float
        Width of the image in data coordinates, in units in which y grows downwards.
    """
    length, label = _round_length(width_px * (pixel_um or 1) / 4, "µm" if pixel_um else "px")
    bar = length / (pixel_um or 1) / width_px * side
    right, bottom = origin[0] - 0.05 * side, origin[1] - 0.06 * side
    ax.plot([right - bar, right], [bottom, bottom], color="white", lw=2.5, solid_capstyle="butt")
    ax.text(
        right - bar / 2, bottom - 0.03 * side, label, color="white", ha="center", va="bottom",
        fontsize=7,
    )  # fmt: skip


def _round_length(length: float, unit: str) -> tuple[float, str]:
    steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
    best = max([step for step in steps if step <= length], default=1)
    return best, f"{best} {unit}"


def cell_grid(
    ax: Axes,
    crops: np.ndarray,
    columns: int,
    rows: int,
    title: str,
    labels: Sequence[str] | None = None,
    pixel_um: float | None = None,
    cmap: str = CROP_MAP,
) -> None:
    """Draw crops in a grid, left to right and top to bottom.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    crops : numpy.ndarray, shape (n, height, width)
        Values 0-1; n may be smaller than the grid, also 0.
    columns, rows : int
        Size of the grid; places without a crop stay empty.
    title : str
        Above the grid.
    labels : sequence of str, optional
        One per crop, written above it.
    pixel_um : float or None
        Size of a pixel in um, for the scale bar in the last crop.
    cmap : str
        Colour map of the crops.
    """
    ax.set_title(title)
    ax.set_axis_off()
    head = _LABEL if labels is not None else 0.0
    step_x, step_y = 1 + _GAP, 1 + head + _GAP
    for index, crop in enumerate(crops):
        left, top = (index % columns) * step_x, (index // columns) * step_y + head
        ax.imshow(
            crop, cmap=cmap, vmin=0, vmax=1, extent=(left, left + 1, top + 1, top),
            interpolation="nearest",
        )  # fmt: skip
        if labels is not None:
            ax.text(left + 0.5, top - 0.03, labels[index], ha="center", va="bottom", fontsize=8)
        if index == len(crops) - 1:
            scale_bar(ax, pixel_um, crop.shape[1], (left + 1, top + 1))
    if not len(crops):
        ax.text(
            columns * step_x / 2, rows * step_y / 2, "no cells", ha="center", va="center",
            color=GREY, fontsize=12,
        )  # fmt: skip
    ax.set_xlim(0, columns * step_x - _GAP)
    ax.set_ylim(rows * step_y - _GAP, 0)
    ax.set_aspect("equal")


def brightness_bar(figure: Figure, axes: Sequence[Axes], name: str, cmap: str = CROP_MAP) -> None:
    """Draw the key of the colours of crops.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    axes : sequence of matplotlib.axes.Axes
        The axes beside which the bar stands.
    name : str
        What the brightness shows.
    cmap : str
        Colour map of the crops.
    """
    mappable = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, 1), cmap)
    bar = figure.colorbar(mappable, ax=list(axes), shrink=0.4, aspect=25, pad=0.015, ticks=[0, 1])
    bar.set_label(f"{name}, scaled within each cell")
    bar.outline.set_visible(False)
