"""Counting what really ran: Dagster's events of steps, LaminDB's records of fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from autophagy_assets_tests.platform import Platform


@dataclass
class Executed:
    """What ran in a stretch of time.

    Parameters
    ----------
    steps : list of str
        Assets whose step was started, ``asset`` or ``asset[partition]``; one that was tried
        twice stands there twice. Asset checks are left out.
    fields : list of str
        Fields of view of which crops were made, or made again, as ``sample/field``.
    """

    steps: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)

    @property
    def assets(self) -> set[str]:
        """Assets of the steps."""
        return {step.split("[")[0] for step in self.steps}


@contextmanager
def executed(platform: Platform) -> Iterator[Executed]:
    """Note what runs while the context lasts; the record is complete after its end."""
    from autophagy_assets.registry.store.instance import connect

    ln, noted = connect(), Executed()
    earlier = {run.run_id for run in platform.instance.get_runs()}
    last = max(ln.Run.filter().values_list("id", flat=True), default=0)
    yield noted
    noted.steps = steps_of(platform.instance, platform.defs, earlier)
    crops = ln.Artifact.filter(key__endswith="/single_cell_data.h5ad")
    made = {*crops.filter(run__id__gt=last), *crops.filter(recreating_runs__id__gt=last)}
    noted.fields = sorted("/".join(artifact.key.split("/")[-3:-1]) for artifact in made)


def steps_of(
    instance: dg.DagsterInstance, defs: dg.Definitions, earlier: Collection[str] = ()
) -> list[str]:
    """Steps of all runs but earlier ones, as :class:`Executed` has them."""
    graph = defs.resolve_asset_graph()
    assets = {key.to_user_string() for key in graph.materializable_asset_keys}
    found = []
    for run in instance.get_runs():
        if run.run_id in earlier:
            continue
        partition = run.tags.get("dagster/partition")
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_START):
            if (step := entry.step_key or "") in assets:
                found.append(f"{step}[{partition}]" if partition else step)
    return found
