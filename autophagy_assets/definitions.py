"""The Dagster code location."""

import dagster as dg

from autophagy_assets.automation import sensors
from autophagy_assets.automation.asset_definitions import asset_definitions
from autophagy_assets.automation.home_study import require
from autophagy_assets.config.storage_cache import cache_storage
from autophagy_assets.config.study import Study


def build_defs(*, study_file: str | None = None) -> dg.Definitions:
    """Definitions of a study.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.config.study.Study.load`.
    """
    launching = dg.Definitions(
        jobs=sensors.jobs,
        schedules=sensors.define_schedules(),
        sensors=sensors.define_sensors(),
    )
    return dg.Definitions.merge(asset_definitions(study_file), launching)


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the study of this home; Dagster asks for them when it loads this module."""
    cache_storage()
    require(Study.load().name)
    return build_defs()
