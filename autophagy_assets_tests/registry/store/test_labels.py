"""Labels are found by name and by kind, and stand once however often they are attached."""

from __future__ import annotations

import pytest

from autophagy_assets.registry.store import labelling
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.instance import writing
from autophagy_assets_tests.given import outsider
from autophagy_assets_tests.registry.records import rows


@pytest.fixture
def artifact(store, request):
    recorder = outsider()
    name = request.node.name
    output = recorder.put(lambda p: p.write_text(name), f"labels/{name}.txt", name, {})
    recorder.finish()
    return store.Artifact.get(uid=output.record.uid)


def attach(artifact, labels) -> None:
    with writing() as ln:
        labelling.attach(ln, [(artifact, labels)])


def test_a_label_is_found_by_name_and_by_kind(store, artifact):
    attach(artifact, {lab.GENOTYPE: "L-WT", lab.CLONE: "L-clone 1"})
    assert store.Artifact.filter(ulabels__name="L-WT").one() == artifact
    assert artifact.features.get_values() == {"genotype": "L-WT", "cell_line_clone": "L-clone 1"}
    assert store.ULabel.get(name="L-WT").artifacts.get() == artifact


def test_attaching_again_adds_nothing(artifact):
    attach(artifact, {lab.GENOTYPE: "L-WT", lab.FOV: ["L-1", "L-2"]})
    before = rows()
    attach(artifact, {lab.GENOTYPE: "L-WT", lab.FOV: ["L-2", "L-1"]})
    assert rows() == before
    assert artifact.features.get_values()["FOV"] == {"L-1", "L-2"}


def test_one_name_may_be_of_two_kinds(artifact):
    attach(artifact, {lab.GENOTYPE: "L-same", lab.STIMULATION: "L-same"})
    found = {"genotype": "L-same", "stimulation": "L-same"}
    assert artifact.features.get_values() == found


def test_a_corrected_label_takes_the_place_of_the_wrong_one(store, artifact):
    attach(artifact, {lab.GENOTYPE: "L-wrong", lab.CLONE: "L-clone 1"})
    attach(artifact, {lab.GENOTYPE: "L-right", lab.CLONE: "L-clone 1"})
    found = {"genotype": "L-right", "cell_line_clone": "L-clone 1"}
    assert artifact.features.get_values() == found
    assert not store.Artifact.filter(ulabels__name="L-wrong")


def test_a_kind_that_is_not_named_any_more_is_taken_off_and_what_people_added_stays(
    store, artifact
):
    attach(artifact, {lab.GENOTYPE: "L-WT", "lens of a lab": "L-40X"})
    kind = store.Feature(name=f"reviewer of {artifact.uid}", dtype=store.ULabel).save()
    with writing() as ln:
        from lamindb.models import ArtifactULabel

        by_hand = lab.find_label(ln, "L-somebody")
        ArtifactULabel.objects.create(artifact=artifact, ulabel=by_hand, feature=kind)
    attach(artifact, {lab.GENOTYPE: "L-WT"})
    assert artifact.features.get_values() == {"genotype": "L-WT", kind.name: "L-somebody"}


def test_a_column_of_the_lab_becomes_a_kind_of_label(store, artifact):
    attach(artifact, {"objective (our own)": "L-40X"})
    assert artifact.features.get_values() == {"objective (our own)": "L-40X"}
    assert store.Feature.get(name="objective (our own)").dtype_as_str == "cat[ULabel]"


def test_a_label_that_somebody_made_before_is_used(store, artifact):
    made = store.ULabel(name="L-made by hand").save()
    attach(artifact, {lab.STUDY: "L-made by hand"})
    assert list(artifact.ulabels.all()) == [made]
    assert store.ULabel.filter(name="L-made by hand").count() == 1


def test_labels_of_many_are_all_reported_though_the_query_asked_for_one(store, artifact):
    attach(artifact, {lab.GENOTYPE: "L-all", lab.STIMULATION: "L-untreated"})
    for name in ("L-without kind", "L-another"):
        artifact.ulabels.add(store.ULabel(name=name).save())
    found = lab.labels_of(store.Artifact.filter(ulabels__name="L-all"))
    assert found[artifact.uid] == {
        "genotype": "L-all",
        "stimulation": "L-untreated",
        "label L-another": "L-another",
        "label L-without kind": "L-without kind",
    }


def test_artifacts_without_labels_are_reported_too(store, artifact):
    assert lab.labels_of(store.Artifact.filter(uid=artifact.uid)) == {artifact.uid: {}}
