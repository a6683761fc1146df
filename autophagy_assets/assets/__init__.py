"""The assets, a module for each group; a body reads its inputs, calls the science, returns.

``definition`` has what all of them share. Modules of this package do not postpone the
evaluation of annotations: Dagster reads them when an asset is defined.
"""
