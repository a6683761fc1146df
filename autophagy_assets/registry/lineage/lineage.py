"""Where something comes from: from an artifact through runs back to the microscope images."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Any

from autophagy_assets.errors import InputError
from autophagy_assets.registry.provenance.run_provenance import (
    RunRecord,
    describe_run,
    inputs_of,
    maker_of,
)
from autophagy_assets.registry.provenance.runs import transform_key
from autophagy_assets.registry.store.artifacts import describe
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.keys import ArtifactKey

_NAMED = re.compile(r"(?P<asset>[^\[\]/]+)(\[(?P<partition>[^\]]*)\])?$")
_KINDS = {
    ".tif": "image",
    ".tiff": "image",
    ".h5ad": "single-cell images",
    ".zarr": "field",
    ".parquet": "table",
    ".joblib": "model",
    ".png": "figure",
    ".html": "report",
}


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a lineage, with what it was made from.

    Parameters
    ----------
    kind : str
        ``figure``, ``table``, ``model``, ``single-cell images``, ``field``, ``image``,
        ``cell`` or another word for it.
    key, uid, sha256 : str
        LaminDB key and uid, and hash of the content.
    size : int
        Bytes.
    description : str
        In the field's words.
    detail : str
        What is special about it here, such as the row of a cell.
    run : RunRecord or None
        What made it.
    inputs : tuple of Node
        What it was made from. A node that several others were made from is one object.
    omitted : int
        Inputs that are left out, as they have nothing to do with the cell in question.
    """

    kind: str
    key: str
    uid: str
    sha256: str = ""
    size: int = 0
    description: str = ""
    detail: str = ""
    run: RunRecord | None = None
    inputs: tuple[Node, ...] = ()
    omitted: int = 0


def lineage_of(what: str) -> Node:
    """Lineage of an artifact.

    Parameters
    ----------
    what : str
        LaminDB uid or key, or the name of an asset as ``asset`` or ``asset[partition]``.

    Returns
    -------
    Node
        The artifact, with what it was made from below it.

    Raises
    ------
    InputError
        If nothing or more than one thing is called so.
    """
    return NodeBuilder().node(artifact_called(what))


class NodeBuilder:
    """Builds nodes; each artifact, as made by one run, becomes one node.

    Parameters
    ----------
    known : dict, optional
        Inputs by artifact and run, shared by walks that pass the same places.
    """

    def __init__(self, known: dict[tuple[int, int], list[Any]] | None = None) -> None:
        self._nodes: dict[tuple[int, int | None], Node] = {}
        self.known = {} if known is None else known

    def inputs(self, artifact: Any, run: Any) -> list[Any]:
        """Artifacts that one was made from by a run; asked of LaminDB once."""
        place = (artifact.id, run.id)
        if place not in self.known:
            self.known[place] = inputs_of(artifact, run)
        return self.known[place]

    def node(self, artifact: Any, before: int | None = None) -> Node:
        """Node of an artifact with all that it was made from.

        Parameters
        ----------
        artifact : lamindb.Artifact
        before : int, optional
            Id of the run that read it.
        """
        run = maker_of(artifact, before)
        place = (artifact.id, run.id if run is not None else None)
        if place not in self._nodes:
            inputs, before = (self.inputs(artifact, run), run.id) if run is not None else ([], None)
            children = tuple(self.node(each, before) for each in inputs)
            self._nodes[place] = make_node(artifact, run, inputs=children)
        return self._nodes[place]


def make_node(artifact: Any, run: Any, **more: Any) -> Node:
    """Make the node of an artifact, without following what it was made from.

    Parameters
    ----------
    artifact : lamindb.Artifact
    run : lamindb.Run or None
        What made it.
    **more
        Other parameters of :class:`Node`.
    """
    record = describe(artifact)
    return Node(
        kind=_KINDS.get(artifact.suffix, artifact.kind or "file"),
        key=record.key,
        uid=record.uid,
        sha256=record.sha256,
        size=record.size,
        description=artifact.description or "",
        run=describe_run(run) if run is not None else None,
        **more,
    )


def nodes_of(*trees: Node) -> list[Node]:
    """All nodes of lineages, each once."""
    found: dict[int, Node] = {}
    open_ = list(trees)
    while open_:
        node = open_.pop()
        if id(node) not in found:
            found[id(node)] = node
            open_ += node.inputs
    return list(found.values())


def artifact_called(what: str) -> Any:
    """Find an artifact by uid, key, asset, or asset with a partition.

    Parameters
    ----------
    what : str
        As for :func:`lineage_of`.

    Returns
    -------
    lamindb.Artifact

    Raises
    ------
    InputError
        If nothing or more than one thing is called so.
    """
    registry = connect().Artifact
    for exact in (registry.filter(uid=what), registry.filter(key=what, is_latest=True)):
        if (found := exact.first()) is not None:
            return found
    if len(what) == 16 and (stem := registry.filter(uid__startswith=what, is_latest=True).first()):
        return stem
    match = _NAMED.match(what)
    found = _outputs(match["asset"], match["partition"]) if match else {}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise InputError(
            f"{what!r} may be any of {len(found)} artifacts; name one of them: "
            f"{', '.join(sorted(found)[:8])}{' ...' if len(found) > 8 else ''}."
        )
    raise InputError(f"LaminDB has nothing called {what!r}{_similar(what)}")


def _outputs(asset: str, partition: str | None) -> dict[str, Any]:
    """Latest artifacts of an asset by what to call them; of a figure the figure itself."""
    runs_of_asset = {"run__transform__key": transform_key(asset), "is_latest": True}
    found: dict[ArtifactKey, Any] = {}
    for artifact in connect().Artifact.filter(**runs_of_asset).order_by("suffix"):
        key = ArtifactKey.parse(artifact.key)
        if key is None or key.asset != asset or key.field is not None:
            continue
        if partition is not None and key.partition != partition:
            continue
        either = replace(key, suffix="")  # a figure or the table beside it
        if either not in found or artifact.kind == "figure":
            found[either] = artifact
    several_studies = len({key.study for key in found}) > 1
    return {
        found[key].key if several_studies else _name(key): found[key]
        for key in sorted(found, key=str)
    }


def _name(key: ArtifactKey) -> str:
    return key.asset if key.partition is None else f"{key.asset}[{key.partition}]"


def _similar(what: str) -> str:
    transforms = connect().Transform.filter(key__startswith=transform_key(""))
    assets = {key.rsplit("/", 1)[-1] for key in transforms.values_list("key", flat=True)}
    close = difflib.get_close_matches(what.split("[")[0], assets, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return "; give an artifact's uid or key, an asset, or asset[partition]."
