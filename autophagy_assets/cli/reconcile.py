"""``autophagy reconcile``: whether Dagster, LaminDB and the storage agree."""

from __future__ import annotations

import click


@click.command()
@click.option("--fix", is_flag=True, help="Repair what is safe to repair.")
@click.option(
    "--grace",
    "grace_s",
    type=float,
    default=86_400.0,
    show_default=True,
    help="In a store that other machines write to, leave files younger than this many seconds.",
)
def reconcile(fix: bool, grace_s: float) -> None:
    """Show what does not agree between Dagster, LaminDB and the storage.

    Ends with exit code 1 where something is left.
    """
    from autophagy_assets.automation.reconcile import reconcile as compare
    from autophagy_assets.automation.reconcile import unrepaired
    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.registry.consistency.loose_files import free_space

    freed = free_space() if fix else []  # first, as databases need space to be opened
    with dagster_instance() as instance:
        disagreements = freed + compare(instance, fix=fix, grace_s=grace_s, study=Study.load())
    for disagreement in disagreements:
        state = "repaired" if disagreement.fixed else "LEFT"
        click.echo(f"{state:<8} {disagreement.kind}: {disagreement.what}: {disagreement.problem}")
        if not disagreement.fixed:
            click.echo(f"         to do: {disagreement.remedy}")
    remaining = unrepaired(disagreements)
    if remaining:
        hint = "" if fix else "; 'autophagy reconcile --fix' repairs what is safe"
        click.echo(f"{len(remaining)} of {len(disagreements)} disagreements are left{hint}.")
        raise SystemExit(1)
    click.echo(
        "All agree."
        if not disagreements
        else f"All {len(disagreements)} disagreements were repaired."
    )
