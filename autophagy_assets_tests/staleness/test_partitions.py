"""Partitions are what the registry has: no more, no less, and once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import dagster as dg
import pytest

from autophagy_assets.config.study import Study
from autophagy_assets.staleness import partitions

STUDY = Study.load()
PROCESSES = 6
PARTITIONS_NAMES = ("sample", "genotype", "knockout")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        yield instance


def filled(instance: dg.DagsterInstance) -> dict[str, list[str]]:
    return {name: sorted(instance.get_dynamic_partitions(name)) for name in PARTITIONS_NAMES}


def test_genotypes_and_knockouts_follow_from_samples_and_tables(instance):
    partitions.fill(instance, STUDY, {"WT__c1__u", "WT__c1__t", "KO__c2__u"}, {"ATG5"})
    assert filled(instance) == {
        "sample": ["KO__c2__u", "WT__c1__t", "WT__c1__u"],
        "genotype": ["ATG5", "KO", "WT"],
        "knockout": ["ATG5", "KO"],
    }


def test_filling_again_changes_nothing(instance, monkeypatch):
    samples = {"WT__c1__u", "KO__c2__u"}
    partitions.fill(instance, STUDY, samples, set())
    before = filled(instance)
    for change in ("add_dynamic_partitions", "delete_dynamic_partition"):
        monkeypatch.setattr(instance, change, lambda *_: pytest.fail("nothing is new"))
    partitions.fill(instance, STUDY, samples, set())
    assert filled(instance) == before


def test_what_is_gone_is_no_partition_any_more(instance):
    partitions.fill(instance, STUDY, {"WT__c1__u", "KO__c2__u"}, {"ATG5"})
    partitions.fill(instance, STUDY, {"WT__c1__u"}, set())
    assert filled(instance) == {"sample": ["WT__c1__u"], "genotype": ["WT"], "knockout": []}


def test_the_control_is_known_by_its_slug(instance):
    study = STUDY.model_copy(update={"control": "wild type (U2OS)"})
    assert partitions.control_of(study) == "wild-type-U2OS"
    partitions.fill(instance, study, {"wild-type-U2OS__c1__u", "KO__c1__u"}, set())
    assert filled(instance)["knockout"] == ["KO"]


def test_the_genotype_of_a_sample():
    assert partitions.genotype_of("EI24KO__U2OS-clone-1__14h-Torin-1") == "EI24KO"


def test_definitions_and_the_registry_have_the_same_names():
    names = {p.name for p in (partitions.samples, partitions.genotypes, partitions.knockouts)}
    assert names == set(PARTITIONS_NAMES)


def test_more_than_a_database_takes_at_once(tmp_path):
    """SQLite refuses a statement with more than 32,766 values."""
    many = {f"G{number // 20}__c1__t{number}" for number in range(40_000)}
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        partitions.fill(instance, STUDY, many, set())
        assert set(instance.get_dynamic_partitions("sample")) == many
        assert len(instance.get_dynamic_partitions("genotype")) == 2_000


def test_several_that_fill_at_once_do_not_stumble_over_each_other(tmp_path):
    """Each with an instance and a connection of its own, as a sensor and a command have."""
    samples = {f"WT__c{number}__u" for number in range(3000)}
    with ExitStack() as opened:
        several = [
            opened.enter_context(dg.DagsterInstance.local_temp(str(tmp_path)))
            for _ in range(PROCESSES)
        ]
        for instance in several:
            assert instance.get_dynamic_partitions("sample") == []
        ready = threading.Barrier(PROCESSES)

        def work(own: dg.DagsterInstance) -> None:
            ready.wait(timeout=60)
            partitions.fill(own, STUDY, samples, set())

        with ThreadPoolExecutor(PROCESSES) as pool:
            list(pool.map(work, several))
        assert len(filled(several[0])["sample"]) == len(samples)
