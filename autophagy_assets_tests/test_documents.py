"""Documents: links lead somewhere; lists of assets, checks, commands and settings are complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from autophagy_assets.automation.sensors import define_schedules, define_sensors, jobs
from autophagy_assets.cli.main import main
from autophagy_assets.config import settings
from autophagy_assets.definitions import build_defs
from autophagy_assets_tests.conftest import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
GRAPH = dg.Definitions.resolve_asset_graph(build_defs())
STUDY = "of the study"  # how the graph in the README calls an asset without partitions


def prose(document: Path) -> str:
    """Text of a document without its blocks of code."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Anchors of the headings of a document, as GitHub derives them."""
    headings = re.findall(r"^#+ (.*)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_to_a_file_and_to_one_of_its_headings(document):
    wrong = []
    for link in re.findall(r"\]\(([^)]+)\)", prose(document)):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = document.parent / file if file else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert not wrong


def test_the_readme_lists_every_document():
    listed = (ROOT / "README.md").read_text().split("All documents:")[1]
    assert all(f"({document.relative_to(ROOT)})" in listed for document in DOCUMENTS[1:])


def drawn_graph() -> tuple[dict[str, tuple[str, str, bool]], set[tuple[str, str]]]:
    """The graph in the README: group, partitions and slant of each asset, and all arrows."""
    text = (ROOT / "README.md").read_text()
    lines = re.search(r"```mermaid\nflowchart LR\n(.*?)```", text, re.DOTALL)[1].splitlines()
    assets: dict[str, tuple[str, str, bool]] = {}
    arrows: list[tuple[str, str]] = []
    group = usual = ""
    for line in map(str.strip, lines):
        if line.startswith("subgraph"):
            group = line.split()[1]
            usual = re.search(r", (by \w+)\]", line)[1] if "[" in line else STUDY
        elif line == "end":
            group = ""
        else:
            sides = [[node.strip() for node in side.split("&")] for side in line.split("-->")]
            for node in (node for side in sides for node in side if group):
                name, label = re.fullmatch(r"(\w+)(?:\[(.+)\])?", node).groups()
                said = re.search(r", (by \w+|of the study)", label or "")
                if label or name not in assets:
                    slanted = bool(label and label.startswith("/"))
                    assets[name] = (group, said[1] if said else usual, slanted)
            names = [[re.match(r"\w+", node)[0] for node in side] for side in sides]
            arrows += [(a, b) for one, other in pairwise(names) for a in one for b in other]
    return assets, set(_spelled_out(assets, arrows))


def _spelled_out(
    assets: dict[str, tuple[str, str, bool]], arrows: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Arrows between assets, for arrows of which some are from or to a group."""
    members: dict[str, list[str]] = {}
    for name, (group, _, _) in assets.items():
        members.setdefault(group, []).append(name)
    begins = {source for source, _ in arrows}
    for source, target in arrows:
        last = [name for name in members.get(source, ()) if name not in begins]
        # The name of a group may be that of no asset.
        for one in [source] if source in assets else last:
            for other in [target] if target in assets else members[target]:
                yield one, other


def test_the_graph_in_the_readme_has_the_assets_their_groups_and_partitions():
    expected = {}
    for key in GRAPH.get_all_asset_keys():
        node = GRAPH.get(key)
        partitions = f"by {node.partitions_def.name}" if node.partitions_def else STUDY
        expected[key.to_user_string()] = (node.group_name, partitions, node.is_external)
    assert drawn_graph()[0] == expected


def test_the_graph_in_the_readme_has_every_arrow_that_does_not_follow_from_others():
    above = {
        key.to_user_string(): {parent.to_user_string() for parent in GRAPH.get(key).parent_keys}
        for key in GRAPH.get_all_asset_keys()
    }

    def all_above(name: str) -> set[str]:
        return above[name].union(*(all_above(parent) for parent in above[name]))

    needed = {
        (parent, name)
        for name, parents in above.items()
        for parent in parents
        if not any(parent in all_above(other) for other in parents)
    }
    assert drawn_graph()[1] == needed


def test_every_asset_is_described():
    text = (ROOT / "docs" / "assets.md").read_text()
    missing = [
        name
        for name in map(dg.AssetKey.to_user_string, GRAPH.get_all_asset_keys())
        if not re.search(rf"\*\*`{name}`\*\*", text)
    ]
    assert not missing


def test_the_table_of_checks_has_every_check_with_its_assets_and_whether_it_blocks():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|.*\| (\w+) \|$", _table("checks.md"), re.MULTILINE)
    said = {(name, asset) for name, of, _ in rows for asset in re.findall(r"`(\w+)`", of)}
    keys = GRAPH.asset_check_keys
    assert said == {(key.name, key.asset_key.to_user_string()) for key in keys}
    blocking = {key.name for key in keys if GRAPH.get(key).blocking}
    assert {name for name, _, blocks in rows if blocks == "yes"} == blocking


def _table(document: str) -> str:
    return (ROOT / "docs" / document).read_text()


def test_every_job_schedule_and_sensor_is_explained():
    names = [one.name for one in (*jobs, *define_schedules(), *define_sensors())]
    text = _table("operations.md")
    assert [name for name in names if not re.search(rf"^\|[^|]*`{name}`", text, re.MULTILINE)] == []


def test_every_command_is_in_the_readme_or_in_operations():
    text = (ROOT / "README.md").read_text() + _table("operations.md")
    assert [name for name in main.commands if f"autophagy {name}" not in text] == []


def test_every_setting_is_in_the_table_of_variables():
    named = [value for name, value in vars(settings).items() if name.endswith("_VARIABLE")]
    text = _table("configuration.md")
    assert [name for name in named if f"| `{name}` |" not in text] == []
