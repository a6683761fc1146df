"""Consistency of records and files: damaged files, files without a record, outputs of runs.

Not here: comparing them with Dagster (``automation.reconcile``).
"""
