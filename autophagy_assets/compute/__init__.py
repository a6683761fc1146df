"""Where fields of view are processed: workers on this machine, a Dask cluster, or Slurm.

Knows nothing of what is computed. Not here: Dagster's runs (``automation``).
"""
