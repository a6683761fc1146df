"""Feature tables: which columns a classifier may use, and what such a table has to hold.

Not here: what is unusual but allowed (``analysis.quality``).
"""
