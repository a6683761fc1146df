"""What all models are put side by side in goes on without a model that could not be made."""

from __future__ import annotations

import itertools
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
import yaml

from autophagy_assets.assets.definition import (
    StudyResource,
    every,
    study_asset,
    would_fail_again,
)
from autophagy_assets.automation.launcher import run_request
from autophagy_assets.automation.requests import requests
from autophagy_assets.errors import InputError, IntegrityError
from autophagy_assets.io_managers.parquet import ParquetIOManager
from autophagy_assets.staleness.judge import Judge
from autophagy_assets.staleness.partitions import models
from autophagy_assets.staleness.plan import Plan, make_plan, record_left_out
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study

pytestmark = pytest.mark.slow

_numbers = itertools.count()
FIRST, OTHER = "as_published", "other"
SCORES, TRAINED = (Target(asset, OTHER) for asset in ("scores", "trained"))
MANY = 100


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=models)
def scores(context) -> pd.DataFrame:
    """Scores by a model, for these tests; with too many trees there are none."""
    trees = context.study.model(context.partition).parameters.n_estimators
    if trees >= MANY:
        raise InputError(f"{trees} trees are too many.")
    return pd.DataFrame({"model": [context.partition], "trees": [trees]})


@study_asset(group="try", io="table_io", kinds={"parquet"}, partitions=models)
def trained(context, scores: pd.DataFrame) -> pd.DataFrame:
    """A model, for these tests."""
    return scores.assign(trained=True)


@study_asset(group="try", io="table_io", kinds={"parquet"}, ins={"scores": every()})
def compared(context, scores) -> pd.DataFrame:
    """All models side by side, for these tests."""
    return pd.concat([scores[name].assign(without=str(scores.left_out)) for name in scores])


@study_asset(group="try", io="table_io", kinds={"parquet"}, ins={"trained": every()})
def applied(context, trained) -> pd.DataFrame:
    """All models applied to the same, for these tests."""
    return pd.concat([trained[name].assign(without=str(trained.left_out)) for name in trained])


class ByModel(Platform):
    """A platform of the assets above, with two models."""

    def __init__(self, folder: Path) -> None:
        super().__init__(write_study(folder, f"left out {next(_numbers)}"))
        self.set_trees({FIRST: 3, OTHER: 3})
        self.defs = dg.Definitions(
            assets=[scores, trained, compared, applied],
            resources={
                "study": StudyResource(study_file=str(self.file)),
                "table_io": ParquetIOManager(study_file=str(self.file)),
            },
            executor=dg.in_process_executor,
        )

    def set_trees(self, trees: dict[str, int]) -> None:
        entries = yaml.safe_load(self.file.read_text())
        first = entries["models"][0]
        entries["models"] = [
            first | {"name": name, "primary": name == FIRST, "parameters": {"n_estimators": n}}
            for name, n in trees.items()
        ]
        self.file.write_text(yaml.safe_dump(entries))
        self.study = type(self.study).load(self.file)

    def look(self) -> Plan:
        plan = make_plan(Judge(self.instance, self.defs, self.study))
        record_left_out(self.instance, plan)
        return plan

    def settle(self) -> list[str]:
        """Make what can be made, as a refresh does; gives what was made, in order."""
        self.sync()
        made: list[str] = []
        tried: set[tuple[Target, str]] = set()
        while True:
            plan = self.look()
            todo = [t for t in plan.ready if (t, plan.verdicts[t].key) not in tried]
            todo = [t for t in todo if all(one in plan.fresh for one in plan.upstream[t])]
            if not todo:
                return made
            for request in requests(plan, todo):
                errors = run_request(request, request.tags(plan), self.defs, self.instance)
                tried |= {(target, plan.verdicts[target].key) for target in request.targets}
                made += [str(target) for target in request.targets if target not in errors]

    def models_in(self, asset: str) -> list[str]:
        """Models in a table; what was recorded of it and of what it has read says the same."""
        found = sorted(self.table(asset)["model"])
        name = "scores" if asset == "compared" else "trained"
        inputs = self.latest(asset).fingerprint.inputs
        said = [m for m in (FIRST, OTHER) if not inputs[f"{name}[{m}]"].startswith("could not")]
        read = {a.key.rsplit("/", 1)[1] for a in self.artifact(asset).run.input_artifacts.all()}
        assert found == said and read == {f"{model}.parquet" for model in found}
        return found


@pytest.fixture
def platform(store: object, tmp_path: Path) -> ByModel:
    return ByModel(tmp_path)


def test_the_others_go_on_and_say_why_until_the_model_can_be_made(platform: ByModel) -> None:
    platform.set_trees({FIRST: 3, OTHER: MANY})
    made = platform.settle()
    assert sorted(made) == ["applied", "compared", f"scores[{FIRST}]", f"trained[{FIRST}]"]
    assert platform.models_in("compared") == platform.models_in("applied") == [FIRST]
    for asset in ("compared", "applied"):
        (said,) = platform.table(asset)["without"]
        assert said == str({OTHER: f"scores[{OTHER}]: {MANY} trees are too many."})
    plan = platform.look()
    assert plan.failed == {SCORES: f"{MANY} trees are too many."}
    assert set(plan.left_out) == {SCORES, TRAINED} == set(plan.ready)
    assert platform.settle() == [], "what goes on without it was made again"

    platform.set_trees({FIRST: 3, OTHER: 5})
    assert set(platform.settle()) == {str(SCORES), str(TRAINED), "compared", "applied"}
    assert platform.models_in("compared") == platform.models_in("applied") == [FIRST, OTHER]
    plan = platform.look()
    assert not (plan.ready or plan.waiting or plan.left_out)


def test_results_that_a_model_had_before_it_failed_are_not_read(platform: ByModel) -> None:
    platform.settle()
    before = platform.latest("scores", OTHER)
    assert platform.models_in("applied") == [FIRST, OTHER]
    platform.set_trees({FIRST: 3, OTHER: MANY})
    assert platform.settle() == ["compared", "applied"]
    assert platform.latest("scores", OTHER) == before
    assert platform.models_in("compared") == platform.models_in("applied") == [FIRST]
    plan = platform.look()
    assert plan.fresh >= {Target("compared"), Target("applied")} and TRAINED in plan.waiting

    platform.set_trees({FIRST: 3, OTHER: 3})  # and as it was
    plan = platform.look()
    assert plan.ready[Target("compared")] == f"scores[{OTHER}]: not there before"
    assert platform.settle() == ["compared", "applied"]
    assert platform.models_in("compared") == platform.models_in("applied") == [FIRST, OTHER]
    assert platform.look().fresh == set(platform.look().upstream)


def test_the_reason_is_that_of_what_the_study_file_has_now(platform: ByModel) -> None:
    for trees in (MANY, MANY + 1, MANY):
        platform.set_trees({FIRST: 3, OTHER: trees})
        platform.settle()
        (said,) = platform.table("compared")["without"]
        assert f"{trees} trees" in said
    assert platform.settle() == []


def test_where_no_model_can_be_made_nothing_goes_on(platform: ByModel) -> None:
    platform.set_trees({FIRST: MANY, OTHER: MANY})
    assert platform.settle() == []
    plan = platform.look()
    assert set(plan.failed) == {SCORES, Target("scores", FIRST)}
    assert plan.ready.keys() == plan.upstream.keys()


@pytest.mark.parametrize(
    "error", [OSError(28, "full"), MemoryError(), dg.Failure("stopped"), KeyboardInterrupt()]
)
def test_what_the_machine_lacks_is_tried_again(error: BaseException) -> None:
    if isinstance(error, dg.Failure):
        error.__cause__ = IntegrityError("a file is gone")
    assert not would_fail_again(error)
    wrapped = RuntimeError("a step failed")
    wrapped.__cause__ = error
    assert isinstance(error, dg.Failure) or not would_fail_again(wrapped)


def test_a_refusal_would_come_again() -> None:
    refused = dg.Failure("no such layer")
    refused.__cause__ = InputError("no such layer")
    assert would_fail_again(refused) and would_fail_again(ValueError("odd numbers"))
