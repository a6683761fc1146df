"""Work on many fields of view on a Dask cluster: batches in a window, tried again elsewhere.

What belongs here is the side that sends the work. What a worker does is in ``worker``.

A worker that ends in the middle of a batch says nothing any more, but it has said which job it had
begun. That job is under suspicion, the others of the batch are not: the batch is sent once more,
then job by job, and a job with which three workers have ended is given back as failed.
"""

from __future__ import annotations

import logging
import pickle
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from autophagy_assets.compute.fork_server import WorkerDied
from autophagy_assets.compute.worker import (
    TOPIC,
    Batch,
    Installed,
    Outdated,
    describe,
    do_batch,
    resource_of,
)
from autophagy_assets.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")

LONGEST_BATCH = 32
WINDOW = 2  # batches for each worker: the next one is there when one ends
TRIES = 3
MOST_SENT = 10  # of a batch whose workers ended before they had begun any of it
LOOK_S = 1.0  # between two looks at the workers
CONNECT_S = 10.0
PATIENCE_S = 120.0
_AGAIN = "What is finished is kept: 'autophagy refresh' does the rest."
_ENDED = (
    "{number} processes have ended while they had this field, the last one at {last} (most often "
    "for lack of memory, or of time: give workers more of it)."
)


@dataclass(frozen=True)
class Cluster:
    """A Dask scheduler whose workers were started for this platform.

    Parameters
    ----------
    address : str
        Such as ``tcp://127.0.0.1:8786``.
    installed : mapping
        Code and versions that a worker must have.
    patience_s : float
        How long there may be no worker that can be used, s.
    tell : callable
        Gets a sentence for whoever follows the work.
    """

    address: str
    installed: Installed
    patience_s: float = PATIENCE_S
    tell: Callable[[str], object] = lambda sentence: None

    def map_fields(
        self, function: Callable[[Job], Result], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """Apply a function to every job on the workers of the cluster.

        Parameters
        ----------
        function : callable
            Takes one job. Has to be importable there (a module's function, or a
            ``functools.partial`` of one), as jobs and results have to be picklable.
        jobs : iterable
            One item per field of view.

        Yields
        ------
        job : object
            One of ``jobs``, as each is done, in any order.
        outcome : object or Exception
            What the function returned, or the exception with which it failed. ``WorkerDied``
            where three workers have ended with it; a fault of a disk or of memory where it came
            three times.

        Raises
        ------
        InputError
            If nobody answers at the address, no worker can be used, or the scheduler ends.

        Notes
        -----
        Abandoning the iterator takes back what has not begun; a worker ends its current job.
        """
        listed = list(jobs)
        if not listed:
            return
        with self._client() as client:
            work = _Work(self, client, function, listed)
            try:
                for number, outcome in work.outcomes():
                    yield listed[number], outcome
            finally:
                work.take_back()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client

        # What is lost is said here, in a sentence.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        try:
            client = Client(self.address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No Dask scheduler answers at {self.address}: see that 'autophagy serve workers' "
                "runs there and can be reached from here, and that AUTOPHAGY_COMPUTE has its "
                "address."
            ) from error
        try:
            yield client
        finally:
            client.close(timeout=5)


@dataclass
class _Sent:
    """A batch that was sent; ``tries`` counts how often it was."""

    numbers: list[int]
    tries: int
    begun: list[int] = field(default_factory=list)


class _Work:
    """Jobs on their way: not sent, to be sent again, sent."""

    def __init__(
        self, cluster: Cluster, client: Any, function: Callable[[Any], Any], jobs: list[Any]
    ) -> None:
        self.cluster, self.client, self.function, self.jobs = cluster, client, function, jobs
        self.resource = resource_of(cluster.installed)
        self.sender = uuid.uuid4().hex
        self.fresh = list(range(len(jobs)))[::-1]
        self.again: list[_Sent] = []
        self.sent: dict[Any, _Sent] = {}
        self.faults: Counter[int] = Counter()
        self.workers = 0
        self._looked = self._had_workers = -float("inf")
        self._told: set[str] = set()

    def outcomes(self) -> Iterator[tuple[int, Any]]:
        """Number and outcome of every job, as they end."""
        self.client.subscribe_topic(TOPIC, self._note)
        self._had_workers = time.monotonic()
        while self.fresh or self.again or self.sent:
            self._look()
            self._send()
            for future in self._ended():
                yield from self._taken(future, self.sent.pop(future))

    def take_back(self) -> None:
        """Have nothing begin any more."""
        if self.sent and self.client.status == "running":
            self.client.cancel(list(self.sent))

    def _note(self, event: tuple[Any, dict[str, Any]]) -> None:
        _, message = event
        if message["sender"] == self.sender:
            for batch in list(self.sent.values()):
                if message["begun"] in batch.numbers:
                    batch.begun.append(message["begun"])

    def _look(self) -> None:
        """Count the workers that can be used; give up where there were none for too long."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        try:
            known = self.client.scheduler_info(n_workers=-1)["workers"]
        except (OSError, CancelledError) as error:
            raise self._lost() from error
        self.workers = sum(self.resource in worker["resources"] for worker in known.values())
        others = [
            name for name, worker in known.items() if self.resource not in worker["resources"]
        ]
        why = self._why_not(sorted(others))
        if self.workers:
            self._had_workers = self._looked
        elif why and not self.sent:
            raise InputError(f"No worker at {self.cluster.address} can be used: {why}")
        elif self._looked - self._had_workers > self.cluster.patience_s:
            raise InputError(
                f"The scheduler at {self.cluster.address} has had no worker for "
                f"{self.cluster.patience_s:.0f} s: look whether they run ('autophagy serve "
                f"workers', or the queue of the cluster) and what their logs say. {_AGAIN}"
            )

    def _why_not(self, others: list[str]) -> str:
        """What is wrong with workers, told once of each."""
        new = [name for name in others if name not in self._told]
        if not new:
            return ""
        self._told.update(new)
        found = self.client.run(describe, workers=new, on_error="return")
        reasons = [_difference(name, found.get(name), self.cluster.installed) for name in new]
        for reason in reasons:
            self.cluster.tell(f"A worker is not used: {reason}")
        return reasons[0]

    def _send(self) -> None:
        while len(self.sent) < WINDOW * self.workers and (self.again or self.fresh):
            batch = self.again.pop() if self.again else _Sent(self._next(), 0)
            jobs = [(number, self.jobs[number]) for number in batch.numbers]
            future = self.client.submit(
                do_batch,
                Batch(self.sender, self.function, jobs),
                resources={self.resource: 1},
                key=f"autophagy-{uuid.uuid4().hex}",
                pure=False,
            )
            self.sent[future] = _Sent(batch.numbers, batch.tries + 1)

    def _next(self) -> list[int]:
        """Ever smaller batches, so that all workers end at about the same time."""
        size = min(LONGEST_BATCH, max(1, len(self.fresh) // (WINDOW * self.workers)))
        return [self.fresh.pop() for _ in range(size)]

    def _ended(self) -> list[Any]:
        from distributed import wait

        if not self.sent:
            time.sleep(LOOK_S / 10)
            return []
        try:
            with self.client.as_current():
                return list(wait(list(self.sent), LOOK_S, "FIRST_COMPLETED").done)
        except TimeoutError:
            return []
        except CancelledError as error:
            raise self._lost() from error

    def _taken(self, future: Any, batch: _Sent) -> Iterator[tuple[int, Any]]:
        """Outcomes of a batch that has ended; what is to be tried again goes back."""
        from distributed import KilledWorker

        if future.status not in ("finished", "error"):
            raise self._lost()
        try:
            outcomes = [pickle.loads(packed) for packed in future.result(CONNECT_S)]
        except TimeoutError:  # its worker has ended with it, so it is done once more
            self.sent[future] = batch
            return
        except CancelledError as error:
            raise self._lost() from error
        except KilledWorker as error:
            yield from self._killed(error.last_worker.address, batch)
            return
        except Outdated as error:
            raise InputError(
                f"The code of this platform was changed after the worker {error} was started: "
                "start the workers again."
            ) from error
        except Exception as error:
            yield from ((number, error) for number in batch.numbers)
            return
        for number, outcome in outcomes:
            # The next worker may have a disk that is not full, or more memory.
            if isinstance(outcome, (OSError, MemoryError)) and self._may_try_again(number):
                self.cluster.tell(f"A field is tried again elsewhere: {outcome}")
                self.again.append(_Sent([number], batch.tries))
            else:
                yield number, outcome
        if left := sorted({*batch.numbers} - {number for number, _ in outcomes}):
            self.again.append(_Sent(left, batch.tries))

    def _killed(self, last: str, batch: _Sent) -> Iterator[tuple[int, Any]]:
        """Outcome of what has ended too many workers; the rest of its batch goes back."""
        suspect = batch.begun[-1] if batch.begun else None
        self.cluster.tell(f"The worker {last} has ended; its fields are tried again elsewhere.")
        left = list(batch.numbers)
        if suspect is not None and not self._may_try_again(suspect):
            left.remove(suspect)
            yield suspect, WorkerDied(_ENDED.format(number=TRIES, last=last))
        elif suspect is None and batch.tries >= MOST_SENT:
            yield from ((n, WorkerDied(_ENDED.format(number=MOST_SENT, last=last))) for n in left)
            return
        whole = batch.tries == 1
        parts = [left] if whole else [[number] for number in left]
        self.again += [_Sent(part, batch.tries) for part in parts if part]

    def _may_try_again(self, number: int) -> bool:
        self.faults[number] += 1
        return self.faults[number] < TRIES

    def _lost(self) -> InputError:
        return InputError(
            f"The scheduler at {self.cluster.address} has ended or was started anew: look whether "
            f"it runs and what its log says. {_AGAIN}"
        )


def _difference(name: str, theirs: Any, ours: Installed) -> str:
    """In what a worker differs from the process that would send it work."""
    if isinstance(theirs, Exception) or not theirs:
        return f"{name} was not started by 'autophagy serve workers' of this version."
    for what in sorted({*ours, *theirs}, key=lambda what: (what.endswith(".py"), what)):
        mine, other = ours.get(what, "none"), theirs.get(what, "none")
        if mine == other:
            continue
        if what.endswith(".py"):
            return f"{name} has other code than here ({what}): install the same version there."
        return f"{name} has {what} {other}, and here it is {mine}: install the same there."
    return f"{name} is not as it says."
