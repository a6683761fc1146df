"""The resource ``compute``: where the fields of view of a step are processed."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import dagster as dg

from autophagy_assets.config import settings


class ComputeResource(dg.ConfigurableResource):
    """Processes fields of view, on this machine or on a Dask cluster.

    Parameters
    ----------
    place : str, optional
        As ``AUTOPHAGY_COMPUTE``, which is the default: address of a Dask scheduler, or path of a
        cluster file; without either it is this machine.
    """

    place: str | None = None

    @property
    def elsewhere(self) -> bool:
        """Whether a field may be processed on another machine."""
        return self._place is not None

    @property
    def _place(self) -> str | None:
        return self.place or settings.compute()

    @property
    def name(self) -> str:
        """Where fields are processed, in words."""
        return self._place or "this machine"

    def map(
        self,
        function: Callable[[Any], Any],
        jobs: Sequence[Any],
        names: Callable[[], Sequence[str]],
        tell: Callable[[str], object],
        dashboard: Callable[[str], object],
        *,
        here: bool = False,
    ) -> Generator[tuple[Any, Any], None, None]:
        """Apply a function to every job, one for each field.

        Parameters
        ----------
        function : callable
            Takes one job. Has to be importable, as jobs and results have to be picklable.
        jobs : sequence
            One item per field of view.
        names : callable
            Gives what each job is, among all that workers elsewhere may get.
        tell : callable
            Gets a sentence for whoever follows the work.
        dashboard : callable
            Gets the address of Dask's dashboard, where there is one.
        here : bool
            On this machine, do it in this process, one after the other.

        Yields
        ------
        job : object
            One of ``jobs``, as each is done, in any order.
        outcome : object or Exception
            What the function returned, or the exception with which it failed.

        Raises
        ------
        InputError
            If there is a cluster, and it cannot be reached, has no worker of this version, or ends.
        """
        place = self._place
        if place is None:
            from autophagy_assets.compute.pool import map_fields

            yield from map_fields(function, jobs, 1 if here else settings.workers())
            return
        from autophagy_assets.assets.imaging.installation import installation
        from autophagy_assets.compute.cluster import Cluster
        from autophagy_assets.compute.slurm import scheduler_of

        with scheduler_of(place) as address:
            cluster = Cluster(address, installation(), tell=tell, dashboard=dashboard)
            yield from cluster.map_fields(function, jobs, names())
