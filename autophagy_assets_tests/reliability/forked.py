"""Talks to a test fork server: one process with a home of its own, whose children are killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from autophagy_assets_tests.conftest import ROOT, clean_environment


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
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autophagy_assets_tests.reliability.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=clean_environment(self.home, PYTHONPATH=str(ROOT), **environment),
            cwd=folder,
            text=True,
        )

    def ask(self, do: str, **more: Any) -> Any:
        """Have something done and wait for the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
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
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
