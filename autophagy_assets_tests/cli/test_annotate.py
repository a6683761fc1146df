"""From a page to answers, and from answers to the asset of all of them."""

from __future__ import annotations

import pandas as pd
import pytest

from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY
from autophagy_assets.cli.review_page import cells_there
from autophagy_assets.errors import InputError
from autophagy_assets.registry.lineage.cells import lineage_of_cell
from autophagy_assets.registry.lineage.lineage import nodes_of
from autophagy_assets.registry.provenance.run_provenance import describe_run, inputs_of
from autophagy_assets.registry.review.annotate import annotate
from autophagy_assets.registry.review.annotation_files import annotation_files
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.cli.answers import hand_in, inputs, row, sheet

pytestmark = pytest.mark.slow


def test_answers_become_an_asset_that_is_made_again_for_each_new_file(scored, made, tmp_path):
    platform, _ = scored
    platform.sync()
    platform.run("annotations")
    before = platform.table("annotations")
    assert Target("annotations") in platform.plan().fresh
    done = hand_in(scored, sheet(tmp_path, [row(made, 0), row(made, 1, "unsure")]), "asset-ann")
    assert (done.answers, done.gone, done.known) == (2, 0, False)
    assert platform.sync() == ["annotation_files"]
    reasons = {str(target): reason for target, reason in platform.plan().ready.items()}
    assert "annotation_files" in reasons["annotations"]
    platform.run("annotations")
    table = platform.table("annotations")
    assert len(table) == len(before) + 2
    mine = table[table["annotator"] == "asset-ann"].set_index(IDENTITY)
    for number, answer in ((0, "untreated"), (1, "unsure")):
        cell = made.cells.iloc[number]
        said = mine.loc[(cell[DATASET], cell[CELL_ID])]
        assert said["answer"] == answer and said["page"] == made.page
        assert said["chosen_by"] == cell["chosen_by"]
        assert said["answered_at"] == f"2026-11-26T10:00:{number:02d}.000Z"
    assert Target("annotations") in platform.plan().fresh


def test_lineage_leads_from_the_table_to_each_person_and_page(scored, made, store, tmp_path):
    platform, _ = scored
    for name in ("line-ann", "line-ben"):
        hand_in(scored, sheet(tmp_path, [row(made, 3)]), name)
    platform.sync()
    platform.run("annotations")
    table = platform.artifact("annotations")
    files = {one.key: one for one in inputs_of(table, table.run)}
    for name in ("line-ann", "line-ben"):
        file = files[f"reviewed/annotations/{made.page}__{name}.parquet"]
        said = describe_run(file.run)
        assert (said.parameters["by"], said.parameters["page"]) == (name, made.page)
        assert said.status == "finished" and said.finished is not None
        page = f"reviewed/review/{made.page}"
        assert inputs(file) == {f"{page}.html", f"{page}.json"}
    cell = made.cells.iloc[3]
    said = {node.detail for node in nodes_of(lineage_of_cell(cell[DATASET], int(cell[CELL_ID])))}
    assert any("line-ann answered 'untreated'" in detail for detail in said)


def test_people_may_contradict_each_other_and_both_are_kept(scored, made, tmp_path):
    platform, _ = scored
    hand_in(scored, sheet(tmp_path, [row(made, 5, "untreated")]), "contra-ann")
    hand_in(scored, sheet(tmp_path, [row(made, 5, "14h Torin-1")]), "contra-ben")
    platform.sync()
    platform.run("annotations")
    table = platform.table("annotations")
    cell = made.cells.iloc[5]
    both = table[(table[DATASET] == cell[DATASET]) & (table[CELL_ID] == cell[CELL_ID])]
    said = both.set_index("annotator")["answer"]
    assert (said["contra-ann"], said["contra-ben"]) == ("untreated", "14h Torin-1")


def test_the_same_file_again_is_known_and_another_is_a_new_version(scored, made, store, tmp_path):
    platform, _ = scored
    first = hand_in(scored, sheet(tmp_path, [row(made, 0), row(made, 1)]), "again")
    runs = store.Run.filter(transform__key="autophagy_assets/annotate").count()
    again = hand_in(scored, sheet(tmp_path, [row(made, 1), row(made, 0)]), "again")
    assert again.known and again.uid == first.uid
    assert store.Run.filter(transform__key="autophagy_assets/annotate").count() == runs
    other = hand_in(scored, sheet(tmp_path, [row(made, 1, "bad crop"), row(made, 2)]), "again")
    assert (other.known, other.earlier, other.left_out) == (False, 2, 1)
    assert other.key == first.key and annotation_files(platform.study)[first.key] == other.uid
    kept = pd.read_parquet(store.Artifact.get(uid=first.uid).path)
    assert list(kept["answer"]) == ["untreated", "untreated"]


def test_a_cell_twice_counts_once_where_both_say_the_same(scored, made, tmp_path):
    later = row(made, 0, answered_at="2026-11-26T12:00:00Z")
    done = hand_in(scored, sheet(tmp_path, [later, row(made, 0)]), "twice")
    assert done.answers == 1
    (key,) = [key for key in annotation_files(scored[0].study) if key.endswith("__twice.parquet")]
    kept = pd.read_parquet(fetch(annotation_files(scored[0].study)[key])[0])
    assert list(kept["answered_at"]) == ["2026-11-26T12:00:00.000Z"]


def test_cells_that_are_gone_are_kept_out_and_counted(scored, made, tmp_path):
    platform, _ = scored
    there = cells_there(platform.instance, platform.study)
    cell = made.cells.iloc[1]
    there.remove((cell[DATASET], cell[CELL_ID]))
    file = sheet(tmp_path, [row(made, 0), row(made, 1)])
    done = annotate(file, "gone", platform.study, there)
    assert (done.answers, done.gone) == (1, 1)
    with pytest.raises(InputError, match=r"None of the 1 cells .* is in the study any more"):
        annotate(sheet(tmp_path, [row(made, 1)]), "gone", platform.study, there)


BAD = {
    "an unknown page": ([{"page": "123456abcdef"}], "no review page 123456abcdef here"),
    "a path for a page": ([{"page": "../../x"}], "is not the id of a review page"),
    "several pages": ([{}, {"page": "other"}], "answers of several pages"),
    "another study": ([{"study": "elsewhere"}], "is of study 'elsewhere', and this is 'reviewed'"),
    "an unknown class": (
        [{"answer": "treated"}],
        "line 2: answer 'treated' is none of 'untreated'",
    ),
    "two answers": ([{}, {"answer": "unsure"}], "is 'unsure' here and 'untreated' before"),
    "a formula": ([{"answer": "=1+1"}], "answer is '=1\\+1', which a spreadsheet would run"),
    "a formula in a time": ([{"answered_at": "@SUM(A1)"}], "would run as a formula"),
    "a cell of no page": ([{CELL_ID: 999999}], "does not show cell 999999"),
    "a number that is none": ([{CELL_ID: "1.5"}], "'1.5' is not a whole number"),
    "a time that is none": ([{"answered_at": "soon"}], "'soon' is not a time"),
    "seconds that are none": ([{"seconds": "nan"}], "'nan' is not a number of seconds"),
    "no answer": ([], "holds no answer"),
    "another column": ([{"note": "nice"}], "has also note"),
}


@pytest.mark.parametrize("changes, words", BAD.values(), ids=BAD)
def test_a_wrong_file_is_refused_in_a_sentence_and_nothing_is_kept(
    scored, made, tmp_path, changes, words
):
    platform, _ = scored
    before = annotation_files(platform.study)
    file = sheet(tmp_path, [row(made, 0) | change for change in changes])
    with pytest.raises(InputError, match=words):
        hand_in(scored, file, "bad")
    assert annotation_files(platform.study) == before


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\xff", "cannot be read as CSV"),
        (b";".join([b"page"] * 7), "has semicolons"),
        (b"a,b\n1,2\n", "is not a file of answers: it lacks page"),
    ],
    ids=["empty", "a picture", "semicolons", "another table"],
)
def test_what_is_no_file_of_answers_is_refused(scored, tmp_path, content, words):
    file = tmp_path / "answers.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=words):
        hand_in(scored, file, "bad")


@pytest.mark.parametrize(
    "name", ["", "../ann", "a/b", "ann__ben", "-ann", "a" * 41, "ann.x", "a b"]
)
def test_a_name_that_could_be_a_path_is_refused(scored, made, tmp_path, name):
    with pytest.raises(InputError, match="letters and digits"):
        hand_in(scored, sheet(tmp_path, [row(made, 0)]), name)


def test_a_name_that_differs_in_case_is_refused_as_a_typing_error(scored, made, tmp_path):
    hand_in(scored, sheet(tmp_path, [row(made, 0)]), "Slip")
    with pytest.raises(InputError, match="answers of 'Slip' are registered"):
        hand_in(scored, sheet(tmp_path, [row(made, 0)]), "slip")


def test_a_page_of_another_study_is_refused(scored, made, tmp_path):
    platform, _ = scored
    other = platform.study.model_copy(update={"name": "another review"})
    file = sheet(tmp_path, [row(made, 0, study="another review")])
    with pytest.raises(InputError, match=f"Page {made.page} is of study 'reviewed'"):
        annotate(file, "ann", other, [])
