"""From a study to a page, from a page to answers, and from answers to the asset of all of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from autophagy_assets.analysis.identity import CELL_ID, DATASET, IDENTITY
from autophagy_assets.cli.review_page import ReviewPage, cells_there, make_page
from autophagy_assets.errors import InputError
from autophagy_assets.registry.lineage.cells import lineage_of_cell
from autophagy_assets.registry.lineage.lineage import nodes_of
from autophagy_assets.registry.provenance.run_provenance import describe_run, inputs_of
from autophagy_assets.registry.review.annotate import annotate
from autophagy_assets.registry.review.annotation_files import annotation_files
from autophagy_assets.registry.review.answer_sheet import COLUMNS
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.staleness.upstream import Target
from autophagy_assets_tests.browser import chromium
from autophagy_assets_tests.given import Given, given_study
from autophagy_assets_tests.platform import Platform, study_file

pytestmark = pytest.mark.slow

N = 40


@pytest.fixture(scope="module")
def scored(store, tmp_path_factory) -> tuple[Platform, Given]:
    """A study of which two models have scored control and knockout. Answers of tests add up."""
    folder = tmp_path_factory.mktemp("reviewed")
    platform = Platform(study_file(folder, "reviewed", models={}))
    given = given_study(platform.study, folder)
    platform.features()
    platform.run("training_cells", "test_cells")
    for model in platform.partitions("model"):
        platform.run("cross_validation", "autophagy_classifier", partition=model)
    platform.run("ko_predictions", partition="EI24KO")
    return platform, given


@pytest.fixture(scope="module")
def made(scored) -> ReviewPage:
    return make_page(scored[0].instance, scored[0].study, N)


def row(made: ReviewPage, number: int, answer: str = "untreated", **changes: Any) -> dict:
    """What a page saves of the cell at a place."""
    cell = made.cells.iloc[number]
    known = [made.page, "reviewed", cell[DATASET], cell[CELL_ID], answer, 1.5]
    time = f"2026-11-26T10:00:{number:02d}.000Z"
    return dict(zip(COLUMNS, [*known, time], strict=True)) | changes


def sheet(folder: Path, rows: list[dict]) -> Path:
    file = folder / "answers.csv"
    with file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]) if rows else COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file


def hand_in(scored, file: Path, name: str) -> Any:
    platform, _ = scored
    return annotate(file, name, platform.study, cells_there(platform.instance, platform.study))


def inputs(artifact: Any) -> set[str]:
    return {one.key for one in inputs_of(artifact, artifact.run)}


def test_a_page_shows_cells_of_control_and_knockout_and_is_the_same_again(scored, made):
    platform, given = scored
    every = pd.concat(given.tables.values())[IDENTITY]
    shown = pd.MultiIndex.from_frame(made.cells[IDENTITY])
    assert len(shown) == len(set(shown)) == N < made.available == len(every)
    assert set(shown) <= set(pd.MultiIndex.from_frame(every))
    assert set(made.cells["genotype"]) == {"WT", "EI24KO"}
    again = make_page(platform.instance, platform.study, N)
    assert (again.page, again.html) == (made.page, made.html)
    assert make_page(platform.instance, platform.study, N, seed=1).page != made.page


def test_only_cells_of_a_genotype_that_was_asked_for_are_shown(scored):
    platform, _ = scored
    page = make_page(platform.instance, platform.study, 10, genotypes=["EI24KO"])
    assert set(page.cells["genotype"]) == {"EI24KO"}
    with pytest.raises(InputError, match="no scored cell of genotype 'ATG5KO'; known: EI24KO, WT"):
        make_page(platform.instance, platform.study, 10, genotypes=["ATG5KO"])


def test_page_and_manifest_are_kept_with_what_they_were_made_from(scored, made, store):
    platform, _ = scored
    key = f"reviewed/review/{made.page}"
    page = store.Artifact.get(key=f"{key}.html", is_latest=True)
    assert page.path.read_text() == made.html
    manifest = json.loads(store.Artifact.get(key=f"{key}.json", is_latest=True).path.read_text())
    assert manifest["models"] == {
        model: platform.artifact("autophagy_classifier", model).uid
        for model in ("as_published", "puncta")
    }
    assert manifest["cells"] == made.cells[[*IDENTITY, "chosen_by"]].to_numpy().tolist()
    found = inputs(page)
    assert {f"reviewed/evidence/cross_validation/{m}.parquet" for m in manifest["models"]} <= found
    assert {f"reviewed/classifier/autophagy_classifier/{m}.joblib" for m in manifest["models"]} <= (
        found
    )
    assert "reviewed/knockouts/ko_predictions/EI24KO.parquet" in found
    crops = {store.Artifact.get(uid=uid).key for uid in made.cells[DATASET].unique()}
    assert crops == {key for key in found if key.endswith(".h5ad")}


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


def test_a_name_in_other_letters_is_taken_for_a_slip(scored, made, tmp_path):
    hand_in(scored, sheet(tmp_path, [row(made, 0)]), "Slip")
    with pytest.raises(InputError, match="answers of 'Slip' are registered"):
        hand_in(scored, sheet(tmp_path, [row(made, 0)]), "slip")


def test_a_page_of_another_study_is_refused(scored, made, tmp_path):
    platform, _ = scored
    other = platform.study.model_copy(update={"name": "another review"})
    file = sheet(tmp_path, [row(made, 0, study="another review")])
    with pytest.raises(InputError, match=f"Page {made.page} is of study 'reviewed'"):
        annotate(file, "ann", other, [])


@pytest.fixture(scope="module")
def browser():
    """Chromium. Playwright leaves an event loop running, beside which Django refuses to work."""
    with pytest.MonkeyPatch.context() as patch, chromium() as opened:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield opened


@pytest.fixture
def opened(browser, made, tmp_path):
    """The page in Chromium, as from a mail attachment, without a network."""
    file = tmp_path / "page.html"
    file.write_text(made.html)
    context = browser.new_context(offline=True, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    context.close()


def where(page: Any) -> str:
    return page.inner_text("#where")


def test_a_person_answers_with_keys_alone_and_hands_the_answers_in(scored, made, opened, tmp_path):
    page, classes = opened, scored[0].study.classes
    for key in ("1", "2", "u", "b", "1"):
        page.keyboard.press(key)
    assert page.inner_text("#progress-words") == f"5 of {N} answered"
    page.keyboard.press("z")
    assert where(page) == f"Cell 5 of {N}, not answered yet"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert where(page) == f"Cell 3 of {N}, answered: unsure"
    page.keyboard.press("2")  # another answer takes its place, and undo brings the first back
    assert where(page) == f"Cell 5 of {N}, not answered yet"
    page.keyboard.press("Backspace")
    assert where(page) == f"Cell 3 of {N}, answered: unsure"
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.inner_text("#progress-words") == f"4 of {N} answered"
    with page.expect_download() as download:
        page.keyboard.press("s")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.name == f"answers-{made.page}.csv"
    table = pd.read_csv(file)
    assert list(table.columns) == COLUMNS
    assert list(table["answer"]) == [classes[0], classes[1], "unsure", "bad crop"]
    shown = made.cells[IDENTITY].iloc[:4].to_numpy().tolist()
    assert table[IDENTITY].to_numpy().tolist() == shown
    done = hand_in(scored, file, "browser-ann")
    assert (done.answers, done.gone) == (4, 0)


def test_channels_outlines_brightness_and_help_are_there_on_keys(opened):
    page = opened
    assert page.locator("figure:visible").count() == 1
    page.keyboard.press(" ")
    assert page.locator("figure:visible").count() == 3
    assert page.get_attribute("#channels", "aria-pressed") == "true"
    coloured = """() => [...document.querySelectorAll('figure canvas:nth-of-type(2)')].map(c =>
        c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value > 0))"""
    assert page.evaluate(coloured) == [True] * 3
    page.keyboard.press("+")
    assert "brightness(1.2)" in page.get_attribute("figure canvas", "style")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("1")  # is not an answer while help is open
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    assert page.inner_text("#progress-words") == f"0 of {N} answered"


def test_everything_is_reached_by_tab_with_a_visible_focus_and_a_name(opened):
    page = opened
    reached, outlines = [], set()
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.innerText || document.activeElement.id")
        )
        outlines.add(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"))
    words = " ".join(reached)
    for name in ("untreated", "Torin", "unsure", "bad crop", "next", "channels", "brightness"):
        assert name in words
    for name in ("Save", "help"):
        assert name in words
    assert outlines == {"solid"}
    # The space of a button that has the focus is the button's.
    page.focus("[data-answer='1']")
    page.keyboard.press(" ")
    assert page.inner_text("#progress-words") == f"1 of {N} answered"
    assert page.inner_text("#status") == "Cell 1: 14h Torin-1."
    assert page.locator("figure:visible").count() == 1


def test_a_page_whose_answers_the_browser_does_not_keep_says_so(browser, made, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(made.html)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('not allowed'); }})"
    )
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert "does not let this page keep your answers" in page.inner_text("#not-kept")
    page.keyboard.press("1")
    assert page.inner_text("#progress-words") == f"1 of {N} answered"
    context.close()


def test_when_all_are_answered_the_page_asks_to_save(opened):
    page = opened
    for _ in range(N):
        page.keyboard.press("1")
    assert page.inner_text("#status") == "All cells are answered. Save your answers."
    assert page.evaluate("document.activeElement.id") == "save"
