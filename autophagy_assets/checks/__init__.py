"""Asset checks, a module for each group of assets: what must hold of the content.

A body reads its inputs and asks ``analysis``; ``definition`` has what all checks share. Modules
of this package do not postpone the evaluation of annotations: Dagster reads them.
"""
