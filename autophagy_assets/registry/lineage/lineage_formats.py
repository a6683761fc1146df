"""Lineage as text, JSON, DOT and SVG."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from autophagy_assets.errors import InputError
from autophagy_assets.registry.lineage.lineage import Node
from autophagy_assets.registry.provenance.run_provenance import RunRecord

FORMATS = ("tree", "json", "dot", "svg")
_COLOURS = {
    "image": "#F0E442",
    "single-cell images": "#56B4E9",
    "field": "#56B4E9",
    "table": "#FFFFFF",
    "model": "#E69F00",
    "figure": "#9BD8C3",
    "report": "#9BD8C3",
    "cell": "#F2C0A8",
}
_LONGEST = 160


def render(tree: Node, style: str = "tree") -> str:
    """Write a lineage as text, JSON, DOT or SVG.

    Parameters
    ----------
    style : str
        ``tree``, ``json``, ``dot`` or ``svg``.

    Raises
    ------
    InputError
        If the format is unknown, or SVG is wanted and the graphviz program is missing.
    """
    if style == "tree":
        return "\n".join(tree_lines(tree)) + "\n"
    if style == "json":
        return json.dumps(_as_dict(tree, set()), indent=2, default=str, ensure_ascii=False) + "\n"
    if style == "dot":
        return _dot(tree)
    if style == "svg":
        return _svg(_dot(tree))
    raise InputError(f"Format {style!r} is unknown; choose one of {', '.join(FORMATS)}.")


def tree_lines(tree: Node, *, stable: bool = False) -> list[str]:
    """Lineage as lines of text.

    Parameters
    ----------
    stable : bool
        Leave out what differs between two runs that gave the same: run ids and times.

    Returns
    -------
    list of str
        A node that was shown above is referred to and not shown again.
    """
    return list(_lines(tree, "", "", {}, stable))


def _lines(node: Node, first: str, rest: str, shown: dict[int, int], stable: bool) -> Iterator[str]:
    title = f"{node.kind}  {node.key or node.description}"
    if id(node) in shown:
        number = shown[id(node)]
        yield f"{first}{title}  " + (f"(see {number} above)" if number else "(shown above)")
        return
    # Only what has something below it gets a number to be referred to.
    shown[id(node)] = max(shown.values(), default=0) + 1 if node.inputs else 0
    yield f"{first}{title}" + (f"  ({shown[id(node)]})" if node.inputs else "")
    margin = rest + ("│   " if node.inputs else "    ")
    if node.detail:
        yield margin + node.detail
    if node.uid:
        yield f"{margin}uid {node.uid}, sha256 {node.sha256[:16] or 'unknown'}, {_size(node.size)}"
    if node.run is not None:
        yield from (margin + line for line in _run_lines(node.run, stable))
    if node.omitted:
        yield f"{margin}inputs that do not hold this cell: {node.omitted}"
    for child in node.inputs:
        last = child is node.inputs[-1]
        yield from _lines(
            child,
            rest + ("└── " if last else "├── "),
            rest + ("    " if last else "│   "),
            shown,
            stable,
        )


def _run_lines(run: RunRecord, stable: bool) -> Iterator[str]:
    if run.source:
        yield f"read from {run.source}"
        return
    version = f", code version {run.code_version}" if run.code_version else ""
    yield f"made by {run.name}{version}"
    if not stable:
        dagster = f"Dagster run {run.dagster_run}, " if run.dagster_run else ""
        ended = f" {run.finished:%Y-%m-%d %H:%M:%S} UTC" if run.finished else ""
        yield f"{dagster}LaminDB run {run.uid}, {run.status}{ended}"
    if run.parameters:
        text = json.dumps(run.parameters, sort_keys=True, ensure_ascii=False)
        yield "parameters " + (text if len(text) <= _LONGEST else text[:_LONGEST] + " ...")
    if run.error:
        yield f"error {run.error[:_LONGEST]}"


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _as_dict(node: Node, shown: set[int]) -> dict[str, Any]:
    short = {"kind": node.kind, "key": node.key, "uid": node.uid}
    if id(node) in shown:
        return short | {"shown_above": True}
    shown.add(id(node))
    run = None
    if node.run is not None:
        run = {name: getattr(node.run, name) for name in RunRecord.__dataclass_fields__}
    return short | {
        "sha256": node.sha256,
        "size": node.size,
        "description": node.description,
        "detail": node.detail,
        "run": run,
        "omitted_inputs": node.omitted,
        "inputs": [_as_dict(child, shown) for child in node.inputs],
    }


def _dot(tree: Node) -> str:
    nodes: dict[int, tuple[str, Node]] = {}
    edges: list[tuple[int, int]] = []

    def visit(node: Node) -> None:
        if id(node) in nodes:
            return
        nodes[id(node)] = (f"n{len(nodes)}", node)
        for child in node.inputs:
            visit(child)
            edges.append((id(child), id(node)))

    visit(tree)
    lines = [
        "digraph lineage {",
        '  rankdir=LR; node [shape=box, style="filled,rounded", fontname="sans-serif"];',
        '  edge [color="#767676"];',
    ]
    for name, node in nodes.values():
        colour = _COLOURS.get(node.kind, "#FFFFFF")
        lines.append(f"  {name} [label={_quoted(_label(node))}, fillcolor={_quoted(colour)}];")
    lines += [f"  {nodes[a][0]} -> {nodes[b][0]};" for a, b in edges]
    return "\n".join([*lines, "}"]) + "\n"


def _label(node: Node) -> str:
    parts = [node.kind, *node.key.split("/")[-2:], node.detail]
    if node.uid:
        parts.append(f"{node.uid}  {node.sha256[:12]}")
    if node.run is not None:
        source = node.run.source
        parts.append(f"read from {source}" if source else f"made by {node.run.asset}")
    return "\n".join(part for part in parts if part)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _svg(dot: str) -> str:
    program = shutil.which("dot")
    if program is None:
        raise InputError(
            "SVG needs the graphviz program 'dot', which is not installed; install graphviz, or "
            "use --format dot."
        )
    done = subprocess.run([program, "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
    return done.stdout.decode()
