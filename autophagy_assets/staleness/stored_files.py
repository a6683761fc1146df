"""Problems with the files of materializations, found for many at once."""

from __future__ import annotations

from collections.abc import Mapping

from autophagy_assets.registry.consistency.damage import damaged
from autophagy_assets.registry.consistency.run_outputs import artifacts_of_runs
from autophagy_assets.staleness.materializations import RUN, STORED, Materialization
from autophagy_assets.staleness.upstream import Target


class StoredFiles:
    """Files of materializations; each is checked once.

    Parameters
    ----------
    thorough : bool
        Read every file and compare it with its hash, instead of looking at sizes and times.
    """

    def __init__(self, thorough: bool) -> None:
        self._thorough = thorough
        self._seen: dict[Target, str] = {}

    def problems(self, made: Mapping[Target, Materialization]) -> dict[Target, str]:
        """Find what is gone, incomplete or changed.

        Parameters
        ----------
        made : mapping of Target to Materialization
            The last of each.

        Returns
        -------
        dict
            What is wrong, by target; without those of which all files are as recorded.
        """
        unseen = {target: one for target, one in made.items() if target not in self._seen}
        self._seen |= _look(unseen, self._thorough)
        return {target: self._seen[target] for target in made if self._seen[target]}


def _look(made: Mapping[Target, Materialization], thorough: bool) -> dict[Target, str]:
    # A step may leave more than Dagster knows of, such as the crops of a field of view.
    runs = {target: str(found.metadata.get(RUN, "")) for target, found in made.items()}
    held = artifacts_of_runs(runs.values())
    needed = {
        target: held[runs[target]]
        | {str(found.metadata[name]) for name, _ in STORED if name in found.metadata}
        for target, found in made.items()
    }
    bad = damaged((uid for uids in needed.values() for uid in uids), thorough)
    broken = {target: sorted(uids & bad.keys()) for target, uids in needed.items()}
    return {target: bad[uids[0]] if uids else "" for target, uids in broken.items()}
