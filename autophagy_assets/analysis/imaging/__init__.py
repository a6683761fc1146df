"""From microscope images to single cells and their features, by scPortrait.

Here belong reading and refusing images, segmentation, crops and featurization of one field of view.
Not here: working on many fields at once (``compute``), and storing them (``assets.imaging``).
"""
