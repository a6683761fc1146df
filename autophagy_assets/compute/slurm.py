"""Workers in the queue of a Slurm cluster, as configured in a cluster file.

The scheduler runs in the process that asks, and the jobs end with it. A worker retires before its
job runs out of time, each at another moment, and another job takes its place.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autophagy_assets.errors import InputError

NAME = "autophagy-workers"  # of the jobs
PROGRAM = "autophagy_assets.cli.dask_worker"
# Of the time of a job: when its workers retire, and by how much that differs between them.
LIFETIME, STAGGER = 0.88, 0.06
IDLE_LOOKS, LOOK_S = 60, 10.0  # a job that had nothing to do for so long is given back


class Queue(BaseModel):
    """Content of a cluster file; memory, cores and time are those of a job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: Literal["slurm"]
    queue: str
    cores: int = Field(gt=0)
    memory: str
    minutes: int = Field(gt=0)
    most_jobs: int = Field(gt=0)
    fewest_jobs: int = Field(default=1, gt=0)
    wait_minutes: float = Field(default=60, gt=0)
    account: str | None = None
    interface: str | None = None
    port: int = 0
    logs: Path | None = None
    python: str = sys.executable
    options: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Queue:
        """Read the file.

        Raises
        ------
        InputError
            If it is not there, or an entry is not known, missing or wrong.
        """
        try:
            entries = yaml.safe_load(file.read_text(encoding="utf-8"))
            if isinstance(entries, dict) and entries.get("place") == "kubernetes":
                raise InputError(
                    f"Cluster file {file}, entry place: on Kubernetes workers are started with "
                    "deploy/kubernetes/workers.yaml; give AUTOPHAGY_COMPUTE the address of their "
                    "scheduler, such as tcp://autophagy-scheduler:8786."
                )
            return cls.model_validate(entries)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"Cluster file {file} cannot be read ({error}).") from error
        except ValidationError as error:
            first = error.errors()[0]
            entry = ".".join(map(str, first["loc"])) or "as a whole"
            raise InputError(
                f"Cluster file {file}, entry {entry}: {first['msg']}; docs/scaling.md has the "
                "entries."
            ) from error


def is_file(place: str) -> bool:
    """Whether a place is the path of a cluster file, and not the address of a scheduler."""
    return place.endswith((".yaml", ".yml"))


@contextmanager
def scheduler_of(place: str) -> Iterator[str]:
    """Address of the scheduler of a place; jobs of a cluster file last as long as the context."""
    if not is_file(place):
        yield place
        return
    with workers_in_queue(Path(place)) as address:
        yield address


@contextmanager
def workers_in_queue(file: Path) -> Iterator[str]:
    """Run workers in the queue for as long as the context lasts.

    Parameters
    ----------
    file : pathlib.Path
        Says what is asked of Slurm.

    Yields
    ------
    str
        Address of the scheduler that the workers join.

    Raises
    ------
    InputError
        If the file is wrong, dask-jobqueue is not installed, Slurm refuses such a job, or none
        begins in time.
    """
    queue = Queue.read(file)
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise InputError(
            "Workers in the queue of Slurm need dask-jobqueue: pip install "
            "'autophagy-assets[slurm]'."
        ) from error
    import dask

    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        cluster = SLURMCluster(**_asked(queue))
    with cluster:
        _test(cluster.job_script(), file)
        cluster.scale(jobs=queue.fewest_jobs)  # now, and not at the first look
        cluster.adapt(
            minimum_jobs=queue.fewest_jobs,
            maximum_jobs=queue.most_jobs,
            interval=f"{LOOK_S} s",
            wait_count=IDLE_LOOKS,
        )
        try:
            cluster.wait_for_workers(1, timeout=60 * queue.wait_minutes)
        except TimeoutError as error:
            raise InputError(
                f"No job of {file} has brought a worker within {queue.wait_minutes:g} min "
                f"({_reasons()}): look at 'squeue', and at the logs of the jobs; wait_minutes in "
                "that file sets how long."
            ) from error
        yield cluster.scheduler_address


def _asked(queue: Queue) -> dict[str, Any]:
    seconds = 60 * queue.minutes
    lifetime = ["--lifetime", f"{LIFETIME * seconds:.0f}s"]
    stagger = ["--lifetime-stagger", f"{STAGGER * seconds:.0f}s"]
    return {
        "queue": queue.queue,
        "job_name": NAME,
        "account": queue.account,
        "cores": queue.cores,
        "processes": queue.cores,  # each has one thread
        "memory": queue.memory,
        "walltime": f"{queue.minutes // 60:02d}:{queue.minutes % 60:02d}:00",
        "interface": queue.interface,
        "python": queue.python,
        "log_directory": str(queue.logs) if queue.logs else None,
        "worker_command": PROGRAM,
        "worker_extra_args": ["--nworkers", str(queue.cores), *lifetime, *stagger],
        "job_extra_directives": list(queue.options),
        "job_directives_skip": list(queue.leave_out),
        "scheduler_options": {"dashboard_address": "127.0.0.1:0", "port": queue.port},
    }


def _reasons() -> str:
    """Why jobs of ours wait, as Slurm has it."""
    asked = ["squeue", "--me", "--noheader", "--name", NAME, "--format", "%T %r"]
    done = subprocess.run(asked, capture_output=True, text=True)
    return "; ".join(sorted({*done.stdout.splitlines()})) or "none is in the queue"


def _test(script: str, file: Path) -> None:
    """Ask Slurm whether it would take such a job, before one is sent."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as job:
        job.write(script)
        job.flush()
        try:
            asked = ["sbatch", "--test-only", job.name]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
        except FileNotFoundError as error:
            raise InputError(
                "There is no program 'sbatch' here: run this where jobs are sent to Slurm."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise InputError("Slurm has not answered for a minute: try 'sinfo'.") from error
    if done.returncode:
        said = " ".join(done.stderr.split()).removeprefix("sbatch: error: ")
        raise InputError(f"Slurm refuses the jobs of {file}: {said}")
