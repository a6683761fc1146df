"""The steps of scPortrait that a field goes through, imported once and slowly (8 s).

Import this within functions only.
"""

from autophagy_assets.analysis.imaging.process_settings import compiled_code_kept

with compiled_code_kept("scportrait", "cellpose"):
    from scportrait.pipeline.extraction import HDF5CellExtraction
    from scportrait.pipeline.featurization import CellFeaturizer
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation import workflows

__all__ = ["CellFeaturizer", "HDF5CellExtraction", "Project", "workflows"]
