"""Workers in the queue of a real Slurm, which runs on this machine for the time of the tests."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from autophagy_assets.compute.cluster import Cluster
from autophagy_assets.compute.slurm import workers_in_queue
from autophagy_assets.errors import InputError
from autophagy_assets_tests.compute.cluster_jobs import slow
from autophagy_assets_tests.compute.slurm_cluster import Slurm, missing
from autophagy_assets_tests.conftest import lacking

pytestmark = pytest.mark.slow

# This Slurm has no account of memory.
ENTRIES = {
    "place": "slurm",
    "queue": "screens",
    "cores": 1,
    "memory": "2 GB",
    "minutes": 30,
    "fewest_jobs": 2,
    "most_jobs": 2,
    "interface": "lo",
    "leave_out": ["--mem"],
}


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[Slurm]:
    if absent := missing():
        lacking(f"no {', '.join(absent)} on this machine")
    pytest.importorskip("dask_jobqueue")
    started = Slurm(tmp_path_factory.mktemp("slurm"))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, started.environment[name])
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
        yield started
    started.end()


def file_of(folder: Path, **changes) -> Path:
    entries = {name: value for name, value in (ENTRIES | changes).items() if value is not None}
    file = folder / "slurm.yaml"
    file.write_text(yaml.safe_dump(entries))
    return file


def jobs_of(slurm: Slurm) -> list[str]:
    return slurm.ask("squeue", "-h", "-o", "%i").split()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"queue": "nights"}, r"Slurm refuses the jobs of \S+slurm.yaml: .*nvalid partition"),
        ({"options": ["--qos-of-ours=1"]}, "Slurm refuses the jobs of .*unrecognized option"),
        ({"memory_gb": 2}, r"slurm.yaml, entry memory_gb: Extra inputs .*docs/scaling.md"),
        ({"cores": 0}, r"slurm.yaml, entry cores: .*greater than 0"),
        ({"queue": None}, r"slurm.yaml, entry queue: Field required"),
        ({"place": "pbs"}, r"slurm.yaml, entry place: Input should be 'slurm'"),
        ({"place": "kubernetes"}, r"slurm.yaml, entry place: .*deploy/kubernetes/workers.yaml"),
    ],
)
def test_what_slurm_or_the_platform_does_not_know_is_said_in_a_sentence(
    slurm, tmp_path, changes, said
):
    with pytest.raises(InputError, match=said), workers_in_queue(file_of(tmp_path, **changes)):
        pass
    assert jobs_of(slurm) == []


def test_jobs_that_do_not_begin_are_not_waited_for_without_end(slurm, tmp_path):
    """This Slurm takes a job that is longer than its partition allows, and lets it wait."""
    file = file_of(tmp_path, wait_minutes=0.1, minutes=600)
    said = r"within 0\.1 min \(PENDING PartitionTimeLimit\): look at 'squeue'"
    with pytest.raises(InputError, match=said), workers_in_queue(file):
        pass
    assert jobs_of(slurm) == []


def test_a_job_that_is_cancelled_loses_nothing_and_none_is_left_in_the_end(slurm, tmp_path):
    from autophagy_assets.assets.imaging.installation import installation

    (tmp_path / "done").mkdir()
    with workers_in_queue(file_of(tmp_path, logs=str(tmp_path))) as address:
        end = time.monotonic() + 120
        while len(jobs_of(slurm)) < 2 and time.monotonic() < end:
            time.sleep(0.2)
        first = jobs_of(slurm)[0]

        def cancel() -> None:
            while len([*(tmp_path / "done").glob("*")]) < 4:
                time.sleep(0.05)
            subprocess.run(["scancel", first], check=True)

        threading.Thread(target=cancel).start()
        jobs = [(str(tmp_path / "done"), number) for number in range(16)]
        done = [outcome for _, outcome in Cluster(address, installation()).map_fields(slow, jobs)]
        assert sorted(done) == list(range(16))
        assert first not in jobs_of(slurm)
    end = time.monotonic() + 20
    while jobs_of(slurm) and time.monotonic() < end:
        time.sleep(0.2)
    assert jobs_of(slurm) == []
