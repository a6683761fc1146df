"""Batches that outlive the run that sent them, for a later run with the same jobs.

Dask drops a task when the last client that wants it has gone. So a batch is *published* while it is
on its way, which keeps it and what comes of it on the scheduler, with the name of each job: what a
job is, so that the same work has the same name in whichever run. Whoever asks for jobs of these
names takes such a batch over instead of sending them, so no field is worked on twice; but for a
batch whose sender was killed between sending and publishing it, which does no harm.

That is sound since a partition is never made twice at once on one home, and a name holds the
folder of the store: a batch with the name of a job is of a run that has ended. What is taken is
withdrawn only after all of it was taken, and what was stopped on purpose is withdrawn at once.

A batch that nobody asks for again stays, at most two of a run for each worker, until the scheduler
ends; what comes of it is small, as files are in the store. Should they be tidied up there before
somebody asks, as files without a record, then the step that misses them has them made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def keep(client: Any, resource: str, future: Any, names: Sequence[str]) -> None:
    """Publish a batch, so that it outlives its sender.

    Parameters
    ----------
    client : distributed.Client
    resource : str
        What workers with the code and the versions of the sender offer.
    future : distributed.Future
        The batch.
    names : sequence of str
        Of its jobs, in its order.
    """
    kept = {"names": list(names), "future": future}
    client.publish_dataset(kept, name=_name(resource, future))


def withdraw(client: Any, resource: str, future: Any) -> None:
    """Unpublish a batch; one that was not published is left alone."""
    client.unpublish_dataset(_name(resource, future))


def take_over(
    client: Any, resource: str, wanted: Mapping[str, int]
) -> list[tuple[Any, list[int | None]]]:
    """Find batches that an earlier run has left.

    Parameters
    ----------
    wanted : mapping of str to int
        Number of each job that is to be done, by its name.

    Returns
    -------
    list of (distributed.Future, list of int or None)
        A batch, and which job each of its own is; None for one that is not wanted, or is in a
        batch before it already.
    """
    left, found = dict(wanted), []
    for name in client.list_datasets() if wanted else ():
        if not str(name).startswith(f"{resource}/"):
            continue
        kept = client.get_dataset(name, default=None)
        numbers = [left.pop(job, None) for job in kept["names"]] if kept else []
        if any(number is not None for number in numbers):
            found.append((kept["future"], numbers))
    return found


def _name(resource: str, future: Any) -> str:
    return f"{resource}/{future.key}"
