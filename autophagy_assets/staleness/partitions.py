"""Partitions: sample, genotype and knockout from what the registry has, model from the study file.

One partition per sample or genotype and never per field or cell: partition lists slow
down beyond some ten thousand entries.
"""

import dagster as dg
from sqlalchemy.exc import IntegrityError

from autophagy_assets.config.study import Study
from autophagy_assets.registry.store.identifiers import slug

# SQLite takes 32,766 values in one statement, and other processes wait while it writes.
BATCH = 5_000
_TRIES = 10
SAMPLE_PARTITIONS, GENOTYPE_PARTITIONS, KNOCKOUT_PARTITIONS = "sample", "genotype", "knockout"
MODEL_PARTITIONS = "model"

samples = dg.DynamicPartitionsDefinition(name=SAMPLE_PARTITIONS)
genotypes = dg.DynamicPartitionsDefinition(name=GENOTYPE_PARTITIONS)
knockouts = dg.DynamicPartitionsDefinition(name=KNOCKOUT_PARTITIONS)
models = dg.DynamicPartitionsDefinition(name=MODEL_PARTITIONS)


def genotype_of(sample: str) -> str:
    """Genotype partition that a sample partition belongs to.

    Parameters
    ----------
    sample : str
        ``genotype__clone__stimulation``.
    """
    return sample.split("__")[0]


def control_of(study: Study) -> str:
    """Genotype partition of the study's control."""
    return slug(study.control)


def _add(instance: dg.DagsterInstance, name: str, keys: list[str]) -> None:
    """Add partitions, of which another process may be adding some at the same time.

    A sensor and a command look at the same registry. Dagster leaves out what is there already,
    but on SQLite it may come between looking and adding.
    """
    for left in reversed(range(_TRIES)):
        try:
            instance.add_dynamic_partitions(name, keys)
            return
        except IntegrityError:
            if not left:
                raise


def fill(instance: dg.DagsterInstance, study: Study, sample_keys: set[str], more: set[str]) -> None:
    """Make the dynamic partitions those that the registry and the study file have.

    Parameters
    ----------
    sample_keys : set of str
        Every sample with images.
    more : set of str
        Slugs of genotypes that have a featurized table but no images here.
    """
    found = {genotype_of(sample) for sample in sample_keys} | more
    wanted = {
        SAMPLE_PARTITIONS: sample_keys,
        GENOTYPE_PARTITIONS: found,
        KNOCKOUT_PARTITIONS: found - {control_of(study)},
        MODEL_PARTITIONS: {model.name for model in study.models},
    }
    for name, keys in wanted.items():
        present = set(instance.get_dynamic_partitions(name))
        new = sorted(keys - present)
        for start in range(0, len(new), BATCH):
            _add(instance, name, new[start : start + BATCH])
        for gone in present - keys:
            instance.delete_dynamic_partition(name, gone)
