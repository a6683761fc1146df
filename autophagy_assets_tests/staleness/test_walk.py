"""Code is followed from a function to every symbol that it reaches, and to no other."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autophagy_assets_tests.staleness.toy import BODY, LIMITS, changed


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
