"""Batches of jobs for the workers of a Dask cluster: sent in a window, and retried elsewhere.

A worker that ends in the middle of a batch says nothing any more, but it has said which job it had
begun. That job is under suspicion, the others of the batch are not: the batch is sent once more,
then job by job, and a job with which three workers have ended is given back as failed.
"""

from __future__ import annotations

import pickle
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autophagy_assets.compute.fork_server import WorkerDied
from autophagy_assets.compute.kept_batches import keep, take_over, withdraw
from autophagy_assets.compute.usable_workers import AGAIN, LOOK_S, UsableWorkers
from autophagy_assets.compute.worker import TOPIC, Batch, Outdated, do_batch, resource_of
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.compute.cluster import Cluster

LONGEST_BATCH = 32
WINDOW = 2  # batches for each worker: the next one is there when one ends
TRIES = 3
MOST_SENT = 10  # of a batch whose workers ended before they had begun any of it
ANSWER_S = 10.0
_ENDED = (
    "{number} processes have ended while they had this field, the last one at {last} (most often "
    "for lack of memory, or of time: give workers more of it)."
)


@dataclass
class _Sent:
    """A batch that was sent; ``tries`` counts how often it was.

    A job without a number is of whoever has sent the batch, and of no use here.
    """

    numbers: list[int | None]
    tries: int
    begun: list[int] = field(default_factory=list)


class Work:
    """Jobs and their state: not sent, to be sent again, or sent."""

    def __init__(
        self,
        cluster: Cluster,
        client: Any,
        function: Callable[[Any], Any],
        jobs: list[Any],
        names: Sequence[str] | None,
    ) -> None:
        self.cluster, self.client, self.function, self.jobs = cluster, client, function, jobs
        self.names = names
        self.resource = resource_of(cluster.installed)
        self.fresh = list(range(len(jobs)))[::-1]
        self.again: list[_Sent] = []
        self.sent: dict[Any, _Sent] = {}
        self.faults: Counter[int] = Counter()
        self.workers = UsableWorkers(cluster, client)

    def outcomes(self) -> Iterator[tuple[int, Any]]:
        """Number and outcome of every job, as they end."""
        self.client.subscribe_topic(TOPIC, self._note)
        self._take_over()
        while self.fresh or self.again or self.sent:
            with self._noticing():
                self.workers.look(waiting=bool(self.sent))
            self._send()
            for future in self._ended():
                if (answer := self._answer(future)) is not None:
                    yield from self._taken(answer, self.sent[future])
                    self._let_go([future])
                    del self.sent[future]

    def take_back(self) -> None:
        """Cancel all batches that have not begun."""
        if self.sent and self.client.status == "running":
            with suppress(InputError):  # the scheduler has ended just now, with all of it
                self._let_go(self.sent)
            self.client.cancel(list(self.sent))

    def _take_over(self) -> None:
        """Wait for the batches of a run that was killed, rather than do them again."""
        if self.names is None:
            return
        wanted = {name: number for number, name in enumerate(self.names)}
        with self._noticing():
            for future, numbers in take_over(self.client, self.resource, wanted):
                self.sent[future] = _Sent(numbers, 1)
        taken = {number for batch in self.sent.values() for number in batch.numbers} - {None}
        self.fresh = [number for number in self.fresh if number not in taken]
        if taken:
            self.cluster.tell(
                f"{len(taken)} fields were sent to the workers by a run that was killed; what "
                "comes of them is used."
            )

    def _let_go(self, futures: Iterable[Any]) -> None:
        if self.names is not None:
            with self._noticing():
                for future in futures:
                    withdraw(self.client, self.resource, future)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Say in a sentence that the scheduler has ended."""
        try:
            yield
        except (OSError, CancelledError) as error:
            raise self._lost() from error

    def _note(self, event: tuple[Any, dict[str, Any]]) -> None:
        _, message = event
        for future, batch in list(self.sent.items()):
            if future.key == message["batch"]:
                batch.begun.append(message["begun"])

    def _send(self) -> None:
        while len(self.sent) < WINDOW * self.workers.count and (self.again or self.fresh):
            batch = self.again.pop() if self.again else _Sent(self._next(), 0)
            numbers = [number for number in batch.numbers if number is not None]
            future = self.client.submit(
                do_batch,
                Batch(self.function, [self.jobs[number] for number in numbers]),
                resources={self.resource: 1},
                key=f"autophagy-{uuid.uuid4().hex}",
                pure=False,
            )
            self.sent[future] = _Sent(list(numbers), batch.tries + 1)
            if self.names is not None:
                with self._noticing():
                    keep(self.client, self.resource, future, [self.names[n] for n in numbers])

    def _next(self) -> list[int | None]:
        """Ever smaller batches, so that all workers end at about the same time."""
        size = min(LONGEST_BATCH, max(1, len(self.fresh) // (WINDOW * self.workers.count)))
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

    def _answer(self, future: Any) -> list[tuple[int, Any]] | Exception | None:
        """What has come of a batch that has ended; None where it is done once more."""
        if future.status not in ("finished", "error"):
            raise self._lost()
        try:
            return [pickle.loads(packed) for packed in future.result(ANSWER_S)]
        except TimeoutError:  # its worker has ended with it
            return None
        except CancelledError as error:
            raise self._lost() from error
        except Outdated as error:
            raise InputError(
                f"The code of this platform was changed after the worker {error} was started: "
                "start the workers again."
            ) from error
        except Exception as error:
            return error

    def _taken(
        self, answer: list[tuple[int, Any]] | Exception, batch: _Sent
    ) -> Iterator[tuple[int, Any]]:
        """Outcomes of a batch; what is to be tried again goes back."""
        from distributed import KilledWorker

        if isinstance(answer, KilledWorker):
            yield from self._killed(answer.last_worker.address, batch)
            return
        every = range(len(batch.numbers))
        outcomes = [(i, answer) for i in every] if isinstance(answer, Exception) else answer
        for position, outcome in outcomes:
            if (number := batch.numbers[position]) is None:
                continue
            # The next worker may have a disk that is not full, or more memory.
            if isinstance(outcome, (OSError, MemoryError)) and self._may_try_again(number):
                self.cluster.tell(f"A field is tried again elsewhere: {outcome}")
                self.again.append(_Sent([number], batch.tries))
            else:
                yield number, outcome
        answered = {batch.numbers[position] for position, _ in outcomes}
        left = [number for number in batch.numbers if number not in {None, *answered}]
        if left:
            self.again.append(_Sent(left, batch.tries))

    def _killed(self, last: str, batch: _Sent) -> Iterator[tuple[int, Any]]:
        """Outcome of what has ended too many workers; the rest of its batch goes back."""
        suspect = batch.numbers[batch.begun[-1]] if batch.begun else None
        self.cluster.tell(f"The worker {last} has ended; its fields are tried again elsewhere.")
        left = [number for number in batch.numbers if number is not None]
        if suspect is not None and not self._may_try_again(suspect):
            left.remove(suspect)
            yield suspect, WorkerDied(_ENDED.format(number=TRIES, last=last))
        elif suspect is None and batch.tries >= MOST_SENT:
            yield from ((n, WorkerDied(_ENDED.format(number=MOST_SENT, last=last))) for n in left)
            return
        whole = batch.tries == 1
        parts: list[list[int | None]] = [[*left]] if whole else [[number] for number in left]
        self.again += [_Sent(part, batch.tries) for part in parts if part]

    def _may_try_again(self, number: int) -> bool:
        self.faults[number] += 1
        return self.faults[number] < TRIES

    def _lost(self) -> InputError:
        return InputError(
            f"The scheduler at {self.cluster.address} has ended or was restarted: look whether "
            f"it runs and what its log says. {AGAIN}"
        )
