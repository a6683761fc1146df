"""Freshness policy: when Dagster shows an asset as late."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import dagster as dg
from dagster._utils.schedules import cron_string_iterator

from autophagy_assets.config import settings

# A refresh of a large study goes on for hours, and ends later than it began.
GRACE = timedelta(hours=12)
_TICKS = 60  # enough to meet the longest pause of a cron expression in a week, or in a month


def within_a_night() -> dg.FreshnessPolicy | None:
    """Freshness policy of an asset that every nightly refresh reports.

    Returns
    -------
    dagster.FreshnessPolicy or None
        None where there is no nightly refresh: nothing can be late then.
    """
    cron = settings.nightly()
    if cron is None:
        return None
    now = datetime.now(UTC).timestamp()
    ticks = islice(cron_string_iterator(now, cron, settings.timezone()), _TICKS)
    pause = max(later - sooner for sooner, later in pairwise(ticks))
    return dg.FreshnessPolicy.time_window(fail_window=pause + GRACE)
