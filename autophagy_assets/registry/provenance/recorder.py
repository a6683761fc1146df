"""Recorder: one LaminDB run for each materialization, and one transform for each asset.

A :class:`Recorder` lives as long as a step: it notes what the step reads and the files
that the step has put in place, and registers all of it in one transaction at the end, so
the records of a step are there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic, process_time
from typing import Any

from autophagy_assets.registry.provenance.runs import (
    Step,
    begin,
    end,
    find_transform,
    link_inputs,
    transform_key,
)
from autophagy_assets.registry.provenance.step_files import StepFiles
from autophagy_assets.registry.store.instance import retried, writing
from autophagy_assets.registry.store.labels import annotate
from autophagy_assets.registry.store.lamin_internals import ERRORED, FINISHED
from autophagy_assets.registry.store.processes import announce
from autophagy_assets.registry.store.registration import keep, register


class Recorder(StepFiles):
    """Registers inputs and outputs of a step with its LaminDB run; one for each step.

    Parameters
    ----------
    step : Step
        What its records say of it.

    Attributes
    ----------
    notes : dict
        JSON-like remarks that are kept with the run.
    parameters : dict
        Parameters of the step, JSON-like: as far as it is known when it begins, and all of it
        when it ends.
    measured : dict
        Numbers that go with what is materialized, such as what it has cost.
    began, began_cpu : float
        When the step began, on the clock of this process, and what the process had used of the
        processor by then, s.
    guard : callable
        Called in the transaction, before anything is registered; raises to prevent it.
    annotations : list of (str, dict)
        Uid of an artifact and the numbers by which people shall find it.
    afterwards : list of callable
        Called once all is registered; take nothing, and only tidy up.
    """

    def __init__(self, step: Step) -> None:
        super().__init__()
        self.step = step
        self.notes: dict[str, Any] = {}
        self.measured: dict[str, Any] = {}
        self.annotations: list[tuple[str, dict[str, Any]]] = []
        self.parameters: dict[str, Any] = dict(step.parameters)
        self.afterwards: list[Callable[[], object]] = []
        self.guard: Callable[[], object] = lambda: None
        self.began, self.began_cpu = monotonic(), process_time()
        self._process = announce()
        self._run_uid: str | None = None

    @property
    def run_uid(self) -> str | None:
        """Uid of the LaminDB run, once it has started."""
        return self._run_uid

    def start(self) -> None:
        """Register the run as started, unless it has."""
        if self._run_uid is None:
            self._run_uid = retried(self._start)

    def _start(self) -> str:
        with writing() as ln:
            transform = find_transform(ln, transform_key(self.step.asset), self.step.code)
            return begin(ln, transform, self.step, self._process).uid

    def annotate(self, uid: str, numbers: Mapping[str, float]) -> None:
        """Attach numbers to an artifact, by which it can be found, when the step ends.

        Parameters
        ----------
        uid : str
            An artifact that the step has read. It has to be an input of the asset: so the step
            runs again for each version of it, even where all else that it reads is the same.
        numbers : mapping
            Such as ``{"auc": 0.79}``; they replace earlier ones of the same name.
        """
        self.annotations.append((uid, dict(numbers)))

    def finish(self) -> None:
        """Register the outputs and the inputs, and the run as finished: all or nothing."""
        self.start()
        retried(self._finish)
        for tidy in self.afterwards:
            tidy()

    def _finish(self) -> None:
        with writing() as ln:
            self.guard()
            run = ln.Run.get(uid=self._run_uid)
            register(ln, self.outputs, run)
            keep(ln, self.kept)
            link_inputs(ln, run, [*self.reads, *self.named])
            for uid, numbers in self.annotations:
                annotate(ln, ln.Artifact.get(uid=uid), numbers)
            run.params = self.parameters
            run.extra_data = {**(run.extra_data or {}), **self.notes, **self.lineage_notes}
            end(run, FINISHED)

    def fail(self, error: str) -> None:
        """Register the run as failed, with the error."""
        self.start()

        def _fail() -> None:
            with writing() as ln:
                run = ln.Run.get(uid=self._run_uid)
                run.params = self.parameters
                run.extra_data = {**(run.extra_data or {}), "error": error[:4000]}
                link_inputs(ln, run, list(self.reads))
                end(run, ERRORED)

        retried(_fail)
