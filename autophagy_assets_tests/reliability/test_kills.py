"""SIGKILL at every point of every format, and at random times: nothing partial, nothing lost."""

from __future__ import annotations

import random
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.points import CASES, MAKER

pytestmark = pytest.mark.slow

AT_RANDOM = [("random time", str(number)) for number in range(12)]
ALL = [*CASES, *AT_RANDOM]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """What came of every kill; two homes take turns at the cases."""
    waiting: Queue[tuple[int, tuple[str, str]]] = Queue()
    for case in enumerate(ALL):
        waiting.put(case)
    outcomes: dict[tuple[str, str], dict[str, Any]] = {}

    def work(folder: Path) -> None:
        fork_server = ForkServer(folder)
        undisturbed = fork_server.ask("prepare")
        fork_server.ask("keep_before_each")
        while True:
            try:
                number, case = waiting.get_nowait()
            except Empty:
                fork_server.end()
                return
            outcome = _kill(fork_server, case, number, undisturbed["took"])
            outcomes[case] = outcome | {"undisturbed": undisturbed["hashes"]}

    root = tmp_path_factory.mktemp("kills")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [root / "a", root / "b"]))
    return outcomes


def _kill(
    fork_server: ForkServer, case: tuple[str, str], number: int, took: float
) -> dict[str, Any]:
    point, what = case
    if point == "random time":
        fork_server.ask("restore")
        delay = random.Random(number).uniform(0.05, 0.95) * took
        # A machine that has less to do than when it was timed may be done before it is killed.
        while not (died := fork_server.ask("kill_at", delay=delay))["signal"]:
            fork_server.ask("restore")
            delay *= 0.7
    else:
        # What comes before is there: whether it was made in the same run is no matter.
        fork_server.ask("restore", before=MAKER[what])
        died = fork_server.ask("kill", point=point, what=what)
    # Half of the times the records are put straight first, half of the times afterwards.
    return died | fork_server.ask("repair", reconcile_first=number % 2 == 1)


@pytest.mark.parametrize(("point", "what"), ALL, ids=lambda part: str(part))
def test_a_kill_leaves_nothing_partial_and_the_next_refresh_ends_as_if_undisturbed(
    outcomes: dict[tuple[str, str], dict[str, Any]], point: str, what: str
) -> None:
    outcome = outcomes[point, what]
    assert outcome["signal"] == signal.SIGKILL, "the point was never reached"
    assert outcome["before"]["faults"] == []  # no reader sees a partial file
    assert set(outcome["before"]["hashes"]) == set(outcome["undisturbed"])  # nothing is lost
    assert outcome["errors"] == {}
    assert outcome["after"]["hashes"] == outcome["undisturbed"]
    assert outcome["after"]["faults"] == []
    assert outcome["late"]["left"] == []
    if outcome["early"]:
        assert outcome["early"]["left"] == []


def test_kills_leave_traces_that_reconcile_finds(
    outcomes: dict[tuple[str, str], dict[str, Any]],
) -> None:
    """Were nothing found, the kills would have missed, or reconcile would not look."""
    kinds = Counter(
        disagreement.split(":")[0]
        for outcome in outcomes.values()
        for disagreement in (outcome["early"] or {"found": []})["found"] + outcome["late"]["found"]
    )
    assert kinds["file"] >= 10
    assert kinds["run"] >= len(CASES)
    assert len(outcomes) >= 40
    survived = Counter(point for point, _ in outcomes)
    print("\nkills survived:", dict(survived), "in all", len(outcomes))
