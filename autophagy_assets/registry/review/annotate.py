"""Registering the answers of a person: checked, kept beside earlier ones, with who gave them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autophagy_assets.analysis.identity import IDENTITY
from autophagy_assets.analysis.review.answers import ANNOTATOR, COLUMNS, SECONDS
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets.registry.fields import raw_fields
from autophagy_assets.registry.ingest.retire import field_keys
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step, transform_key
from autophagy_assets.registry.review.annotation_files import (
    ANNOTATE,
    annotation_files,
    annotation_key,
    annotators,
)
from autophagy_assets.registry.review.answer_sheet import Cell, checked, read_sheet
from autophagy_assets.registry.review.pages import read_page
from autophagy_assets.registry.shared_datasets import IMAGES, fields_of
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.instance import connect
from autophagy_assets.registry.store.keys import ArtifactKey
from autophagy_assets.registry.store.labels import STUDY

_NAME = re.compile(r"[^\W_][\w-]{0,38}[^\W_]|[^\W_]")

_STEM = 16  # characters of a uid that all versions of a key share


@dataclass(frozen=True)
class Annotated:
    """Result of registering a file of answers.

    Attributes
    ----------
    key, uid : str
        Of the artifact.
    answers : int
        Answers that were registered.
    gone : int
        Answers that were kept out, as their cells are not in the study any more.
    known : bool
        Whether the same answers of the same person were registered already.
    earlier : int
        Answers that the same person has given on the same page before; kept as an earlier version.
    left_out : int
        Those of them whose cells the new file does not have, which no longer count.
    """

    key: str
    uid: str
    answers: int
    gone: int = 0
    known: bool = False
    earlier: int = 0
    left_out: int = 0


def annotate(file: Path, name: str, study: Study, present: Collection[Cell]) -> Annotated:
    """Register the answers of a person on a review page.

    Parameters
    ----------
    file : pathlib.Path
        CSV that the page has saved.
    name : str
        Who answered: letters, digits and hyphens.
    present : collection of (str, int)
        Cells that are in the study now.

    Raises
    ------
    InputError
        If name or file is not as it should be, the page is unknown or of another study, or none
        of the cells is there any more; then nothing is registered.
    """
    name = _checked_name(name, study)
    sheet = read_sheet(file, study)
    parameters = {"by": name, "page": sheet.page, "study": study.name}
    recorder = Recorder(Step(ANNOTATE, None, None, Path(__file__).read_text(), "1", parameters))
    manifest = read_page(recorder, study, sheet.page)
    reasons = {(dataset, int(cell)): why for dataset, cell, why in manifest["cells"]}
    every = checked(sheet, reasons, study).assign(**{ANNOTATOR: name})[[*COLUMNS, SECONDS]]
    there = pd.MultiIndex.from_frame(every[IDENTITY]).isin(list(present))
    answers = every[there].reset_index(drop=True)
    if answers.empty:
        raise InputError(
            f"None of the {len(every)} cells in {file} is in the study any more; make a new page "
            "with 'autophagy review'."
        )
    return _register(recorder, study, answers, len(every) - len(answers))


def _checked_name(name: str, study: Study) -> str:
    if not _NAME.fullmatch(name) or "__" in name:
        raise InputError(
            f"--by {name!r}: a name has letters and digits, and hyphens between them, at most 40 "
            "characters; such as ann or ann-miller."
        )
    for other in annotators(study):
        if other != name and other.casefold() == name.casefold():
            raise InputError(f"--by {name!r}: answers of {other!r} are registered; write it so.")
    return name


def _register(recorder: Recorder, study: Study, answers: pd.DataFrame, gone: int) -> Annotated:
    page, name = answers["page"].iloc[0], answers[ANNOTATOR].iloc[0]
    key = annotation_key(study, page, name)
    before = annotation_files(study).get(key)
    output = recorder.put(
        lambda path: answers.to_parquet(path, index=False),
        key,
        f"Answers of {name} on review page {page}",
        {STUDY: study.name},
        kind="dataset",
        rows=len(answers),
    )
    uid = output.record.uid
    if uid == before:
        return Annotated(key, uid, len(answers), gone, known=True)
    earlier = pd.read_parquet(fetch(before)[0]) if before else answers.head(0)
    new = pd.MultiIndex.from_frame(answers[IDENTITY])
    left_out = int((~pd.MultiIndex.from_frame(earlier[IDENTITY]).isin(new)).sum())
    recorder.finish()
    return Annotated(key, uid, len(answers), gone, earlier=len(earlier), left_out=left_out)


def withdrawn(datasets: Collection[str], study: Study) -> set[str]:
    """Datasets that were segmented here and whose field of view has been withdrawn since.

    Parameters
    ----------
    datasets : collection of str
        LaminDB uids.
    """
    own = connect().Artifact.filter(
        uid__in=list(datasets), run__transform__key=transform_key("single_cell_images")
    )
    fields = raw_fields(study)
    places = field_keys(study, fields)
    images = {uid[:_STEM] for field in fields for _, uid in field.images}
    gone = set()
    for uid, text, notes in own.values_list("uid", "key", "extra_data"):
        key, shared = ArtifactKey.parse(text), fields_of(notes)
        if shared:
            # Until it is made again, nothing is shown of a dataset that has withdrawn cells.
            there = all(one[:_STEM] in images for field in shared for one in field[IMAGES])
        else:
            there = key is None or f"{key.partition}/{key.field}" in places
        if not there:
            gone.add(uid)
    return gone
