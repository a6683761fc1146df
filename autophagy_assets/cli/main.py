"""The command line.

Here belong arguments and what is printed; what is done stands in the modules that the
commands call, which are imported inside the commands so that help is there at once.
"""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper
from typing import Any

import click

from autophagy_assets.cli.annotate import annotate
from autophagy_assets.cli.compare import compare
from autophagy_assets.cli.delete import delete
from autophagy_assets.cli.demo import demo
from autophagy_assets.cli.doctor import doctor
from autophagy_assets.cli.ingest import ingest
from autophagy_assets.cli.lineage import lineage
from autophagy_assets.cli.plan_replicates import plan_replicates
from autophagy_assets.cli.reconcile import reconcile
from autophagy_assets.cli.refresh import refresh
from autophagy_assets.cli.report import report
from autophagy_assets.cli.review import review
from autophagy_assets.cli.services import services, ui
from autophagy_assets.cli.status import status
from autophagy_assets.cli.withdraw import withdraw
from autophagy_assets.config.home import Home
from autophagy_assets.errors import InputError, IntegrityError, store_away, unusable_place

# Commands by who needs them, as the help shows them.
_SECTIONS: dict[str, list[click.Command]] = {
    "A study": [ingest, refresh, status, report, compare, lineage, plan_replicates, withdraw],
    "Labelling by people": [review, annotate],
    "Trying it out": [demo, ui],
    "Maintenance": [doctor, reconcile, services, delete],
}
# Two make no home, one makes its own elsewhere, one needs none for one of its parts.
_WITHOUT_HOME = ("delete", "demo", "doctor", "serve")


class SectionedGroup(click.Group):
    """Commands whose errors of input are one sentence and exit code 1."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by who needs them."""
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(one.name or "", one.get_short_help_str(60)) for one in commands]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (InputError, IntegrityError) as error:
            click.secho(f"Error: {error}", fg="red", err=True)
            sys.exit(1)
        except Exception as error:
            known = store_away(error) or unusable_place(error)
            if known is None:
                raise
            click.secho(f"Error: {known}", fg="red", err=True)
            sys.exit(1)


@click.group(cls=SectionedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="autophagy-assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Single-cell imaging screens: from microscope images to a classifier of cells.

    First 'autophagy ingest DIR', then 'autophagy refresh'. Everything is kept below
    AUTOPHAGY_HOME (default: .autophagy in this folder).
    """
    # Imports leave a million objects and no garbage: looking for it costs a second at each start.
    gc.set_threshold(100_000, 20, 20)
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal may lack letters of names, or lines
        sys.stdout.reconfigure(errors="backslashreplace")
    if context.invoked_subcommand not in _WITHOUT_HOME:
        Home.locate().prepare()


for _commands in _SECTIONS.values():
    for _command in _commands:
        main.add_command(_command)
