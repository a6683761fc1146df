"""The Dagster UI, its daemon and the code that both of them run."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from typing import Literal, NoReturn

import yaml

from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError
from autophagy_assets.registry.store.processes import announce_program

CODE_LOCATION = "autophagy_assets.definitions"
LOOPBACK = "127.0.0.1"
PATIENCE_S = 180.0

Part = Literal["code", "web", "read-only", "daemon"]
# Port on which a part listens by default; the others find the code there.
PORTS: dict[Part, int | None] = {"code": 4000, "web": 3000, "read-only": 3001, "daemon": None}


def serve(port: int, host: str = LOOPBACK) -> NoReturn:
    """Replace this process by Dagster's development server, which ends with Ctrl-C or SIGTERM.

    Parameters
    ----------
    host : str
        Address to listen on; the default is reached from this machine only.

    Notes
    -----
    It keeps one code server for web server and daemon. Started without one, each of them has
    its own, and the daemon starts another every minute to see whether the code has changed.
    """
    Home.locate().prepare()
    # Dagster treats SIGTERM as it finds SIGINT treated, and a shell lets what it starts in the
    # background ignore SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    where = ["-m", CODE_LOCATION, "-h", host, "-p", str(port)]
    _replace_process(["dagster", "dev", *where], ends_dead_runs=True)


def serve_part(part: Part, port: int | None, code_port: int) -> NoReturn:
    """Replace this process by one of the programs that ``autophagy ui`` starts together.

    Parameters
    ----------
    part : str
        ``"code"`` runs the platform's code and the runs, ``"web"`` the UI, ``"read-only"`` a UI in
        which nothing can be changed, ``"daemon"`` schedules, sensors and the queue.
    port : int or None
        Where a web server listens, on this machine only; default as in ``PORTS``.
    code_port : int
        Where the code listens.
    """
    home = Home.locate()
    home.prepare()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Under the name that `autophagy ui` gives it, so that what was turned on there stays on.
    server = {"host": LOOPBACK, "port": code_port, "location_name": CODE_LOCATION}
    workspace = home.root / "workspace.yaml"
    written = yaml.safe_dump({"load_from": [{"grpc_server": server}]})
    if not workspace.exists() or workspace.read_text() != written:
        beside = workspace.with_suffix(f".{os.getpid()}")
        beside.write_text(written)
        beside.replace(workspace)  # other parts may be reading it
    listen = ["-h", LOOPBACK, "-p", str(code_port if part == "code" else port or PORTS[part])]
    programs: dict[Part, list[str]] = {
        "code": ["dagster", "code-server", "start", "-m", CODE_LOCATION, *listen],
        "web": ["dagster_webserver", "-w", str(workspace), *listen],
        "read-only": ["dagster_webserver", "--read-only", "-w", str(workspace), *listen],
        "daemon": ["dagster._daemon", "run", "-w", str(workspace)],
    }
    if part != "code":
        _await_code(code_port)
    _replace_process(programs[part], ends_dead_runs=part == "daemon")


def _replace_process(program: list[str], *, ends_dead_runs: bool) -> NoReturn:
    announce_program()
    environment = dict(os.environ)  # as it is before a store is connected, which adds to it
    from autophagy_assets.automation.dead_runs import end_dead_runs
    from autophagy_assets.config.home import dagster_instance

    # Opened whatever the program: Dagster's programs do not wait for each other to make its tables.
    with dagster_instance() as instance:
        for disagreement in end_dead_runs(instance) if ends_dead_runs else ():
            print(f"{disagreement.what}: {disagreement.problem}; marked as failed", flush=True)
    # Warnings are ignored: Dagster would have its users call another program for this.
    os.execve(sys.executable, [sys.executable, "-W", "ignore", "-m", *program], environment)


def _await_code(port: int) -> None:
    """Wait until the code listens: a web server that finds none does not look again."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise InputError(
                    f"Nothing listens on port {port} of {LOOPBACK}; start 'autophagy serve code', "
                    "or name its port with --code-port."
                ) from error
        time.sleep(0.2)
