"""Libraries count that code reaches and that compute, with their versions."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from autophagy_assets.staleness import libraries


@pytest.fixture
def versions(monkeypatch):
    """Versions of distributions that are given instead of the real ones."""
    found: dict[str, str] = {}
    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: found.get(name) or real(name))
    libraries._version.cache_clear()
    yield found
    libraries._version.cache_clear()


def test_another_version_of_a_library_that_computes_changes_the_version(toy, versions):
    body = "import json, sklearn.svm\nimport dagster\ndef body(): return json, dagster, sklearn\n"
    before = toy(body=body)
    assert before.libraries.keys() == {"scikit-learn", "numpy", "scipy"}
    versions["scipy"] = "99"
    libraries._version.cache_clear()
    after = toy(body=body)
    assert (after.modules, after.libraries["scipy"]) == (before.modules, "99")
    assert after.version != before.version


def test_a_library_that_is_not_reached_does_not_count(toy):
    body = "import numpy as np\ndef body(): return 1\ndef other(): return np.pi\n"
    assert toy(body=body).libraries == {}
    assert toy().libraries == {"numpy": metadata.version("numpy")}


def test_a_library_that_is_not_installed_is_reported(toy):
    body = "def body():\n    import not_there\n    return not_there\n"
    assert toy(body=body).libraries == {"not_there": "not installed"}


def test_reading_code_imports_no_library(toy):
    before = set(sys.modules)
    code = toy(body="def body():\n    import scportrait, skfmm\n    return scportrait, skfmm\n")
    assert {"scportrait", "scikit-fmm", "numba"} <= code.libraries.keys()
    assert {name.split(".")[0] for name in set(sys.modules) - before} <= {"toy"}
