"""Earlier results of a check: the last model that was accepted."""

from datetime import UTC, datetime

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from autophagy_assets.analysis.quality.calibration import AUC, ERROR, Accepted

_LOOKED_AT = 50  # a check may have been run again and again on the same model


def last_accepted(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str, check: str
) -> Accepted | None:
    """Latest version of a model before the present one whose check passed.

    Parameters
    ----------
    asset : dagster.AssetKey
        The evaluation.
    partition : str
        The model.
    check : str
        Name of the check that keeps AUC and standard error among its metadata.

    Returns
    -------
    Accepted or None
        None where there is none among the last 50 runs that passed.

    Notes
    -----
    Runs of the check on the present materialization are passed over: a model that has been
    accepted is not compared with itself when its check is run again.
    """
    wanted = dg.AssetRecordsFilter(asset, asset_partitions=[partition])
    present = instance.fetch_materializations(wanted, limit=1).records
    passed = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(asset, check),
        limit=_LOOKED_AT,
        status={AssetCheckExecutionRecordStatus.SUCCEEDED},
        partition_filter=PartitionKeyFilter(key=partition),
    )
    for record in passed:
        made = _made(record)
        if made is not None and present and made >= present[0].storage_id:
            continue
        if (accepted := _read(record)) is not None:
            return accepted
    return None


def _made(record: AssetCheckExecutionRecord) -> int | None:
    """Where the materialization that a check was run on stands in the event log."""
    target = record.evaluation and record.evaluation.target_materialization_data
    return target.storage_id if target else None


def _read(record: AssetCheckExecutionRecord) -> Accepted | None:
    numbers = {
        name: value.value
        for name, value in (record.evaluation.metadata if record.evaluation else {}).items()
    }
    auc, error = numbers.get(AUC), numbers.get(ERROR)
    if not isinstance(auc, float) or not isinstance(error, float):
        return None
    when = datetime.fromtimestamp(record.create_timestamp, UTC)
    return Accepted(auc, error, when.strftime("%Y-%m-%d %H:%M UTC"))
