"""Cells of fields that have been withdrawn since a page was made."""

from __future__ import annotations

from autophagy_assets.registry.fields import raw_fields, study_slug
from autophagy_assets.registry.ingest.ingest import ingest
from autophagy_assets.registry.ingest.withdraw import withdraw
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets.registry.review.annotate import withdrawn


def test_only_crops_of_a_field_that_was_withdrawn_are_gone_before_any_refresh(
    store, study, folder
) -> None:
    ingest(folder, study)
    imaging = Recorder(Step("single_cell_images", None, None, "", "1"))
    crops = {
        field.name: imaging.put(
            lambda path, name=field.name: path.write_text(name),
            f"{study_slug(study)}/imaging/single_cell_images/{field.place}/single_cell_data.h5ad",
            "single cells",
            {"study": study.name},
        ).record.uid
        for field in raw_fields(study)
    }
    imaging.finish()
    assert len(crops) > 1 and withdrawn(crops.values(), study) == set()
    first = min(crops)
    withdraw([first], study)
    assert withdrawn([*crops.values(), "of another lab"], study) == {crops[first]}
