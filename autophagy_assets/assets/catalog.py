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
        In reading order: by group, and as their module defines them.
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
    return [one for one in found if isinstance(one, dg.AssetsDefinition) and title_of(one)]


def _place(one: Definition) -> int:
    group = group_of(one)
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)
