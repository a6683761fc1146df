"""Talks to a test fork server: one process with a home of its own, whose children are killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.preloaded import Talking


class ForkServer:
    """A process that forks children on request.

    Parameters
    ----------
    folder : pathlib.Path
        Holds its home, the study file and what the children print.
    **environment
        Further environment variables.
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.home = folder, folder / "home"
        self._process = Talking(
            ["-m", "autophagy_assets_tests.reliability.fork_server"],
            clean_environment(self.home, PYTHONPATH=str(ROOT), **environment),
            folder,
        )

    def ask(self, do: str, **more: Any) -> Any:
        """Have something done and wait for the answer."""
        self._process.stdin.write(json.dumps({"do": do, **more}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, (self.folder / "children.log").read_text(errors="replace")[-4000:]
        return json.loads(answer)

    def call(self, module: str, function: str, processes: int = 1, **more: Any) -> list[Any]:
        """Call a function of this package in several children at once; gives their answers.

        With ``killed_after`` one that has not answered after so many seconds is killed.
        """
        package = __name__.rpartition(".")[0]
        return self.ask(
            "call", module=f"{package}.{module}", function=function, processes=processes, **more
        )

    def end(self) -> None:
        """End the process."""
        self._process.end()
