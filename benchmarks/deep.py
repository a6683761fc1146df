"""A network by leaving one clone out, against a plain torch loop with the same batches.

``python -m benchmarks.deep [--architecture vgg2] [--epochs N] [--threads N] [--cells N]``. Cells of
the control of the study at hand, imaged here (not timed), once with each clone left out. Both sides
train the same network with the same optimizer on the same cells in batches of the same size for as
many epochs, measure the loss of the same cells set aside after each, and score the clone that was
left out. The plain side has all crops in memory before its time begins; ours reads each batch from
the files, by identity, turns each crop, and keeps the weights of the best epoch. For each clone one
side comes right after the other, in turns which one first. The ratio is of seconds of the
processor, as others may compute too. Target: at most 1.2 times as long.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIMIT = 1.2
BATCH, EPOCHS = 16, 2


def control_of(images: Path, scratch: Path, study: Any) -> tuple[Any, Any]:
    """A table of the control's cells, and where their crops are."""
    import pandas as pd

    from autophagy_assets.analysis.deep.crops import Crops
    from autophagy_assets.analysis.imaging.segmentation import process_field

    listed, parts, paths = pd.read_csv(images / "metadata_files.csv", dtype=str), [], {}
    listed = listed[listed["genotype"] == study.control]
    by = ["genotype", "stimulation", "cell_line_clone", "FOV"]
    for number, (label, rows) in enumerate(listed.groupby(by)):
        files = rows.set_index("channel")["image_path"]
        field = process_field(
            {channel: images / files[channel] for channel in study.channels}, study,
            scratch / str(number),
        )  # fmt: skip
        paths[f"field {number}"] = field.single_cells
        part = pd.DataFrame({"dataset": f"field {number}", "scportrait_cell_id": field.cell_ids})
        names = dict(zip(["genotype", "stimulation", "clone", "fov"], label, strict=True))
        parts.append(part.assign(**names, **{"class": study.class_of(label[1])}))
    return pd.concat(parts, ignore_index=True), Crops(paths, {}, study)


def plain(crops: Any, classes: Any, aside: Any, tested: Any, parameters: Any) -> None:
    """The loop as a script would have it."""
    import numpy as np
    import torch

    from autophagy_assets.analysis.deep.networks import network_of

    network = network_of(parameters.architecture, *crops.shape[1:3])
    x, y = torch.from_numpy(crops), torch.from_numpy(classes)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
    )
    random = np.random.default_rng(parameters.random_state)
    learned, held = np.flatnonzero(~aside), np.flatnonzero(aside)
    for _ in range(parameters.epochs):
        network.train()
        for places in _batches(random.permutation(learned)):
            optimizer.zero_grad()
            torch.nn.functional.nll_loss(network(x[places]), y[places]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for places in _batches(held):
                torch.nn.functional.nll_loss(network(x[places]), y[places]).item()
    with torch.no_grad():
        for places in _batches(np.arange(len(tested))):
            network(torch.from_numpy(tested[places])).exp().numpy()


def _batches(places: Any) -> list[Any]:
    return [places[start : start + BATCH] for start in range(0, len(places), BATCH)]


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Seconds of the processor and on the clock that a call takes."""
    processor, clock = time.process_time(), time.monotonic()
    call()
    return time.process_time() - processor, time.monotonic() - clock


def fold(cells: Any, crops: Any, left_out: str, parameters: Any, ours_first: bool) -> list[Any]:
    """Times of the plain side and of ours for one clone that is left out."""
    from autophagy_assets.analysis.deep.early_stopping import set_aside
    from autophagy_assets.analysis.deep.estimator import CropClassifier

    out = (cells["clone"] == left_out).to_numpy()
    learned, tested = (cells[rows].reset_index(drop=True) for rows in (~out, out))
    classes = learned["class"].to_numpy()
    aside = set_aside(learned, classes, parameters.random_state)
    held = [crops.read(part, crops.channels(()), masked=True) for part in (learned, tested)]

    def ours() -> None:
        classifier = CropClassifier("measured", parameters.model_dump(), crops)
        classifier.fit(learned, classes).predict_proba(tested)

    sides = [lambda: plain(held[0], classes, aside, held[1], parameters), ours]
    found = [timed(side) for side in (reversed(sides) if ours_first else sides)]
    return found[::-1] if ours_first else found


def main() -> int:
    """Run both sides for each clone and say whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=["vgg2", "small"], default="vgg2")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--cells", type=int, help="of each clone and class; default: all there are")
    parser.add_argument("--threads", type=int, help="default: as many as processors are granted")
    given = parser.parse_args()

    import torch

    from autophagy_assets.analysis.deep.networks import network_of
    from autophagy_assets.compute.limits import granted_processors
    from autophagy_assets.config.estimators import ConvolutionalNetwork
    from autophagy_assets.config.study import Study
    from benchmarks.studies import images_of_a_study

    if given.threads:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
    threads = max(1, int(granted_processors()))
    study = Study.load()
    parameters = ConvolutionalNetwork(
        architecture=given.architecture, epochs=given.epochs, batch_size=BATCH
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        images = images_of_a_study(Path(folder) / "simulated")
        source = "simulated" if images.is_relative_to(folder) else "real"
        cells, crops = control_of(images, Path(folder), study)
        if given.cells:
            cells = cells.groupby(["clone", "class"]).head(given.cells)
        # As ours has them, whatever the imaging left behind.
        torch.set_num_threads(threads)
        network_of(given.architecture, 1, 128)  # imports are no training
        times = []
        for number, clone in enumerate(sorted(cells["clone"].unique())):
            times.append(fold(cells, crops, clone, parameters, ours_first=number % 2 == 1))
            (one, _), (other, _) = times[-1]
            print(f"{clone} left out: {other:.1f} s, plain loop {one:.1f} s", flush=True)
    (plain_cpu, plain_clock), (cpu, clock) = (
        [sum(fold[side][kind] for fold in times) / 60 for kind in (0, 1)] for side in (0, 1)
    )
    ratio = cpu / plain_cpu
    fields = cells["dataset"].nunique()
    print(
        f"{given.architecture} by leaving one clone out, {given.epochs} epochs in each of "
        f"{len(times)} folds, {len(cells)} cells of {fields} {source} fields of the control: "
        f"{cpu:.1f} min of the processor ({clock:.1f} min on the clock), plain loop "
        f"{plain_cpu:.1f} min ({plain_clock:.1f} min): {ratio:.2f} times as long (target at most "
        f"{LIMIT}); {threads} threads, {platform.machine()}, load {os.getloadavg()[0]:.1f}"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
