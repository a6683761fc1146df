"""Where versions of a key are kept: a folder of their own."""

from __future__ import annotations

from autophagy_assets_tests.given import outsider


def test_equal_content_of_samples_that_differ_behind_a_point_is_two_files(store):
    recorder = outsider()
    made = [
        recorder.put(
            lambda path: path.write_text("no cells"),
            f"study/imaging/cell_features/WT__clone-1__{dose}-µM.parquet",
            dose,
            {"study": "doses"},
        )
        for dose in ("0.1", "0.5")
    ]
    recorder.finish()
    assert len({output.file.path for output in made}) == 2
    for output in made:
        artifact = store.Artifact.get(uid=output.record.uid)
        assert (artifact.key, artifact.path) == (output.key, output.file.path)
