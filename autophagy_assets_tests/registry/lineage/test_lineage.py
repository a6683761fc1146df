"""Lineage ends at the images, shows what is shared once, and follows one cell alone."""

from __future__ import annotations

import itertools
import json
import shutil

import pandas as pd
import pytest
from click.testing import CliRunner

from autophagy_assets.cli.lineage import lineage
from autophagy_assets.errors import InputError
from autophagy_assets.registry.lineage import lineage_formats
from autophagy_assets.registry.lineage.cells import lineage_of_cell, lineage_trees
from autophagy_assets.registry.lineage.lineage import Node, lineage_of, nodes_of
from autophagy_assets.registry.lineage.lineage_formats import render, tree_lines
from autophagy_assets.registry.store.artifacts import fetch
from autophagy_assets.registry.store.instance import writing
from autophagy_assets.registry.store.labels import annotate, find_label
from autophagy_assets_tests.registry.small_study import CELLS, put_table, recorder, register

pytestmark = pytest.mark.slow

_numbers = itertools.count()


@pytest.fixture(scope="module")
def study(store):
    return register("lineage-study")


def images_of(node: Node) -> set[str]:
    return {one.uid for one in nodes_of(node) if one.kind == "image"}


def test_a_figure_goes_back_to_every_image_through_runs(study):
    tree = lineage_of(study.figure)
    assert images_of(tree) == {*study.images["FOV1"], *study.images["FOV2"]}
    kinds = {node.kind for node in nodes_of(tree)}
    assert kinds == {"figure", "table", "model", "single-cell images", "image"}
    run = tree.run
    assert (run.asset, run.dagster_run) == ("lineage-study_gallery", f"dagster-{run.asset}")
    assert (run.code_version, run.parameters, run.status) == ("4", {"depth": 10}, "finished")
    assert run.started <= run.finished
    assert (tree.sha256, tree.size) == (fetch(study.figure)[1].sha256, 3)


def test_a_file_of_a_field_comes_from_the_images_of_that_field_only(study):
    """The run that made it has read the images of both fields."""
    assert images_of(lineage_of(study.crops["FOV2"])) == set(study.images["FOV2"])


def test_what_several_were_made_from_is_one_node_and_shown_once(study):
    tree = lineage_of(study.figure)
    uids = [node.uid for node in nodes_of(tree)]
    assert len(uids) == len(set(uids))
    text = render(tree)
    for uid in uids:
        assert text.count(f"uid {uid}") == 1
    assert "above)" in text


@pytest.mark.parametrize(
    "what",
    [
        "lineage-study_gallery",
        "lineage-study/galleries/lineage-study_gallery.png",
        "lineage-study/galleries/lineage-study_gallery.parquet",
    ],
)
def test_assets_and_keys_are_names_too(study, what):
    tree = lineage_of(what)
    assert tree.run.asset == "lineage-study_gallery"
    assert tree.kind == ("table" if what.endswith("parquet") else "figure")


def test_partitions_are_named_in_brackets(study):
    put_table("lineage-study", "imaging/lineage_partitioned/A", pd.DataFrame())
    assert lineage_of("lineage_partitioned").key.endswith("/A.parquet")
    put_table("lineage-study", "imaging/lineage_partitioned/B", pd.DataFrame())
    assert lineage_of("lineage_partitioned[B]").key.endswith("/B.parquet")
    with pytest.raises(InputError, match=r"lineage_partitioned\[A\], lineage_partitioned\[B\]"):
        lineage_of("lineage_partitioned")


def test_unknown_names_are_reported_with_a_near_one(study):
    with pytest.raises(InputError, match="did you mean lineage-study_gallery"):
        lineage_of("lineage-study_galery")
    with pytest.raises(InputError, match="nothing called 'zzzz'; give an artifact's uid"):
        lineage_of("zzzz")


def test_lineage_keeps_the_run_that_was_read_when_equal_content_is_made_again(study):
    name = f"again{next(_numbers)}"
    table = pd.DataFrame({"a": [1]})
    made = put_table("lineage-study", f"x/{name}", table, study.images["FOV1"][0])
    reader = put_table("lineage-study", f"x/{name}_reader", table, made)
    again = put_table("lineage-study", f"x/{name}", table, study.images["FOV2"][0])
    assert again == made  # equal content, from another image
    assert images_of(lineage_of(made)) == {study.images["FOV2"][0]}
    assert images_of(lineage_of(reader)) == {study.images["FOV1"][0]}


def test_a_cell_ends_at_the_three_images_of_its_field(study):
    tree = lineage_of_cell(study.crops["FOV2"], 7)
    assert images_of(tree) == set(study.images["FOV2"])
    by_uid = {node.uid: node for node in nodes_of(tree)}
    assert by_uid[study.crops["FOV2"]].detail == "crop in row 0 of 2"
    assert by_uid[study.features].detail == "row 2, class 1"
    assert "row 2" in by_uid[study.predictions].detail
    assert "probability of class 1 0.7000, TP" in by_uid[study.predictions].detail
    assert by_uid[study.figure].detail.startswith("shown in TP, row 1, column 2")
    assert study.crops["FOV1"] not in by_uid
    assert by_uid[study.model].inputs == ()  # what it was trained on is another story
    assert tree.detail == "FOV2"


def test_the_same_number_in_another_field_is_another_cell(study):
    tree = lineage_of_cell(study.crops["FOV1"], 7)
    assert images_of(tree) == set(study.images["FOV1"])
    assert study.figure not in {node.uid for node in nodes_of(tree)}


def test_cells_that_are_not_there_are_reported(study):
    with pytest.raises(InputError, match="has 2 cells, none with scportrait_cell_id 4"):
        lineage_of_cell(study.crops["FOV1"], 4)
    with pytest.raises(InputError, match="no dataset ABCDEFGHIJKLMNOPQRST"):
        lineage_of_cell("ABCDEFGHIJKLMNOPQRST", 4)


def test_json_holds_the_whole_of_it(study):
    tree = json.loads(render(lineage_of(study.figure), "json"))
    found, open_ = {}, [tree]
    while open_:
        node = open_.pop()
        open_ += node.get("inputs", [])
        if not node.get("shown_above"):
            found[node["uid"]] = node
    assert {*study.images["FOV1"], *study.images["FOV2"], study.model} <= set(found)
    run = found[study.model]["run"]
    assert run["dagster_run"] == "dagster-lineage-study_classifier"
    assert run["parameters"] == {"depth": 10}


def test_dot_and_svg_draw_every_node_once(study):
    tree = lineage_of(study.figure)
    dot = render(tree, "dot")
    assert dot.count("[label=") == len(nodes_of(tree))
    assert dot.count("->") == sum(len(node.inputs) for node in nodes_of(tree))
    if shutil.which("dot") is None:
        pytest.skip("the graphviz program is not installed")
    svg = render(tree, "svg")
    assert svg.count('class="node"') == len(nodes_of(tree))


def test_svg_without_graphviz_is_reported(study, monkeypatch):
    monkeypatch.setattr(lineage_formats.shutil, "which", lambda program: None)
    with pytest.raises(InputError, match="install graphviz"):
        render(lineage_of(study.figure), "svg")


def test_sections_of_a_report_hold_nothing_that_changes_with_the_run(study):
    cell = (study.crops["FOV2"], 7)
    trees = lineage_trees({"gallery": study.figure}, [cell, cell])
    sections = {name: tree_lines(tree, stable=True) for name, tree in trees.items()}
    assert list(sections) == ["gallery", f"{study.crops['FOV2']}:7"]
    text = "\n".join(line for lines in sections.values() for line in lines)
    assert study.images["FOV2"][0] in text
    assert "Dagster run" not in text and "LaminDB run" not in text and "UTC" not in text


def test_a_step_notes_the_tables_behind_the_cells_and_no_others(study):
    other = register(f"lineage-beside-{next(_numbers)}")
    step = recorder("lineage_report")
    lineage_trees({"gallery": study.figure}, [(study.crops["FOV2"], 7)], step.read)
    keys = {record.key for record in step.reads.values()}
    assert all(key.startswith(f"{study.name}/") for key in keys), other.name
    assert {study.features, study.predictions, study.figure, study.crops["FOV2"]} <= set(step.reads)
    assert study.crops["FOV1"] not in step.reads


def test_models_are_found_by_their_auc_genotype_and_study(store, study):
    other = register("lineage-other-study")
    for uid, auc in ((study.model, 0.5), (study.model, 0.79), (other.model, 0.6)):
        with writing() as ln:
            annotate(ln, ln.Artifact.get(uid=uid), {"auc": auc})
            find_label(ln, "EI24KO")

    def found(**wanted) -> list[str]:
        models = store.Artifact.filter(kind="model", is_latest=True)
        return list(models.filter(**wanted).values_list("uid", flat=True))

    assert found(auc__gt=0.75, genotype="WT", study=study.name) == [study.model]
    assert found(auc__gt=0.8, genotype="WT", study=study.name) == []
    assert found(auc__gt=0.75, genotype="EI24KO", study=study.name) == []
    assert found(auc__gt=0.55, genotype="WT", study=other.name) == [other.model]
    assert store.Artifact.get(uid=study.model).features.get_values()["auc"] == 0.79
    assert store.Feature.get(name="auc").description


def test_an_annotation_is_recorded_with_the_step_and_only_if_it_ends(store, study):
    step = recorder("lineage_evaluation", None, study.predictions, study.model)
    step.annotate(study.model, {"auc": 0.93})
    assert store.Artifact.get(uid=study.model).features.get_values().get("auc") != 0.93
    step.finish()
    assert store.Artifact.get(uid=study.model).features.get_values()["auc"] == 0.93


def test_the_command_prints_a_tree_and_refuses_with_a_sentence(study):
    done = CliRunner().invoke(lineage, [study.figure])
    assert done.exit_code == 0 and "lineage-study/raw_images/WT/FOV1/DAPI.tif" in done.output
    number = CELLS["FOV1"][0]
    done = CliRunner().invoke(lineage, ["--cell", f"{study.crops['FOV1']}:{number}"])
    assert done.exit_code == 0 and "crop in row 0 of 2" in done.output
    assert CliRunner().invoke(lineage, []).exit_code == 2
    assert CliRunner().invoke(lineage, ["--cell", "nonsense"]).exit_code == 2
    refused = CliRunner().invoke(lineage, ["zzzz"])
    assert refused.exit_code == 1 and "nothing called" in refused.output
