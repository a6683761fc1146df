"""How far a model can be trusted: folds, out-of-fold scores, comparison, negative controls.

Not here: estimators and trained models (``classifier``), what a knockout does (``effects``).
"""
