"""``autophagy ui`` and ``autophagy serve``: what cannot be served is one sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from autophagy_assets_tests.cli.test_main import autophagy


@pytest.mark.slow
def test_workers_on_a_port_that_somebody_has_are_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as theirs:
        port = str(theirs.getsockname()[1])
        done = autophagy(tmp_path / "home", "serve", "workers", "--workers", "0", "--port", port)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert f"served at 127.0.0.1:{port} ([Errno 98] Address already in use)" in done.stderr


@pytest.mark.parametrize("command", ["ui --port 0", "ui --port 70000", "serve code --code-port -1"])
def test_a_port_that_there_is_not_is_refused(tmp_path: Path, command: str) -> None:
    """Dagster's server would come up without its UI."""
    done = autophagy(tmp_path / "home", *command.split())
    assert done.returncode == 2 and "is not in the range 1<=x<=65535" in done.stderr
