"""Style of all figures, and their conversion to images.

Here: the picture type, style, titles, scale bars, PNG and preview bytes. Not here: what is
drawn (``evaluation_figures``, ``panels``, ``spatial``).
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image

DPI = 150
BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"  # Okabe-Ito
SKY, GREY, INK = "#56B4E9", "#767676", "#222222"
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
    # A label may have dollar signs; it is text and no formula.
    "text.parse_math": False,
}
_GLOBAL = ("backend", "backend_fallback", "interactive", "toolbar", "timezone", "datapath")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Picture:
    """A figure with its caption and the table of what it shows.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The drawing.
    table : pandas.DataFrame
        What is drawn: cells with identity and score, or the numbers.
    caption : str
        One or two sentences, readable without code.
    numbers : mapping of str to float
        What people want to follow from one version to the next, such as the AUC.
    """

    figure: Figure
    table: pd.DataFrame
    caption: str
    numbers: Mapping[str, float] = field(default_factory=dict)


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
        settings: Any = {**defaults, **STYLE}
        with mpl.rc_context(settings):
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float, **spacing: Any) -> Figure:
    """Create an empty figure without a window or global state.

    Parameters
    ----------
    width, height : float
        In inches.
    **spacing
        Passed to matplotlib's ``ConstrainedLayoutEngine``.
    """
    layout = ConstrainedLayoutEngine(**spacing)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    FigureCanvasAgg(figure)
    return figure


@styled
def png_bytes(figure: Figure) -> bytes:
    """Encode a figure as PNG; the same figure gives the same bytes."""
    layout = figure.get_layout_engine()
    if layout is not None:
        # The layout starts from where the last one ended, so a second save would shift pixels.
        layout.execute(figure)
        figure.set_layout_engine("none")
    # Figure.savefig would draw everything once more to find out how large it is.
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba())
    buffer = io.BytesIO()
    # At most 7 % larger than at the default level 6, galleries no larger, and made sooner.
    whole = drawn.convert("RGB")
    whole.save(buffer, format="PNG", dpi=(figure.dpi, figure.dpi), compress_level=3)
    return buffer.getvalue()


def preview(image: Figure | bytes, max_bytes: int = 100_000) -> bytes:
    """Encode a figure as a small JPEG, for a page that shows many.

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
    """Encode an image as a data URI.

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
    ax: Axes, pixel_um: float | None, width_px: float, corner: tuple[float, float], side: float
) -> None:
    """Draw a scale bar of about a quarter of the width of an image.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes that show the image, y growing downwards.
    pixel_um : float or None
        Size of a pixel in um; unknown gives a bar in pixels.
    width_px : float
        Width of the image in pixels.
    corner : (float, float)
        Lower right corner of the image in data coordinates.
    side : float
        Width of the image in data coordinates.
    """
    unit = pixel_um or 1.0
    length = _round_length(width_px * unit * 0.35)
    bar = length / unit / width_px * side
    right, bottom = corner[0] - 0.06 * side, corner[1] - 0.06 * side
    ax.plot([right - bar, right], [bottom, bottom], color="white", lw=2.5, solid_capstyle="butt")
    label = f"{length} {'µm' if pixel_um else 'px'}"
    ax.text(right, bottom - 0.03 * side, label, color="white", ha="right", va="bottom", fontsize=7)


def _round_length(longest: float) -> int:
    steps = [mantissa * 10**power for power in range(5) for mantissa in (1, 2, 5)]
    return max([step for step in steps if step <= longest], default=1)


def panel_title(ax: Axes, title: str, about: str = "") -> None:
    """Write a bold title with a plain line below it, both above the axes.

    Parameters
    ----------
    title, about : str
        The line in bold, and the plain one.
    """
    ax.set_title(title, pad=18 if about else 6)
    if about:
        ax.annotate(
            about, (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points",
            fontsize=8, va="bottom",
        )  # fmt: skip
