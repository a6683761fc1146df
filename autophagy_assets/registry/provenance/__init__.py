"""Provenance: one LaminDB run for each materialization, with its inputs and its process.

Not here: walking from a figure back to the images (``registry.lineage``).
"""
