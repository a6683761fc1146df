"""The classifier: split, training, prediction, and how good it is.

Not here: pictures of single cells (``analysis.galleries``), and the checks (``analysis.quality``).
"""
