"""Files of answers: one for each person and page, each version of which is kept."""

from __future__ import annotations

from autophagy_assets.config.study import Study
from autophagy_assets.registry.fields import study_slug
from autophagy_assets.registry.provenance.runs import transform_key
from autophagy_assets.registry.store.instance import connect

ANNOTATE = "annotate"
FOLDER = "annotations"


def annotation_key(study: Study, page: str, annotator: str) -> str:
    """Key of the answers of one person on one page.

    Parameters
    ----------
    page : str
        Id of the page.
    annotator : str
        Name that has been checked: letters, digits and hyphens.
    """
    return f"{study_slug(study)}/{FOLDER}/{page}__{annotator}.parquet"


def annotation_files(study: Study) -> dict[str, str]:
    """Files of answers of a study, as they were given last.

    Returns
    -------
    dict
        Key to uid, by key: one for each person and page.
    """
    found = connect().Artifact.filter(
        key__startswith=f"{study_slug(study)}/{FOLDER}/",
        ulabels__name=study.name,
        is_latest=True,
        run__transform__key=transform_key(ANNOTATE),
    )
    return dict(sorted(found.values_list("key", "uid").distinct()))


def annotators(study: Study) -> set[str]:
    """Names of all people who have answered."""
    return {key.rpartition("__")[2].removesuffix(".parquet") for key in annotation_files(study)}
