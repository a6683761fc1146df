"""Where fields of view are worked on: worker processes of this machine, and what they may use.

Knows nothing of what is computed. Not here: Dagster's runs (``automation``).
"""
