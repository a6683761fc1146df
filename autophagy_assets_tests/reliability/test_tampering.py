"""A stored file that is not what was recorded is refused before it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest

from autophagy_assets_tests.reliability import tiny
from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.tampering import TARGETS

pytestmark = pytest.mark.slow

HOWS = ("flipped", "truncated", "swapped", "deleted")
CASES = [(what, how) for how in HOWS for what in TARGETS]
CASES.append(("model", "evil_pickle"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A home of its own: the whole store is compared, so no other test may write to it."""
    fork_server = ForkServer(tmp_path_factory.mktemp("tampering"))
    yield fork_server
    fork_server.end()


@pytest.fixture(scope="module")
def outcomes(home: ForkServer) -> dict[tuple[str, str], dict[str, Any]]:
    """What came of every change; what was changed in the same way is made again together."""
    undisturbed = home.ask("prepare")["hashes"]
    home.ask("keep")
    outcomes = {}
    for _, alike in groupby(CASES, lambda case: case[1]):
        cases = list(alike)
        home.ask("restore")
        (seen,) = home.call("tampering", "tamper_and_load", cases=cases)
        assert isinstance(seen, list), seen
        repaired = home.ask("repair", reconcile_first=True) | {"undisturbed": undisturbed}
        outcomes |= {case: one | repaired for case, one in zip(cases, seen, strict=True)}
    return outcomes


@pytest.mark.parametrize(("what", "how"), CASES, ids=lambda part: str(part))
def test_a_changed_file_is_refused_and_made_again(
    outcomes: dict[tuple[str, str], dict[str, Any]], what: str, how: str
) -> None:
    outcome = outcomes[what, how]
    assert not outcome["success"]
    (said,) = outcome["said"]
    key, _ = TARGETS[what]
    assert key in said
    assert ("is gone" if how == "deleted" and what != "folder" else "is refused") in said
    assert "materialize it again" in said  # what to do
    assert not outcome["tried_again"]
    assert not outcome["executed"]
    assert (outcome["status"], outcome["recorded_error"]) == ("errored", said)

    # The changed file cannot be repaired, only made again; so it is left, and then it is not.
    assert any(
        disagreement.startswith("record: " + key) for disagreement in outcome["early"]["left"]
    )
    assert outcome["errors"] == {}
    assert outcome["late"]["left"] == []
    whole = {"hashes": outcome["undisturbed"], "faults": [], "artifacts": tiny.ARTIFACTS}
    assert outcome["after"] == whole


def test_the_replaced_pickle_would_have_run_code(home: ForkServer) -> None:
    assert home.call("tampering", "fault_is_seen") == [True]
