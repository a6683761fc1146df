"""Derived names are the same everywhere, and a slug can stand in any path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import sample_key
from autophagy_assets.registry.store.identifiers import artifact_uid, derived, slug
from autophagy_assets.staleness.partitions import genotype_of

parts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
labels = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def slug_or_none(label: str) -> str | None:
    try:
        return slug(label)
    except InputError:
        return None


def test_names_are_those_of_every_other_installation():
    # Names are stored in LaminDB: a change of the derivation would orphan what is there.
    assert derived(12, "label", "WT") == "mqaVxMcMXY0Z"
    assert artifact_uid("a/b.parquet", "0" * 64) == "sNH8whh0GXm05LMQYfSV"


@given(st.integers(1, 20), parts, parts)
def test_a_name_has_its_length_and_letters_that_lamindb_takes(length, one, other):
    name = derived(length, one, other)
    assert re.fullmatch(rf"[0-9A-Za-z]{{{length}}}", name)
    assert name == derived(length, one, other)


@given(st.lists(parts, min_size=1, max_size=3), st.lists(parts, min_size=1, max_size=3))
def test_different_parts_give_different_names(one, other):
    assume(one != other)
    assert derived(12, *one) != derived(12, *other)


@given(parts, parts, st.text("0123456789abcdef", min_size=64, max_size=64))
def test_versions_of_a_key_share_their_stem_and_no_other_key_does(key, other, sha256):
    assume(key != other)
    uid, changed = artifact_uid(key, sha256), artifact_uid(key, "0" * 64)
    assert len(uid) == 20
    assert uid[:16] == changed[:16] != artifact_uid(other, sha256)[:16]


@given(labels)
def test_a_slug_is_one_plain_part_of_a_path(label):
    name = slug_or_none(label)
    assume(name is not None)
    for path in (PurePosixPath(name), PureWindowsPath(name)):
        assert path.parts == (name,)
    assert name not in ("", ".", "..")
    assert not re.search(r"[\s/\\:;*?\"<>|\0]", name)
    assert "_" not in name  # samples are joined by two of them


@given(labels)
def test_a_slug_is_its_own_slug(label):
    name = slug_or_none(label)
    assume(name is not None)
    assert slug(name) == name


@given(labels)
def test_spelling_of_the_same_letters_does_not_matter(label):
    composed, decomposed = (unicodedata.normalize(form, label) for form in ("NFC", "NFD"))
    assert slug_or_none(composed) == slug_or_none(decomposed)


@given(st.lists(st.text("abcXYZ019", min_size=1, max_size=6), min_size=3, max_size=3))
def test_parts_of_a_sample_can_be_told_apart_again(three):
    sample = sample_key(*three)
    assert sample.split("__") == three
    assert genotype_of(sample) == three[0]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("14h Torin-1", "14h-Torin-1"),
        ("untreated", "untreated"),
        ("ATG5 -/-", None),
        ("ATG5 (KO)", "ATG5-KO"),
        ("U2OS lcklip-mNeon clone 1", "U2OS-lcklip-mNeon-clone-1"),
        ("a__b", "a-b"),
        ("..", None),
        ("", None),
        ("  ", None),
        ("野生型", "野生型"),
        ("..hidden", "hidden"),
        ("a/b", None),
        ("a\\b", None),
    ],
)
def test_slugs_of_typical_labels(label, expected):
    assert slug_or_none(label) == expected


@pytest.mark.parametrize("label", ["a/b", "a\\b", "/", "", "..", "-"])
def test_a_label_that_cannot_be_a_name_is_refused_by_name(label):
    with pytest.raises(InputError, match=re.escape(repr(label))):
        slug(label)
