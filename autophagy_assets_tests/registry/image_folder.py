"""A folder of images with its metadata file, tiny, and all that can be wrong with that file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile

from autophagy_assets.config.study import Study

FIELD = ("WT", "clone 1", "untreated", "FOV1")
OTHERS = [("WT", "clone 1", "14h Torin-1", "FOV1"), ("KO", "clone 2", "untreated", "FOV1")]


def images_of(ln: Any, study: Study) -> Any:
    """What is registered of a study, of each image the latest version."""
    return ln.Artifact.filter(ulabels__name=study.name, is_latest=True)


def write_images(
    folder: Path, study: Study, fields: Any = (FIELD, *OTHERS), side: int = 12, seed: int = 0
) -> pd.DataFrame:
    """Images of fields of view and their metadata file; gives the metadata."""
    random = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (genotype, clone, stimulation, fov) in enumerate(fields):
        for channel in study.channels:
            path = f"images/{number}_{channel}.tif"
            pixels = random.integers(0, 65535, (side, side), dtype=np.uint16)
            tifffile.imwrite(folder / path, pixels)
            rows.append(
                {
                    "image_path": path,
                    "genotype": genotype,
                    "stimulation": stimulation,
                    "cell_line": "U2OS",
                    "cell_line_clone": clone,
                    "channel": channel,
                    "FOV": fov,
                    "magnification": "20X",
                    "resolution": "0.5",
                }
            )
    table = pd.DataFrame(rows)
    write_metadata(folder, table)
    return table


def write_metadata(folder: Path, table: pd.DataFrame) -> None:
    table.to_csv(folder / "metadata_files.csv", index=False)


def edited(change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Make a change of the metadata table a change of the folder."""

    def apply(folder: Path) -> None:
        table = pd.read_csv(folder / "metadata_files.csv", dtype=str)
        changed = change(table)
        write_metadata(folder, table if changed is None else changed)

    return apply


def text(change: Callable[[str], str]) -> Callable[[Path], None]:
    """Make a change of the metadata file's text a change of the folder."""

    def apply(folder: Path) -> None:
        file = folder / "metadata_files.csv"
        file.write_text(change(file.read_text()))

    return apply


def cell(column: str, value: str, row: int = 0) -> Callable[[Path], None]:
    def change(table: pd.DataFrame) -> None:
        table.loc[row, column] = value

    return edited(change)


def image(write: Callable[[Path], Any], name: str = "images/0_DAPI.tif") -> Callable[[Path], None]:
    return lambda folder: write(folder / name)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


# What is wrong with the metadata file itself: nothing is done. Name -> (change, words of the
# message).
BAD_METADATA: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "no metadata file": (
        lambda folder: (folder / "metadata_files.csv").unlink(),
        ["metadata_files.csv is missing"],
    ),
    "not text": (
        lambda folder: (folder / "metadata_files.csv").write_bytes(b"image_path\n\xff\xfe\x00"),
        ["metadata_files.csv", "UTF-8"],
    ),
    "empty file": (
        lambda folder: (folder / "metadata_files.csv").write_text(""),
        ["metadata_files.csv"],
    ),
    "no rows": (edited(lambda t: t.iloc[:0]), ["metadata_files.csv has no rows"]),
    "ragged rows": (
        lambda folder: (folder / "metadata_files.csv").open("a").write("a,b,c,d,e,f,g,h,i,j,k\n"),
        ["metadata_files.csv", "line 11"],
    ),
    "a column is missing": (
        edited(lambda t: t.drop(columns="stimulation")),
        ["metadata_files.csv", "'stimulation' is missing"],
    ),
    "a column is misspelt": (
        edited(lambda t: t.rename(columns={"genotype": "genotpye"})),
        ["metadata_files.csv", "'genotype' is missing", "rename 'genotpye'"],
    ),
    "a column in other case": (
        edited(lambda t: t.rename(columns={"FOV": "fov"})),
        ["metadata_files.csv", "'FOV' is missing", "rename 'fov'"],
    ),
    "a column twice": (
        lambda folder: _header_again(folder / "metadata_files.csv", "genotype"),
        ["metadata_files.csv", "'genotype'", "twice"],
    ),
    "a column that tables of cells have": (
        edited(lambda t: t.assign(clone="1")),
        ["metadata_files.csv: column 'clone' has a name that the platform uses", "rename it"],
    ),
    "a column without a name": (
        edited(lambda t: t.rename(columns={"cell_line": " "})),
        ["metadata_files.csv: column 4 has no name"],
    ),
    "an empty label": (cell("genotype", "", 1), ["row 3", "genotype is empty"]),
    "a blank label": (cell("FOV", "  ", 2), ["row 4", "FOV is empty"]),
    "a path separator in a label": (
        cell("cell_line_clone", "clone 1/2"),
        ["row 2", "cell_line_clone 'clone 1/2'", "path separator"],
    ),
    "a backslash in a label": (
        cell("genotype", "W\\T"),
        ["row 2", "genotype", "path separator"],
    ),
    "a path separator in another column": (
        cell("magnification", "20X/0.8"),
        ["row 2", "magnification '20X/0.8'", "path separator"],
    ),
    "a label without a letter": (cell("genotype", "--"), ["row 2", "genotype", "'--'"]),
    "labels too long for a file name": (
        cell("cell_line_clone", "c" * 300),
        ["row 2", "cell_line_clone", "long"],
    ),
    "an unknown stimulation": (
        cell("stimulation", "14h Torin1", 5),
        ["row 7", "'14h Torin1' is unknown", "'untreated', '14h Torin-1'", "under conditions"],
    ),
    "an unknown channel": (cell("channel", "GFP"), ["row 2", "'GFP' is unknown", "DAPI"]),
    "an absolute path": (
        cell("image_path", "/etc/passwd"),
        ["row 2", "image_path '/etc/passwd' leaves the folder"],
    ),
    "a path out of the folder": (
        cell("image_path", "images/../../x.tif"),
        ["row 2", "image_path 'images/../../x.tif' leaves the folder"],
    ),
    "semicolons": (
        text(lambda t: t.replace(",", ";")),
        ["metadata_files.csv has semicolons between its columns: save it with commas"],
    ),
    "semicolons and decimal commas": (
        text(lambda t: t.replace(",", ";").replace("0.5", "0,5")),
        ["has semicolons between its columns"],
    ),
    "tabs": (text(lambda t: t.replace(",", "\t")), ["has tabs between its columns"]),
    "a line for Excel": (
        text(lambda t: "sep=,\r\n" + t),
        ["begins with 'sep=,'", "remove that line"],
    ),
    "UTF-16": (
        lambda folder: (folder / "metadata_files.csv").write_bytes("genotype,".encode("utf-16")),
        ["cannot be read as CSV in UTF-8 (line 1)", "save it as 'CSV UTF-8'"],
    ),
    "a folder in its place": (
        lambda folder: (
            [(folder / "metadata_files.csv").unlink(), (folder / "metadata_files.csv").mkdir()]
        ),
        ["metadata_files.csv is not a file"],
    ),
    "a pipe in its place": (
        lambda folder: (
            [(folder / "metadata_files.csv").unlink(), os.mkfifo(folder / "metadata_files.csv")]
        ),
        ["metadata_files.csv is not a file"],
    ),
    "backslashes in a path": (
        cell("image_path", "images\\0_DAPI.tif"),
        ["row 2", "has backslashes", "as in 'images/0_DAPI.tif'"],
    ),
    "NUL in a label": (
        text(lambda t: t.replace("clone 1", "clone\0 1", 1)),
        ["metadata_files.csv, line 2 has a NUL character"],
    ),
    "a line break in a label": (
        cell("cell_line", "U2OS\n2"),
        ["row 2", "cell_line 'U2OS\\n2'", "control character"],
    ),
    "a label too long for a registry": (cell("cell_line", "c" * 200), ["row 2", "too long"]),
    "a decimal comma": (
        cell("resolution", "0,597"),
        ["row 2", "resolution '0,597' is not a positive number of µm per px"],
    ),
    "a resolution in nm": (
        cell("resolution", "597"),
        ["row 2", "resolution '597' is no size of a pixel", "not in nm or mm"],
    ),
    "a resolution in mm": (cell("resolution", "0.000597"), ["row 2", "'0.000597' is no size"]),
    "a resolution of zero": (cell("resolution", "0.0", 2), ["row 4", "resolution '0.0' is not"]),
    "a resolution with its unit": (cell("resolution", "0.6 µm"), ["resolution '0.6 µm' is not"]),
    "a resolution that is no number": (cell("resolution", "nan"), ["resolution 'nan' is not"]),
    **{
        f"a column of the platform, {name}": (
            edited(lambda t, name=name: t.assign(**{name: "1"})),
            [f"metadata_files.csv: column '{name}' has a name that the platform uses", "rename it"],
        )
        for name in (
            "study",
            "artifact type",
            "auc",
            "nucleus_area",
            "mCherry_mean_cytosol",
            "label x",
            "fov",
        )
    },
    "labels that differ in case": (
        edited(lambda t: t.replace({"KO": "wt"})),
        ["metadata_files.csv", "'WT' and 'wt' cannot be told apart"],
    ),
    "labels that cannot be told apart": (
        edited(lambda t: t.replace({"clone 2": "clone-1"})),
        ["metadata_files.csv", "'clone 1' and 'clone-1' cannot be told apart"],
    ),
}


def _header_again(file: Path, column: str) -> None:
    lines = file.read_text().splitlines()
    file.write_text("\n".join([f"{lines[0]},{column}", *(f"{line},WT" for line in lines[1:])]))
