"""Which tests pytest-xdist keeps together on one process, and which begin first.

A file is the unit, as with ``--dist loadfile``, except that the files of a folder in ``TOGETHER``
share what takes long to begin: a server, or scPortrait; and so does a file in ``SHARING`` with
another. What looks at the whole store of the session begins first, while little is in it; then
comes what takes longest: pytest-xdist would begin with the files that have the most tests, and end
with one process that works alone on a single long one.
"""

from __future__ import annotations

from typing import Any

import pytest

# Folders whose files share package-scoped fixtures.
TOGETHER = ("ui", "analysis/imaging")
# File to the unit that it shares something dear with: a PostgreSQL server, where making a store
# takes half a minute; scPortrait, which takes 9 s to import; a study that is up to date, which
# takes 20 s to make; a study that models have scored.
SHARING = {
    "reliability/test_races.py": "reliability/test_database_away.py",
    "simulation/test_recovery.py": "analysis/imaging",
    "assets/test_notebook_queries.py": "analysis/imaging",
    "assets/imaging/test_on_a_cluster.py": "analysis/imaging",
    "assets/test_finished.py": "checks/test_checks.py",
    "assets/test_finished_lineage.py": "checks/test_checks.py",
    "assets/test_parity.py": "checks/test_checks.py",
    "staleness/test_judge.py": "assets/test_extra_model.py",
    "cli/test_review_page.py": "cli/test_annotate.py",
    "cli/test_review_browser.py": "cli/test_annotate.py",
}
# What looks at the whole store; then what takes longest, longest first. The order of all else does
# not matter.
LONGEST = [
    "reliability/test_reconcile.py",
    "reliability/test_dead_runs.py",
    "registry/ingest/test_ingest.py",
    "reliability/test_state_machine.py",
    "ui",
    "test_steps.py",
    "analysis/imaging",
    "reliability/test_kills.py",
    "cli/test_main.py",
    "reliability/test_database_away.py",
    "assets/test_source.py",
    "checks/test_checks.py",
    "automation/test_sensors.py",
    "compute/test_cluster.py",
    "registry/ingest/test_retire.py",
    "assets/test_reads_recorded.py",
    "assets/test_extra_model.py",
    "assets/test_labels.py",
    "reliability/test_backup.py",
    "automation/test_refresh.py",
    "automation/test_services.py",
    "staleness/test_changed_code.py",
    "reliability/test_tampering.py",
    "reliability/test_disk_full.py",
    "reliability/test_bucket.py",
    "automation/test_jobs.py",
    "assets/test_bad_tables.py",
    "assets/test_conditions.py",
    "analysis/evidence/test_controls.py",
    "simulation/test_treatments.py",
    "compute/test_scheduler.py",
    "assets/test_network.py",
    "compute/test_slurm.py",
    "assets/imaging/test_samples.py",
]
_PLACE = {unit: place for place, unit in enumerate(LONGEST)}


def unit_of(nodeid: str) -> str:
    """File of a test, or its folder where that stays together; relative to this package."""
    file = nodeid.partition("::")[0].partition("/")[2]
    together = (folder for folder in TOGETHER if file.startswith(f"{folder}/"))
    return next(together, SHARING.get(file, file))


def longest_first(items: list[pytest.Item]) -> None:
    """Sort collected tests in place; those of one unit keep their order."""
    items.sort(key=lambda item: _PLACE.get(unit_of(item.nodeid), len(_PLACE)))


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Scheduler of pytest-xdist that hands out units in the order in which they were collected."""
    from xdist.scheduler import LoadFileScheduling

    class UnitScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False
    return UnitScheduling(config, log)
