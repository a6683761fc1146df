"""Whether records and files agree: damaged files, files without a record, what runs have left.

Not here: comparing them with Dagster (``automation.reconcile``).
"""
