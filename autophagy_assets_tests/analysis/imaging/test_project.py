"""The configuration that scPortrait gets."""

from __future__ import annotations

import pytest

from autophagy_assets.analysis.imaging.project import METHODS, project_config
from autophagy_assets.config.study import Study

STUDY = Study.load()


def test_the_roles_of_the_channels_go_by_name_not_by_position(tmp_path):
    study = STUDY.model_copy(update={"channels": ("mCherry", "DAPI", "Alexa488")})
    config = project_config(study, tmp_path)["WGASegmentation"]
    assert config["segmentation_channel_nuclei"] == [1]
    assert config["segmentation_channel_cytosol"] == [2]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["classical", "cellpose"])
def test_scportrait_accepts_the_configuration_of_each_method(method, tmp_path):
    from scportrait.pipeline.project import Project
    from scportrait.pipeline.segmentation import workflows

    changed = STUDY.segmentation.model_copy(update={"method": method})
    study = STUDY.model_copy(update={"segmentation": changed})
    (tmp_path / "project").mkdir()
    project = Project(
        str(tmp_path / "project"),
        config_path=project_config(study, tmp_path),
        segmentation_f=getattr(workflows, METHODS[method]),
        overwrite=True,
    )
    step = project.segmentation_f
    assert step.segmentation_channels == [0, 1]
    step._check_for_size_filtering(mask_types=step.MASK_NAMES)
    assert step.nucleus_thresholds[0] == STUDY.segmentation.nucleus_min_px
