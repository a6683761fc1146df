"""How many processes a run may use is told plainly, also where it is told wrongly."""

import pytest

from autophagy_assets.assets.imaging.fields import workers
from autophagy_assets.config.home import WORKERS_VARIABLE
from autophagy_assets.errors import InputError


@pytest.mark.parametrize(("told", "meant"), [("3", 3), ("", None), ("0", None)])
def test_workers_are_taken_from_the_environment(monkeypatch, told, meant):
    monkeypatch.setenv(WORKERS_VARIABLE, told)
    assert workers() == meant


@pytest.mark.parametrize("told", ["two", "-1", "1.5", " "])
def test_workers_that_are_no_number_are_told_with_the_variable(monkeypatch, told):
    monkeypatch.setenv(WORKERS_VARIABLE, told)
    with pytest.raises(InputError, match=f"{WORKERS_VARIABLE}=.*set it to 1 or more"):
        workers()
