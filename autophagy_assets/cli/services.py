"""``autophagy ui`` and ``autophagy serve``: the Dagster UI, its daemon and the code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from autophagy_assets.config.home import Home

_PORT = click.IntRange(1, 65_535)


@click.command()
@click.option("--port", type=_PORT, default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(port: int) -> None:
    """Open the Dagster UI and start the daemon, both for this machine only."""
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.serve import serve
    from autophagy_assets.config.study import Study

    require(Study.load().name)
    click.echo(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)")
    sys.exit(serve(port))


@click.command("serve")
@click.argument("part", type=click.Choice(["code", "web", "read-only", "daemon", "workers"]))
@click.option(
    "--port",
    type=_PORT,
    help="Of a web server, on 127.0.0.1 (default 3000, read-only 3001), or of workers (8786).",
)
@click.option(
    "--code-port",
    type=_PORT,
    default=4000,
    show_default=True,
    help="Of the code server, on 127.0.0.1.",
)
@click.option("--workers", type=click.IntRange(min=0), help="Worker processes on this machine.")
@click.option(
    "--host", default="127.0.0.1", help="Address of the scheduler. Who reaches it can run code."
)
@click.option("--scheduler", help="Have the workers join this Dask scheduler, tcp://host:port.")
@click.option("--queue", type=click.Path(path_type=Path), help="Cluster file: workers in a queue.")
def services(
    part: Any,
    port: int | None,
    code_port: int,
    workers: int | None,
    host: str,
    scheduler: str | None,
    queue: Path | None,
) -> None:
    """Run one PART of what 'autophagy ui' runs, for a service manager; or workers.

    code is the code server, which runs all runs; web is the UI; read-only is a UI that changes
    nothing; daemon evaluates schedules and sensors and launches queued runs. workers image fields
    of view for runs that have their address in AUTOPHAGY_COMPUTE; they need no home.
    """
    if part == "workers":
        from autophagy_assets.cli import serve_workers

        if scheduler:
            return serve_workers.join(scheduler, workers)
        if queue:
            serve_workers.serve_queue(queue)
        serve_workers.serve(host, port or 8786, workers)
    Home.locate().prepare()
    from autophagy_assets.automation.home_study import require
    from autophagy_assets.cli.serve import serve_part
    from autophagy_assets.config.study import Study

    require(Study.load().name)
    sys.exit(serve_part(part, port, code_port))
