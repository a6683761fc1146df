"""Weights that somebody brings: named by path and hash, and never unpickled."""

from __future__ import annotations

import pickle
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from autophagy_assets.analysis.deep.crops import Crops
from autophagy_assets.analysis.evidence.cross_validation import cross_validate
from autophagy_assets.analysis.identity import CLASS
from autophagy_assets.errors import InputError
from autophagy_assets_tests.analysis.deep.dotted import STUDY, classifier, dotted, network

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> tuple[pd.DataFrame, Crops]:
    return dotted(tmp_path_factory.mktemp("dotted"))


@pytest.fixture(scope="module")
def fitted(given):
    cells, crops = given
    return classifier(crops, epochs=2).fit(cells, cells[CLASS])


def brought(folder: Path, content: bytes) -> dict[str, str]:
    file = folder / "weights.safetensors"
    file.write_bytes(content)
    return {"path": str(file), "sha256": sha256(content).hexdigest()}


def test_they_are_applied_as_they_are_in_every_fold(given, fitted, tmp_path):
    cells, crops = given
    model = network(weights=brought(tmp_path, fitted.weights_))
    found = cross_validate(cells, model, STUDY, crops=crops)
    ordered = cells.sort_values(["dataset", "scportrait_cell_id"])
    for _, part in found.groupby("scheme"):
        expected = fitted.predict_proba(ordered)[:, 1]
        assert part["score"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_a_file_of_another_hash_is_refused_before_it_is_read_as_weights(given, fitted, tmp_path):
    cells, crops = given
    entry = brought(tmp_path, fitted.weights_)
    Path(entry["path"]).write_bytes(fitted.weights_ + b" ")
    with pytest.raises(InputError, match=r"another file: their sha256 is [0-9a-f]{64}, and the st"):
        classifier(crops, weights=entry).fit(cells, cells[CLASS])


def test_weights_of_another_architecture_name_the_tensor(given, fitted, tmp_path):
    cells, crops = given
    entry = brought(tmp_path, fitted.weights_)
    words = r"another architecture: 'convolution0.weight' has shape \(16, 1, 3, 3\), and .*\(16, 2,"
    with pytest.raises(InputError, match=words):
        classifier(crops, weights=entry, channels=("DAPI", "mCherry")).fit(cells, cells[CLASS])


class Trap:
    """Something that runs code when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("sprung"),))


def test_a_pickle_is_refused_and_not_opened(given, tmp_path, monkeypatch):
    cells, crops = given
    monkeypatch.chdir(tmp_path)
    entry = brought(tmp_path, pickle.dumps(Trap()))
    with pytest.raises(InputError, match="is no safetensors file"):
        classifier(crops, weights=entry).fit(cells, cells[CLASS])
    assert not Path("sprung").exists()


def test_a_file_that_is_not_there_is_named(given, tmp_path):
    cells, crops = given
    entry = {"path": str(tmp_path / "none"), "sha256": "0" * 64}
    with pytest.raises(InputError, match=r"none of model 'pixels' cannot be read"):
        classifier(crops, weights=entry).fit(cells, cells[CLASS])
