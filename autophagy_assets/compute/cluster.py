"""Processing of many fields of view on a Dask cluster.

What belongs here is the side that asks for the work. How it is sent is in ``sent_batches``, what a
worker does in ``worker``, what becomes of it where the sender is killed in ``kept_batches``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from autophagy_assets.compute.sent_batches import Work
from autophagy_assets.compute.worker import Installed
from autophagy_assets.errors import InputError

Job = TypeVar("Job")
Result = TypeVar("Result")

CONNECT_S = 10.0
PATIENCE_S = 120.0


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
    dashboard : callable
        Gets the address of Dask's dashboard, where the scheduler has one.
    """

    address: str
    installed: Installed
    patience_s: float = PATIENCE_S
    tell: Callable[[str], object] = lambda sentence: None
    dashboard: Callable[[str], object] = lambda address: None

    def map_fields(
        self,
        function: Callable[[Job], Result],
        jobs: Iterable[Job],
        names: Sequence[str] | None = None,
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """Apply a function to every job on the workers of the cluster.

        Parameters
        ----------
        function : callable
            Takes one job. Has to be importable there (a module's function, or a
            ``functools.partial`` of one), as jobs and results have to be picklable.
        jobs : iterable
            One item per field of view.
        names : sequence of str, optional
            What each job is, among all that the workers get. With it the workers end their
            batches where this process is killed, and who asks for the same next has what comes
            of them.

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
        What has been yielded is done with when the next one is asked for.
        """
        listed = list(jobs)
        if not listed:
            return
        with self._client() as client:
            services = client.scheduler_info(n_workers=0)["services"]
            if "dashboard" in services:
                self.dashboard(f"http://127.0.0.1:{services['dashboard']}/status")
            work = Work(self, client, function, listed, names)
            try:
                for number, outcome in work.outcomes():
                    yield listed[number], outcome
            finally:
                work.take_back()

    @contextmanager
    def _client(self) -> Iterator[Any]:
        from distributed import Client, Security

        # Dask finds out too late, and leaves a client that hangs when it is collected.
        if (
            self.address.startswith("tls://")
            and not (Security().get_connection_args("client")["ssl_context"])
        ):
            raise InputError(
                f"{self.address} asks for certificates, and Dask knows none here: set "
                "DASK_DISTRIBUTED__COMM__TLS__CA_FILE and those of the client (docs/scaling.md)."
            )
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
