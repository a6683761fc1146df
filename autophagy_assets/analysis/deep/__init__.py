"""Networks that learn from the pixels of cells.

Torch and scPortrait are imported inside functions: that takes seconds, which most steps need not.
"""
