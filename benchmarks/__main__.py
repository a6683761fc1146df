"""Run every benchmark, one after the other: ``python -m benchmarks``.

Nothing else should run meanwhile. Ends with exit code 1 where one missed its target.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HELPERS = {"__init__", "__main__", "plain_study", "studies"}


def main() -> int:
    """Run the benchmarks in processes of their own, so that none warms up another."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    failed = []
    for name in [name for name in names if name not in HELPERS]:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"]).returncode:
            failed.append(name)
    print(f"\nMissed: {', '.join(failed)}" if failed else "\nAll targets met.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
