"""Versions of a study's report: date, inputs, and finding one by date or uid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import study_slug
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.lamin_internals import FINISHED, status_of

REPORT = ("report", "study_report")
PREVIOUS, LATEST = "previous", "latest"


@dataclass(frozen=True)
class ReportVersion:
    """One version of a report.

    Parameters
    ----------
    uid, run : str
        LaminDB uids of the page and of the run. A page that was made again with the same content
        is one artifact of several runs.
    made : datetime.datetime
        When the run ended, in UTC.
    values : mapping of str to object
        Entries of the study, as ``Study.from_values`` takes them.
    """

    uid: str
    run: str
    dagster_run: str
    made: datetime
    values: Mapping[str, Any] = field(repr=False, hash=False)

    @property
    def name(self) -> str:
        """Date in the time of this machine, and uid."""
        return f"{self.made.astimezone():%Y-%m-%d %H:%M:%S}, {self.uid}"

    def made_from(self) -> dict[ArtifactKey, str]:
        """What the report was made from, back to the images.

        Returns
        -------
        dict of ArtifactKey to str
            LaminDB uids of the versions that it was made from; what people have registered under
            keys of their own is left out.
        """
        read = connect().Run.get(uid=self.run).input_artifacts.values_list("key", "uid")
        parsed = ((ArtifactKey.parse(key or ""), uid) for key, uid in read)
        return {key: uid for key, uid in parsed if key is not None}

    def claims(self) -> str | None:
        """Uid of the claims beside the page; None for what an earlier release has made."""
        run = connect().Run.get(uid=self.run)
        key = f"/{'/'.join(REPORT)}.json"
        for made in (run.output_artifacts, run.recreated_artifacts):
            if (found := made.filter(key__endswith=key).first()) is not None:
                return str(found.uid)
        return None


def report_versions(study: Study) -> list[ReportVersion]:
    """All versions of a study's report.

    Returns
    -------
    list of ReportVersion
        In the order in which they were made. The report that was made once more with the same
        content right after is not another version.
    """
    key = str(ArtifactKey(study_slug(study), *REPORT, ".html"))
    found = []
    for page in connect().Artifact.filter(key=key):
        runs = [page.run] if page.run_id is not None else []
        for run in [*runs, *page.recreating_runs.all()]:
            if status_of(run) == FINISHED and run.finished_at is not None:
                made = run.finished_at.replace(tzinfo=run.finished_at.tzinfo or UTC)
                found.append(
                    ReportVersion(page.uid, run.uid, run.reference or "", made, run.params or {})
                )
    found.sort(key=lambda version: version.made)
    return [one for n, one in enumerate(found) if n == 0 or one.uid != found[n - 1].uid]


def version_meant(what: str, versions: Sequence[ReportVersion]) -> ReportVersion:
    """Find a version of a report by date, uid, or the uid of one of its inputs.

    Parameters
    ----------
    what : str
        ``latest`` or ``previous``; a date such as 2026-11-25 or 2026-11-25T14:30, in the time of
        this machine: the last report by then, by the end of the day where there is no time; the
        uid of a report or of its run (LaminDB's or Dagster's); or the uid of anything else that
        a report was made from, such as a model, or of the run that made it: the last such report.
    versions : sequence of ReportVersion
        In the order in which they were made.

    Raises
    ------
    InputError
        If there is none; says which ones there are.
    """
    if not versions:
        raise InputError("There is no report yet; run 'autophagy refresh' first.")
    if what in (PREVIOUS, LATEST):
        if what == PREVIOUS and len(versions) < 2:
            raise InputError("There is one report only; another is made when something changes.")
        return versions[-1 if what == LATEST else -2]
    by_then = _end_of(what)
    if by_then is not None:
        earlier = [version for version in versions if version.made <= by_then]
        if not earlier:
            raise InputError(f"There was no report by {what}; the first is {versions[0].name}.")
        return earlier[-1]
    own = [one for one in versions if what in (one.uid, one.run, one.dagster_run)]
    meant = own or [one for one in versions if one.run in _runs_with(what)]
    if not meant:
        known = "; ".join(version.name for version in versions[-5:])
        raise InputError(
            f"{what!r} is no date, and no report was made from an artifact or by a run of that "
            f"uid. The last reports: {known}."
        )
    return meant[-1]


def _end_of(what: str) -> datetime | None:
    """The end of a day, or a time of day; None for what is no date."""
    try:
        found = datetime.fromisoformat(what)
    except ValueError:
        return None
    if len(what) <= len("2026-11-25"):
        found += timedelta(days=1) - timedelta(microseconds=1)
    return found.astimezone(UTC)


def _runs_with(what: str) -> set[str]:
    """Runs that read an artifact of that uid, or an artifact of a run of that uid."""
    ln = connect()
    uids = [what]
    for run in [*ln.Run.filter(uid=what), *ln.Run.filter(reference=what)]:
        for made in (run.output_artifacts, run.recreated_artifacts):
            uids += made.values_list("uid", flat=True)
    return set(ln.Run.filter(input_artifacts__uid__in=uids).values_list("uid", flat=True))
