"""Changing stored files and loading them, in a child of a fork server."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path
from typing import Any

# What is changed: key of the artifact, and the asset that reads it.
TARGETS = {
    "table": ("tiny-study/tiny/cells.parquet", "forest"),
    "model": ("tiny-study/tiny/forest.joblib", "picture"),
    "figure": ("tiny-study/tiny/picture.png", "page"),
    "figure's table": ("tiny-study/tiny/picture.parquet", "page"),
    "file": ("tiny-study/tiny/field/FOV1/crops.h5ad", "cells"),
    "folder": ("tiny-study/tiny/field/FOV1/field.zarr", "cells"),
}
SENTINEL = Path(os.environ.get("AUTOPHAGY_HOME", ".")).with_name("executed")


class Evil:
    """A pickle that runs code when it is loaded."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (SENTINEL,))


def flipped(path: Path, key: str) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncated(path: Path, key: str) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def swapped(path: Path, key: str) -> None:
    """Another artifact's file, of the same format where there is one."""
    from autophagy_assets.registry.store.instance import connect

    others = connect().Artifact.filter(is_latest=True).exclude(key=key).order_by("key")
    alike = [a for a in others if Path(str(a.path)).suffix == path.suffix]
    files = [a for a in alike or others if Path(str(a.path)).is_file()]
    shutil.copyfile(str(files[0].path), path)


def evil_pickle(path: Path, key: str) -> None:
    path.write_bytes(pickle.dumps(Evil()))


def deleted(path: Path, key: str) -> None:
    path.unlink()


def tamper_and_load(number: int, cases: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Change the file of an artifact, materialize what reads it, put it back, and so on.

    In the end all of them are changed.
    """
    seen, changed = [], []
    aside = SENTINEL.with_name("aside")
    aside.mkdir(exist_ok=True)
    for turn, (what, how) in enumerate(cases):
        key, reader = TARGETS[what]
        member = _member(key)
        whole, spoilt = aside / f"{turn}-whole", aside / f"{turn}-spoilt"
        member.rename(whole)
        shutil.copyfile(whole, member)
        globals()[how](member, key)
        seen.append(_load(reader))
        if member.exists():
            member.rename(spoilt)
        whole.rename(member)
        changed.append((member, spoilt))
    for member, spoilt in changed:
        member.unlink()
        if spoilt.exists():
            spoilt.rename(member)
    return seen


def _member(key: str) -> Path:
    """File of an artifact, or the last one of its folder."""
    from autophagy_assets.registry.store.instance import connect

    path = Path(str(connect().Artifact.get(key=key, is_latest=True).path))
    return sorted(p for p in path.rglob("*") if p.is_file())[-1] if path.is_dir() else path


def _load(reader: str) -> dict[str, Any]:
    """Materialize an asset; what came of it."""
    import dagster as dg

    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.registry.store.instance import connect
    from autophagy_assets_tests.reliability import fork_server, tiny

    with dagster_instance() as instance:
        job = tiny.build_defs(str(fork_server.STUDY)).resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey(reader)],
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=False,
        )
    failures = [e.step_failure_data for e in result.all_events if e.is_step_failure]
    run = connect().Run.filter(reference=result.run_id).first()
    return {
        "success": result.success,
        "said": [f.user_failure_data.description if f.user_failure_data else "" for f in failures],
        "tried_again": any(e.is_step_restarted for e in result.all_events),
        "executed": SENTINEL.exists(),
        "status": run.status if run is not None else None,
        "recorded_error": (run.extra_data or {}).get("error") if run is not None else None,
    }


def fault_is_seen(number: int) -> bool:
    """Whether a pickle of this module would have run code, had it been loaded."""
    pickle.loads(pickle.dumps(Evil()))
    ran = SENTINEL.exists()
    SENTINEL.unlink(missing_ok=True)
    return ran
