"""Two homes side by side: the one that things happen to, and one made from scratch each time."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from autophagy_assets.compute.pool import ENVIRONMENT, PRELOAD
from autophagy_assets_tests.reliability.forked import ForkServer
from autophagy_assets_tests.reliability.wanted import Pool, Wanted

# What every command would import anew; none of it reads the study file as it is imported.
OF_COMMANDS = ("autophagy_assets.cli.main", "autophagy_assets.automation.asset_definitions")


class CommandHome:
    """A home that is worked on by commands only, each in a process of its own.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the home and the study file.
    **environment
        Further environment variables.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.study = folder / "study.yaml"
        environment = ENVIRONMENT | environment
        self.fork_server = ForkServer(folder, AUTOPHAGY_STUDY=str(self.study), **environment)
        self.fork_server.ask("import", modules=[*PRELOAD, *OF_COMMANDS])
        self.keep()

    def keep(self) -> None:
        """Keep the home as it is."""
        self.fork_server.ask("keep")

    def restore(self, wanted: Wanted) -> None:
        """Bring back the home as it was kept, with another study file."""
        self.fork_server.ask("restore")
        wanted.write_study(self.study)

    def call(self, function: str, module: str = "commands", **more: Any) -> Any:
        """Call a function in a child; gives its answer, or how it was killed."""
        (answer,) = self.fork_server.call(module, function, **more)
        if isinstance(answer, dict) and "died" in answer:
            message = f"{module}.{function} died of {answer['died']}: {answer['text']}"
            assert os.WIFSIGNALED(answer["died"]) and "killed_after" in more, message
        return answer

    def must(self, *arguments: str) -> str:
        """Run a command that has to succeed; gives what it printed."""
        done = self.call("run", arguments=list(arguments))
        assert done["code"] == 0, f"autophagy {' '.join(arguments)}: {done}"
        return done["said"]


class Scratch:
    """What there is when all is made from scratch of given images and study.

    Parameters
    ----------
    folder : pathlib.Path
    pool : Pool
        Images.
    """

    def __init__(self, folder: Path, pool: Pool) -> None:
        self._fields = folder / "fields"
        self._fields.mkdir(parents=True)
        # Its children image fields themselves, and a process that has done so cannot be forked.
        self.home = CommandHome(folder / "scratch", AUTOPHAGY_WORKERS="1")
        self._pool = pool
        # One after the other, beside what the home under test does.
        self._thread = ThreadPoolExecutor(1)
        self._known: dict[str, Future[dict[str, Any]]] = {}

    def of(self, wanted: Wanted) -> Future[dict[str, Any]]:
        """Begin to make it, or find what was made of the same before."""
        if wanted.key not in self._known:
            self._known[wanted.key] = self._thread.submit(self._make, wanted.copy())
        return self._known[wanted.key]

    @property
    def count(self) -> int:
        """How many were made."""
        return len(self._known)

    def _make(self, wanted: Wanted) -> dict[str, Any]:
        self.home.restore(wanted)
        folder = self._pool.folder_of(wanted, sorted(wanted.fields))
        more = {"folder": str(folder), "fields_kept_in": str(self._fields)}
        seen = self.home.call("make", "anew", **more)
        assert not seen["faults"], seen["faults"]
        return seen

    def end(self) -> None:
        """End its process."""
        self._thread.shutdown(cancel_futures=True)
        self.home.fork_server.end()


def differences(what: str, is_so: Any, ought: Any) -> list[str]:
    """Say where two mappings differ, key by key."""
    return [
        f"{what} {key}: {is_so.get(key)} instead of {ought.get(key)}"
        for key in sorted({*is_so, *ought})
        if is_so.get(key) != ought.get(key)
    ]


def in_parallel(*tasks: Callable[[], Any]) -> list[Any]:
    """Do several things at once."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]
