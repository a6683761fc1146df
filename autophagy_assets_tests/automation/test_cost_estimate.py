"""The cost estimate of a refresh follows recorded costs, and says where there are none."""

from __future__ import annotations

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.automation.cost_estimate import estimate_cost, samples_of
from autophagy_assets.automation.costs import Cost, Measured, expected
from autophagy_assets.automation.next_runs import look
from autophagy_assets.cli.estimate_output import show_estimate
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.staleness.plan import Plan
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.platform import Platform, study_file
from autophagy_assets_tests.registry.image_folder import FIELD, OTHERS, write_images

SECOND = (*FIELD[:3], "FOV2")
UNTREATED = "WT__clone-1__untreated"


@pytest.fixture(scope="module")
def entries(store, tmp_path_factory):
    """Estimate of four fields in three samples, one of which is imaged as far as Dagster knows."""
    folder = tmp_path_factory.mktemp("estimated")
    platform = Platform(study_file(folder, "estimated"))
    write_images(folder / "i", platform.study, [FIELD, SECOND, *OTHERS], seed=1812)
    ingest(folder / "i", platform.study)
    platform.sync()
    recorded = {"core_seconds": 1.0, "core_seconds_of_workers": 9.0, "fields_imaged": 2}
    for asset, cost in (
        ("single_cell_images", recorded | {"dagster/row_count": 2}),
        ("cell_features", {"seconds": 4.0}),  # as earlier releases recorded it
    ):
        platform.instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, partition=UNTREATED, metadata=cost)
        )
    found = estimate_cost(look(platform.instance, str(platform.file)), platform.instance)
    return {entry.asset: entry for entry in found}


def test_imaging_costs_what_a_field_has_cost_in_all_its_processes(entries):
    imaging = entries["single_cell_images"]
    assert (imaging.ready, imaging.waiting, imaging.fields, imaging.measured) == (3, 0, 4, 1)
    assert imaging.least == imaging.most == Cost(4 * 10.0 / 2, 0, 0)


def test_a_sample_costs_in_proportion_to_the_fields_that_were_measured(entries):
    features = entries["cell_features"]
    assert (features.ready, features.waiting, features.fields) == (2, 1, 4)
    assert features.most is not None and features.most.core_seconds == 4 * 4.0 / 2


def test_what_was_never_made_has_no_estimate_and_is_named(entries, capsys):
    assert entries["raw_features"].most is None and entries["raw_features"].fields == 4
    show_estimate(list(entries.values()), workers=2, free=1e9)
    printed = " ".join(capsys.readouterr().out.split())
    unknown = printed.partition("Not measured yet, and in no sum: ")[2]
    assert "marker_features, raw_features" in unknown and "cell_features" not in unknown
    assert "together: 28.0 s of a processor" in printed and "about 14.0 s" in printed


costs = st.builds(Cost, st.floats(0, 1e6), st.floats(0, 1e12), st.floats(0, 1e6))


@given(st.lists(st.tuples(costs, st.integers(0, 50), st.integers(0, 5000)), min_size=1, max_size=8))
def test_least_is_never_above_most_and_both_are_what_it_took_where_nothing_grew(known):
    targets = [Target("table", str(number)) for number in range(len(known))]
    measured = {t: Measured(c, n) for t, (c, n, _) in zip(targets, known, strict=True)}
    now = {t: n for t, (_, _, n) in zip(targets, known, strict=True)}
    least, most = expected(now, measured, by_sample=False)
    assert least is not None and most is not None
    assert least.core_seconds <= most.core_seconds and least.size <= most.size
    same = expected({t: m.fields for t, m in measured.items()}, measured, by_sample=False)
    took = sum(cost.core_seconds for cost, _, _ in known)
    assert same[0] == same[1] and same[1].core_seconds == pytest.approx(took)


def test_samples_are_found_through_every_level():
    image, other = Target("single_cell_images", "a"), Target("single_cell_images", "b")
    table, figure = Target("raw_features", "WT"), Target("class_gallery")
    plan = Plan(upstream={image: [], other: [], table: [image, other], figure: [table]})
    assert samples_of(plan)[figure] == {"a", "b"} and samples_of(plan)[image] == {"a"}
