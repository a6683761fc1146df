"""Workers of a Dask cluster that can be used, and why others cannot."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from autophagy_assets.compute.worker import Installed, describe, resource_of
from autophagy_assets.errors import InputError

if TYPE_CHECKING:
    from autophagy_assets.compute.cluster import Cluster

LOOK_S = 1.0  # between two looks at the workers
AGAIN = "What is finished is kept: 'autophagy refresh' does the rest."


class UsableWorkers:
    """Counts the workers whose installation is that of the process that sends them work.

    Attributes
    ----------
    count : int
        As of the last look.
    """

    def __init__(self, cluster: Cluster, client: Any) -> None:
        self.cluster, self.client, self.count = cluster, client, 0
        self._resource = resource_of(cluster.installed)
        self._looked, self._had_workers = -float("inf"), time.monotonic()
        self._told: set[str] = set()

    def look(self, waiting: bool) -> None:
        """Count them, where the last look is not just now; give up where there were none too long.

        Parameters
        ----------
        waiting : bool
            Whether work has been sent already.

        Raises
        ------
        InputError
            If none of the workers that are there can be used, or there was none for too long.
        """
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        known = self.client.scheduler_info(n_workers=-1)["workers"]
        offers = {name: self._resource in worker["resources"] for name, worker in known.items()}
        self.count = sum(offers.values())
        why = self._why_not(sorted(name for name, usable in offers.items() if not usable))
        if self.count:
            self._had_workers = self._looked
        elif why and not waiting:
            raise InputError(f"No worker at {self.cluster.address} can be used: {why}")
        elif self._looked - self._had_workers > self.cluster.patience_s:
            raise InputError(
                f"The scheduler at {self.cluster.address} has had no worker for "
                f"{self.cluster.patience_s:.0f} s: look whether they run ('autophagy serve "
                f"workers', or the queue of the cluster) and what their logs say. {AGAIN}"
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
