"""Every number of the report's text is in a table, or the report is refused."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autophagy_assets.analysis.report.claims import Source, check_claims
from autophagy_assets.errors import InputError

TABLE = pd.DataFrame(
    {
        "model": ["a", "a", "b"],
        "fold": ["pooled", "clone 1", "pooled"],
        "auc": [0.981, 0.9, 0.7],
        "sentence": ["In 24 of 24 ways it is so.", "In 24 of 24 ways it is so.", "No."],
    }
)
SOURCE = Source("model_comparison", "uid1", TABLE)
POOLED = "model == 'a' and fold == 'pooled'"


def test_a_claim_says_what_the_table_has_and_where():
    claim = SOURCE.number(POOLED, "auc", "AUC", "570 cells")
    assert (claim.says, claim.value, claim.n, claim.uid) == ("0.98", 0.981, "570 cells", "uid1")
    assert SOURCE.number("model == 'a'", "fold", "folds", "", ".0f", "count").says == "2"
    assert SOURCE.number("auc > 0", "auc", "AUC", how="min").value == 0.7
    assert SOURCE.sentence("model == 'a'").says == "In 24 of 24 ways it is so."


@pytest.mark.parametrize("rows", ["model == 'c'", "model == 'a'", "nothing == 1"])
def test_a_number_that_is_not_there_once_is_refused(rows):
    with pytest.raises(InputError, match="model_comparison has"):
        SOURCE.number(rows, "auc", "AUC")


def test_a_text_of_claims_is_taken_and_labels_are_no_numbers():
    claims = [SOURCE.number(POOLED, "auc", "AUC"), SOURCE.sentence("model == 'a'")]
    text = "14h Torin-1 in EI24KO: AUC 0.98. In 24 of 24 ways it is so."
    check_claims([text], claims, {"model_comparison": TABLE}, ["14h Torin-1", "EI24KO"])


def test_a_label_that_is_a_number_is_no_part_of_another_one():
    claims = [SOURCE.number(POOLED, "auc", "AUC")]
    check_claims(["Cells of 8: AUC 0.98."], claims, {"model_comparison": TABLE}, ["8", "9", "0"])
    with pytest.raises(InputError, match=r"says 0\.88 in"):
        check_claims(["AUC 0.88"], claims, {"model_comparison": TABLE}, ["8", "88"])


@given(st.decimals(0, 1, places=2).filter(lambda value: str(value) != "0.98"))
def test_a_number_that_no_claim_has_is_refused(number):
    claims = [SOURCE.number(POOLED, "auc", "AUC")]
    with pytest.raises(InputError, match=f"says {number} in"):
        check_claims([f"AUC {number}"], claims, {"model_comparison": TABLE}, [])


def test_a_claim_that_its_asset_no_longer_supports_is_refused():
    claims = [SOURCE.number(POOLED, "auc", "AUC"), SOURCE.sentence("model == 'b'")]
    other = TABLE.assign(auc=TABLE["auc"] - 0.001)
    with pytest.raises(InputError, match=r"says 0\.98, which model_comparison no longer supports"):
        check_claims(["0.98"], claims, {"model_comparison": other}, [])
    with pytest.raises(InputError, match=r"No\., which model_comparison no longer supports"):
        told = TABLE.assign(sentence=["x", "x", "Yes."])
        check_claims(["No."], claims[1:], {"model_comparison": told}, [])
    with pytest.raises(InputError, match="of another, which is not there"):
        moved = replace(claims[0], asset="another")
        check_claims(["0.98"], [moved], {"model_comparison": TABLE}, [])
