"""Pictures of cells: which cells are drawn, their crops, and a cell in its field of view.

Not here: curves and matrices of the evaluation (``analysis.classifier``).
"""
