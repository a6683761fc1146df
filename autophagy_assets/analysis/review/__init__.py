"""Review: which cells a person is asked to look at, the page that shows them, and the answers.

Knows neither Dagster nor LaminDB.
"""
