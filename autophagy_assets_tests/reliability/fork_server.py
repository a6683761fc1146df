"""A process that has imported everything and forks children, which are then killed.

Importing takes ten times as long as refreshing the tiny study, so the children are forked from
one process that never writes itself. It takes JSON lines on stdin and answers on stdout.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import random
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from autophagy_assets_tests.reliability.reader import HOME, look, watch

STUDY, TEMPLATE = HOME.with_name("study.yaml"), HOME.with_name("template")

PATIENCE = 900  # seconds; what takes longer hangs


def main() -> None:
    # Libraries that read this as they are loaded were loaded before this process was forked.
    if threads := os.environ.get("OMP_NUM_THREADS"):
        from threadpoolctl import threadpool_limits

        threadpool_limits(int(threads))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    log = os.open(HOME.with_name("children.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.registry.store.instance import connect
    from autophagy_assets_tests.reliability import points, tiny  # noqa: F401

    dagster_instance()  # its migrations are read once, before anything is forked
    connect().models.run.current_run()  # LaminDB looks once who asks, through all modules
    _disconnect()
    for line in sys.stdin:
        asked = json.loads(line)
        answer = globals()[f"do_{asked.pop('do')}"](**asked)
        answers.write(json.dumps(answer) + "\n")


def _disconnect() -> None:
    from django.db import connections

    connections.close_all()


def do_prepare() -> dict[str, Any]:
    """Make a store with a first version of everything; then the second, undisturbed."""
    from autophagy_assets.registry.store import processes
    from autophagy_assets_tests.reliability import tiny

    tiny.write_study(STUDY, 1)
    # Here and not in a child: what is imported and remembered on the way, children inherit.
    assert _run() and not _refresh() and not _reconcile()["left"]
    look()
    _disconnect()
    processes._held.clear()
    processes._announced.cache_clear()
    shutil.rmtree(HOME / "locks" / "processes")
    shutil.rmtree(TEMPLATE, ignore_errors=True)
    shutil.copytree(HOME, TEMPLATE)
    tiny.write_study(STUDY, 2)
    began = time.monotonic()
    assert _checked(_run)
    took = time.monotonic() - began
    return _checked(look) | {"took": took}


def do_keep() -> dict[str, Any]:
    """Keep the home as it is now, to be brought back by ``restore``."""
    shutil.rmtree(TEMPLATE, ignore_errors=True)
    shutil.copytree(HOME, TEMPLATE, symlinks=True)
    return {}


def do_keep_before_each() -> dict[str, Any]:
    """Keep the home, besides, as it is when each asset of the second version is to be made."""
    from autophagy_assets_tests.reliability import tiny

    do_restore()
    for asset in tiny.ASSETS:
        shutil.copytree(HOME, TEMPLATE.with_name(f"before-{asset}"))
        assert _checked(partial(_run, [asset]))
    return {}


def do_restore(before: str | None = None) -> dict[str, Any]:
    """Bring back the home as it was kept, or as it was before an asset was made."""
    shutil.rmtree(HOME)
    shutil.copytree(TEMPLATE.with_name(f"before-{before}") if before else TEMPLATE, HOME)
    return {}


def do_kill(point: str, what: str) -> dict[str, Any]:
    """Make what is killed and all that follows, in a child that kills itself at a point."""
    from autophagy_assets_tests.reliability import points, tiny

    def doomed() -> None:
        points.arm(point, what)
        _run(tiny.ASSETS[tiny.ASSETS.index(points.MAKER[what]) :])

    status, _ = _forked(doomed)
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def do_kill_at(delay: float) -> dict[str, Any]:
    """Refresh in a child that is killed from outside, while another one looks on."""
    status, _ = _forked(_run, killed_after=delay, meanwhile=watch)
    return {"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def do_repair(reconcile_first: bool) -> dict[str, Any]:
    """Look, refresh and reconcile in a child, as a person would after a crash."""

    def repair() -> dict[str, Any]:
        before = look()
        early = _reconcile() if reconcile_first else {}
        errors = _refresh()
        late = _reconcile()
        return {
            "before": before,
            "early": early,
            "errors": errors,
            "late": late,
            "after": look(),
        }

    return _checked(repair)


def _run(assets: list[str] | None = None) -> bool:
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets_tests.reliability import tiny

    with dagster_instance() as instance:
        return tiny.run_all(instance, STUDY, assets or tiny.ASSETS)


def do_import(modules: list[str]) -> dict[str, Any]:
    """Import what the children would else each import anew."""
    for module in modules:
        with contextlib.suppress(ImportError):  # made at run time by its package
            importlib.import_module(module)
    gc.collect()
    gc.freeze()
    return {}


def do_call(
    module: str,
    function: str,
    processes: int = 1,
    killed_after: float | None = None,
    **more: Any,
) -> list[Any]:
    """Call a function in several children at once, each with its number; gives their answers."""
    chosen = getattr(importlib.import_module(module), function)
    children = []
    for number in range(processes):
        reading, writing = os.pipe()
        children.append((_fork(partial(chosen, number, **more), writing), reading))
        os.close(writing)
    answers = []
    for child, reading in children:
        if not select.select([reading], [], [], killed_after or PATIENCE)[0]:
            os.kill(child, signal.SIGKILL)
        with os.fdopen(reading) as stream:
            text = stream.read()
        _, status = os.waitpid(child, 0)
        answers.append(json.loads(text) if status == 0 else {"died": status, "text": text})
    return answers


def _refresh() -> dict[str, str]:
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets_tests.reliability import tiny

    with dagster_instance() as instance:
        return tiny.refresh(instance, STUDY)


def _reconcile() -> dict[str, Any]:
    from autophagy_assets.automation.reconcile import reconcile, unrepaired
    from autophagy_assets.config.home import dagster_instance

    with dagster_instance() as instance:
        found = reconcile(instance, fix=True)
        again = reconcile(instance)
    return {
        "found": [f"{f.kind}: {f.what}: {f.problem}" for f in found],
        "left": [f"{f.kind}: {f.what}: {f.problem}" for f in [*unrepaired(found), *again]],
    }


def _checked(work: Callable[[], Any]) -> Any:
    status, answer = _forked(work)
    if status != 0:
        raise RuntimeError(f"child ended with {status}: {answer}")
    return answer


def _forked(
    work: Callable[[], Any],
    killed_after: float | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> tuple[int, Any]:
    """Do work in a forked child; gives how it ended and what it answered."""
    watcher = _fork(meanwhile, None) if meanwhile else None
    reading, writing = os.pipe()
    child = _fork(work, writing)
    os.close(writing)
    if killed_after is not None:
        select.select([], [], [], killed_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as stream:
        text = stream.read()
    _, status = os.waitpid(child, 0)
    if watcher is not None:
        ended, _ = os.waitpid(watcher, os.WNOHANG)
        if ended:
            raise RuntimeError("a reader saw a partial file; see children.log")
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)
    return status, json.loads(text) if text else None


def _fork(work: Callable[[], Any], answers: int | None) -> int:
    child = os.fork()
    if child:
        return child
    try:
        random.seed()
        answer = work()
        if answers is not None:
            os.write(answers, json.dumps(answer).encode())
    except BaseException:
        traceback.print_exc()
        if answers is not None:
            os.write(answers, json.dumps(traceback.format_exc()[-3000:]).encode())
        os._exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
