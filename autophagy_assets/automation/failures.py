"""Reason of a failure in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg


def reason_of(event: dg.DagsterEvent) -> str:
    """Reason why a step failed, in one sentence.

    Parameters
    ----------
    event : dagster.DagsterEvent
        Says that a step has failed.

    Returns
    -------
    str
        What the step itself reported; else the message of the first error, from which the others
        followed.
    """
    data = event.step_failure_data
    reported = data.user_failure_data.description if data.user_failure_data else None
    error = data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return reported or (error.message.strip() if error else "failed")


def reason_of_run(failed: Iterable[dg.DagsterEvent], message: str | None) -> str:
    """Reason why a run failed, in one sentence.

    Parameters
    ----------
    failed : iterable of dagster.DagsterEvent
        Of the steps that failed.
    message : str or None
        What the run itself reported; needed where it failed outside of its steps.

    Returns
    -------
    str
        One line for each step.
    """
    reasons = list(dict.fromkeys(f"{event.step_key}: {reason_of(event)}" for event in failed))
    return "\n".join(reasons) or message or "It has failed without giving a reason."
