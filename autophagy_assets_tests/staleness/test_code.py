"""An asset's code counts by its content: what it reaches, symbol by symbol, and nothing else."""

from __future__ import annotations

import re
from importlib import metadata

import dagster as dg
import pytest

from autophagy_assets.definitions import build_defs
from autophagy_assets.staleness.code import code_of
from autophagy_assets_tests.staleness.toy import BODY, LIMITS, SCORES, changed


def test_argmax_to_argmin_two_modules_away_changes_the_version_and_names_the_module(toy):
    before, after = toy(), toy((SCORES, "argmax", "argmin"))
    assert before.version != after.version
    assert changed(before, after) == {"toy.science.scores"}
    assert toy().version == before.version
    assert 8 <= len(before.version) <= 12


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (SCORES, "# the largest", "# the one that is largest"),
        (SCORES, "'''Which value is chosen.'''", "'''Chooses.'''"),
        (SCORES, "'''Which value is chosen.'''", ""),
        (SCORES, "'''Scores.'''", ""),
        (BODY, "'''What it is.'''", "'''What it was.'''"),
        (
            SCORES,
            "int(np.argmax(limits.cut(values)))",
            "int(np.argmax(\n (limits.cut( values,))))",
        ),
        (SCORES, "(values: list) -> int", "(values: 'tuple | None')"),
        (SCORES, "import math\nimport numpy as np", "import numpy as np\nimport math"),
        (SCORES, "math.pi + UNUSED", "math.e"),
        (SCORES, "UNUSED = 1", "UNUSED = 2"),
        (LIMITS, "HIGHEST = 1", "HIGHEST = 2"),
        (LIMITS, "LOWEST = 0", "LOWEST: int = 0"),
        (LIMITS, "LOWEST = 0\nHIGHEST = 1", "HIGHEST = 1\nLOWEST = 0"),
        (BODY, "@wrapped\n", ""),
        (BODY, "    return function", "    return wrapped and function"),
        ("toy/errors.py", "...", "code = 2"),
        ("toy/page.html", "<p>", "<b>"),
    ],
)
def test_what_does_not_change_the_content_does_not_change_the_version(toy, file, before, after):
    assert toy((file, before, after)).version == toy().version


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (LIMITS, "LOWEST = 0", "LOWEST = 1"),
        (LIMITS, "max(value", "min(value"),
        (LIMITS, "def cut(values)", "def cut(values, more=1)"),
        (LIMITS, "LOWEST = 0", "LOWEST = 0\nif HIGHEST > 5:\n    LOWEST = 1"),
        (LIMITS, "def cut", "import functools\n@functools.cache\ndef cut"),
        (LIMITS, "HIGHEST = 1", "import warnings\nwarnings.simplefilter('error')"),
        (LIMITS, "LOWEST = 0", "from toy.science.more import LOWEST"),
        (SCORES, "import numpy as np", "import scipy.stats as np"),
        (SCORES, "import limits", "import limits as other, models as limits"),
        (BODY, "score(values)", "score(values) + 1"),
        ("toy/science/__init__.py", "import score", "import unused as score"),
    ],
)
def test_what_may_change_the_content_changes_the_version(toy, file, before, after):
    more = {"science/more": "LOWEST = 0"}
    models = ("toy/science/models.py", "@dataclass\n", "def cut(values): return 2\n\n@dataclass\n")
    assert toy(models, (file, before, after), **more).version != toy(models, **more).version


def test_source_holds_what_is_reached_as_it_is_written(toy):
    source = toy().source
    assert "# toy.science.scores" in source
    assert "    # the largest" in source
    assert "def unused" not in source
    compile(source, "source", "exec")


def test_a_function_without_a_file_is_refused_with_its_name(toy):
    with pytest.raises(ValueError, match=r"built-in function len.*not defined in a file"):
        code_of(len)
    with pytest.raises(ValueError, match=r"body.py has no function <lambda>: give it a name"):
        toy(body="body = lambda: 1\n")


BODIES = {
    asset.key.to_user_string(): asset.op.compute_fn.decorated_fn  # type: ignore[union-attr]
    for asset in build_defs().assets or ()
    if isinstance(asset, dg.AssetsDefinition)
}


@pytest.mark.parametrize("name", BODIES)
def test_code_of_every_asset_is_found_and_all_of_its_libraries_are_installed(name):
    code = code_of(BODIES[name])
    assert BODIES[name].__module__ in code.modules
    assert any(module.startswith("autophagy_assets.analysis.") for module in code.modules)
    assert "pandas" in code.libraries
    assert "not installed" not in code.libraries.values()
    definitions = re.split(r"(?m)^# \S+:", code.source)[0]  # what comes then are templates
    compile(definitions, "source", "exec")


@pytest.mark.parametrize(
    ("name", "reaches", "does_not"),
    [
        (
            "single_cell_images",
            ["imaging.segmentation", "imaging.images"],
            ["galleries.galleries", "classifier.evaluation_figures"],
        ),
        (
            "cell_features",
            ["imaging.featurization"],
            ["imaging.segmentation", "imaging.images", "classifier.classification"],
        ),
        (
            "cross_validation",  # what a network does is reached through arguments
            ["deep.training", "deep.applying", "deep.surroundings", "galleries.crops"],
            ["galleries.galleries", "imaging.segmentation"],
        ),
        (
            "autophagy_classifier",
            ["classifier.classification", "classifier.model"],
            ["figures", "imaging.featurization"],
        ),
        (
            "test_predictions",
            ["classifier.classification", "classifier.model"],
            ["figures", "imaging.featurization"],
        ),
        (
            "classifier_evaluation",
            ["classifier.evaluation", "classifier.evaluation_figures"],
            ["report.page", "galleries.galleries"],
        ),
        (
            "study_report",
            ["report.page", "report.page:report.html"],
            ["classifier.classification", "imaging.segmentation"],
        ),
        (
            "cell_gallery",
            [
                "galleries.cell_gallery:cell_gallery.js",
                *(f"galleries.page:{file}" for file in ("page.css", "sprites.js")),
            ],
            ["classifier.classification", "figures:page.css"],
        ),
    ],
)
def test_an_asset_reaches_the_science_that_makes_it_and_no_other(name, reaches, does_not):
    modules = code_of(BODIES[name]).modules
    assert {f"autophagy_assets.analysis.{one}" for one in reaches} <= set(modules)
    assert not {f"autophagy_assets.analysis.{one}" for one in does_not} & set(modules)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("single_cell_images", "scportrait"),
        ("cell_features", "scportrait"),
        ("cell_features", "torch"),
        ("ko_predictions", "torch"),
        ("test_predictions", "scikit-learn"),  # through the model, which is an argument
        ("class_gallery", "matplotlib"),
        ("study_report", "jinja2"),
        ("cell_gallery", "pillow"),
    ],
)
def test_an_asset_reaches_the_libraries_that_make_it(name, library):
    assert code_of(BODIES[name]).libraries[library] == metadata.version(library)
