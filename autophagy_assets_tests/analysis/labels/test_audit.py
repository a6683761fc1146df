"""Label audit: evidence by cell, and where suspects are."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.evidence.folds import CLONE, RANDOM
from autophagy_assets.analysis.features.sets import PUNCTA
from autophagy_assets.analysis.features.tables import AUDITED, misfits
from autophagy_assets.analysis.figures import png_bytes
from autophagy_assets.analysis.identity import CELL_ID, CLASS, DATASET, IDENTITY
from autophagy_assets.analysis.labels.audit import FEW, MANY, audit, most_suspect, shares
from autophagy_assets.analysis.labels.audit_figures import audit_gallery, shares_picture
from autophagy_assets.config.study import Study
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells
from autophagy_assets_tests.analysis.synthetic import write_h5sc

pytestmark = pytest.mark.slow

STUDY = Study.load()
CELLS = measured_cells(STUDY, biology=5, cells=20)
CELLS[PUNCTA] = CELLS["marker_spots_contrast"].clip(0).round()
WRONG = CELLS.index[::17]


def labelled(cells: pd.DataFrame, classes: np.ndarray) -> pd.DataFrame:
    return cells.assign(**{CLASS: classes, "stimulation": pd.Series(classes).map(STUDY.classes)})


EXCHANGED = np.where(CELLS.index.isin(WRONG), 1 - CELLS[CLASS], CELLS[CLASS])


@cache
def audited() -> pd.DataFrame:
    return audit(cross_validate(labelled(CELLS, EXCHANGED), forest(), STUDY))


def test_the_audit_finds_labels_that_were_exchanged_and_drops_nothing():
    assert misfits(audited(), AUDITED) == [] and len(audited()) == len(CELLS)
    assert set(audited()["scheme"]) == {CLONE}
    exchanged = set(map(tuple, CELLS.loc[WRONG, IDENTITY].to_numpy()))
    found = set(map(tuple, audited().loc[audited()["suspected"], IDENTITY].to_numpy()))
    assert exchanged <= found and len(found) < 1.5 * len(exchanged)
    assert audited().loc[audited()["suspected"], "label_quality"].max() < 0.5


def test_puncta_speak_against_a_label_where_the_other_class_has_as_many():
    by_class = audited().groupby(CLASS)[PUNCTA].median()
    few, many = (audited()[audited()["puncta_against"] == said] for said in (FEW, MANY))
    assert set(few[CLASS]) == {1} and (few[PUNCTA] <= by_class[0]).all()
    assert set(many[CLASS]) == {0} and (many[PUNCTA] >= by_class[1]).all()
    either = audited()["puncta_against"] != ""
    assert (audited()["suspected"] & either).sum() >= len(WRONG) / 3


def test_without_puncta_or_where_they_tell_nothing_none_speak_against_a_label():
    scores = cross_validate(CELLS.drop(columns=PUNCTA), forest(), STUDY)
    assert PUNCTA not in audit(scores) and set(audit(scores)["puncta_against"]) == {""}
    assert set(audit(scores.assign(**{PUNCTA: 3.0}))["puncta_against"]) == {""}


def test_the_strictest_scheme_that_there_is_decides():
    scores = cross_validate(CELLS, forest(), STUDY)
    assert set(audit(scores[scores["scheme"] == RANDOM])["scheme"]) == {RANDOM}
    with pytest.raises(InputError, match="no cross-validated scores"):
        audit(scores.head(0))


def test_shares_count_the_suspects_of_each_clone_and_field():
    table = shares(audited())
    for level in ("clone", "field"):
        rows = table[table["level"] == level]
        assert rows["n_cells"].sum() == len(audited())
        assert rows["n_suspected"].sum() == audited()["suspected"].sum()
        assert (rows["share"] == rows["n_suspected"] / rows["n_cells"]).all()
    assert set(table.loc[table["level"] == "clone", "fov"]) == {""}
    assert len(table) == 2 * 2 + 2 * 2 * 2


def crops(folder: Path, cells: pd.DataFrame) -> dict[str, Path]:
    paths = {}
    for code, (dataset, part) in enumerate(cells.groupby(DATASET)):
        paths[dataset] = folder / f"{code}.h5ad"
        write_h5sc(paths[dataset], code, part[CELL_ID].tolist(), STUDY.channels)
    return paths


def test_the_gallery_shows_the_most_suspect_cells_of_each_class(tmp_path):
    picture = audit_gallery(audited(), crops(tmp_path, audited()), STUDY)
    for number, label in STUDY.classes.items():
        of_class = audited()[audited()["suspected"] & (audited()[CLASS] == number)]
        shown = picture.table[picture.table["panel"] == label]
        n = min(len(of_class), STUDY.galleries.error_cells)
        assert shown["label_quality"].tolist() == of_class["label_quality"].nsmallest(n).tolist()
        assert most_suspect(audited(), number, 2)[IDENTITY].equals(
            shown.head(2)[IDENTITY].reset_index(drop=True)
        )
    both = picture.table.merge(audited(), on=IDENTITY, suffixes=("", "_audit"))
    assert (both["score"] == both["prob_class1"]).all() and len(both) == len(picture.table)
    assert f"{audited()['suspected'].sum()} of {len(audited())} WT cells" in picture.caption
    assert png_bytes(picture.figure) == png_bytes(
        audit_gallery(audited(), crops(tmp_path, audited()), STUDY).figure
    )


def test_a_model_that_doubts_no_label_has_a_figure_that_says_so():
    none = audited().assign(suspected=False)
    picture = audit_gallery(none, {}, STUDY)
    assert picture.table.empty and "labels of 0 of" in picture.caption
    assert png_bytes(picture.figure)


def test_of_many_fields_the_clones_alone_are_drawn():
    many = pd.concat(
        [audited().assign(fov=audited()["fov"] + f" {n}") for n in range(8)], ignore_index=True
    )
    picture = shares_picture(many, STUDY)
    labels = [text.get_text() for text in picture.figure.axes[0].get_yticklabels()]
    assert labels == ["clone 1", "clone 2"] and "in the table alone" in picture.caption
    assert len(shares_picture(audited(), STUDY).figure.axes[0].get_yticklabels()) == 2 + 4
    assert np.isfinite(list(picture.numbers.values())).all()
