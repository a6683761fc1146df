"""Python processes that begin with the libraries imported: a stand-in for ``subprocess.run``.

Importing takes 4 s of a processor, most often longer than what a test is about. So one process
imports the libraries and forks, for each script or command, a process that has an environment, a
working directory and output of its own and ends as any other. It has read the platform's code as
well, which each process does that defines the assets, to hash it, for 1 s. Nothing else of the
platform is imported before the fork, nor LaminDB, which reads its settings when it is imported;
scPortrait and torch are not either.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TextIO

LIBRARIES = [
    *("dagster", "django.db.models", "fsspec", "h5py", "jinja2", "joblib"),
    *("matplotlib.backends.backend_agg", "matplotlib.figure", "narwhals", "pandas", "PIL.Image"),
    *("psycopg2", "pyarrow.parquet", "pydantic", "rich.progress", "scipy.ndimage", "scipy.stats"),
    *("sklearn.ensemble", "sklearn.model_selection", "sqlalchemy", "supabase", "upath", "yaml"),
    "zarr",
]
ROOT = Path(__file__).resolve().parents[1]
_LARGEST_REQUEST = 1 << 17
_asking = threading.Lock()


def run_python(
    arguments: Sequence[object],
    env: Mapping[str, str],
    cwd: Path,
    input: str = "",
    timeout: float = 500,
) -> subprocess.CompletedProcess[str]:
    """Run Python as ``subprocess.run([sys.executable, *arguments], ...)`` would, but sooner.

    Parameters
    ----------
    arguments
        ``-c`` and a script, or ``-m`` and a module, and what either is given.
    env
        Its environment; the package is that of this checkout, whatever ``PYTHONPATH`` says.
    input
        Its standard input.
    timeout
        Seconds after which it is killed.

    Raises
    ------
    subprocess.TimeoutExpired
    """
    words = [str(argument) for argument in arguments]
    with contextlib.ExitStack() as stack:
        given, out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
        given.write(input)
        given.seek(0)
        handed = [stream.fileno() for stream in (given, out, err)]
        link = stack.enter_context(_forked(words, env, cwd, handed))
        code = _ended(link, words, timeout)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, code, out.read(), err.read())


class Talking:
    """A Python process that is written to and read from; what it says of errors is ours.

    Parameters
    ----------
    arguments, env, cwd
        As of :func:`run_python`.
    """

    def __init__(self, arguments: Sequence[object], env: Mapping[str, str], cwd: Path) -> None:
        self._words = [str(argument) for argument in arguments]
        theirs, ours = os.pipe()
        self.stdin: TextIO = os.fdopen(ours, "w")
        ours, theirs_too = os.pipe()
        self.stdout: TextIO = os.fdopen(ours)
        self._link = _forked(self._words, env, cwd, [theirs, theirs_too, 2])
        os.close(theirs)
        os.close(theirs_too)

    def end(self, timeout: float = 60) -> int:
        """Close what it reads, and wait until it has ended; gives its exit code."""
        self.stdin.close()
        with self._link, self.stdout:
            return _ended(self._link, self._words, timeout)


def _forked(
    words: list[str], env: Mapping[str, str], cwd: Path, streams: list[int]
) -> socket.socket:
    """Ask for a process with given streams; gives where its number and its end are told."""
    request = {"arguments": words, "environment": dict(env), "folder": str(cwd)}
    ours, theirs = socket.socketpair()
    with _asking:  # or threads would each start a server
        server = _server()
    with theirs:
        socket.send_fds(server, [json.dumps(request).encode()], [theirs.fileno(), *streams])
    return ours


def _ended(link: socket.socket, words: list[str], timeout: float) -> int:
    """Wait until a process has ended; gives its exit code."""
    with link.makefile() as answers:
        process = int(answers.readline())
        link.settimeout(timeout)
        try:
            return int(answers.readline())
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout) from None


@cache
def _server() -> socket.socket:
    """Start the process that forks; it ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd="/",
        )
    return ours


def _serve(requests: socket.socket) -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    _read_code()
    gc.collect()
    gc.freeze()  # or the first collection in each process would copy all of it
    while True:
        message, handed, _, _ = socket.recv_fds(requests, _LARGEST_REQUEST, 4)
        if not message:
            return
        if os.fork() == 0:
            requests.close()
            _keep(json.loads(message), *handed)
            return
        for descriptor in handed:
            os.close(descriptor)
        while os.waitpid(-1, os.WNOHANG)[0]:  # those that have ended
            pass


def _read_code() -> None:
    """Parse the rooms that make content, which the processes then need not do."""
    from autophagy_assets.staleness.modules import parse
    from autophagy_assets.staleness.syntax import file_names, text, uses

    for room in ("analysis", "assets"):
        for file in sorted((ROOT / "autophagy_assets" / room).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            module = parse(name.removesuffix(".__init__"), file)
            scope = module.scope
            for statement in [*chain.from_iterable(scope.statements.values()), *scope.effects]:
                module.imports(statement)
                for look in (text, uses, file_names):
                    look(statement)


def _keep(request: dict, answers: int, *streams: int) -> None:
    """Fork the process that was asked for, and say when it has ended and how."""
    process = os.fork()
    if process == 0:
        os.close(answers)
        _become(request, streams)
        return
    os.write(answers, f"{process}\n".encode())
    _, status = os.waitpid(process, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody waits any longer
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request: dict, streams: Sequence[int]) -> None:
    """Be the Python process that was asked for; ends with the interpreter."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    how, what, *arguments = request["arguments"]
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    sys.argv = [how, *arguments]
    if how == "-m":
        sys.path[0] = request["folder"]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = ""
        exec(compile(what, "<string>", "exec"), vars(main))


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
