"""How the command line prints the cost estimate of a refresh."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from autophagy_assets.cli.output import console

if TYPE_CHECKING:
    from autophagy_assets.automation.cost_estimate import Entry

_SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def show_estimate(entries: Sequence[Entry], workers: int, free: float) -> None:
    """Print what a refresh would make, and the estimated cost.

    Parameters
    ----------
    workers : int
        Processes that would image samples.
    free : float
        Free on the disk of the store, bytes.
    """
    if not entries:
        console.print("Everything is up to date: a refresh would make nothing.")
        return
    heads = ("asset", "to make", "waiting", "fields", "core time", "disk", "files", "measured on")
    table = Table(*heads, box=None, pad_edge=False)
    for entry in entries:
        table.add_row(*_row(entry))
    console.print(table)
    known = [entry for entry in entries if entry.most is not None]
    console.print(
        f"\nA refresh would make {sum(entry.ready for entry in entries):,}, and "
        f"{sum(entry.waiting for entry in entries):,} more where what they are made from changes. "
        "Nothing has been made.",
        soft_wrap=True,
    )
    if known:
        _show_total(known, workers, free)
    if unknown := [entry.asset for entry in entries if entry.most is None]:
        console.print(
            f"Not measured yet, and in no sum: {', '.join(unknown)}. Refresh a study of a few "
            "fields first: from then on it is known what they take.",
            style="yellow",
            soft_wrap=True,
        )


def _show_total(entries: Sequence[Entry], workers: int, free: float) -> None:
    core = _sums(entries, lambda cost: cost.core_seconds)
    size, files = _sums(entries, lambda cost: cost.size), _sums(entries, lambda cost: cost.files)
    console.print(
        f"What was measured, together: {_range(core, duration)} of a processor, "
        f"{_range(size, amount)} on disk ({amount(free)} are free) in "
        f"{_range(files, count)} files.",
        style="bold",
        soft_wrap=True,
    )
    shared = _sums((e for e in entries if e.by_sample), lambda cost: cost.core_seconds)
    here = tuple(part / workers + (all_ - part) for part, all_ in zip(shared, core, strict=True))
    console.print(
        f"Here, where {workers} {'processes' if workers > 1 else 'process'} image samples, that is "
        f"about {_range(here, duration)} if nothing else runs.",
        soft_wrap=True,
    )
    if size[1] > free:
        console.print("That may be more than the disk of the store has.", style="red")
    if core[0] != core[1]:
        console.print(
            "Where two values are given, the first is what it took the last time and the second "
            "grows in proportion to the fields of view.",
            soft_wrap=True,
        )


def _row(entry: Entry) -> list[str]:
    costs = ["not measured", "", ""]
    if entry.least is not None and entry.most is not None:
        pairs = (
            ((entry.least.core_seconds, entry.most.core_seconds), duration),
            ((entry.least.size, entry.most.size), amount),
            ((entry.least.files, entry.most.files), count),
        )
        costs = [_range(pair, show) for pair, show in pairs]
    counts = [f"{n:,}" if n else "" for n in (entry.ready, entry.waiting, entry.fields)]
    return [entry.asset, *counts, *costs, f"{entry.measured:,}" if entry.measured else ""]


def _sums(entries: Iterable[Entry], of: Callable[..., float]) -> tuple[float, ...]:
    known = [(e.least, e.most) for e in entries if e.least is not None and e.most is not None]
    return sum(of(least) for least, _ in known), sum(of(most) for _, most in known)


def _range(pair: tuple[float, ...], show: Callable[[float], str]) -> str:
    low, high = show(pair[0]), show(pair[1])
    return low if low == high else f"{low} to {high}"


def duration(seconds: float) -> str:
    """A time for people, such as ``3.2 h``.

    Examples
    --------
    >>> duration(0.4), duration(90), duration(11_520), duration(3_240_000)
    ('0.4 s', '1.5 min', '3.2 h', '900 h')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{seconds / 60:.1f} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 100 else f"{hours:,.0f} h"


def amount(size: float) -> str:
    """A number of bytes for people, such as ``2.1 GB``.

    Examples
    --------
    >>> amount(999), amount(2_100_000_000)
    ('999 B', '2.1 GB')
    """
    for unit, name in _SIZES:
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size:.0f} B"


def count(number: float) -> str:
    """A whole number for people, such as ``12,000``."""
    return f"{round(number):,}"
