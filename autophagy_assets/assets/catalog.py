"""All assets of a study, found in the modules of this package, and which of them are figures.

Whoever adds a module here need not name it elsewhere: what its assets are to the rest of the
platform, they say themselves (see ``definition.study_asset``).
"""

from importlib import import_module
from pkgutil import walk_packages

import dagster as dg

from autophagy_assets import assets
from autophagy_assets.assets.definition import title_of
from autophagy_assets.assets.report import define_report

# What a reader is told first; then group by group.
FIRST = ["model_comparison", "knockout_effect", "effect_robustness", "shortcut_card"]
GROUPS = [
    "evidence",
    "labels",
    "effects",
    "galleries",
    "imaging",
    "classifier",
    "knockouts",
    "features",
    "report",
]
Definition = dg.AssetsDefinition | dg.AssetSpec


def study_assets() -> list[Definition]:
    """Every asset, with the report of what the others show."""
    found = _in_modules()
    return [*found, define_report(_figures(found))]


def figures() -> list[dg.AssetsDefinition]:
    """Assets that report and exports show.

    Returns
    -------
    list of dagster.AssetsDefinition
        In reading order: those of ``FIRST``, then by group, and as their module defines them.
    """
    return _figures(_in_modules())


def group_of(one: Definition) -> str:
    """Group of an asset."""
    spec = one if isinstance(one, dg.AssetSpec) else next(iter(one.specs))
    return spec.group_name or ""


def _in_modules() -> list[Definition]:
    # What Dagster loads from a package comes sorted by name, not in the order of the module.
    names = [module.name for module in walk_packages(assets.__path__, f"{assets.__name__}.")]
    found = {
        id(one): one
        for name in sorted(names)
        for one in vars(import_module(name)).values()
        if isinstance(one, Definition)
    }
    return sorted(found.values(), key=_place)


def _figures(found: list[Definition]) -> list[dg.AssetsDefinition]:
    shown = [one for one in found if isinstance(one, dg.AssetsDefinition) and title_of(one)]
    return sorted(shown, key=lambda one: _index(FIRST, one.key.to_user_string()))


def _place(one: Definition) -> int:
    return _index(GROUPS, group_of(one))


def _index(known: list[str], name: str) -> int:
    return known.index(name) if name in known else len(known)
