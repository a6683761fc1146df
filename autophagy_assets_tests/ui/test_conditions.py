"""What the automation asks for, without a daemon: each evaluation is one look of the sensor."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest

from autophagy_assets.definitions import build_defs

SAMPLE, GENOTYPE = "KO__clone__untreated", "KO"


class Looks:
    """The automation sensor, looking again and again at an instance of its own."""

    def __init__(self) -> None:
        self.defs, self.cursor = build_defs(), None
        self.instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})

    def look(self) -> set[tuple[str, str | None]]:
        result = dg.evaluate_automation_conditions(
            defs=self.defs, instance=self.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        return {
            (key.to_user_string(), partition)
            for key in self.defs.resolve_asset_graph().materializable_asset_keys
            for partition in (result.get_requested_partitions(key) or ())
        }

    def tell(self, asset: str, partition: str | None = None, version: str = "1") -> None:
        """Report an asset as made, with a version of its content."""
        tags: Any = {"dagster/data_version": version, "dagster/data_version_is_user_provided": "1"}
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, partition=partition, tags=tags)
        )

    def add(self) -> None:
        self.instance.add_dynamic_partitions("sample", [SAMPLE])
        self.instance.add_dynamic_partitions("genotype", [GENOTYPE])


@pytest.fixture
def looks() -> Looks:
    looks = Looks()
    assert looks.look() == set()
    return looks


def test_new_images_are_segmented_and_then_make_a_table(looks):
    looks.add()
    looks.tell("raw_images", SAMPLE)
    asked = looks.look()
    assert {("single_cell_images", SAMPLE), ("cell_features", SAMPLE)} <= asked
    looks.tell("single_cell_images", SAMPLE)
    looks.tell("cell_features", SAMPLE)
    asked |= looks.look()
    assert ("raw_features", GENOTYPE) in asked, "it waits for a table that nobody will give"


def test_a_genotype_whose_cells_are_missing_waits(looks):
    looks.add()
    assert ("raw_features", GENOTYPE) not in looks.look()


def test_the_same_content_again_asks_for_nothing(looks):
    looks.add()
    looks.tell("raw_images", SAMPLE)
    looks.look()
    for asset in ("single_cell_images", "cell_features"):
        looks.tell(asset, SAMPLE)
    looks.look()
    for asset in ("raw_features", "clean_features"):
        looks.tell(asset, GENOTYPE)
    looks.look()
    looks.tell("raw_features", GENOTYPE, version="1")
    assert ("clean_features", GENOTYPE) not in looks.look()
    looks.tell("raw_features", GENOTYPE, version="2")
    assert ("clean_features", GENOTYPE) in looks.look()
