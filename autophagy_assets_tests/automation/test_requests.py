"""In which runs targets are made, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.automation.requests import Request, requests
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Assets with and without partitions, each made from some of those before it."""
    plan = Plan()
    targets: list[Target] = []
    for number in range(draw(st.integers(1, 8))):
        name = f"asset{number}"
        partitions_name = draw(st.sampled_from([None, "sample", "genotype"]))
        plan.partitions_of[name] = partitions_name
        for partition in ["a", "b"] if partitions_name else [None]:
            target = Target(name, partition)
            above = draw(st.lists(st.sampled_from(targets), unique=True)) if targets else []
            plan.upstream[target] = [one for one in above if one.asset != name]
        targets += [target for target in plan.upstream if target.asset == name]
    return plan


@given(plans(), st.data())
def test_groups_hold_every_target_once_and_after_all_that_it_is_made_from(
    plan: Plan, data: st.DataObject
) -> None:
    wanted = [target for target in plan.upstream if data.draw(st.booleans())]
    made: list[Target] = []
    for group in requests(plan, wanted):
        for target in group.targets:
            assert target.partition == group.partition
            assert plan.partitions_of[target.asset] == group.partitions_name
            assert all(one in made for one in plan.upstream[target] if one in wanted)
            made.append(target)
    assert sorted(made, key=str) == sorted(wanted, key=str)


def test_targets_of_one_partition_share_a_run() -> None:
    plan = Plan(partitions_of={"images": "sample", "features": "sample", "report": None})
    images, features = Target("images", "s"), Target("features", "s")
    plan.upstream = {images: [], features: [images], Target("report"): [features]}
    assert requests(plan, plan.upstream) == [
        Request("sample", "s", (images, features)),
        Request(None, None, (Target("report"),)),
    ]


def test_what_waits_for_a_run_and_nothing_else_follows_in_its_partition() -> None:
    plan = Plan(
        partitions_of={"images": "sample", "features": "sample", "both": "sample", "report": None}
    )
    images, features, both = (Target(name, "s") for name in ("images", "features", "both"))
    plan.upstream = {images: [], features: [images], both: [features, Target("report")]}
    plan.upstream[Target("report")] = [features]
    plan.ready, plan.waiting = {images: "new"}, {features, both, Target("report")}
    (group,) = requests(plan, plan.ready)
    assert group == Request("sample", "s", (images,), then=(features,))
