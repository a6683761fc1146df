"""A stored file that is not what was recorded is refused before it is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from autophagy_assets_tests.reliability import tiny
from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.tampering import TARGETS

pytestmark = pytest.mark.slow

CASES = [(what, how) for what in TARGETS for how in ("flipped", "truncated", "swapped", "deleted")]
CASES.append(("model", "evil_pickle"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A home of its own: the whole store is compared, so no other test may write to it."""
    fork_server = ForkServer(tmp_path_factory.mktemp("tampering"))
    yield fork_server
    fork_server.end()


@pytest.fixture(scope="module")
def undisturbed(home: ForkServer) -> dict[str, Any]:
    return home.ask("prepare")["hashes"]


@pytest.mark.parametrize(("what", "how"), CASES, ids=lambda part: str(part))
def test_a_changed_file_is_refused_and_made_again(
    home: ForkServer, undisturbed: dict[str, Any], what: str, how: str
) -> None:
    (seen,) = home.call("tampering", "tamper_and_load", what=what, how=how)
    assert not seen["success"]
    (said,) = seen["said"]
    key, _ = TARGETS[what]
    assert key in said
    assert ("is gone" if how == "deleted" and what != "folder" else "is refused") in said
    assert "materialize it again" in said  # what to do
    assert not seen["tried_again"]
    assert not seen["executed"]
    assert (seen["status"], seen["recorded_error"]) == ("errored", said)

    repaired = home.ask("repair", reconcile_first=True)
    # The changed file cannot be repaired, only made again; so it is left, and then it is not.
    assert any(
        disagreement.startswith("record: " + key) for disagreement in repaired["early"]["left"]
    )
    assert repaired["late"]["left"] == []
    assert repaired["after"] == {"hashes": undisturbed, "faults": [], "artifacts": tiny.ARTIFACTS}


def test_the_replaced_pickle_would_have_run_code(home: ForkServer) -> None:
    assert home.call("tampering", "fault_is_seen") == [True]
