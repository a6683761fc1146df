"""What ``autophagy status`` calls out of date is what the automation asks for, and the UI shows.

Both are asked on one Dagster instance after each change. The automation asks for what is out
of date and, in the same runs, for what hangs from it; the plan has the latter waiting, as it
is made only if the content has changed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from autophagy_assets.staleness.plan import Target, make_plan
from autophagy_assets_tests.platform import Given, Platform, give_table, given_study, outsider
from autophagy_assets_tests.platform import study_file as write_study

NAME = "agreement"


class Watched:
    """A study with its automation on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cursor = folder, None
        self.platform = Platform(write_study(folder, NAME))
        self.given: Given = given_study(self.platform.study, folder)
        done = self.platform.refresh()
        assert not done.failed, done.failed

    def asked(self, platform: Platform) -> set[Target]:
        """What the automation asks for at its next tick."""
        result = dg.evaluate_automation_conditions(
            defs=platform.defs, instance=platform.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        graph = platform.defs.resolve_asset_graph()
        return {
            Target(key.to_user_string(), partition)
            for key in graph.materializable_asset_keys
            for partition in (result.get_requested_partitions(key) or ())
        }

    def compare(self, **changes: Any) -> tuple[set[Target], set[Target]]:
        """Compare after a change; gives what is out of date, and what the asset pages call so."""
        platform = Platform(write_study(self.folder, NAME, **changes))
        platform.instance = self.platform.instance
        platform.sync()
        plan = make_plan(platform.instance, platform.defs, platform.study)
        ready, asked = set(plan.ready), self.asked(platform)
        # What is made from something that is out of date itself may be asked for later.
        first = {target for target in ready if ready.isdisjoint(plan.upstream[target])}
        assert first <= asked <= ready | plan.waiting
        shown = {target for target in plan.upstream if _badge(platform, target)}
        assert not platform.refresh().failed
        again = make_plan(platform.instance, platform.defs, platform.study)
        assert not again.ready and not again.waiting
        # It may go on asking for what hangs from what it asked for, and has been made meanwhile.
        assert any(not self.asked(platform) for _ in range(8)), "the automation never rests"
        return ready, shown


def _badge(platform: Platform, target: Target) -> bool:
    """Whether the page of an asset calls it out of date, or never made."""
    graph = platform.defs.resolve_asset_graph()
    context = LoadingContextForTest(platform.instance)
    resolver = CachingStaleStatusResolver(platform.instance, graph, context)
    status = resolver.get_status(dg.AssetKey(target.asset), target.partition)
    return status in (StaleStatus.STALE, StaleStatus.MISSING)


@pytest.fixture(scope="module")
def watched(store: object, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    watched = Watched(tmp_path_factory.mktemp("agreement"))
    assert watched.asked(watched.platform) == set()  # the first tick only takes notice
    return watched


def test_nothing_changed(watched: Watched) -> None:
    assert watched.compare() == (set(), set())


def test_another_parameter(watched: Watched) -> None:
    ready, shown = watched.compare(classifier={"n_estimators": 20})
    assert ready == {Target("autophagy_classifier")} and ready <= shown
    ready, _ = watched.compare()  # and back
    assert Target("autophagy_classifier") in ready


def test_another_style(watched: Watched) -> None:
    ready, shown = watched.compare(galleries={"class_cells": 4})
    assert Target("class_gallery") in ready and ready <= shown
    watched.compare()


def test_a_changed_table(watched: Watched) -> None:
    recorder = outsider("a changed table")
    table = watched.given.tables["EI24KO"].iloc[1:]
    give_table(recorder, watched.platform.study, "EI24KO", table)
    recorder.finish()
    ready, _ = watched.compare()  # Dagster's badge does not follow tables from outside
    assert ready == {Target("raw_features", "EI24KO")}


def test_a_new_genotype(watched: Watched) -> None:
    given_study(watched.platform.study, watched.folder, ["ATG5KO"])
    ready, shown = watched.compare()
    assert {Target("raw_features", "ATG5KO"), Target("ko_evaluation", "ATG5KO")} <= ready
    assert ready <= shown
