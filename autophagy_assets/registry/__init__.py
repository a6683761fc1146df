"""All that talks to LaminDB; nothing here knows Dagster.

``instance`` connects, ``files`` puts bytes in place, ``artifacts`` registers and fetches
them, ``provenance`` says what made what with a record of each of the ``runs``, ``labels``
and ``schemas`` annotate, ``datasets`` finds, ``ingest`` brings microscope images in,
``consistency`` and ``loose_files`` check whether all that agrees.
"""
