"""Eight processes at once, on SQLite and on PostgreSQL: everything is there, and once."""

from __future__ import annotations

import pytest

from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.races import LABELS

pytestmark = pytest.mark.slow

PROCESSES = 8


@pytest.fixture(scope="module", params=["sqlite_home", "postgres_home"])
def home(request: pytest.FixtureRequest) -> ForkServer:
    return request.getfixturevalue(request.param)


def race(home: ForkServer, each: int, key: str) -> tuple[list[list[str]], dict]:
    answers = home.call("races", "write", PROCESSES, each=each, key=key)
    assert all(isinstance(answer, list) for answer in answers), answers
    written = [entry for answer in answers for entry in answer]
    return written, home.call("races", "look", written=written)[0]


def test_artifacts_of_distinct_keys_are_all_there_each_with_its_own_bytes(home: ForkServer) -> None:
    written, seen = race(home, 20, "race/distinct/{number}-{turn}.txt")
    assert len(written) == seen["artifacts"] == 160
    assert seen["faults"] == []
    assert set(seen["latest"].values()) == {1}
    assert seen["transforms"] == 1
    assert seen["labels"] == sorted(LABELS.values())
    assert seen["finished"] == seen["runs"]


def test_versions_of_one_key_are_all_there_and_one_is_the_latest(home: ForkServer) -> None:
    written, seen = race(home, 5, "race/one-key.txt")
    assert len({uid for uid, _, _ in written}) == seen["artifacts"] == 40
    assert seen["faults"] == []
    assert seen["latest"] == {"race/one-key.txt": 1}
    assert seen["transforms"] == 1


def test_the_same_content_of_one_key_is_one_artifact(home: ForkServer) -> None:
    written, seen = race(home, 3, "race/same.txt")
    assert len({uid for uid, _, _ in written}) == seen["artifacts"] == 1
    assert seen["faults"] == []
    assert seen["latest"] == {"race/same.txt": 1}
    assert seen["finished"] == seen["runs"]
