"""The command line.

Here belong arguments and what is printed; what is done stands in the modules that the
commands call, which are imported inside the commands so that help is there at once.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autophagy_assets.cli.delete import delete
from autophagy_assets.cli.demo import demo
from autophagy_assets.cli.doctor import doctor
from autophagy_assets.cli.lineage import lineage
from autophagy_assets.cli.reconcile import reconcile
from autophagy_assets.cli.withdraw import withdraw
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError, IntegrityError, store_away

if TYPE_CHECKING:
    from autophagy_assets.automation.refresh import Refreshed

REPORT_FOLDER = "report"
# Two make no home, one makes its own elsewhere.
_WITHOUT_HOME = ("delete", "demo", "doctor")


class Group(click.Group):
    """Commands whose errors of input are one sentence and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (InputError, IntegrityError) as error:
            click.secho(f"Error: {error}", fg="red", err=True)
            sys.exit(1)
        except Exception as error:
            away = store_away(error)
            if away is None:
                raise
            click.secho(f"Error: {away}", fg="red", err=True)
            sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autophagy-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Single-cell imaging screens: from microscope images to a classifier of cells.

    First 'autophagy ingest DIR', then 'autophagy refresh'. Everything is kept below
    AUTOPHAGY_HOME (default: .autophagy in this folder).
    """
    # Imports leave a million objects and no garbage: looking for it costs a second at each start.
    gc.set_threshold(100_000, 20, 20)
    if context.invoked_subcommand not in _WITHOUT_HOME:
        Home.locate().prepare()


@main.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--replace", is_flag=True, help="Images may take the place of registered ones.")
def ingest(folder: Path, replace: bool) -> None:
    """Register the microscope images in FOLDER.

    FOLDER holds one TIFF per field of view and channel, and metadata_files.csv with a row
    for each image: image_path, genotype, stimulation, cell_line_clone, channel, FOV and
    whatever else is known of it. The images are copied; FOLDER is not changed.
    """
    from autophagy_assets.automation.sync import sync
    from autophagy_assets.cli.output import show_ingested
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import ingest as bring_in

    study = Study.load()
    Home.locate().claim(study.name)
    try:
        done = bring_in(
            folder, study, lambda name: click.echo(f"  reading {name}", err=True), replace
        )
    except OSError as error:  # a full disk, a network folder that went away
        raise InputError(f"{error.strerror or error}. Nothing was ingested.") from error
    sync(dagster_instance(), study)
    show_ingested(done)


@main.command()
@click.option("--workers", type=click.IntRange(min=1), help="Processes; default: all cores.")
@click.option("--verify", is_flag=True, help="Read every file, and make damaged ones again.")
def refresh(workers: int | None, verify: bool) -> None:
    """Make whatever is new or out of date, and nothing else.

    Ends with exit code 1 where something is not up to date in the end.
    """
    from autophagy_assets.cli.output import show_summary

    done = run_refresh(workers, verify)
    show_summary(Home.locate().root / REPORT_FOLDER)
    sys.exit(0 if done.complete else 1)


def run_refresh(workers: int | None, verify: bool = False) -> Refreshed:
    """Refresh as the command does: with a progress bar, and the report in its folder.

    Parameters
    ----------
    workers : int or None
    verify : bool
        Read every file, and make damaged ones again.

    Returns
    -------
    Refreshed
    """
    from autophagy_assets.automation.refresh import refresh as bring_up_to_date
    from autophagy_assets.cli.output import RefreshProgress, show_refreshed
    from autophagy_assets.cli.summary import export
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study

    Home.locate().claim(Study.load().name)
    gc.collect()
    gc.freeze()  # what the imports left would be walked again and again
    with RefreshProgress() as progress:
        done = bring_up_to_date(None, progress, workers, verify=verify)
    export(dagster_instance(), Home.locate().root / REPORT_FOLDER)
    show_refreshed(done)
    return done


@main.command()
@click.option("--verify", is_flag=True, help="Read every file and compare it with its hash.")
def status(verify: bool) -> None:
    """Show which assets are up to date and why others are not, and fields that were set aside."""
    from autophagy_assets.automation.next_runs import look
    from autophagy_assets.cli.output import show_status
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import set_aside_fields

    Home.locate().require(Study.load().name)
    instance = dagster_instance()
    state = look(instance, None, verify=verify)
    show_status(state.plan, set_aside_fields(state.study), instance)


@main.command()
@click.option("--to", type=click.Path(path_type=Path), help="Folder; default: in AUTOPHAGY_HOME.")
def report(to: Path | None) -> None:
    """Write the study's report and figures to a folder."""
    from autophagy_assets.cli.summary import export
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study

    Home.locate().require(Study.load().name)
    copies = export(dagster_instance(), to or Home.locate().root / REPORT_FOLDER)
    if not copies:
        raise InputError("There is no report yet; run 'autophagy refresh' first.")
    for path in copies:
        click.echo(path)


@main.command()
@click.option("--port", default=3000, show_default=True, help="Port on 127.0.0.1.")
def ui(port: int) -> None:
    """Open the Dagster UI and start the daemon, both for this machine only."""
    from autophagy_assets.cli.serve import serve
    from autophagy_assets.config.study import Study

    Home.locate().require(Study.load().name)
    click.echo(f"Dagster UI: http://127.0.0.1:{port}  (stop with Ctrl-C)")
    sys.exit(serve(port))


@main.command()
@click.argument("part", type=click.Choice(["code", "web", "guests", "daemon"]))
@click.option("--port", type=int, help="Of a web server, on 127.0.0.1; default 3000, guests 3001.")
@click.option("--code-port", default=4000, show_default=True, help="Of the code, on 127.0.0.1.")
def serve(part: Any, port: int | None, code_port: int) -> None:
    """Run one PART of what 'autophagy ui' runs, for a service manager.

    code runs the platform's code and all runs, web is the UI, guests a UI that changes nothing,
    daemon looks after schedules, sensors and the queue.
    """
    from autophagy_assets.cli.serve import serve_part
    from autophagy_assets.config.study import Study

    Home.locate().require(Study.load().name)
    sys.exit(serve_part(part, port, code_port))


main.add_command(delete)
main.add_command(demo)
main.add_command(doctor)
main.add_command(lineage)
main.add_command(reconcile)
main.add_command(withdraw)
