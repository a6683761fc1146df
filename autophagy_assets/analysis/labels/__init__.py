"""Labels: whether the class of a cell can be believed, and what people say of it.

The class of a cell is the stimulation of its image. Nothing here changes it.
"""
