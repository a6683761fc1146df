"""Where a figure, a table or a cell comes from, back to the microscope images, and its formats.

Not here: recording it (``registry.provenance``).
"""
