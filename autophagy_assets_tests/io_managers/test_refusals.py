"""The storage protocol when something is wrong: refused, reported, and nothing half done."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import joblib
import pytest

from autophagy_assets.staleness.materializations import latest
from autophagy_assets.staleness.partitions import SAMPLE_PARTITIONS
from autophagy_assets_tests.io_managers.small_platform import CONTENT, make_parts

pytestmark = pytest.mark.slow


def test_what_was_never_made_is_reported(small):
    small.instance.add_dynamic_partitions(SAMPLE_PARTITIONS, ["a"])
    result = small.run("same", partition="a", check=False)
    assert "part[a] has not been materialized yet; materialize it first" in small.failure(result)


@pytest.mark.parametrize("change", ["flipped", "truncated", "gone", "swapped"])
def test_a_changed_table_is_refused_and_not_tried_again(small, change):
    make_parts(small, "a", "bb")
    path, other = (Path(small.artifact("part", p).path) for p in ("a", "bb"))
    content = path.read_bytes()
    if change == "gone":
        path.unlink()
    elif change == "swapped":
        path.write_bytes(other.read_bytes())
    else:
        flipped = content[:50] + bytes([content[50] ^ 1]) + content[51:]
        path.write_bytes(flipped if change == "flipped" else content[:-1])
    result = small.run("same", partition="a", check=False)
    message = small.failure(result)
    assert "materialize it again" in message and "/part/a.parquet" in message
    assert not result.filter_events(lambda event: event.is_step_up_for_retry)
    assert latest(small.instance, dg.AssetKey("same"), "a") is None
    small.run("part", "same", partition="a")  # the remedy


class Trap:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_a_replaced_model_is_refused_and_its_code_is_not_run(small, tmp_path):
    CONTENT["model"] = "the model"
    small.run("model", "used")
    assert small.table("used")["model"].tolist() == ["the model"]
    mark = tmp_path / "code was run"
    path = Path(small.artifact("model").path)
    joblib.dump(Trap(mark), path)
    result = small.run("used", check=False)
    assert not result.success
    assert "is refused" in small.failure(result)
    assert not mark.exists()
    joblib.load(path)
    assert mark.exists(), "the trap must work for this test to say anything"


def test_a_step_that_fails_stores_nothing_and_its_run_says_why(small, store):
    make_parts(small, "a")

    def fail(part):
        part["a"]
        raise ValueError("the numbers do not add up")

    CONTENT["whole"] = fail
    result = small.run("whole", check=False)
    assert not result.success
    runs = store.Run.filter(reference=result.run_id)
    assert runs.count() >= 1
    assert {run.status for run in runs} == {"errored"}
    last = runs.order_by("-id").first()
    assert "the numbers do not add up" in last.extra_data["error"]
    assert last.output_artifacts.count() == 0
