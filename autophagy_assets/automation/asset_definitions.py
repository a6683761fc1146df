"""Assets, checks and resources of a study, without jobs, schedules and sensors.

This is what is judged and run. The code location (``definitions``) adds jobs, schedules and
sensors to it.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from autophagy_assets import checks
from autophagy_assets.assets.catalog import study_assets
from autophagy_assets.assets.compute_resource import ComputeResource
from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.assets.report import last_refresh
from autophagy_assets.automation.freshness import within_a_night
from autophagy_assets.config import settings
from autophagy_assets.config.study import Study
from autophagy_assets.io_managers.figure import FigureIOManager
from autophagy_assets.io_managers.gallery import GalleryIOManager
from autophagy_assets.io_managers.joblib import JoblibIOManager
from autophagy_assets.io_managers.page import PageIOManager
from autophagy_assets.io_managers.parquet import ParquetIOManager


def asset_definitions(study_file: str | None = None) -> dg.Definitions:
    """Assets, checks and resources of a study.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.config.study.Study.load`.

    Raises
    ------
    InputError
        If the study file or any setting is wrong, before anything is run.
    """
    settings.check()
    Study.load(study_file)  # a wrong one is reported now, and not by the first step
    resources: dict[str, Any] = {
        "study": StudyResource(study_file=study_file),
        "compute": ComputeResource(),
        "table_io": ParquetIOManager(study_file=study_file),
        "model_io": JoblibIOManager(study_file=study_file),
        "figure_io": FigureIOManager(study_file=study_file),
        "gallery_io": GalleryIOManager(study_file=study_file),
        "page_io": PageIOManager(study_file=study_file),
    }
    late = last_refresh.replace_attributes(freshness_policy=within_a_night())
    return dg.Definitions(
        assets=[late if one is last_refresh else one for one in study_assets()],
        asset_checks=dg.load_asset_checks_from_package_module(checks),
        resources=resources,
        # One process per run: a step process of its own would cost 3 s, most steps take less.
        executor=dg.in_process_executor,
    )
