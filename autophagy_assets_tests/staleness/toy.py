"""A small package on disk, whose code is read."""

from __future__ import annotations

from autophagy_assets.staleness.code import Code

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


def changed(before: Code, after: Code) -> set[str]:
    names = before.modules.keys() | after.modules.keys()
    return {name for name in names if before.modules.get(name) != after.modules.get(name)}
