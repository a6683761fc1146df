"""Bytes of figures: the same each time, small where they must be, and on their own."""

from __future__ import annotations

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from autophagy_assets.analysis.figures import (
    data_uri,
    new_figure,
    panel_title,
    png_bytes,
    preview,
    scale_bar,
    styled,
)


@styled
def drawn():
    figure = new_figure(4, 3)
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1])
    left.set_title("a title that the layout must make room for")
    right.imshow(np.random.default_rng(0).random((300, 300)))
    return figure


def test_saving_twice_and_drawing_twice_give_the_same_bytes():
    figure = drawn()
    assert png_bytes(figure) == png_bytes(figure) == png_bytes(drawn())


def test_settings_of_the_process_do_not_show():
    plain = png_bytes(drawn())
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        assert png_bytes(drawn()) == plain
        assert mpl.rcParams["font.size"] == 30


def test_dollar_signs_in_a_label_are_text_and_no_formula():
    """As a formula, an incomplete one would be an error and a whole one lose its signs."""

    @styled
    def labelled(text: str) -> bytes:
        figure = new_figure(3, 2)
        axes = figure.subplots()
        panel_title(axes, text)
        axes.set_xlabel(text)
        return png_bytes(figure)

    assert labelled(r"clone $x$") != labelled("clone x")
    assert labelled(r"$\notacommand$")


def test_png_has_150_dpi_and_names_no_software():
    with Image.open(io.BytesIO(png_bytes(drawn()))) as image:
        assert image.size == (600, 450)
        assert "Software" not in image.info


@pytest.mark.parametrize("limit", [100_000, 20_000])
def test_a_preview_stays_below_its_limit_as_text(limit):
    noise = np.random.default_rng(0).integers(0, 255, (2000, 3000, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, format="png")
    small = preview(buffer.getvalue(), limit)
    assert len(data_uri(small)) <= limit
    assert small == preview(buffer.getvalue(), limit)
    with Image.open(io.BytesIO(small)) as image:
        assert image.format == "JPEG"


def test_a_preview_that_cannot_be_is_not_made():
    with pytest.raises(ValueError, match="at most 100 bytes"):
        preview(drawn(), 100)


@pytest.mark.parametrize(
    ("pixel_um", "label", "pixels"), [(0.5, "20 µm", 40), (None, "20 px", 20), (2.0, "50 µm", 25)]
)
def test_a_scale_bar_is_as_long_as_it_says(pixel_um, label, pixels):
    ax = new_figure(2, 2).subplots()
    width = 128 if pixel_um != 2.0 else 100
    scale_bar(ax, pixel_um, width, (width, width), width)
    (bar,) = ax.lines
    assert ax.texts[0].get_text() == label
    assert np.ptp(bar.get_xdata()) == pytest.approx(pixels)


HEAVY = ["scportrait", "torch", "spatialdata", "dagster", "lamindb", "matplotlib.pyplot", "seaborn"]
OURS = [
    *("classifier.classification", "classifier.evaluation", "classifier.evaluation_figures"),
    *("classifier.model", "features.cleaning", "figures", "galleries.crops"),
    *("galleries.galleries", "galleries.panels", "galleries.spatial"),
    *("galleries.spatial_figures", "report.page"),
]


@pytest.mark.slow
def test_the_analysis_imports_nothing_heavy():
    names = [f"autophagy_assets.analysis.{name}" for name in OURS]
    script = f"import sys, {', '.join(names)}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
