"""The rounds of a refresh: level by level, until nothing is left to be made.

What changes meanwhile is made as well. Where runs are launched is ``launcher``; what is to be
launched next says ``next_runs``.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import dagster as dg

from autophagy_assets.assets.imaging.samples import GROUP as IMAGING
from autophagy_assets.automation.launcher import run_requests
from autophagy_assets.automation.next_runs import Look, look
from autophagy_assets.automation.requests import Request, requests
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.staleness.partitions import GENOTYPE_PARTITIONS, SAMPLE_PARTITIONS, control_of
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target

Progress = Callable[[Target, str], None]
_WAIT_S = 2.0  # between two looks at what other runs are making
_MOST_TRIES = 3  # of a partition in one refresh, should images or study change again and again


@dataclass
class Refreshed:
    """Result of a refresh.

    Parameters
    ----------
    made : list of Target
        Each once, in the order in which they were first made.
    failed : dict
        Target to what went wrong.
    skipped : set of Target
        Not made because what they depend on failed.
    fresh : int
        Number of targets that are up to date, those just made among them.
    held : set of Target
        Out of date, or perhaps so, and not made because what they depend on is out of date and
        was not to be made.
    left : dict
        Target to why it is still out of date, for no reason that was given above: it changed
        again while the refresh went on.
    """

    made: list[Target] = field(default_factory=list)
    failed: dict[Target, str] = field(default_factory=dict)
    skipped: set[Target] = field(default_factory=set)
    fresh: int = 0
    held: set[Target] = field(default_factory=set)
    left: dict[Target, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether everything that was to be made is up to date."""
        return not (self.failed or self.skipped or self.held or self.left)


def require_control(instance: dg.DagsterInstance, study: Study) -> None:
    """Refuse to begin without images of the control.

    Parameters
    ----------
    instance : dagster.DagsterInstance
        Its partitions have been filled.

    Raises
    ------
    InputError
        If there is nothing to work on, or no control.
    """
    known = instance.get_dynamic_partitions(GENOTYPE_PARTITIONS)
    if not known:
        raise InputError(
            f"Study {study.name!r} has no images yet; run 'autophagy ingest DIR' first, or set "
            "AUTOPHAGY_SOURCE to an instance that has them."
        )
    if control_of(study) not in known:
        raise InputError(
            f"Study {study.name!r} has no images of its control {study.control!r}, only of "
            f"{', '.join(sorted(known))}; ingest them, or name the control in the study file."
        )


class Rounds:
    """One refresh: look at everything, make what is out of date, look again.

    Parameters
    ----------
    study_file, progress, workers, parts, verify
        As in :func:`autophagy_assets.automation.refresh.refresh`.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        study_file: str | None,
        progress: Progress,
        workers: int | None,
        parts: Collection[str] | None,
        verify: bool,
    ) -> None:
        self._instance, self._study_file = instance, study_file
        self._progress, self._workers, self._parts = progress, workers, parts
        self._verify = verify
        self._done = Refreshed()
        self._tried: set[tuple[Target, str]] = set()
        self._tries: Counter[Target] = Counter()
        self._just_failed: set[Target] = set()
        self._last: Look | None = None

    def run(self) -> Refreshed:
        """Make what is out of date until nothing is left, or nothing more can be done."""
        while True:
            state = self._look()
            todo = self._todo(state)
            for batch in _batches(requests(state.plan, todo), state.chosen):
                self._run_batch(batch, state)
            if not todo and state.busy:
                time.sleep(_WAIT_S)
            elif not todo:
                return self._end(state)

    def _look(self) -> Look:
        state = self._last = look(
            self._instance,
            self._study_file,
            self._parts,
            verify=self._verify,
            queued=False,
            before=self._last,
        )
        # Samples can be imaged before the control is there; nothing else can be made.
        if self._parts is None or set(self._parts) != {IMAGING}:
            require_control(self._instance, state.study)
        self._verify = False  # what was made since has been verified as it was written
        return state

    def _todo(self, state: Look) -> list[Target]:
        plan = state.plan
        # What failed was made from what there is now: not tried again before that changes.
        self._tried |= {(t, plan.verdicts[t].key) for t in self._just_failed if t in plan.verdicts}
        self._just_failed.clear()
        stopped = [t for t in self._done.failed if t in plan.fresh or self._was_tried(t, plan)]
        left_alone = plan.downstream_of([*stopped, *state.busy]) | state.busy
        todo = [t for t in state.todo if t not in left_alone and not self._was_tried(t, plan)]
        for target in todo:
            self._progress(target, "planned")
        return todo

    def _was_tried(self, target: Target, plan: Plan) -> bool:
        known = (target, plan.verdicts[target].key) in self._tried
        return known or self._tries[target] >= _MOST_TRIES

    def _run_batch(self, batch: list[Request], state: Look) -> None:
        """Run requests and note what became of their targets."""
        plan = state.plan
        blocked = plan.downstream_of(self._done.failed)
        wanted = [
            replace(request, targets=left)
            for request in batch
            if (left := tuple(target for target in request.targets if target not in blocked))
        ]
        known = {target for request in wanted for target in request.targets}
        for target in known:
            self._tried.add((target, plan.verdicts[target].key))
            self._tries[target] += 1
        for target in (target for request in wanted for target in request.targets):
            self._progress(target, "running")
        tagged = [(request, request.tags(plan)) for request in wanted]
        for request, errors in run_requests(tagged, state.defs, self._instance, self._workers):
            for target in request.targets:
                if target not in known:
                    known.add(target)
                    self._progress(target, "planned")
            late = plan.downstream_of(errors)
            for target in request.targets:
                if target in errors:
                    self._done.failed[target] = errors[target]
                    self._just_failed.add(target)
                    self._progress(target, "failed")
                elif target not in late:
                    self._done.failed.pop(target, None)
                    self._done.made += [] if target in self._done.made else [target]
                    self._progress(target, "made")

    def _end(self, state: Look) -> Refreshed:
        done, plan, chosen = self._done, state.plan, state.chosen
        done.held = state.held
        done.skipped = plan.downstream_of(done.failed) - set(done.failed) - plan.fresh
        explained = {*done.failed, *done.skipped, *done.held}
        waits = dict.fromkeys(plan.waiting, "what it is made from is out of date")
        done.left = {
            target: reason
            for target, reason in (plan.ready | waits).items()
            if target.asset in chosen and target not in explained
        }
        done.fresh = len(plan.fresh)
        return done


def _batches(planned: list[Request], chosen: set[str]) -> list[list[Request]]:
    """Requests of samples may run at the same time; every other one runs alone."""
    samples = [
        replace(request, then=tuple(target for target in request.then if target.asset in chosen))
        for request in planned
        if request.partitions_name == SAMPLE_PARTITIONS
    ]
    others = [[request] for request in planned if request.partitions_name != SAMPLE_PARTITIONS]
    return [samples, *others] if samples else others
