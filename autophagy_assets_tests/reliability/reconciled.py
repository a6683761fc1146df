"""What stands in the records for a reconcile to find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg

from autophagy_assets.definitions import build_defs
from autophagy_assets.registry.provenance.recorder import Recorder, Step
from autophagy_assets.staleness.materializations import HASH, KEY, RUN, SIZE, UID

JOB = build_defs().resolve_job_def("reconcile")


def made(key: str, text: str = "content", dagster_run: str | None = None) -> tuple[str, Path, str]:
    recorder = Recorder(Step("reconciled", None, dagster_run, "def body(): ...", "1"))
    output = recorder.put(lambda path: path.write_text(text) and None, key, "reconciled", {})
    recorder.finish()
    return output.record.uid, output.file.path, str(recorder.run_uid)


def materialized(instance: dg.DagsterInstance, name: str, key: str, **changed: Any) -> str:
    uid, path, run = made(key)
    sha256 = path.name.split(".")[0]
    metadata = {UID: uid, KEY: key, HASH: sha256, SIZE: 7, RUN: run} | changed
    instance.report_runless_asset_event(dg.AssetMaterialization(asset_key=name, metadata=metadata))
    return uid


def about(disagreements: list, what: str) -> list:
    return [disagreement for disagreement in disagreements if what in disagreement.what]


def started(dagster_run: str | None, process: str) -> str:
    recorder = Recorder(Step("started", None, dagster_run, "def body(): ...", "1"))
    recorder._process = process
    recorder.start()
    return str(recorder.run_uid)
