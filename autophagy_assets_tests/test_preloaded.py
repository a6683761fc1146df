"""A process that begins with libraries imported is in all else one that was started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from autophagy_assets_tests.preloaded import ROOT, Talking, run_python

SHOW = """
import atexit, os, sys
atexit.register(print, "at the end")
print(__name__, sys.argv, dict(os.environ), os.getcwd(), sys.stdin.read())
print("wrong", file=sys.stderr)
raise SystemExit(int(sys.argv[1]))
"""


@pytest.mark.parametrize("code", [0, 3])
def test_it_has_the_arguments_environment_folder_streams_and_end_of_any_other(tmp_path, code):
    # What Python finds out about the locale is its own.
    environment = {"PATH": os.environ["PATH"], "OWN": "1", "LC_CTYPE": "C.UTF-8"}
    arguments = ["-c", SHOW, str(code)]
    found = run_python(arguments, environment, tmp_path, "given")
    ought = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=tmp_path,
        input="given",
        capture_output=True,
        text=True,
    )
    assert found.returncode == ought.returncode == code
    assert (found.stdout, found.stderr) == (ought.stdout, ought.stderr)


def test_an_error_a_signal_and_too_long_a_time_are_reported(tmp_path):
    failed = run_python(["-c", "raise ValueError('wrong')"], {}, tmp_path)
    assert failed.returncode == 1 and failed.stderr.endswith("ValueError: wrong\n")
    killed = run_python(["-c", "import os; os.kill(os.getpid(), 9)"], {}, tmp_path)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(subprocess.TimeoutExpired):
        run_python(["-c", "import time; time.sleep(60)"], {}, tmp_path, timeout=0.5)


def test_nothing_that_reads_its_settings_when_it_is_imported_is_imported_before(tmp_path):
    script = "import sys; print(*sys.modules)"
    before = run_python(["-c", script], {}, tmp_path).stdout.split()
    assert "pandas" in before
    roots = {name.partition(".")[0] for name in before}
    assert not roots & {"lamindb", "lamindb_setup", "scportrait", "torch"}
    ours = {name for name in before if name.startswith("autophagy_assets.")}
    assert ours == {
        "autophagy_assets.staleness",
        "autophagy_assets.staleness.modules",
        "autophagy_assets.staleness.syntax",
    }


@pytest.mark.slow
def test_the_code_of_assets_that_was_read_before_has_the_same_hashes(tmp_path):
    script = (
        "from autophagy_assets.staleness.code import code_of\n"
        "from autophagy_assets.analysis.report import page\n"
        "print(code_of(page.render_report).version)"
    )
    here = dict(os.environ) | {"PYTHONPATH": str(ROOT)}
    ought = subprocess.run(
        [sys.executable, "-c", script], env=here, cwd=tmp_path, capture_output=True, text=True
    )
    found = run_python(["-c", script], here, tmp_path)
    assert ought.stdout and (found.stdout, found.stderr) == (ought.stdout, ought.stderr)


def test_one_may_be_talked_to_until_nothing_more_is_said_to_it(tmp_path):
    script = (
        "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)\nsys.exit(3)"
    )
    process = Talking(["-c", script], {}, tmp_path)
    for word in ("one", "two"):
        process.stdin.write(f"{word}\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"{word.upper()}\n"
    assert process.end() == 3
    died = Talking(["-c", "import os; os.kill(os.getpid(), 9)"], {}, tmp_path)
    assert died.stdout.readline() == ""
    assert died.end() == -signal.SIGKILL
