"""``autophagy demo``: a simulated study, in a home of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
import yaml

from autophagy_assets.config.home import Home
from autophagy_assets.config.settings import (
    DATABASE_VARIABLE,
    HOME_VARIABLE,
    SOURCE_VARIABLE,
    STORAGE_VARIABLE,
    STUDY_VARIABLE,
)

DEMO_HOME = ".autophagy-demo"
DEMO_STUDY = "autophagy demo"
# They would lead away from the home of the demo, which needs no login and no server.
_LEADING_AWAY = (
    "DAGSTER_HOME",
    "LAMIN_SETTINGS_DIR",
    "LAMIN_CACHE_DIR",
    "LAMIN_CURRENT_INSTANCE",
    DATABASE_VARIABLE,
    SOURCE_VARIABLE,
    STORAGE_VARIABLE,
)


@click.command()
@click.option("--fields", default=2, show_default=True, help="Fields of view per sample.")
@click.option("--size", default=1080, show_default=True, help="Side of a field in px.")
@click.option("--cells", default=None, type=int, help="Cells per field; default: as in the study.")
@click.option("--effect", default=1.0, show_default=True, help="0: stimulation does nothing.")
@click.option("--knockout", default=1.0, show_default=True, help="0: it responds as WT does.")
@click.option("--staining", default=0.0, show_default=True, help="1: twice the background.")
@click.option("--halfway", is_flag=True, help="Add 6h Torin-1: half the effect, and no class.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another study.")
@click.option("--ui", is_flag=True, help="Show it in the Dagster UI; make nothing.")
@click.pass_context
def demo(
    context: click.Context,
    fields: int,
    size: int,
    cells: int | None,
    effect: float,
    knockout: float,
    staining: float,
    halfway: bool,
    seed: int,
    ui: bool,
) -> None:
    """Simulate a study, and run everything on it.

    It has a home of its own: .autophagy-demo in this folder, unless AUTOPHAGY_HOME is set.
    """
    from autophagy_assets.cli.output import show_ingested, show_summary
    from autophagy_assets.cli.refresh import REPORT_FOLDER, run_refresh
    from autophagy_assets.cli.services import ui as show_ui
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.ingest.ingest import ingest
    from autophagy_assets.simulation import simulate

    led_away = [name for name in _LEADING_AWAY if os.environ.pop(name, None)]
    home = _own_home()
    os.environ[STUDY_VARIABLE] = str(_write_study(home, halfway))
    if ui:
        context.invoke(show_ui)
    drawn = {"effect": effect, "knockout": knockout, "staining": staining, "seed": seed}
    numbers = "-".join(str(value) for value in drawn.values())
    per_field = "default" if cells is None else cells
    name = f"demo-{fields}-{size}-{per_field}-{numbers}{'-halfway' if halfway else ''}"
    folder = home.root / "simulated" / name
    if not folder.exists():
        click.echo("Simulating microscope images ...")
        more: dict[str, Any] = drawn | ({"cells_per_field": cells} if cells is not None else {})
        simulate(folder, fields_per_sample=fields, size=size, halfway=halfway, **more)
    show_ingested(ingest(folder, Study.load()))
    done = run_refresh(None)
    show_summary(home.root / REPORT_FOLDER, "make demo-ui, or autophagy demo --ui")
    click.echo("\nFor any other command on this study:")
    for variable in (HOME_VARIABLE, STUDY_VARIABLE):
        click.echo(f"  export {variable}={os.environ[variable]}")
    if led_away:
        click.echo(f"  unset {' '.join(led_away)}")
    sys.exit(0 if done.complete else 1)


def _own_home() -> Home:
    if not os.environ.get(HOME_VARIABLE):
        os.environ[HOME_VARIABLE] = DEMO_HOME
    from autophagy_assets.automation.home_study import claim

    home = Home.locate()
    claim(DEMO_STUDY)
    return home


def _write_study(home: Home, halfway: bool) -> Path:
    """The default study under the name of the demo, so that it never mixes with real images."""
    from autophagy_assets.config.study import DEFAULT_STUDY
    from autophagy_assets.simulation.treatments import HALFWAY

    file = home.root / "study.yaml"
    entries = yaml.safe_load(DEFAULT_STUDY.read_text(encoding="utf-8")) | {"name": DEMO_STUDY}
    if halfway:
        entries["conditions"] = [HALFWAY]
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
    return file
