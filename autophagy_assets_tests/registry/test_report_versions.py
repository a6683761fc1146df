"""Versions of a report: found by date, uid and run, each with what it was made from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.report_versions import (
    ReportVersion,
    report_versions,
    version_meant,
)
from autophagy_assets.registry.store.keys import ArtifactKey

STUDY = Study.load().model_copy(update={"name": "study with reports"})
PLACE = "study-with-reports"


def made(asset: str, run: str, files: dict[str, str], reads: list[str]) -> list[Any]:
    """What a step leaves: its files by key, made from what it read."""
    recorder = Recorder(Step(asset, None, run, "by hand", "1", STUDY.values()))
    recorder.start()
    for uid in reads:
        recorder.read(uid)
    outputs = [
        recorder.put(lambda path, text=text: path.write_text(text), key, asset, {})
        for key, text in files.items()
    ]
    recorder.finish()
    return [output.record.uid for output in outputs]


def report(run: str, text: str, model: str) -> list[str]:
    files = {f"{PLACE}/report/study_report.html": text, f"{PLACE}/report/study_report.json": "[]"}
    return made("study_report", run, files, [model])


@pytest.fixture(scope="module")
def found(store: Any) -> tuple[list[ReportVersion], list[str], list[list[str]]]:
    """Three reports of two versions of a model; the first content comes back at the end."""
    key = f"{PLACE}/classifier/autophagy_classifier/puncta.joblib"
    models = [made("autophagy_classifier", f"model {n}", {key: f"{n}"}, [])[0] for n in (1, 2)]
    pages = [
        report("run 1", "one", models[0]),
        report("run 2", "two", models[1]),
        report("run 3", "one", models[0]),
    ]
    return report_versions(STUDY), models, pages


def test_versions_come_in_the_order_in_which_they_were_made(found) -> None:
    versions, _, pages = found
    assert [version.uid for version in versions] == [page[0] for page in pages]
    assert versions[0].uid == versions[2].uid and versions[0].run != versions[2].run
    assert [version.dagster_run for version in versions] == ["run 1", "run 2", "run 3"]


def test_each_version_knows_its_study_what_it_was_made_from_and_its_claims(found) -> None:
    versions, models, pages = found
    assert all(Study.from_values(version.values) == STUDY for version in versions)
    key = ArtifactKey(PLACE, "classifier", "autophagy_classifier", ".joblib", "puncta")
    assert [version.made_from() for version in versions] == [
        {key: models[0]},
        {key: models[1]},
        {key: models[0]},
    ]
    assert [version.claims() for version in versions] == [page[1] for page in pages]


def test_a_version_is_meant_by_word_date_uid_or_run(found) -> None:
    versions, models, pages = found
    first, second, third = versions
    assert version_meant("latest", versions) is third
    assert version_meant("previous", versions) is second
    assert version_meant(second.made.astimezone().date().isoformat(), versions) is third
    between = (second.made + (third.made - second.made) / 2).astimezone()
    assert version_meant(between.replace(tzinfo=None).isoformat(), versions) is second
    assert version_meant(between.isoformat(), versions) is second
    assert version_meant(pages[1][0], versions) is second
    assert version_meant(pages[0][0], versions) is third  # the last one with that content
    assert version_meant(first.run, versions) is first
    assert version_meant("run 1", versions) is first
    assert version_meant(models[1], versions) is second
    assert version_meant(models[0], versions) is third
    assert version_meant("model 2", versions) is second


def test_what_is_no_version_is_a_sentence(found) -> None:
    versions, _, _ = found
    early = (versions[0].made - timedelta(days=2)).date().isoformat()
    with pytest.raises(InputError, match=f"There was no report by {early}; the first is "):
        version_meant(early, versions)
    with pytest.raises(InputError, match="'nonsense' is no date, and no report was made from"):
        version_meant("nonsense", versions)
    with pytest.raises(InputError, match="There is one report only"):
        version_meant("previous", versions[:1])
    with pytest.raises(InputError, match="There is no report yet; run 'autophagy refresh'"):
        version_meant("latest", [])


def test_a_study_nobody_has_seen_has_no_versions(store: Any) -> None:
    assert report_versions(STUDY.model_copy(update={"name": "nobody's study"})) == []
