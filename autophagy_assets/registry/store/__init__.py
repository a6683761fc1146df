"""The LaminDB instance: connection, artifacts and their files, labels, schemas, identifiers.

Here belongs how something is written and read. Not here: what made it (``registry.provenance``).
"""
