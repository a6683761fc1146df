"""Review: cells that people are asked to label, the page that shows them, and the answers.

Knows neither Dagster nor LaminDB.
"""
