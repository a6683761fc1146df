"""The assets of a sample, and the fields of view within them: imaged, kept, or excluded.

Here belong manifests, and what is registered of a field. Not here: segmentation itself
(``analysis.imaging``), and worker processes (``compute``).
"""
