"""Whether the labels of a whole field of view may be wrong."""

from __future__ import annotations

import pandas as pd

from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.identity import CLASS, DATASET
from autophagy_assets.analysis.labels.audit import audit
from autophagy_assets.analysis.quality.finding import Finding
from autophagy_assets.analysis.quality.labels import no_field_suspect
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells

STUDY = Study.load()
CELLS = measured_cells(STUDY, biology=5, cells=20)


def asked(cells: pd.DataFrame) -> Finding:
    return no_field_suspect(audit(cross_validate(cells, forest(), STUDY)), "label_audit")


def test_a_field_that_was_given_the_other_label_is_found():
    swapped = CELLS.copy()
    own = swapped[DATASET] == swapped[DATASET].iloc[0]
    swapped.loc[own, [CLASS, "stimulation", "fov"]] = [1, STUDY.classes[1], "FOV3"]
    found = asked(swapped)
    assert not found.passed and "(clone 1, 14h Torin-1, FOV3): look at" in found.sentence
    assert found.numbers["fields suspect"] == 1


def test_labels_that_are_right_pass():
    found = asked(CELLS)
    assert found.passed and found.sentence.startswith("In 0 of 8 fields of view of label_audit")


def test_a_model_that_guesses_is_no_reason_to_doubt_an_image():
    cells = measured_cells(STUDY, biology=0, cells=20, seed=3)
    audited = audit(cross_validate(cells, forest(), STUDY)).assign(suspected=True)
    found = no_field_suspect(audited, "label_audit")
    assert found.passed and "In 8 of 8 fields of view" in found.sentence
    assert "hardly tells the classes apart (AUC 0." in found.sentence
