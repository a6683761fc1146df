"""Fields on a real Dask cluster: retried elsewhere, excluded, refused; nothing lost or doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

from autophagy_assets.compute.cluster import Cluster
from autophagy_assets.compute.fork_server import WorkerDied
from autophagy_assets.errors import InputError
from autophagy_assets_tests.compute.cluster_jobs import (
    INSTALLED,
    array_in_a_job,
    bad,
    full_disk,
    held,
    noted,
    seceding,
    slow,
    square,
)
from autophagy_assets_tests.compute.dask_cluster import DaskCluster, place
from autophagy_assets_tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dask(tmp_path_factory) -> Iterator[DaskCluster]:
    """A scheduler with two workers of this version, and one of another."""
    cluster = DaskCluster(tmp_path_factory.mktemp("dask"))
    cluster.add_bare()
    cluster.add_bare()
    yield cluster
    cluster.end()


def lines(folder: Path) -> Counter:
    return Counter(int(line.split()[0]) for line in (folder / "done.txt").read_text().splitlines())


def test_every_job_is_answered_with_its_own_result(dask):
    done = list(place(dask).map_fields(square, range(100)))
    assert sorted(done) == [(number, number * number) for number in range(100)]
    assert list(place(dask).map_fields(square, [])) == []


def test_arrays_of_a_job_are_computed_where_the_job_is(dask):
    """Dask would send them round the cluster, and share what comes back."""
    done = dict(place(dask).map_fields(array_in_a_job, range(12)))
    assert done == dict.fromkeys(range(12), True)


def test_workers_are_not_profiled(dask):
    """What the frames hold would be closed later now and then: an HDF5 file had other bytes."""
    with Client(dask.address, set_as_default=False) as client:
        found = client.run(lambda dask_worker: "profile" in dask_worker.periodic_callbacks)
    assert found and not any(found.values())


def test_a_job_that_leaves_the_pool_of_its_worker_does_not_lose_the_rest_of_its_batch(dask):
    assert dict(place(dask).map_fields(seceding, range(12))) == {n: n for n in range(12)}


def test_what_fails_by_itself_is_the_answer_and_is_not_tried_again(dask):
    ((number, error),) = place(dask).map_fields(bad, [3])
    assert (number, str(error)) == (3, "field 3 is bad") and isinstance(error, InputError)
    assert "in bad" in "".join(error.__notes__)


def test_a_full_disk_is_tried_three_times(dask, tmp_path):
    ((_, error),) = place(dask).map_fields(full_disk, [str(tmp_path / "tries")])
    assert isinstance(error, OSError) and error.errno == 28
    assert (tmp_path / "tries").read_text().count("tried") == 3


def test_a_killed_worker_loses_nothing_and_what_it_had_is_done_elsewhere(dask, tmp_path):
    jobs = [(str(tmp_path), number, "once" if number == 5 else "") for number in range(20)]
    told: list[str] = []
    done = [outcome for _, outcome in place(dask, tell=told.append).map_fields(noted, jobs)]
    assert sorted(done) == list(range(20))
    assert lines(tmp_path)[5] == 2
    assert any("has ended; its fields are tried again elsewhere" in one for one in told)


def test_a_job_that_ends_three_workers_fails_alone(dask, tmp_path):
    jobs = [(str(tmp_path), number, "always" if number == 7 else "") for number in range(12)]
    done = {job[1]: outcome for job, outcome in place(dask).map_fields(noted, jobs)}
    reason = done.pop(7)
    assert isinstance(reason, WorkerDied) and "3 processes have ended" in str(reason)
    assert done == {number: number for number in range(12) if number != 7}
    assert lines(tmp_path)[7] == 3


def test_a_worker_with_other_versions_gets_no_work_and_is_reported(dask, tmp_path):
    dask.add_bare(INSTALLED | {"numpy": "1.0"})
    other = dask.workers[-1]
    try:
        dask.wait_for(3)
        told: list[str] = []
        jobs = [(str(tmp_path), number) for number in range(12)]
        done = list(place(dask, tell=told.append).map_fields(slow, jobs))
        assert len(done) == 12
        assert len(told) == 1 and "has numpy 1.0, and here it is 2.0" in told[0]
    finally:
        other.terminate()
        other.wait()


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        (INSTALLED | {"cells.py": "def"}, r"has other code than here \(cells.py\)"),
        (INSTALLED | {"scipy": "1"}, "has scipy none, and here it is 1"),
    ],
)
def test_where_no_worker_can_be_used_the_reason_is_said_at_once(dask, installed, said):
    began = time.monotonic()
    with pytest.raises(InputError, match=said):
        list(Cluster(dask.address, installed).map_fields(square, range(3)))
    assert time.monotonic() - began < 10


def end_in_the_middle(dask: DaskCluster, folder: Path, how: int, named: bool) -> None:
    """Have a process ask for 16 jobs, end it when both workers have begun, and let them go on."""
    script = textwrap.dedent(
        f"""
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever has started the tests
        from autophagy_assets.compute.cluster import Cluster
        from autophagy_assets_tests.compute.cluster_jobs import INSTALLED, held
        jobs = [({str(folder)!r}, number) for number in range(16)]
        names = [str(job) for job in jobs] if {named} else None
        for _ in Cluster({dask.address!r}, INSTALLED).map_fields(held, jobs, names):
            pass
        """
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", script], env=environment, text=True)
    while not (folder / "done.txt").exists() or lines(folder).total() < 2:
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.2)  # until all that can be sent is sent
    process.send_signal(how)
    process.wait(timeout=20)
    time.sleep(0.2)  # until the scheduler has noticed
    (folder / "go").touch()


@pytest.mark.parametrize(("how", "named"), [(signal.SIGINT, True), (signal.SIGKILL, False)])
def test_a_caller_that_leaves_cancels_its_work_on_the_cluster(dask, tmp_path, how, named):
    end_in_the_middle(dask, tmp_path, how, named)
    assert len(list(place(dask).map_fields(square, range(4)))) == 4  # nothing is in its way
    assert lines(tmp_path).total() == 2  # a worker ends what it has, and no more


def test_what_a_killed_run_has_sent_is_done_once_and_is_for_the_next_one(dask, tmp_path):
    end_in_the_middle(dask, tmp_path, signal.SIGKILL, named=True)
    jobs = [(str(tmp_path), number) for number in range(16)][::-1]
    told: list[str] = []
    done = place(dask, tell=told.append).map_fields(held, jobs, [str(job) for job in jobs])
    assert {job[1]: outcome for job, outcome in done} == {n: n for n in range(16)}
    assert lines(tmp_path) == Counter(range(16))
    assert any("by a run that was killed; what comes of them is used" in one for one in told)
    with Client(dask.address, set_as_default=False) as client:
        assert client.list_datasets() == ()


def test_what_has_ended_while_nobody_waited_is_taken_and_what_is_not_asked_for_stays(
    dask, tmp_path
):
    end_in_the_middle(dask, tmp_path, signal.SIGKILL, named=True)
    while lines(tmp_path).total() < 10:  # batches of 4, 3, 2 and 1
        time.sleep(0.05)
    jobs = [(str(tmp_path), number) for number in (1, 5)]
    done = place(dask).map_fields(held, jobs, [str(job) for job in jobs])
    assert sorted(outcome for _, outcome in done) == [1, 5]
    assert lines(tmp_path) == Counter(range(10))
    with Client(dask.address, set_as_default=False) as client:
        assert len(client.list_datasets()) == 2
        for name in client.list_datasets():
            client.unpublish_dataset(name)
