"""All that talks to LaminDB; nothing here knows Dagster.

``instance`` connects, ``files`` puts bytes in place, ``artifacts`` registers and fetches
them, ``provenance`` says what made what, ``labels`` and ``schemas`` annotate,
``datasets`` finds, ``ingest`` brings microscope images in.
"""
