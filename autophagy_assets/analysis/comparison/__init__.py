"""Comparison of two versions of a study: cells, evidence, responses, and what the report says.

Modules are imported where they are used.
"""
