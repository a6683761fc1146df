"""Whether LaminDB's records of artifacts and labels have changed since the last look.

A few sums over whole tables, which a database works out in a fraction of the time that it takes to
hand the rows over: with a million labels that is what makes looking again and again possible.
SQLite says whether anything was written since, so that even the sums are not worked out again.
"""

from __future__ import annotations

from typing import Any

from autophagy_assets.registry.store.lamin_internals import (
    TRASH,
    artifact_rows,
    label_links,
    label_registries,
)

_PRIMES = (1_000_003, 999_983)


def state_of_records(artifacts: Any) -> tuple[Any, ...]:
    """Numbers that change as soon as an artifact or a label is added, changed or removed.

    Parameters
    ----------
    artifacts : lamindb query set
        Says in which database: that of the store or of a source.

    Returns
    -------
    tuple
        Only to be compared with an earlier one of the same database.
    """
    written = _writes(artifacts.db)
    known = _known.get(artifacts.db)
    if written is None or known is None or known[0] != written:
        known = _known[artifacts.db] = written, _sums(artifacts)
    return known[1]


# The sums that were found last in each database, and what had been written by then.
_known: dict[str, tuple[Any, tuple[Any, ...]]] = {}


def _writes(database: str) -> tuple[Any, ...] | None:
    """What is another as soon as anything is written into a database; None if it does not say.

    SQLite counts what other connections have committed and what this one has written. Of what this
    one has not committed nothing can be said, as it may be taken back.
    """
    from django.db import connections

    connection = connections[database]
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        (others,) = cursor.execute("PRAGMA data_version").fetchone()
    # The connection itself, as another one starts its own count.
    return connection.connection, others, connection.connection.total_changes


def _sums(artifacts: Any) -> tuple[Any, ...]:
    from django.db.models import Count, F, Max, Q, Sum
    from django.db.models.functions import Coalesce, Length

    number, latest, trash = F("id"), Q(is_latest=True), Q(branch_id=TRASH)
    link = F("artifact_id") * 8191 + F("ulabel_id") * 127 + Coalesce(F("feature_id"), 0)
    found = [
        artifact_rows(artifacts.db).aggregate(
            Count("id"),
            Max("updated_at"),
            said=Sum(Length("description")),
            keys=Sum(Length("key")),
            sizes=Sum("size"),
            **{f"latest_{p}": Sum(_spread(number, p), filter=latest) for p in _PRIMES},
            **{f"trash_{p}": Sum(_spread(number, p), filter=trash) for p in _PRIMES},
        ),
        label_links()
        .objects.using(artifacts.db)
        .aggregate(
            Count("id"),
            Sum("id"),
            **{f"links_{p}": Sum(_spread(link, p)) for p in _PRIMES},
        ),
        *(
            named.objects.using(artifacts.db).aggregate(
                Count("id"), Max("updated_at"), names=Sum(Length("name"))
            )
            for named in label_registries()
        ),
    ]
    return tuple(value for part in found for value in part.values())


def _spread(number: Any, prime: int) -> Any:
    """The square of a number modulo a prime.

    Sums of the numbers themselves would be as before where one image goes on by ten versions and
    another back by ten, and what is changed in bulk is not dated.
    """
    from django.db.models import BigIntegerField
    from django.db.models.functions import Cast

    rest = Cast(number, BigIntegerField()) % prime
    return rest * rest % prime
