"""The assets that modules define, and in which order figures are shown."""

from __future__ import annotations

from autophagy_assets.assets.catalog import figures, study_assets


def test_a_report_begins_with_how_good_the_models_are_and_what_the_knockout_does():
    shown = [one.key.to_user_string() for one in figures()]
    assert shown[:4] == [
        "model_comparison",
        "knockout_effect",
        "effect_robustness",
        "shortcut_card",
    ]
    assert shown.index("error_galleries") < shown.index("classifier_evaluation")


def test_every_figure_is_an_asset_of_the_study():
    assert {one.key for one in figures()} < {
        key for one in study_assets() for key in getattr(one, "keys", [])
    }
