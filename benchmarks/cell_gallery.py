"""The gallery of all cells: how large a page of 2,000 cells is, and how long it takes to open.

``python -m benchmarks.cell_gallery``. 2,000 of 4,000 cells with three channels and two models in 16
fields of view. The page is opened in Chromium, without a network, in a new process each time; it
is open when the pictures of the first cells are drawn. What an empty page takes is printed beside.
``--page FILE`` opens a page that there is,
such as one of real images. Targets: at most 8 MB and, where there is Chromium, 2 s.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

from autophagy_assets.analysis.galleries.cell_gallery import cell_gallery
from autophagy_assets.analysis.galleries.gallery_cells import (
    MOST_CELLS,
    SOURCE,
    scores_of,
    shown_cells,
)
from autophagy_assets.analysis.galleries.gallery_fields import FieldOrigin
from autophagy_assets.config.study import Study

LIMIT_MB, LIMIT_S = 8.0, 2.0
FIELDS, EACH, SIDE = 16, 250, 128
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]


def write_cells(path: Path, study: Study, random: np.random.Generator) -> None:
    """Crops of cells of their own: grain in a cell and a nucleus, and bright spots."""
    names = ["seg_all_nucleus", "seg_all_cytosol", *study.channels]
    rows, columns = np.indices((SIDE, SIDE)) - SIDE // 2
    images = np.zeros((EACH, len(names), SIDE, SIDE), dtype=np.float16)
    for cell in range(EACH):
        radius, stretch = random.uniform(25, 50), random.uniform(0.7, 1.3)
        distance = np.hypot(rows * stretch, columns / stretch)
        images[cell, 0], images[cell, 1] = distance < radius / 2.5, distance < radius
        for channel in range(len(study.channels)):
            spots = (random.random((SIDE, SIDE)) < 0.004) * random.random((SIDE, SIDE))
            values = gaussian_filter(random.random((SIDE, SIDE)), 2) + 9 * gaussian_filter(spots, 1)
            values = np.where(images[cell, 1], values, 0)
            images[cell, 2 + channel] = values / max(values.max(), 1e-6)
    with h5py.File(path, "w") as file:
        file["obs/scportrait_cell_id"] = np.arange(EACH, dtype=np.uint64)
        chunks = (1, 1, SIDE, SIDE)
        file.create_dataset(
            "obsm/single_cell_images", data=images, chunks=chunks, compression="lzf"
        )
        text = np.array(names, dtype=object)
        group = file.create_group("uns/single_cell_images")
        group.create_dataset("channel_names", data=text, dtype=h5py.string_dtype())


def make_page(folder: Path) -> Path:
    """Make crops, and a page of them; prints what it took."""
    study, random = Study.load(), np.random.default_rng(0)
    paths, parts = {}, []
    for number in range(FIELDS):
        paths[f"field{number}"] = folder / f"{number}.h5ad"
        write_cells(paths[f"field{number}"], study, random)
        identity = {"dataset": f"field{number}", "scportrait_cell_id": range(EACH)}
        label = {"genotype": ("WT", "KO")[number % 2], "clone": f"clone {number // 2 % 2}"}
        treated = {"stimulation": study.classes[number // 4 % 2], "fov": f"FOV{number // 8}"}
        parts.append(pd.DataFrame({**identity, **label, **treated}))
    every = pd.concat(parts, ignore_index=True).assign(**{SOURCE: "model_features"})
    for name in ("number", "density", "area", "cover", "share", "ratio", "height", "distance"):
        every[f"marker_puncta_{name}_contrast"] = random.random(len(every))
    identity = every[["dataset", "scportrait_cell_id"]]
    scored = identity.assign(outcome="TP", **{SOURCE: "predictions"})
    predictions = [
        scored.assign(model=model.name, prob_class1=random.random(len(every)))
        for model in study.models
    ]
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    cells = shown_cells(every, MOST_CELLS, study)
    places = cells[["dataset", "fov"]].drop_duplicates().itertuples(index=False, name=None)
    origins = {place: FieldOrigin(f"crops of {place[0]}") for place in places}
    scores = scores_of(cells, predictions)
    made = cell_gallery(cells, len(every), scores, paths, origins, {}, study, 0.6)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"made in {time.perf_counter() - start:.1f} s ({after.ru_utime - before.ru_utime:.1f} s of "
        f"the processor), {(after.ru_maxrss - before.ru_maxrss) / 1e3:.0f} MB of memory more than "
        "before at most"
    )
    page = folder / "cell_gallery.html"
    page.write_text(made.html, encoding="utf-8")
    return page


def opening(pages: list[Path], repeats: int) -> list[list[float]]:
    """Seconds that each opening of each page takes; none where there is no Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        print("no Chromium here, so how long the page takes to open is not measured")
        return [[] for _ in pages]
    from playwright.sync_api import sync_playwright

    taken: list[list[float]] = [[] for _ in pages]
    with sync_playwright() as playwright:
        for number in list(range(len(pages))) * repeats:  # in turn, so that load hits all alike
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            tab = browser.new_context(offline=True).new_page()
            start = time.perf_counter()
            tab.goto(pages[number].as_uri())
            tab.wait_for_selector("body[data-ready]")
            taken[number].append(time.perf_counter() - start)
            browser.close()
    return taken


def main() -> int:
    """Make a page, unless one is given, and open it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        page = chosen.page.resolve() if chosen.page else make_page(Path(folder))
        size = page.stat().st_size / 1e6
        empty = Path(folder) / "empty.html"
        empty.write_text("<body data-ready=true>nothing")
        taken, nothing = opening([page, empty], chosen.repeats)
    print(f"the page has {size:.1f} MB, at most {LIMIT_MB} wanted")
    if taken:
        middle, beside = statistics.median(taken), statistics.median(nothing)
        print(
            f"open after {middle:.2f} s (median, {min(taken):.2f} to {max(taken):.2f}, n = "
            f"{len(taken)}), at most {LIMIT_S} wanted; an empty page after {beside:.2f} s"
        )
    return int(size > LIMIT_MB or (bool(taken) and statistics.median(taken) > LIMIT_S))


if __name__ == "__main__":
    sys.exit(main())
