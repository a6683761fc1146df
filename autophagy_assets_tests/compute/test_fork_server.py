"""Workers that have workers of their own: the fields of a sample that a worker has.

The functions below run in other processes, so they stand at module level.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from autophagy_assets.compute.pool import WorkerDied, map_fields
from autophagy_assets_tests.compute.test_pool import _gone, slow

known_here: list[str] = []


def fields_of_a_sample(sample):
    known_here.append(sample)
    return dict(map_fields(known_before, [f"{sample}1", f"{sample}2"], 2, preload=()))


def known_before(_):
    return os.getpid(), list(known_here)


def killed_while_its_workers_work(path):
    fields = [f"{path}-1", f"{path}-2"]

    def kill_once_they_work():
        while not all(Path(field).exists() for field in fields):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=kill_once_they_work, daemon=True).start()
    return list(map_fields(slow, fields, 2, preload=()))


def test_a_worker_forks_workers_of_its_own_with_all_that_it_has_imported():
    done = dict(map_fields(fields_of_a_sample, ["a", "b"], 2, preload=()))
    assert {field: known for of in done.values() for field, (_, known) in of.items()} == {
        "a1": ["a"],
        "a2": ["a"],
        "b1": ["b"],
        "b2": ["b"],
    }
    assert len({pid for of in done.values() for pid, _ in of.values()} | {os.getpid()}) == 5


def test_a_killed_worker_takes_its_own_workers_along(tmp_path):
    ((path, outcome),) = map_fields(
        killed_while_its_workers_work, [str(tmp_path / "sample")], preload=(), apart=True
    )
    assert isinstance(outcome, WorkerDied)
    assert all(_gone(int(Path(f"{path}-{number}").read_text())) for number in (1, 2))
