"""Making what is out of date, and nothing else, in the process of a command.

Goes by the one judge of ``staleness``, as the sensors do. How it goes on is in ``rounds``.
"""

from collections.abc import Collection

import dagster as dg
from filelock import FileLock, Timeout

from autophagy_assets.assets.report import LAST_REFRESH
from autophagy_assets.automation.home_study import claim
from autophagy_assets.automation.rounds import Progress, Refreshed, Rounds
from autophagy_assets.config.home import Home, dagster_instance
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError


def refresh(
    study_file: str | None = None,
    progress: Progress = lambda target, state: None,
    workers: int | None = None,
    parts: Collection[str] | None = None,
    verify: bool = False,
    instance: dg.DagsterInstance | None = None,
) -> Refreshed:
    """Bring every asset of a study up to date, in this process.

    Parameters
    ----------
    study_file : str, optional
        Default as :meth:`~autophagy_assets.config.study.Study.load`.
    progress : callable, optional
        Called with a target and ``"planned"``, ``"running"``, ``"made"`` or ``"failed"``.
    workers : int, optional
        Processes that image samples; default as many as this machine can run.
    parts : collection of str, optional
        Dagster groups of the assets that may be made; default all. What depends on others that
        are out of date is held up.
    verify : bool
        Read every file and compare it with its hash, not only sizes and times.
    instance : dagster.DagsterInstance, optional
        Default that of the home.

    Raises
    ------
    InputError
        If there is nothing to work on, no control, or another refresh is running.
    """
    home = Home.locate()
    home.prepare()
    try:
        with FileLock(home.locks / "refresh.lock", timeout=0):
            if instance is None:
                claim(Study.load(study_file).name)
                instance = dagster_instance(capture=False)
            done = Rounds(instance, study_file, progress, workers, parts, verify).run()
            if parts is None and done.complete:
                report_refreshed(instance, len(done.made), done.fresh)
            return done
    except Timeout as error:
        raise InputError(
            f"Another refresh of {home.root} is running; wait for it to end."
        ) from error


def report_refreshed(instance: dg.DagsterInstance, made: int, fresh: int) -> None:
    """Record in Dagster that a refresh has ended with everything up to date.

    Parameters
    ----------
    made, fresh : int
        How many partitions were made, and are up to date.
    """
    instance.report_runless_asset_event(
        dg.AssetMaterialization(LAST_REFRESH, metadata={"made": made, "up to date": fresh})
    )
