"""What of a study is out of date, and why: one judge, which every way of refreshing goes by.

Here belong code versions, fingerprints, partitions and what Dagster remembers of assets. Not here:
what launches runs (``automation``), and how content is stored (``io_managers``).
"""
