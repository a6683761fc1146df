"""Ingest of microscope images: reading, comparing, registering, withdrawing, retiring.

Not here: what is done with them (``assets``), and the inbox (``automation``).
"""
