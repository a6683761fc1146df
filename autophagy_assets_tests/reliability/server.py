"""A PostgreSQL server of the tests' own: a temporary cluster on the loopback interface."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path


def programs() -> Path | None:
    """Folder of PostgreSQL's programs: Debian's package, else what is on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Server:
    """A server that can be stopped and started again.

    Parameters
    ----------
    bin : pathlib.Path
        Folder of PostgreSQL's programs.
    """

    def __init__(self, bin: Path) -> None:
        self._bin = bin
        # Not below pytest's folder: that is closed to the user who runs the server.
        self.folder = Path(tempfile.mkdtemp(prefix="autophagy-postgres-"))
        # The server refuses to run as root.
        self._user = "postgres" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", "data", "-A", "trust", "-U", "team", "-E", "UTF8", "--locale=C")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "team", "store")

    @property
    def url(self) -> str:
        """As ``AUTOPHAGY_DATABASE_URL`` wants it."""
        return self.url_of("store")

    def url_of(self, database: str) -> str:
        return f"postgresql://team:secret@127.0.0.1:{self.port}/{database}"

    def copy(self, database: str) -> None:
        """Make another database with what the first one has; nobody may be connected to it."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "team"]
        self._run("createdb", *where, "-T", "store", database)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += f" -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", "data", "-o", options, "-l", "log", "-w", "start")

    def stop(self) -> None:
        """Stop the server at once: whoever is connected is cut off."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop")

    def remove(self) -> None:
        """Stop the server and delete its cluster."""
        with contextlib.suppress(subprocess.CalledProcessError):  # it may have been stopped
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / "programs.log").open("ab") as log:
            subprocess.run(
                [self._bin / program, *arguments],
                cwd=self.folder,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                stdout=log,
                stderr=log,
                check=True,
                timeout=120,
            )
