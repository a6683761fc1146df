"""State of the registry at one moment: what LaminDB has of a study that no step here has made.

Raw images, tables and datasets of another instance, fields that were refused, and answers of people
come from outside.
A step and the judge of what is out of date look at them through here, so what a step was given and
the version that is recorded of it are the same thing.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from json import dumps
from typing import Any

import pandas as pd

from autophagy_assets.config.study import Study
from autophagy_assets.registry.consistency.damage import damaged, mark_damaged
from autophagy_assets.registry.datasets import UNKNOWN, featurized_tables, foreign_datasets
from autophagy_assets.registry.fields import Field, raw_fields, sample_key
from autophagy_assets.registry.ingest.ingest import excluded_fields
from autophagy_assets.registry.review.annotation_files import annotation_files
from autophagy_assets.registry.store.identifiers import slug

RAW_IMAGES, SOURCE_FEATURES = "raw_images", "source_features"
SOURCE_DATASETS, EXCLUDED_FIELDS = "source_datasets", "excluded_fields"
ANNOTATION_FILES = "annotation_files"
# Assets that Dagster does not make; what they are is what stands here.
OUTSIDE = (RAW_IMAGES, SOURCE_FEATURES, SOURCE_DATASETS, EXCLUDED_FIELDS, ANNOTATION_FILES)


class RegistryState:
    """What LaminDB has of a study from outside; each part is read once, on access.

    Parameters
    ----------
    sample : str, optional
        Partition key; leave out the raw images of all other samples.
    thorough : bool
        Compare raw images with their hashes, instead of looking at sizes and times.
    """

    def __init__(self, study: Study, sample: str | None = None, thorough: bool = False) -> None:
        self._study, self._sample, self._thorough = study, sample, thorough

    @cached_property
    def fields(self) -> list[Field]:
        """Fields of view that have every channel."""
        return raw_fields(self._study, self._sample)

    @cached_property
    def unreadable(self) -> dict[str, str]:
        """Uid of each raw image whose file is gone or has changed, to what is wrong with it."""
        return damaged((u for field in self.fields for _, u in field.images), self._thorough)

    @cached_property
    def datasets(self) -> pd.DataFrame:
        """Single-cell image datasets that were not made here, the latest version of each."""
        return foreign_datasets(self._study)

    @cached_property
    def every_dataset(self) -> pd.DataFrame:
        """As :attr:`datasets`, with older versions, which a feature table may name."""
        return foreign_datasets(self._study, every_version=True)

    @cached_property
    def table_labels(self) -> dict[str, str]:
        """Genotype label of each featurized table that was not made here, by its uid."""
        return {uid: label for label, uid in featurized_tables(self._study).items()}

    @cached_property
    def tables(self) -> dict[str, str]:
        """Uid of each featurized table that was not made here, by genotype partition."""
        return {slug(label): uid for uid, label in self.table_labels.items()}

    @cached_property
    def refused(self) -> dict[str, str]:
        """Fields whose images an ingest did not take, with the reason."""
        return excluded_fields(self._study)

    @cached_property
    def annotation_files(self) -> dict[str, str]:
        """Uid of each file of answers, by its key: one for each person and page."""
        return annotation_files(self._study)

    @cached_property
    def samples(self) -> dict[str, list[Any]]:
        """What each sample has from outside: its raw images, and datasets of another instance."""
        found: dict[str, list[Any]] = {}
        for field in self.fields:
            bad = [uid for _, uid in field.images if uid in self.unreadable]
            content = [field.name, *field.images, field.label_hash, bad]
            found.setdefault(field.sample, []).append(content)
        for row in self.datasets.to_dict("records"):
            if row["genotype"] != UNKNOWN:
                sample = sample_key(row["genotype"], row["clone"], row["stimulation"])
                found.setdefault(sample, []).append(row)
        return found

    def note_unreadable(self, uid: str, reason: str) -> None:
        """Note that a raw image turned out to be damaged when it was read."""
        mark_damaged(uid)
        self.unreadable[uid] = reason
        self.__dict__.pop("samples", None)

    def contents(self, asset: str, partition: str | None) -> Any:
        """Content of an external asset.

        Parameters
        ----------
        asset : str
            One of ``OUTSIDE``.

        Returns
        -------
        object
            JSON-like; None where there is nothing.
        """
        if asset == RAW_IMAGES:
            return self.samples.get(partition or "")
        if asset == SOURCE_FEATURES:
            uid = self.tables.get(partition or "")
            return [uid, self.table_labels[uid]] if uid else None
        if asset == SOURCE_DATASETS:
            return self.every_dataset.to_dict("records") or None
        if asset == ANNOTATION_FILES:
            return [list(one) for one in self.annotation_files.items()] or None
        return [f"{name}: {reason}" for name, reason in sorted(self.refused.items())] or None

    def version(self, asset: str, partition: str | None) -> str | None:
        """Version of an external asset: a hash of its content.

        Parameters
        ----------
        asset : str
            One of ``OUTSIDE``.

        Returns
        -------
        str or None
            None where there is nothing.
        """
        found = self.contents(asset, partition)
        return version_of(found) if found else None


def version_of(contents: Any) -> str:
    """Hash of JSON-like contents.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    text = dumps(contents, sort_keys=True, default=str)
    return sha256(text.encode()).hexdigest()[:32]
