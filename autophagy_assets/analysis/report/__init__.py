"""The study on one page: what it says, and how it is laid out.

Not here: gathering what it shows (``assets.report``).
"""
