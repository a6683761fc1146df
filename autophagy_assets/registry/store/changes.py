"""Whether LaminDB's records of artifacts and labels are as they were at the last look.

A few sums over whole tables, which a database works out in a fraction of the time that it takes to
hand the rows over: with a million labels that is what makes looking again and again possible.
"""

from __future__ import annotations

from typing import Any

from autophagy_assets.registry.store.lamin_internals import (
    artifact_rows,
    label_links,
    label_registries,
)


def state_of_records(artifacts: Any) -> tuple[Any, ...]:
    """Numbers that are others as soon as an artifact or a label was added, changed or taken away.

    Parameters
    ----------
    artifacts : lamindb query set
        Says in which database: that of the store or of a source.

    Returns
    -------
    tuple
        Only to be compared with an earlier one of the same database.
    """
    from django.db.models import BigIntegerField, Count, F, Max, Q, Sum
    from django.db.models.functions import Cast, Length

    def product(one: str, other: str) -> Any:
        return Sum(Cast(F(one), BigIntegerField()) * Cast(F(other), BigIntegerField()))

    links, rows = label_links().objects.using(artifacts.db), artifact_rows(artifacts.db)
    found = [
        rows.aggregate(
            Count("id"), Max("updated_at"), latest=Sum("id", filter=Q(is_latest=True)),
            in_branches=product("id", "branch_id"),
            said=Sum(Length("description")), keys=Sum(Length("key")), sizes=Sum("size"),
        ),
        links.aggregate(
            Count("id"), Sum("id"), with_labels=product("artifact_id", "ulabel_id"),
            with_kinds=product("artifact_id", "feature_id"),
        ),
        *(
            named.objects.using(artifacts.db).aggregate(
                Count("id"), Max("updated_at"), names=Sum(Length("name"))
            )
            for named in label_registries()
        ),
    ]  # fmt: skip
    return tuple(value for part in found for value in part.values())
