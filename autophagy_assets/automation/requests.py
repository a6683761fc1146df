"""Requests: which Dagster runs make what is out of date.

Each is an ordinary run of assets in one partition. The sensors hand them to Dagster's queue;
``autophagy refresh`` runs the same ones in its own process.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import dagster as dg

from autophagy_assets.staleness.partitions import (
    GENOTYPE_PARTITIONS,
    KNOCKOUT_PARTITIONS,
    MODEL_PARTITIONS,
    SAMPLE_PARTITIONS,
)
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target

# Jobs of ordinary asset runs, by the name of their partitions: a job has one kind of them.
ASSET_JOBS = {
    SAMPLE_PARTITIONS: "make_samples",
    GENOTYPE_PARTITIONS: "make_genotypes",
    KNOCKOUT_PARTITIONS: "make_knockouts",
    MODEL_PARTITIONS: "make_models",
    None: "make_study",
}
REASON_TAG, REQUEST_TAG = "autophagy/reason", "autophagy/request"
PROCESS_TAG = "autophagy/process"  # of runs without a daemon: the process that runs them
_LONGEST_TAG = 250
QUEUED = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)
AT_WORK = (
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


@dataclass(frozen=True)
class Request:
    """Targets that one Dagster run makes.

    Parameters
    ----------
    partitions_name : str or None
        Name of the partitions, such as ``sample``.
    targets : tuple of Target
        In an order in which they can be made.
    then : tuple of Target
        Of the same partition; they wait for these and for nothing else.
    """

    partitions_name: str | None
    partition: str | None
    targets: tuple[Target, ...]
    then: tuple[Target, ...] = ()

    def key(self, plan: Plan) -> str:
        """Run key: the same as long as code, parameters and inputs of the run do not change."""
        keys = [f"{target} {plan.verdicts[target].key}" for target in self.targets]
        return sha256("\n".join(keys).encode()).hexdigest()[:32]

    def tags(self, plan: Plan) -> dict[str, str]:
        """Tags of the run: the reason why its first asset is made."""
        reasons = [plan.ready[target] for target in self.targets if target in plan.ready]
        return {REQUEST_TAG: self.key(plan), REASON_TAG: "; ".join(reasons[:1])[:_LONGEST_TAG]}

    def run_request(self, plan: Plan, prefix: str = "") -> dg.RunRequest:
        """The request as a sensor gives it to Dagster, which launches one run for a run key, ever.

        Parameters
        ----------
        prefix : str
            Another one has what has failed tried again.
        """
        return dg.RunRequest(
            job_name=ASSET_JOBS[self.partitions_name],
            run_key=prefix + self.key(plan),
            asset_selection=[target.key for target in self.targets],
            partition_key=self.partition,
            tags=self.tags(plan),
        )


def requests(plan: Plan, targets: Iterable[Target]) -> list[Request]:
    """Divide targets into runs, each of one partition, in an order in which they can be made.

    Parameters
    ----------
    targets : iterable of Target
        In an order in which they can be made.
    """
    left, result = dict.fromkeys(targets), list[Request]()
    sharing = _by_run(plan, left)
    waiting = _by_run(plan, (target for target in plan.upstream if target in plan.waiting))
    for first in list(left):
        if first not in left:
            continue
        run, taken = (plan.partitions_of[first.asset], first.partition), list[Target]()
        for target in sharing[run]:
            if target in left and left.keys().isdisjoint(plan.upstream[target]):
                taken.append(target)
                del left[target]
        then = list[Target]()
        for target in waiting.get(run, []):
            above = plan.upstream[target]
            if all(one in plan.fresh or one in taken or one in then for one in above):
                then.append(target)
        result.append(Request(*run, tuple(taken), tuple(then)))
    return result


def launchable(plan: Plan, wanted: Iterable[Request], busy: Iterable[Target]) -> list[Request]:
    """Requests whose runs could begin now: all that they are made from is up to date.

    Parameters
    ----------
    busy : iterable of Target
        What other runs are making, or are about to make.
    """
    held = set(busy) | plan.downstream_of(busy)
    return [
        request
        for request in wanted
        if held.isdisjoint(request.targets)
        and all(
            one in plan.fresh or one in request.targets
            for target in request.targets
            for one in plan.upstream[target]
        )
    ]


def _by_run(
    plan: Plan, targets: Iterable[Target]
) -> dict[tuple[str | None, str | None], list[Target]]:
    """Targets that one run could make, by name and partition."""
    found: dict[tuple[str | None, str | None], list[Target]] = {}
    for target in targets:
        found.setdefault((plan.partitions_of[target.asset], target.partition), []).append(target)
    return found


def in_progress(instance: dg.DagsterInstance, queued: bool = False) -> dict[Target, str]:
    """Targets that runs are making now.

    Parameters
    ----------
    queued : bool
        Add what runs that have not begun yet are about to make.

    Returns
    -------
    dict
        Target to the id of the run.
    """
    busy = {}
    statuses = [*AT_WORK, *(QUEUED if queued else ())]
    for run in instance.get_runs(dg.RunsFilter(statuses=statuses)):
        partition = run.tags.get("dagster/partition")
        for key in run.asset_selection or ():
            busy[Target(key.to_user_string(), partition)] = run.run_id
    return busy
