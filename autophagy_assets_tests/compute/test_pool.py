"""The functions below run in other processes, so they stand at module level."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autophagy_assets.compute import pool as compute
from autophagy_assets.compute.pool import WorkerDied, default_workers, map_fields
from autophagy_assets.errors import InputError


class Unpicklable(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def square(number):
    return number * number


def work(job):
    kind, value = job
    if kind == "fail":
        raise InputError(f"{value} is bad")
    if kind == "unpicklable":
        raise Unpicklable("cause", value)
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "exit":
        os._exit(3)
    if kind == "lambda":
        return lambda: value
    return value * value


def slow(path):
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


def where_am_i(_):
    return os.getpid()


def surroundings(_):
    import tempfile

    path = Path(tempfile.mkdtemp())
    (path / "left.txt").write_text("left behind")
    return os.environ["OMP_NUM_THREADS"], os.environ["NUMBA_NUM_THREADS"], path


def kill_fork_server(_):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1)


def _gone(pid: int, within: float = 10) -> bool:
    limit = time.monotonic() + within
    while time.monotonic() < limit:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_job_is_answered_with_its_own_result(workers):
    done = dict(map_fields(square, range(20), workers, preload=()))
    assert done == {number: number * number for number in range(20)}


@pytest.mark.parametrize("workers", [1, 2])
def test_no_jobs_give_no_results(workers):
    assert list(map_fields(square, [], workers, preload=())) == []


def test_one_worker_is_this_process():
    assert [pid for _, pid in map_fields(where_am_i, "abc", 1)] == [os.getpid()] * 3


def test_work_apart_leaves_this_process_even_for_a_single_job():
    ((_, pid),) = map_fields(where_am_i, "a", 1, preload=(), apart=True)
    assert pid != os.getpid()
    assert list(map_fields(where_am_i, "", 1, preload=(), apart=True)) == []


def test_workers_are_other_processes():
    pids = {pid for _, pid in map_fields(where_am_i, range(8), 2, preload=())}
    assert os.getpid() not in pids
    assert len(pids) <= 2


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_job_does_not_sink_the_others(workers):
    jobs = [("ok", 1), ("fail", "DAPI.tif"), ("ok", 3), ("ok", 4)]
    done = dict(map_fields(work, jobs, workers, preload=()))
    error = done.pop(("fail", "DAPI.tif"))
    assert isinstance(error, InputError)
    assert str(error) == "DAPI.tif is bad"
    assert done == {("ok", 1): 1, ("ok", 3): 9, ("ok", 4): 16}


@pytest.mark.parametrize(
    ("kind", "reason"), [("kill", "SIGKILL.*fewer workers"), ("exit", "code 3")]
)
def test_a_killed_worker_is_the_error_of_its_job_alone(kind, reason):
    jobs = [("ok", 1), (kind, 0), ("ok", 2), (kind, 1), ("ok", 3), (kind, 2), ("ok", 4)]
    done = dict(map_fields(work, jobs, 2, preload=()))
    assert {job: outcome for job, outcome in done.items() if job[0] == "ok"} == {
        ("ok", number): number * number for number in (1, 2, 3, 4)
    }
    for number in range(3):
        with pytest.raises(WorkerDied, match=reason):
            raise done[kind, number]


@pytest.mark.parametrize(("kind", "reason"), [("unpicklable", "cause and 5"), ("lambda", "lambda")])
def test_what_cannot_be_passed_on_is_reported(kind, reason):
    done = dict(map_fields(work, [(kind, 5), ("ok", 2)], 2, preload=()))
    assert done["ok", 2] == 4
    with pytest.raises(RuntimeError, match=f"{reason}.*cannot be passed between processes"):
        raise done[kind, 5]


def test_the_traceback_of_a_worker_goes_along():
    ((_, error), _) = sorted(
        map_fields(work, [("fail", "x"), ("ok", 1)], 2, preload=()), key=lambda item: item[0][0]
    )
    assert "in work" in "".join(error.__notes__)


def test_a_module_that_cannot_be_imported_fails_every_job():
    done = dict(map_fields(square, range(3), 2, preload=("no_such_module",)))
    assert set(done) == {0, 1, 2}
    assert all(isinstance(error, ModuleNotFoundError) for error in done.values())


def test_a_killed_fork_server_fails_what_is_left_and_does_not_hang():
    done = dict(map_fields(kill_fork_server, range(4), 2, preload=()))
    assert set(done) == {0, 1, 2, 3}
    assert all(isinstance(error, WorkerDied) for error in done.values())


def test_workers_have_one_thread_and_leave_no_temporary_files():
    before = dict(os.environ)
    for _, outcome in map_fields(surroundings, range(2), 2, preload=()):
        *threads, path = outcome
        assert threads == ["1", "1"]
    assert not path.exists()
    assert not path.parent.exists()
    assert dict(os.environ) == before


def test_an_abandoned_iterator_ends_its_processes(tmp_path):
    jobs = [str(tmp_path / "a"), str(tmp_path / "b")]
    iterator = map_fields(slow, [*jobs], 2, preload=())
    with pytest.raises(_Stop):
        _wait_then_stop(iterator, jobs)
    pids = [int(Path(job).read_text()) for job in jobs]
    assert all(_gone(pid) for pid in pids)
    assert not multiprocessing.active_children()


class _Stop(Exception):
    pass


def _wait_then_stop(iterator, jobs):
    def stop(*_):
        if all(Path(job).exists() and Path(job).read_text() for job in jobs):
            raise _Stop

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        list(iterator)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("how", ["kill", "exit"])
def test_workers_end_with_the_process_that_wanted_them(tmp_path, how):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import os, sys, time
            from pathlib import Path
            from autophagy_assets.compute.pool import map_fields

            def job(number):
                Path({str(tmp_path)!r}, f"pid-{{number}}").write_text(str(os.getpid()))
                if number:
                    time.sleep(60)

            if __name__ == "__main__":
                results = map_fields(job, range(3), 2, preload=())
                next(results)
                begun = [Path({str(tmp_path)!r}, f"pid-{{number}}") for number in range(3)]
                while not all(file.exists() and file.read_text() for file in begun):
                    time.sleep(0.05)
                if {how!r} == "kill":
                    os.kill(os.getpid(), 9)
                sys.exit(0)
            """
        )
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}  # what is killed cleans nothing up
    subprocess.run([sys.executable, str(script)], timeout=60, env=environment)
    pids = [int(path.read_text()) for path in tmp_path.glob("pid-*")]
    assert len(pids) == 3
    assert all(_gone(pid) for pid in pids)


def test_workers_by_default_fit_this_machine():
    assert 1 <= default_workers() <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("processors", "gigabytes", "workers"),
    [
        (8, 64, 8),
        (8, 9.5, 8),
        (8, 9.4, 7),
        (8, 4, 2),
        (8, 0.5, 1),
        (1.5, 64, 2),
        (0.2, 64, 1),
        (8, float("inf"), 8),
    ],
)
def test_workers_fit_processors_and_memory(monkeypatch, processors, gigabytes, workers):
    monkeypatch.setattr(compute, "granted_processors", lambda: processors)
    monkeypatch.setattr(compute, "granted_memory", lambda: gigabytes * 1e9)
    assert default_workers() == workers
