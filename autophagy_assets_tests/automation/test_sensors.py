"""The sensors launch what the judge calls out of date, level by level, and nothing else.

Everything is made once: tests that take ``complete`` share a platform, in the order of this file.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from autophagy_assets.automation.jobs import REFRESH_TAG
from autophagy_assets.automation.requests import ASSET_JOBS
from autophagy_assets.automation.sensors import define_refresh_on_change, define_refresh_on_request
from autophagy_assets.staleness.materializations import Materialization, latest
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.given import give_table, given_study, outsider
from autophagy_assets_tests.platform import Platform
from autophagy_assets_tests.platform import study_file as write_study

_numbers = itertools.count()
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Daemon:
    """Looks with a sensor, and runs what it asks for, as Dagster's daemon does.

    A run key is launched once, ever.
    """

    def __init__(self, platform: Platform, sensor: Any) -> None:
        self.platform, self.sensor = platform, sensor
        self.cursor: str | None = None
        self.launched: list[Target] = []
        self.levels: list[set[Target]] = []
        self.keys: set[str] = set()
        self.said = ""

    def look(self) -> list[dg.RunRequest]:
        study = self.platform.defs.resources["study"]
        context = dg.build_sensor_context(
            instance=self.platform.instance, cursor=self.cursor, resources={"study": study}
        )
        result = self.sensor(context)
        self.said = getattr(result, "skip_message", None) or ""
        if isinstance(result, dg.SkipReason):
            return []
        self.said = self.said or str(result.skip_reason and result.skip_reason.skip_message)
        self.cursor = result.cursor or self.cursor
        return [run for run in result.run_requests or () if run.run_key not in self.keys]

    def work(self) -> None:
        """Look and run until a look asks for nothing."""
        while asked := self.look():
            self.levels.append(set())
            for run in asked:
                self.keys.add(run.run_key)
                for key in run.asset_selection:
                    self.levels[-1].add(Target(key.to_user_string(), run.partition_key))
                self.platform.job.execute_in_process(
                    instance=self.platform.instance,
                    partition_key=run.partition_key,
                    asset_selection=run.asset_selection,
                    tags=dict(run.tags),
                    run_config=QUIET,
                    raise_on_error=False,
                )
            self.launched += sorted(self.levels[-1])

    def ask(self, job: str, **config: Any) -> dg.ExecuteInProcessResult:
        """Launch a job, as a person or the schedule does."""
        return self.platform.defs.resolve_job_def(job).execute_in_process(
            instance=self.platform.instance, run_config=QUIET | config, raise_on_error=False
        )


def new_platform(folder: Path) -> Platform:
    platform = Platform(write_study(folder, f"sensors {next(_numbers)}"))
    given_study(platform.study, folder)
    return platform


@pytest.fixture(scope="module")
def untouched(store: object, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Nothing of it has been made, and no test makes anything of it."""
    return new_platform(tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def complete(store: object, tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A platform of which the sensor has had everything made, and what it launched."""
    platform = new_platform(tmp_path_factory.mktemp("sensors"))
    daemon = Daemon(platform, define_refresh_on_change())
    daemon.work()
    return daemon


@pytest.fixture(scope="module")
def requested(complete: Daemon) -> Daemon:
    """The sensor that carries out requests, on that platform."""
    return Daemon(complete.platform, define_refresh_on_request())


def give(platform: Platform, what: str, table: pd.DataFrame) -> None:
    """Give another table of the knockout."""
    recorder = outsider(what)
    give_table(recorder, platform.study, "EI24KO", table)
    recorder.finish()


def last_sign(platform: Platform) -> Materialization | None:
    """What the last refresh that ended has left."""
    return latest(platform.instance, dg.AssetKey("last_refresh"), None)


@pytest.mark.slow
def test_each_level_waits_for_the_one_before_until_all_is_up_to_date(complete: Daemon) -> None:
    launched = complete.launched
    assert len(launched) == len(set(launched)), "a partition was made twice"
    plan = complete.platform.plan()
    made: set[Target] = set()
    for level in complete.levels:
        for target in level:
            assert all(above in made | level for above in plan.upstream[target])
        made |= level
    assert plan.fresh == made and not plan.ready and not plan.waiting
    assert "up to date" in complete.said


@pytest.mark.slow
def test_the_reason_stands_in_the_run(complete: Daemon, tmp_path: Path) -> None:
    models = {"puncta": None, "as_published": {"n_estimators": 20}}
    changed = Platform(write_study(tmp_path, complete.platform.study.name, models=models))
    changed.instance = complete.platform.instance
    (run,) = Daemon(changed, define_refresh_on_change()).look()
    assert run.tags["autophagy/reason"] == (
        "models.as_published.parameters.n_estimators was 12 and is 20"
    )


@pytest.mark.slow
def test_a_change_launches_what_the_judge_says_and_stops_where_content_is_the_same(
    complete: Daemon,
) -> None:
    platform = complete.platform
    daemon = Daemon(platform, define_refresh_on_change())
    daemon.work()
    assert daemon.launched == []
    give(platform, "a changed table", platform.table("raw_features", "EI24KO").iloc[1:])
    assert set(platform.plan().ready) == {Target("raw_features", "EI24KO")}
    daemon.work()
    launched = {target.asset for target in daemon.launched}
    assert {"raw_features", "ko_predictions", "study_report"} <= launched
    assert not launched & {"training_cells", "test_predictions", "autophagy_classifier"}


@pytest.mark.slow
def test_what_failed_is_not_launched_again_before_something_changes(complete: Daemon) -> None:
    platform = complete.platform
    daemon = Daemon(platform, define_refresh_on_change())
    whole = platform.table("raw_features", "EI24KO")
    give(platform, "a broken table", whole.drop(columns="scportrait_cell_id"))
    daemon.work()
    assert daemon.launched == [Target("raw_features", "EI24KO")]
    daemon.work()
    assert daemon.launched == [Target("raw_features", "EI24KO")]
    # In a feature that no model may use: what is made of it stays as it is.
    (column, *_) = (c for c in whole.columns if platform.study.marker_channel in c)
    give(platform, "a repaired table", whole.assign(**{column: whole[column] + 1}))
    (repaired,) = daemon.look()
    assert dg.AssetKey("raw_features") in repaired.asset_selection


@pytest.mark.slow
def test_a_job_has_all_of_it_made_and_then_says_so_once(requested: Daemon) -> None:
    """Of the table that the test before repaired."""
    platform = requested.platform
    assert platform.plan().ready and platform.plan().waiting
    assert requested.ask("refresh_all").success
    requested.work()
    assert len(requested.levels) > 1
    assert not platform.plan().ready and not platform.plan().waiting
    assert "The refresh has ended" in requested.said
    sign = last_sign(platform)
    assert sign is not None and sign.metadata["up to date"] == len(platform.plan().fresh)
    assert requested.look() == [] and "Nothing has been asked for" in requested.said


@pytest.mark.slow
def test_a_request_that_began_first_and_ends_last_is_carried_out_too(requested: Daemon) -> None:
    """As a night that verifies every file does, while somebody launches a short look."""
    instance = requested.platform.instance
    night = instance.create_run_for_job(
        requested.platform.defs.resolve_job_def("refresh_all"),
        tags={REFRESH_TAG: "all"},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert requested.ask("analysis").success
    requested.work()
    assert requested.look() == [] and "Nothing has been asked for" in requested.said
    sign = last_sign(requested.platform)
    ended = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, night.job_name)
    instance.report_dagster_event(ended, night.run_id)
    requested.work()
    assert "The refresh has ended" in requested.said and last_sign(requested.platform) != sign
    assert requested.look() == [] and "Nothing has been asked for" in requested.said


@pytest.mark.slow
def test_every_request_tries_once_more_what_has_failed(requested: Daemon) -> None:
    platform = requested.platform
    whole, sign = platform.table("raw_features", "EI24KO"), last_sign(platform)
    give(platform, "a broken table again", whole.drop(columns="scportrait_cell_id"))
    for _ in range(2):
        requested.launched.clear()
        assert requested.ask("refresh_all").success
        requested.work()
        assert requested.launched.count(Target("raw_features", "EI24KO")) == 1
        assert last_sign(platform) == sign, "a refresh that failed is none that has ended"
    give(platform, "a table repaired again", whole)


@pytest.mark.slow
def test_the_analysis_images_nothing_and_says_what_is_held_up(
    requested: Daemon, tmp_path: Path
) -> None:
    """Of a complete study, to which a knockout comes while a table of the control is lost."""
    from autophagy_assets.registry.ingest.ingest import ingest
    from autophagy_assets_tests.registry.image_folder import write_images

    platform, sign = requested.platform, last_sign(requested.platform)
    Path(platform.artifact("training_cells").path).unlink()
    write_images(tmp_path / "i", platform.study, [("KO", "clone 2", "untreated", "FOV1")])
    ingest(tmp_path / "i", platform.study)
    requested.launched.clear()
    assert requested.ask("analysis").success
    requested.work()
    made = {target.asset for target in requested.launched}
    assert "training_cells" in made and "single_cell_images" not in made
    assert not any(target.partition == "KO" for target in requested.launched)
    assert last_sign(platform) == sign
    failed = requested.ask("analysis")
    assert not failed.success
    (event,) = failed.filter_events(lambda event: event.is_step_failure)
    assert "cannot be made before" in event.step_failure_data.user_failure_data.description


def test_what_another_run_is_making_is_left_alone(untouched: Platform) -> None:
    untouched.sync()
    run = untouched.instance.create_run_for_job(
        untouched.job,
        asset_selection=frozenset([dg.AssetKey("raw_features")]),
        tags={"dagster/partition": "WT"},
        status=dg.DagsterRunStatus.NOT_STARTED,
    )
    asked = {
        (key.to_user_string(), request.partition_key)
        for request in Daemon(untouched, define_refresh_on_change()).look()
        for key in request.asset_selection
    }
    assert ("raw_features", "EI24KO") in asked
    assert not any(partition == "WT" for _, partition in asked)
    untouched.instance.delete_run(run.run_id)


def test_nothing_is_launched_that_was_not_asked_for(untouched: Platform) -> None:
    assert Daemon(untouched, define_refresh_on_request()).look() == []


def test_every_job_that_asks_carries_its_groups(untouched: Platform) -> None:
    tags = {
        name: untouched.defs.resolve_job_def(name).tags[REFRESH_TAG]
        for name in ("imaging", "analysis", "refresh_all")
    }
    graph = untouched.defs.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.materializable_asset_keys}
    assert set(f"{tags['imaging']},{tags['analysis']}".split(",")) == groups
    assert tags["refresh_all"] == "all"


def test_every_asset_is_of_the_asset_job_of_its_partitions(untouched: Platform) -> None:
    graph = untouched.defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        partitions_name = getattr(graph.get(key).partitions_def, "name", None)
        job = untouched.defs.resolve_job_def(ASSET_JOBS[partitions_name])
        assert key in job.asset_layer.selected_asset_keys
        checks = {check.asset_key for check in job.asset_layer.asset_graph.asset_check_keys}
        assert not graph.get(key).check_keys or key in checks
