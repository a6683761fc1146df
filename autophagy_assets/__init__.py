"""Dagster asset platform for single-cell imaging screens."""
