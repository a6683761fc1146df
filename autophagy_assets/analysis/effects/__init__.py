"""What a knockout does to the response to a stimulation, with the clone as the unit.

Not here: scores of cells and how far they can be trusted (``evidence``).
"""
