"""Whether an asset's partition is out of date, and why: the one judge of it.

Command line, nightly refresh, sensors and documentation all go by :meth:`Judge.verdicts`. A
partition is out of date when it was never made, when anything of what its step read has changed
since (see ``fingerprint``), or when one of its files is gone or damaged.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from json import dumps
from typing import Any

import dagster as dg

from autophagy_assets.config.study import Study
from autophagy_assets.registry.state import OUTSIDE, RegistryState
from autophagy_assets.staleness.code import Code, code_of
from autophagy_assets.staleness.fingerprint import (
    Fingerprint,
    changes,
    code_changes,
    version_without,
)
from autophagy_assets.staleness.left_out import by_model, failures_since, left_out_of, newest
from autophagy_assets.staleness.materializations import Materialization, MaterializationCache
from autophagy_assets.staleness.stored_files import StoredFiles
from autophagy_assets.staleness.upstream import Target, upstream

GIVEN = "autophagy/given"
NEVER_MADE = "never made"
EARLIER_RELEASE = "made by an earlier release, which did not record what it was made with"


@dataclass(frozen=True)
class Verdict:
    """Verdict on a partition: whether it is out of date, and why.

    Parameters
    ----------
    reason : str
        Why it is out of date, and which input has changed; empty where it is up to date.
    key : str
        Names what it would be made from now and what there is of it: the same as long as nothing
        changes, whether or not it has been tried to make it.
    pinned : tuple of str
        Changes of code that do not count, as the study file pins the code.
    failed : str
        Of a partition by model that is out of date: why it could not be made from what there is
        now; empty if that was not tried, or something has changed since.
    """

    reason: str
    key: str = ""
    pinned: tuple[str, ...] = ()
    failed: str = ""


@dataclass
class Judge:
    """Says of each partition whether it is out of date, as of the moment when it is made.

    Parameters
    ----------
    registry : RegistryState, optional
        What LaminDB has from outside; read now by default.
    thorough : bool
        Read every file and compare it with its hash, instead of looking at sizes and times.
    before : MaterializationCache, optional
        What another judge saw a moment ago.
    """

    instance: dg.DagsterInstance
    defs: dg.Definitions
    study: Study
    registry: RegistryState | None = None
    thorough: bool = False
    before: MaterializationCache | None = None
    graph: Any = field(init=False)
    made: MaterializationCache = field(init=False)

    def __post_init__(self) -> None:
        self.graph = self.defs.resolve_asset_graph()
        self.partitions = cache(self.instance.get_dynamic_partitions)
        self._registry = self.registry or RegistryState(self.study)
        self._outside = cache(self._registry.version)
        self.made = MaterializationCache(self.instance, self.before)
        self._observed = cache(lambda asset: newest(self.instance, asset))
        self._values = self.study.values()
        self._files = StoredFiles(self.thorough)

    def upstream(self, assets: dg.AssetsDefinition, partition: str | None) -> list[Target]:
        """Targets that a partition of an asset is made from.

        Parameters
        ----------
        assets : dagster.AssetsDefinition
            Definition of one asset.
        """
        return list(upstream(self.graph, self.partitions, self.study, assets, partition))

    def verdicts(
        self,
        assets: dg.AssetsDefinition,
        partitions: Sequence[str | None],
        left_out: Mapping[Target, str] | None = None,
    ) -> dict[str | None, Verdict]:
        """Judge partitions of an asset.

        Parameters
        ----------
        assets : dagster.AssetsDefinition
            Definition of one asset.
        left_out : mapping of Target to str, optional
            Models that could not be made, and why: an earlier version of them does not count.

        Returns
        -------
        dict
            A verdict for each of them.
        """
        verdicts: dict[str | None, Verdict] = {}
        made: dict[Target, Materialization] = {}
        for partition in partitions:
            found = self.made(assets.key, partition)
            verdicts[partition] = self._compare(assets, partition, found, left_out or {})
            if found is not None:
                made[Target(assets.key.to_user_string(), partition)] = found
        for target, problem in self._files.problems(made).items():
            verdict = verdicts[target.partition]
            if not verdict.reason:
                key = _key(verdict.key, problem)
                verdicts[target.partition] = replace(verdict, reason=problem, key=key)
        return verdicts

    def _compare(
        self,
        assets: dg.AssetsDefinition,
        partition: str | None,
        found: Materialization | None,
        left_out: Mapping[Target, str],
    ) -> Verdict:
        code, above = code_of_asset(assets), self.upstream(assets, partition)
        inputs = {str(t): self._version(t) for t in above}
        without = left_out_of(self.graph, assets, above, left_out)
        inputs |= {str(t): version_without(reason) for t, reason in without.items()}
        now = Fingerprint(code.modules, code.libraries, self._values, {}, inputs)
        key, reason, kept = key_of(now, found), why_out_of_date(now, found, self.study), list[str]()
        if found is not None and found.fingerprint is not None and self.study.pin_code:
            kept = code_changes(found.fingerprint, now)
        failed = ""
        if reason and by_model(assets.partitions_def):
            target = Target(assets.key.to_user_string(), partition)
            failed = self._failed(target, key, found.number if found is not None else 0)
        return Verdict(reason, key, tuple(kept), failed)

    def _failed(self, target: Target, key: str, number: int) -> str:
        """Why a target could not be made from what a key names, since it was last made."""
        seen = self._observed(target.key).get(target.partition or "")
        if seen is None or seen.number < number:
            return ""
        if seen.key != key:  # it may have been made from other things meanwhile
            seen = failures_since(self.instance, target, number).get(key)
        return seen.reason if seen is not None else ""

    def _version(self, target: Target) -> str | None:
        if target.asset in OUTSIDE:
            return self._outside(target.asset, target.partition)
        found = self.made(target.key, target.partition)
        return found.version if found is not None else None

    def look_at_files(self, targets: Iterable[Target]) -> None:
        """Check the files of many partitions at once, before they are judged.

        Parameters
        ----------
        targets : iterable of Target
            Of any assets.
        """
        made = {target: self.made(target.key, target.partition) for target in targets}
        self._files.problems({target: found for target, found in made.items() if found})


def key_of(now: Fingerprint, found: Materialization | None) -> str:
    """Name what a partition would be made from, and what there is of it.

    Parameters
    ----------
    now : Fingerprint
        What it would be made with; of the study, all entries.
    found : Materialization or None
        The last one.
    """
    made = found.fingerprint if found is not None else None
    if found is None or made is None:
        return _key(now.digest, found and found.number)
    read = {entry: now.study.get(entry) for entry in made.study}
    return _key(replace(now, study=read).digest, found.number)


def why_out_of_date(now: Fingerprint, found: Materialization | None, study: Study) -> str:
    """Why a partition is out of date, whatever its files are like; empty where it is not.

    Parameters
    ----------
    now, found
        As of `key_of`.
    study : Study
        Says whether the code counts.
    """
    if found is None:
        return NEVER_MADE
    if (made := found.fingerprint) is None:
        return EARLIER_RELEASE
    return "; ".join(changes(made, now, pinned=study.pin_code))


def code_of_asset(assets: dg.AssetsDefinition) -> Code:
    """Code that makes the content of an asset.

    Parameters
    ----------
    assets : dagster.AssetsDefinition
        Definition of one asset.
    """
    body: Any = assets.op.compute_fn
    code = code_of(inspect.unwrap(getattr(body, "decorated_fn", body)))
    return code.with_values(assets.metadata_by_key[assets.key].get(GIVEN))


def _key(*parts: Any) -> str:
    return sha256(dumps(parts, default=str).encode()).hexdigest()[:32]
