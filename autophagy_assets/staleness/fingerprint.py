"""Fingerprint of a materialization, and what has changed since it was recorded.

A :class:`Fingerprint` is recorded from what the step really read. Nothing of it is declared by
hand: the study notes which entries were read, upstream partitions come from the asset graph, and
the code is found by following what the asset's body uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps, loads
from typing import Any

_NAMED = 3  # changes that a reason names; it counts the rest
_LEFT_OUT = "could not be made: "


@dataclass(frozen=True)
class Fingerprint:
    """All that determines the content of an asset's partition.

    Parameters
    ----------
    code : dict
        Module of the package to a hash of what the asset's body uses of it.
    libraries : dict
        Third-party package that makes content to its version.
    study : dict
        Entry of the study file to its value, of those that the step read.
    config : dict
        Parameters from the launchpad that differed from the study file.
    inputs : dict
        Upstream asset, with its partition in brackets, to the version of its content; None for
        one that had none yet, and why (`version_without`) for one that could not be made.
    """

    code: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    study: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """JSON-like form, as Dagster's metadata keep it."""
        return asdict(self)

    @classmethod
    def from_json(cls, recorded: Any) -> Fingerprint | None:
        """Read what :meth:`as_json` gave.

        Parameters
        ----------
        recorded : object

        Returns
        -------
        Fingerprint or None
            None for anything else, such as what an earlier release recorded.
        """
        try:
            return cls(**recorded)
        except TypeError:
            return None

    @property
    def digest(self) -> str:
        """32 hexadecimal digits, the same for the same fingerprint."""
        # Not of a deep copy, which takes three times as long as all else of it.
        text = dumps(vars(self), sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:32]


def changes(made: Fingerprint, now: Fingerprint, *, pinned: bool = False) -> list[str]:
    """Describe what has changed since a partition was made.

    Parameters
    ----------
    made : Fingerprint
        What it was made with.
    now : Fingerprint
        What it would be made with; of the study, all entries.
    pinned : bool
        Leave out code and libraries.

    Returns
    -------
    list of str
        A short sentence for each; empty where it would be the same.
    """
    found = [*_study_changes(made, now), *_input_changes(made.inputs, now.inputs)]
    return found if pinned else [*found, *code_changes(made, now)]


def code_changes(made: Fingerprint, now: Fingerprint) -> list[str]:
    """Describe the modules and libraries that have changed since a partition was made."""
    modules = sorted(m for m in {*made.code, *now.code} if made.code.get(m) != now.code.get(m))
    found = [f"code of {', '.join(_first(modules))} has changed"] if modules else []
    for name in sorted({*made.libraries, *now.libraries}):
        before, after = made.libraries.get(name), now.libraries.get(name)
        if before != after:
            found.append(f"{name} was {before or 'not used'} and is {after or 'not used'}")
    return found


def _study_changes(made: Fingerprint, now: Fingerprint) -> Iterator[str]:
    different = [e for e, value in made.study.items() if _plain(now.study.get(e)) != _plain(value)]
    if different and made.config:
        parameters = ", ".join(f"{name} {value}" for name, value in sorted(made.config.items()))
        yield f"made with other parameters than the study file has ({parameters})"
        return
    for entry in different:
        yield from _value_changes(entry, _plain(made.study[entry]), _plain(now.study.get(entry)))


def _value_changes(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for part in sorted({*before, *after}):
            if before.get(part) != after.get(part):
                yield from _value_changes(f"{name}.{part}", before.get(part), after.get(part))
    else:
        yield f"{name} was {before} and is {after}"


def _plain(value: Any) -> Any:
    """A value as it is after a round through JSON."""
    return loads(dumps(value, default=str))


def _input_changes(made: Mapping[str, str | None], now: Mapping[str, str | None]) -> Iterator[str]:
    without = [n for n, v in now.items() if is_left_out(v) and made.get(n) != v]
    there = {name: version for name, version in now.items() if version and not is_left_out(version)}
    before = {name: version for name, version in made.items() if not is_left_out(version)}
    new = [name for name in there if before.get(name) is None]
    gone = [name for name, version in made.items() if version and now.get(name) is None]
    other = [n for n, v in there.items() if before.get(n) is not None and before[n] != v]
    for names, what in (
        (other, "new content"),
        (new, "not there before"),
        (gone, "gone"),
        (without, "could not be made"),
    ):
        if names:
            yield f"{', '.join(_first(sorted(names)))}: {what}"


def version_without(reason: str) -> str:
    """Placeholder for the version of an input that could not be made."""
    return f"{_LEFT_OUT}{reason}"


def is_left_out(version: str | None) -> bool:
    """Whether a version in a fingerprint says that the input could not be made."""
    return version is not None and version.startswith(_LEFT_OUT)


def _first(names: list[str]) -> list[str]:
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return names[:_NAMED] + more
