"""Which fields share a dataset follows from the fields alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import Field
from autophagy_assets.registry.shared_datasets import dataset_places

STUDY = Study.load()
FIELDS = [
    Field("WT", clone, "untreated", f"FOV{number}", ())
    for clone in ("clone 1", "clone 2")
    for number in range(1, 13)
]


def sharing(each: int) -> Study:
    return STUDY.model_copy(
        update={"storage": STUDY.storage.model_copy(update={"fields_per_dataset": each})}
    )


@given(st.permutations(FIELDS), st.integers(2, 30))
def test_fields_go_together_as_people_count_in_whatever_order_they_come(fields, each):
    found = dataset_places(sharing(each), fields)
    assert len(found) == len(FIELDS)
    for field in FIELDS:
        number = int(field.fov.removeprefix("FOV"))
        assert found[field] == f"{field.sample}/fields-{(number - 1) // each + 1}"


@given(st.integers(2, 30), st.integers(1, 12))
def test_a_new_last_field_changes_the_last_dataset_alone(each, number):
    sample = [field for field in FIELDS if field.clone == "clone 1"]
    before, after = (dataset_places(sharing(each), sample[:n]) for n in (number - 1, number))
    assert {field: after[field] for field in before} == before


def test_each_field_is_by_itself_by_default():
    assert dataset_places(STUDY, FIELDS) == {field: field.place for field in FIELDS}
