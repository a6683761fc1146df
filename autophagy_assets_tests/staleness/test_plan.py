"""What depends on what."""

from __future__ import annotations

from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target


def test_downstream_is_near_and_far_and_not_the_thing_itself() -> None:
    a, b, c, d = (Target(name) for name in "abcd")
    plan = Plan(upstream={a: [], b: [a], c: [b], d: []})
    assert plan.downstream_of([a]) == {b, c}
