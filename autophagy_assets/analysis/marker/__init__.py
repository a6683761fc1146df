"""What the marker looks like in a cell: its puncta and its texture, as features and as a picture.

Two scales: *contrast*, within the cell, and *units* of the image. Not here: what scPortrait
measures (``analysis.imaging``), which features a model uses (``analysis.features``).
"""
