"""An asset's code counts by its content: what it reaches, symbol by symbol, and nothing else."""

from __future__ import annotations

import importlib
import re
import sys
from importlib import metadata
from textwrap import dedent

import dagster as dg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autophagy_assets.definitions import build_defs
from autophagy_assets.staleness import libraries
from autophagy_assets.staleness.code import Code, code_of

TOY = {
    "toy/__init__.py": "",
    "toy/errors.py": "class InputError(Exception): ...",
    "toy/science/__init__.py": "from toy.science.scores import score",
    "toy/science/scores.py": """
        '''Scores.'''

        import math
        import numpy as np

        from toy.errors import InputError
        from toy.science import limits

        UNUSED = 1


        def score(values: list) -> int:
            '''Which value is chosen.'''
            # the largest
            if not values:
                raise InputError("no values")
            return int(np.argmax(limits.cut(values)))


        def unused():
            return math.pi + UNUSED
        """,
    "toy/science/limits.py": """
        LOWEST = 0
        HIGHEST = 1


        def cut(values):
            return [max(value, LOWEST) for value in values]


        def widen(values):
            return [value * HIGHEST for value in values]
        """,
    "toy/science/models.py": """
        from dataclasses import dataclass


        @dataclass
        class Model:
            weight: float = 1

            def predict(self, values):
                return [self.weight * value for value in values]
        """,
    "toy/report.py": """
        from pathlib import Path

        _TEMPLATE = "page.html"


        def page():
            return (Path(__file__).parent / _TEMPLATE).read_text()
        """,
    "toy/page.html": "<p>",
    "toy/part.css": "p {}",
    "toy/part.js": "go()",
    "toy/body.py": """
        def wrapped(function):
            return function


        @wrapped
        def body(context, values):
            '''What it is.'''
            from toy.science import score

            return score(values)
        """,
}
BODY, SCORES, LIMITS = "toy/body.py", "toy/science/scores.py", "toy/science/limits.py"


@pytest.fixture
def toy(tmp_path_factory, monkeypatch):
    """Gives the code of ``body.body``, or what ``get`` takes of it, after some replacements."""

    def code(*changes: tuple[str, str, str], get=lambda module: module.body, **files) -> Code:
        folder = tmp_path_factory.mktemp("toy")
        texts = {name: dedent(text) for name, text in TOY.items()}
        texts |= {f"toy/{name}.py": dedent(text) for name, text in files.items()}
        for name, before, after in changes:
            assert before in texts[name]
            texts[name] = texts[name].replace(before, after)
        for name, text in texts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(folder)
            for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
                patch.delitem(sys.modules, name)
            return code_of(get(importlib.import_module("toy.body")), "toy")

    return code


def changed(before: Code, after: Code) -> set[str]:
    names = before.modules.keys() | after.modules.keys()
    return {name for name in names if before.modules.get(name) != after.modules.get(name)}


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


@pytest.mark.parametrize(
    ("imported", "called"),
    [
        ("from toy.science import limits", "limits.cut(v)"),
        ("from toy.science import limits as other", "other.cut(v)"),
        ("import toy.science.limits", "toy.science.limits.cut(v)"),
        ("import toy.science.limits as other", "other.cut(v)"),
        ("from toy.science.limits import cut", "cut(v)"),
        ("from toy.science.limits import cut as other", "other(v)"),
        ("from .science.limits import cut", "cut(v)"),
        ("from .science import limits", "limits.cut(v)"),
        ("from . import science", "science.limits.cut(v)"),
        ("from toy.science.limits import *", "cut(v)"),
        ("try:\n    from toy.gone import cut\nexcept ImportError:\n    from toy.science.limits "
         "import cut", "cut(v)"),
        ("from toy.science.limits import cut\nTABLE = {'a': cut}", "TABLE['a'](v)"),
        ("from toy.science.limits import cut\ndef inner(v): return cut(v)", "inner(v)"),
        ("from toy.science.limits import cut\nclass C:\n    def m(self, v): return cut(v)",
         "C().m(v)"),
    ],
)  # fmt: skip
def test_every_way_to_import_is_followed_to_the_symbol(toy, imported, called):
    body = f"{imported}\n\ndef body(v):\n    return {called}\n"
    before = toy(body=body)
    reached = toy((LIMITS, "LOWEST = 0", "LOWEST = 1"), body=body)
    assert changed(before, reached) == {"toy.science.limits"}
    if "*" not in imported:
        assert toy((LIMITS, "HIGHEST = 1", "HIGHEST = 2"), body=body).version == before.version


def test_a_module_that_is_passed_on_counts_whole(toy):
    body = "from toy.science import limits\n\ndef body(v):\n    return vars(limits)\n"
    after = toy((LIMITS, "HIGHEST = 1", "HIGHEST = 2"), body=body)
    assert changed(toy(body=body), after) == {"toy.science.limits"}


@pytest.mark.parametrize(
    ("before", "after"), [("self.weight * value", "value"), ("weight: float", "weight: int")]
)
@pytest.mark.parametrize(
    "body",
    [
        "from toy.science.models import Model\ndef body(v):\n    return Model().predict(v)\n",
        "from toy.science.models import Model\ndef body(m: Model):\n    return m.predict([])\n",
        "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from toy.science.models import Model\n"
        "def body(m: Model | None):\n    return m.predict([])\n",
        "def body(m):\n    from toy.science.models import Model\n    assert isinstance(m, Model)\n",
    ],
    ids=["made", "argument", "argument for type checkers only", "local"],
)
def test_a_class_counts_with_all_its_methods(toy, before, after, body):
    change = ("toy/science/models.py", before, after)
    assert changed(toy(body=body), toy(change, body=body)) == {"toy.science.models"}


NESTED = """
    from toy.science.limits import cut, widen

    def assets(study, unseen=None):
        Chosen = cut(study)
        unused = widen(study)

        def made(value):
            return Chosen, study, value, unseen

        def body(widen):
            def deeper(cells):
                return [made(cell) for cell in cells]
            return deeper(widen)

        return body

    study = unseen = widen
    """


@pytest.mark.parametrize(
    ("file", "before", "after", "counts"),
    [
        (BODY, "cut(study)", "cut(study)[:1]", True),
        (BODY, "Chosen, study", "study, Chosen", True),
        (BODY, "made(cell)", "made(cells)", True),
        (LIMITS, "LOWEST = 0", "LOWEST = 1", True),
        (BODY, "unused = widen(study)", "unused = 1", False),
        (BODY, "study = unseen = widen", "study = unseen = 1", False),
        (LIMITS, "HIGHEST = 1", "HIGHEST = 2", False),
    ],
)
def test_a_function_within_a_function_has_the_names_around_it(toy, file, before, after, counts):
    def get(module):
        return module.assets(study=[1])

    first = toy(body=NESTED, get=get)
    second = toy((file, before, after), body=NESTED, get=get)
    assert (first.version != second.version) == counts


def test_a_nonlocal_variable_of_the_function_around_is_followed(toy):
    body = """
        from toy.science.limits import LOWEST

        def outer():
            count = LOWEST

            def body():
                nonlocal count
                count += 1
                return count

            return body
        """

    def get(module):
        return module.outer()

    assert set(toy(body=body, get=get).modules) == {"toy.body", "toy.science.limits"}


def test_two_modules_that_take_all_from_each_other_come_to_an_end(toy):
    one = "from toy.two import *\ndef first(): return second()\n"
    two = "from toy.one import *\ndef second(): return len(first())\n"
    body = "from toy.one import *\ndef body(): return second(), len([])\n"
    assert set(toy(body=body, one=one, two=two).modules) == {"toy.body", "toy.one", "toy.two"}


def test_a_template_counts_with_those_beside_it(toy):
    body = "from toy.report import page\n\ndef body():\n    return page()\n"
    before = toy(body=body)
    files = {f"toy.report:{file}" for file in ("page.html", "part.css", "part.js")}
    assert files <= set(before.modules)
    assert "<p>" in before.source
    for file, text in [("page.html", "<p>"), ("part.css", "p {}"), ("part.js", "go()")]:
        after = toy((f"toy/{file}", text, "<b>"), body=body)
        assert changed(before, after) == {f"toy.report:{file}"}


def test_infrastructure_is_not_followed(toy):
    code = toy()
    assert set(code.modules) == {
        "toy.body",
        "toy.science",
        "toy.science.limits",
        "toy.science.scores",
    }


def test_source_holds_what_is_reached_as_it_is_written(toy):
    source = toy().source
    assert "# toy.science.scores" in source
    assert "    # the largest" in source
    assert "def unused" not in source
    compile(source, "source", "exec")


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


def test_a_function_without_a_file_is_refused_with_its_name(toy):
    with pytest.raises(ValueError, match=r"built-in function len.*not defined in a file"):
        code_of(len)
    with pytest.raises(ValueError, match=r"body.py has no function <lambda>: give it a name"):
        toy(body="body = lambda: 1\n")


N = 6
graphs = st.lists(st.lists(st.integers(0, N - 1), max_size=2), min_size=N, max_size=N)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=graphs, edited=st.integers(0, N - 1))
def test_an_edit_counts_exactly_where_a_way_leads_to_it(toy, calls, edited):
    """Functions in three modules that call each other at random."""

    def module(number: int) -> str:
        heads = [f"from toy import {name}" for name in ("body", "one", "two")]
        defs = [
            f"def f{i}():\n    return {i}, "
            + ", ".join(f"{('body', 'one', 'two')[j % 3]}.f{j}()" for j in calls[i])
            for i in range(number, N, 3)
        ]
        return "\n\n\n".join(["\n".join(heads), *defs]) + "\n"

    texts = {name: module(number) for number, name in enumerate(("body", "one", "two"))}
    reached, waiting = set(), [0]
    while waiting:
        if (function := waiting.pop()) not in reached:
            reached.add(function)
            waiting += calls[function]
    file = f"toy/{('body', 'one', 'two')[edited % 3]}.py"
    edit = (file, f"return {edited}, ", f"return -{edited}, 0, ")
    before, after = (toy(*edits, get=lambda m: m.f0, **texts) for edits in ([], [edit]))
    assert (before.version != after.version) == (edited in reached)


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


def test_reading_code_imports_no_library(toy):
    before = set(sys.modules)
    code = toy(body="def body():\n    import scportrait, skfmm\n    return scportrait, skfmm\n")
    assert {"scportrait", "scikit-fmm", "numba"} <= code.libraries.keys()
    assert {name.split(".")[0] for name in set(sys.modules) - before} <= {"toy"}
