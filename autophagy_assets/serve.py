"""The Dagster UI and its daemon, as two child processes that end together."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

from autophagy_assets.home import Home

CODE_LOCATION = ["-m", "autophagy_assets.definitions"]
PATIENCE_SECONDS = 30


def serve(port: int, host: str = "127.0.0.1") -> int:
    """Run web server and daemon until one of them ends or the user stops them.

    Parameters
    ----------
    port : int
    host : str
        Address to listen on; the default is reached from this machine only.

    Returns
    -------
    int
        Exit code.
    """
    Home.locate().prepare()
    python = [sys.executable, "-m"]
    commands = [
        [*python, "dagster_webserver", "-h", host, "-p", str(port), *CODE_LOCATION],
        [*python, "dagster._daemon", "run", *CODE_LOCATION],
    ]
    # A service manager stops with SIGTERM; it shall end the children as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    children: list[subprocess.Popen[bytes]] = []
    try:
        children += [subprocess.Popen(command) for command in commands]
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        return max(child.poll() or 0 for child in children)
    except KeyboardInterrupt:
        return 0
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
