"""Many files are registered together as each would be alone."""

from __future__ import annotations

import itertools

import pytest

from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.labels import labels_of
from autophagy_assets_tests.given import outsider

_numbers = itertools.count()


@pytest.fixture
def place() -> str:
    return f"together/{next(_numbers)}"


def put(contents: dict[str, str], field: str = "R-{}") -> list[str]:
    """Uids of files of one step, by key; each has a label of its own."""
    recorder = outsider()
    outputs = [
        recorder.put(
            lambda path, text=text: path.write_text(text),
            key,
            f"file {text}",
            {lab.GENOTYPE: "R-WT", lab.FOV: field.format(number)},
        )
        for number, (key, text) in enumerate(contents.items())
    ]
    recorder.finish()
    return [output.record.uid for output in outputs]


def test_new_files_and_new_versions_of_old_ones_are_told_apart(store, place):
    before = put({f"{place}/{n}.txt": str(n) for n in range(3)})
    after = put({f"{place}/{n}.txt": text for n, text in enumerate("0xyz")})
    assert after[0] == before[0], "the same content is the same version"
    assert [uid[:16] for uid in after[:3]] == [uid[:16] for uid in before]
    for number, text in enumerate("0xyz"):
        family = store.Artifact.filter(key=f"{place}/{number}.txt", is_latest=True)
        assert fetch(family.one().uid)[0].read_text() == text
        assert (family.one().description, family.one().size) == (f"file {text}", 1)


def test_labels_of_many_are_made_once_and_found_by_each(store, place):
    uids = put({f"{place}/{n}.txt": str(n) for n in range(25)}, f"{place} {{}}")
    known = labels_of(store.Artifact.filter(uid__in=uids))
    assert [known[uid][lab.FOV] for uid in uids] == [f"{place} {n}" for n in range(25)]
    assert {known[uid][lab.GENOTYPE] for uid in uids} == {"R-WT"}
    put({f"{place}/{n}.txt": f"{n}." for n in range(25)}, f"{place} {{}}")
    assert store.ULabel.filter(name__startswith=f"{place} ").count() == 25


def test_labels_in_the_trash_come_back_among_many_as_alone(store, place):
    one = put({f"{place}/a.txt": "a"}, f"{place} 7")
    store.ULabel.get(name=f"{place} 7").delete()
    uids = put({f"{place}/{n}.txt": str(n) for n in range(12)}, f"{place} {{}}")
    known = labels_of(store.Artifact.filter(uid__in=[*one, *uids]))
    assert {known[uid][lab.FOV] for uid in (*one, uids[7])} == {f"{place} 7"}
    assert store.Artifact.filter(ulabels__name=f"{place} 7").count() == 2


def test_two_versions_of_one_key_in_one_step_leave_one_latest(store, place):
    recorder, key = outsider(), f"{place}/a.txt"
    for text in ("first", "second"):
        recorder.put(lambda path, text=text: path.write_text(text), key, text, {})
    recorder.finish()
    assert store.Artifact.filter(key=key).count() == 2
    assert store.Artifact.filter(key=key, is_latest=True).one().description == "second"


def test_files_that_are_kept_come_out_of_the_trash_with_the_labels_of_now(store, place):
    uids = put({f"{place}/{n}.txt": str(n) for n in range(3)})
    store.Artifact.get(uid=uids[1]).delete()
    recorder = outsider()
    recorder.keep({uid: {lab.GENOTYPE: "R-KO"} for uid in uids})
    recorder.finish()
    found = store.Artifact.filter(uid__in=uids, is_latest=True)
    assert {uid: known[lab.GENOTYPE] for uid, known in labels_of(found).items()} == dict.fromkeys(
        uids, "R-KO"
    )
