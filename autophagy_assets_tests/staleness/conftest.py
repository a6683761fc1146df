"""Code that is read in tests."""

from __future__ import annotations

import importlib
import sys
from textwrap import dedent

import pytest

from autophagy_assets.staleness.code import Code, code_of
from autophagy_assets_tests.staleness.toy import TOY


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
