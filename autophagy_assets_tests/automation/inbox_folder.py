"""An inbox with submissions of images, and its sensor as the daemon evaluates it."""

from __future__ import annotations

import itertools
from pathlib import Path

import dagster as dg

from autophagy_assets.assets.definition import StudyResource
from autophagy_assets.automation.inbox import define_watch_inbox, ingest_submission
from autophagy_assets.config.study import Study
from autophagy_assets_tests.platform import study_file
from autophagy_assets_tests.registry.image_folder import FIELD, write_images

numbers = itertools.count()
ONE = (FIELD,)


class Inbox:
    """An inbox, its sensor as the daemon evaluates it, and the runs that it asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "inbox"
        self.folder.mkdir()
        self.file = study_file(folder, f"inbox {next(numbers)}")
        self.study = Study.load(self.file)
        self.resource = StudyResource(study_file=str(self.file))
        self.instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
        self.cursor: str | None = None
        self.said = ""

    def put(self, name: str = "friday", fields=ONE) -> Path:
        write_images(self.folder / name, self.study, fields, seed=next(numbers))
        return self.folder / name

    def look(self) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={"study": self.resource}
        )
        found = define_watch_inbox().evaluate_tick(context)
        self.cursor, self.said = found.cursor, found.skip_message or ""
        return list(found.run_requests or [])

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return ingest_submission.execute_in_process(
            instance=self.instance,
            run_config=request.run_config,
            tags={**request.tags, "dagster/run_key": request.run_key},
            resources={"study": self.resource},
            raise_on_error=False,
        )

    def names(self) -> list[str]:
        return [r.run_config["ops"]["ingest_images"]["config"]["folder"] for r in self.look()]
