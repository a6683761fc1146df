"""Figure that holds a sentence: why an effect could not be measured."""

from __future__ import annotations

import textwrap

import pandas as pd

from autophagy_assets.analysis.figures import INK, Picture, new_figure, styled


@styled
def sentence_picture(title: str, sentence: str) -> Picture:
    """Draw a figure that holds a sentence.

    Parameters
    ----------
    title : str
        What the figure would have been about.
    sentence : str
        Why it could not be drawn.

    Returns
    -------
    Picture
        Its table holds the sentence.
    """
    lines = textwrap.wrap(sentence, 92)
    figure = new_figure(8, 1.0 + 0.25 * len(lines))
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=11)
    axes = figure.subplots()
    axes.axis("off")
    axes.text(0, 1, "\n".join(lines), color=INK, va="top", transform=axes.transAxes)
    return Picture(figure, pd.DataFrame({"sentence": [sentence]}), f"Not measured. {sentence}")
