"""What was seen of materializations a moment ago is used again only where it still holds."""

from __future__ import annotations

from itertools import count

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autophagy_assets.staleness.materializations import MaterializationCache, version_tags

ACTS = st.one_of(
    st.tuples(st.just("make"), st.integers(0, 2), st.sampled_from("xy")),
    st.tuples(st.just("wipe"), st.integers(0, 2), st.just("")),
    st.tuples(st.just("look"), st.just(0), st.just("")),
)
_numbers = count()


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as made:
        yield made


def targets() -> list[tuple[dg.AssetKey, str | None]]:
    """An asset without partitions and one with two, of which nothing is known yet."""
    number = next(_numbers)
    whole, split = dg.AssetKey(f"whole_{number}"), dg.AssetKey(f"split_{number}")
    return [(whole, None), (split, "a"), (split, "b")]


def act(instance: dg.DagsterInstance, kind: str, target, version: str) -> None:
    asset, partition = target
    if kind == "make":
        tags = version_tags(version)
        instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, partition=partition, tags=tags)
        )
    elif kind == "wipe":
        instance.wipe_assets([asset])


@settings(settings.get_profile("few"))
@given(st.lists(ACTS, min_size=2, max_size=8))
def test_a_later_look_says_what_one_without_an_earlier_one_says(instance, acts):
    known = targets()
    act(instance, "make", known[1], "x")
    seen = None
    for kind, number, version in [*acts, ("look", 0, "")]:
        act(instance, kind, known[number], version)
        if kind == "look":
            seen = MaterializationCache(instance, seen)
            alone = MaterializationCache(instance)
            for target in known:
                assert seen(*target) == alone(*target)


def test_what_was_not_made_since_is_not_asked_for_again(instance, monkeypatch):
    known = targets()
    for target in known:
        act(instance, "make", target, "x")
    first = MaterializationCache(instance)
    assert [first(*target).version for target in known] == ["x", "x", "x"]
    act(instance, "make", known[2], "y")
    asked, fetch = [], instance.fetch_materializations
    monkeypatch.setattr(
        instance,
        "fetch_materializations",
        lambda wanted, **more: asked.append(wanted.asset_key) or fetch(wanted, **more),
    )
    second = MaterializationCache(instance, first)
    assert [second(*target).version for target in known] == ["x", "x", "y"]
    assert asked == [known[2][0]]
