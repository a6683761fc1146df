"""Partitions: sample, genotype and knockout, filled from what the registry has.

One partition per sample or genotype and never per field or cell: partition lists slow
down beyond some ten thousand entries.
"""

import dagster as dg

from autophagy_assets.registry.uids import slug
from autophagy_assets.study import Study

_AT_ONCE = 5_000  # SQLite takes some ten thousand values in one statement, and no more
SAMPLE_SPACE, GENOTYPE_SPACE, KNOCKOUT_SPACE = "sample", "genotype", "knockout"

samples = dg.DynamicPartitionsDefinition(name=SAMPLE_SPACE)
genotypes = dg.DynamicPartitionsDefinition(name=GENOTYPE_SPACE)
knockouts = dg.DynamicPartitionsDefinition(name=KNOCKOUT_SPACE)


def genotype_of(sample: str) -> str:
    """Genotype partition that a sample partition belongs to.

    Parameters
    ----------
    sample : str
        ``genotype__clone__stimulation``.

    Returns
    -------
    str
    """
    return sample.split("__")[0]


def control_of(study: Study) -> str:
    """Genotype partition of the study's control.

    Parameters
    ----------
    study : Study

    Returns
    -------
    str
    """
    return slug(study.control)


def fill(instance: dg.DagsterInstance, study: Study, sample_keys: set[str], more: set[str]) -> None:
    """Make the dynamic partitions those that the registry has.

    Parameters
    ----------
    instance : dagster.DagsterInstance
    study : Study
    sample_keys : set of str
        Every sample with images.
    more : set of str
        Slugs of genotypes that have a featurized table but no images here.
    """
    found = {genotype_of(sample) for sample in sample_keys} | more
    wanted = {
        SAMPLE_SPACE: sample_keys,
        GENOTYPE_SPACE: found,
        KNOCKOUT_SPACE: found - {control_of(study)},
    }
    for space, keys in wanted.items():
        present = set(instance.get_dynamic_partitions(space))
        new = sorted(keys - present)
        for start in range(0, len(new), _AT_ONCE):
            instance.add_dynamic_partitions(space, new[start : start + _AT_ONCE])
        for gone in present - keys:
            instance.delete_dynamic_partition(space, gone)
