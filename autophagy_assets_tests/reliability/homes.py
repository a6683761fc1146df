"""Two homes side by side: the one that things happen to, and one made from scratch each time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from autophagy_assets.analysis.compute import ENVIRONMENT, PRELOAD
from autophagy_assets_tests.reliability.forked import Zygote
from autophagy_assets_tests.reliability.wanted import Pool, Wanted

MODULE = "commands"


class CommandHome:
    """A home that is worked on by commands only, each in a process of its own.

    Parameters
    ----------
    folder : pathlib.Path
        Holds the home and the study file.
    fields_kept_in : pathlib.Path, optional
        Folder of imaged fields, see ``commands``.
    """

    def __init__(self, folder: Path, fields_kept_in: Path | None = None) -> None:
        self.study = folder / "study.yaml"
        self._kept = {"fields_kept_in": str(fields_kept_in)} if fields_kept_in else {}
        self.zygote = Zygote(folder, AUTOPHAGY_STUDY=str(self.study), **ENVIRONMENT)
        self.ask("import", modules=list(PRELOAD))
        self.ask("keep")

    def ask(self, do: str, **more: Any) -> Any:
        return self.zygote.ask(do, **more)

    def call(self, function: str, **more: Any) -> Any:
        """Call a function of ``commands`` in a child; gives its answer, if it was not killed."""
        (answer,) = self.zygote.call(MODULE, function, **more)
        if isinstance(answer, dict) and "died" in answer:
            assert os.WIFSIGNALED(answer["died"]) and "killed_after" in more, answer["text"]
        return answer

    def run(self, *arguments: str, **more: Any) -> dict[str, Any]:
        """Run a command of ``autophagy``: its exit code and what it printed."""
        return self.call("run", arguments=list(arguments), **self._kept, **more)

    def must(self, *arguments: str) -> str:
        """Run a command that has to succeed; gives what it printed."""
        done = self.run(*arguments)
        assert done.get("code") == 0, f"autophagy {' '.join(arguments)}: {done}"
        return done["said"]


class Scratch:
    """What a home holds that is made from scratch of given images and study, by one refresh.

    Parameters
    ----------
    folder : pathlib.Path
    pool : Pool
        Images.
    """

    def __init__(self, folder: Path, pool: Pool) -> None:
        kept = folder / "fields"
        kept.mkdir(parents=True)
        self._home, self._pool = CommandHome(folder / "scratch", kept), pool
        self._one, self._known = ThreadPoolExecutor(1), dict[str, Future[dict[str, Any]]]()
        self._lock = threading.Lock()

    def of(self, wanted: Wanted) -> Future[dict[str, Any]]:
        """Begin to make a home, or find what was made of the same before."""
        with self._lock:
            if wanted.key not in self._known:
                self._known[wanted.key] = self._one.submit(self._make, wanted.copy())
            return self._known[wanted.key]

    @property
    def count(self) -> int:
        """Number of homes made."""
        return len(self._known)

    def warm(self, wanted: Wanted) -> list[str]:
        """Make one home, and tell which modules it takes."""
        self._begin(wanted)
        modules = self._home.call("imported", arguments=["refresh"], **self._home._kept)
        self._home.ask("import", modules=modules)
        return modules

    def _begin(self, wanted: Wanted) -> None:
        self._home.ask("restore")
        wanted.write_study(self._home.study)
        self._home.must("ingest", str(self._pool.folder_of(wanted, sorted(wanted.fields))))

    def _make(self, wanted: Wanted) -> dict[str, Any]:
        self._begin(wanted)
        self._home.must("refresh")
        seen = self._home.call("look")
        assert not seen["faults"] and not seen["out of date"], f"made from scratch: {seen}"
        return seen

    def end(self) -> None:
        self._one.shutdown(cancel_futures=True)
        self._home.zygote.end()


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
