"""Labels that everything in a sample or genotype shares, by the name of its partition."""

from __future__ import annotations

from autophagy_assets.config.study import Study
from autophagy_assets.registry.datasets import genotype_labels
from autophagy_assets.registry.fields import raw_fields, study_slug
from autophagy_assets.registry.store import labels as lab
from autophagy_assets.registry.store.identifiers import slug
from autophagy_assets.registry.store.instance import source
from autophagy_assets.registry.store.keys import RAW_IMAGES
from autophagy_assets.registry.store.labels import labels_of


def labels_of_partition(study: Study, partition: str) -> dict[str, str]:
    """Labels that everything in a sample or genotype shares.

    Parameters
    ----------
    partition : str
        A sample's or a genotype's partition key.

    Returns
    -------
    dict
        Kind of label to name: genotype, and for a sample also clone and stimulation.
    """
    sample = _labels_of_an_image(study, f"{partition}/")
    if all(kind in sample for kind in (lab.GENOTYPE, lab.CLONE, lab.STIMULATION)):
        return {kind: sample[kind] for kind in (lab.GENOTYPE, lab.CLONE, lab.STIMULATION)}
    if lab.GENOTYPE in (found := _labels_of_an_image(study, f"{partition}__")):
        return {lab.GENOTYPE: found[lab.GENOTYPE]}
    for field in raw_fields(study):
        if partition == field.sample:
            return {
                lab.GENOTYPE: field.genotype,
                lab.CLONE: field.clone,
                lab.STIMULATION: field.stimulation,
            }
    for genotype in genotype_labels(study):
        if slug(genotype) == partition:
            return {lab.GENOTYPE: genotype}
    return {}


def _labels_of_an_image(study: Study, place: str) -> dict[str, str]:
    """Labels of one image that was ingested here, by the beginning of its key.

    One look-up, however many images there are; looking through all of them would make each
    of a thousand samples dearer than the one before.
    """
    start = f"{study_slug(study)}/{RAW_IMAGES}/{place}"
    images = source().Artifact.filter(key__startswith=start, is_latest=True)
    keys = images.values_list("uid", "key").iterator()
    # SQLite does not distinguish "wt" from "WT" in the beginning of a text.
    uid = next((uid for uid, key in keys if key.startswith(start)), None)
    return labels_of(source().Artifact.filter(uid=uid))[uid] if uid is not None else {}
