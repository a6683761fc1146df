"""What is out of date in a study, and why: one judge for every way of refreshing.

Here belong code versions, fingerprints, partitions and what Dagster remembers of assets. Not here:
what launches runs (``automation``), and how content is stored (``io_managers``).
"""
