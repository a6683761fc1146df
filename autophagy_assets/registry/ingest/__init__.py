"""Microscope images on their way in and out: read, compared, registered, withdrawn, retired.

Not here: what is done with them (``assets``), and the inbox (``automation``).
"""
