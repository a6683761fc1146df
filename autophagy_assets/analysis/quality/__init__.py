"""Findings of asset checks: each a sentence, numbers and, where it helps, a table.

Not here: when a check runs and what it blocks (``checks``).
"""
