"""The Dagster UI, its daemon and the code that both of them run."""

from __future__ import annotations

import os
import signal
import sys
from typing import NoReturn

from autophagy_assets.home import Home

CODE_LOCATION = "autophagy_assets.definitions"


def serve(port: int, host: str = "127.0.0.1") -> NoReturn:
    """Become Dagster's development server, which ends with Ctrl-C or SIGTERM.

    Parameters
    ----------
    port : int
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
    # Warnings are ignored: Dagster would have its users call another program for this.
    os.execv(sys.executable, [sys.executable, "-W", "ignore", "-m", "dagster", "dev", *where])
