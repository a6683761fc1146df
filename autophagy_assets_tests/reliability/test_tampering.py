"""A stored file that is not what was recorded is refused before it is opened."""

from __future__ import annotations

from typing import Any

import pytest

from autophagy_assets_tests.reliability.forked import Zygote
from autophagy_assets_tests.reliability.tampering import TARGETS

pytestmark = pytest.mark.slow

CASES = [(what, how) for what in TARGETS for how in ("flipped", "truncated", "swapped", "deleted")]
CASES.append(("model", "evil_pickle"))


@pytest.fixture(scope="module")
def undisturbed(sqlite_home: Zygote) -> dict[str, Any]:
    return sqlite_home.ask("prepare")["hashes"]


@pytest.mark.parametrize(("what", "how"), CASES, ids=lambda part: str(part))
def test_a_changed_file_is_refused_and_made_again(
    sqlite_home: Zygote, undisturbed: dict[str, Any], what: str, how: str
) -> None:
    (seen,) = sqlite_home.call("tampering", "tamper_and_load", what=what, how=how)
    assert not seen["success"]
    (said,) = seen["said"]
    key, _ = TARGETS[what]
    assert key in said
    assert ("is gone" if how == "deleted" and what != "folder" else "is refused") in said
    assert "materialize it again" in said  # what to do
    assert not seen["tried_again"]
    assert not seen["executed"]
    assert (seen["status"], seen["recorded_error"]) == ("errored", said)

    mended = sqlite_home.ask("mend", reconcile_first=True)
    # The changed file cannot be mended, only made again; so it is left, and then it is not.
    assert any(finding.startswith("record: " + key) for finding in mended["early"]["left"])
    assert mended["late"]["left"] == []
    assert mended["after"] == {"hashes": undisturbed, "faults": [], "artifacts": 9}


def test_the_replaced_pickle_would_have_run_code(sqlite_home: Zygote) -> None:
    assert sqlite_home.call("tampering", "fault_is_seen") == [True]
