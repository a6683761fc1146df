"""Libraries that make content: the distribution of an import, and its version.

Nothing is imported for this: scPortrait alone would take 15 s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata

# Imports that are not called as what is installed.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "mpl_toolkits": "matplotlib",
    "skfmm": "scikit-fmm",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}
# They schedule, record, check or talk, and leave no trace in a table or a picture.
_MAKE_NO_CONTENT = frozenset(
    ["click", "dagster", "filelock", "lamindb", "psutil", "pydantic", "rich", "sqlalchemy", "yaml"]
)
# What computes for a library: its results may change though its own version stays.
_COMPUTE_FOR = {
    "anndata": ["h5py"],
    "cleanlab": ["numpy"],
    "pandas": ["numpy"],
    "scikit-image": ["numpy", "scipy"],
    "scikit-learn": ["numpy", "scipy"],
    "scipy": ["numpy"],
    "scportrait": [
        "alphabase",
        "anndata",
        "cellpose",
        "dask-image",
        "h5py",
        "numba",
        "numpy",
        "scikit-fmm",
        "scikit-image",
        "scipy",
        "spatialdata",
        "torch",
        "zarr",
    ],
    "seaborn": ["matplotlib"],
}


def makes_content(module: str) -> bool:
    """Whether an import may change what an asset holds.

    Parameters
    ----------
    module : str
        As imported, such as ``scipy.stats``.

    Returns
    -------
    bool
        False for the standard library.
    """
    name = module.split(".")[0]
    return name not in sys.stdlib_module_names and name not in _MAKE_NO_CONTENT


def versions_of(modules: Iterable[str]) -> dict[str, str]:
    """Versions of libraries and of those that compute for them.

    Parameters
    ----------
    modules : iterable of str
        As imported.

    Returns
    -------
    dict
        By distribution; ``"not installed"`` for an import of which there is no distribution.
    """
    asked = {_distribution(module) for module in modules}
    versions: dict[str, str] = {}
    waiting = sorted(asked)
    while waiting:
        name = waiting.pop()
        if name in versions:
            continue
        if (found := _version(name)) is not None or name in asked:
            versions[name] = found or "not installed"
            waiting += _COMPUTE_FOR.get(name, [])
    return dict(sorted(versions.items()))


@cache  # 5 ms each
def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _distribution(module: str) -> str:
    name = module.split(".")[0]
    return _DISTRIBUTIONS.get(name, name)
