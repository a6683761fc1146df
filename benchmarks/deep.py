"""Training a network on crops, against a plain torch loop with the same batches.

``python -m benchmarks.deep [--architecture vgg2] [--cells N] [--repeats N] [--threads N]``. Crops
of 128 px, drawn, in files as scPortrait writes them: 2 clones x 2 fields of view x 2 stimulations.
Both sides train two epochs of the same network with the same optimizer on the same cells in batches
of the same size, and measure the loss of the same cells set aside. The plain side has all crops in
memory before its time begins; ours reads each batch from the files, by identity, turns each crop,
and keeps the weights of the better epoch. Both take turns in one process, in seconds of the
processor. Target: at most 1.2 times as long.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LIMIT = 1.2
SIDE, BATCH, EPOCHS, CELLS, REPEATS = 128, 16, 2, 64, 3


def study_of(folder: Path, cells: int) -> tuple[Any, Any]:
    """A table of cells, and where their crops are."""
    import h5py
    import numpy as np
    import pandas as pd

    from autophagy_assets.analysis.deep.crops import Crops
    from autophagy_assets.config.study import Study

    study, random = Study.load(), np.random.default_rng(0)
    names = ["seg_all_nucleus", "seg_all_cytosol", *study.channels]
    parts, paths = [], {}
    for clone in ("clone 1", "clone 2"):
        for fov in ("FOV1", "FOV2"):
            for number, stimulation in study.classes.items():
                dataset, ids = f"{clone}{fov}{number}", np.arange(1, cells // 8 + 1)
                crops = random.random((len(ids), len(names), SIDE, SIDE)).astype(np.float16)
                paths[dataset] = folder / f"{dataset}.h5ad"
                with h5py.File(paths[dataset], "w") as file:
                    file["obs/scportrait_cell_id"] = ids.astype("uint64")
                    file.create_dataset(
                        "obsm/single_cell_images", data=crops, chunks=(1, 1, SIDE, SIDE),
                        compression="lzf",
                    )  # fmt: skip
                    file.create_dataset(
                        "uns/single_cell_images/channel_names",
                        data=np.array(names, dtype=object),
                        dtype=h5py.string_dtype(),
                    )
                part = pd.DataFrame({"dataset": dataset, "scportrait_cell_id": ids})
                labels = {"genotype": study.control, "clone": clone, "fov": fov}
                parts.append(part.assign(stimulation=stimulation, **labels, **{"class": number}))
    return pd.concat(parts, ignore_index=True), Crops(paths, {}, study)


def plain(network: Any, crops: Any, classes: Any, aside: Any, parameters: Any) -> None:
    """The loop as a script would have it."""
    import numpy as np
    import torch

    x, y = torch.from_numpy(crops), torch.from_numpy(classes)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=parameters.learning_rate, weight_decay=parameters.weight_decay
    )
    random = np.random.default_rng(parameters.random_state)
    learned, held = np.flatnonzero(~aside), np.flatnonzero(aside)
    for _ in range(EPOCHS):
        network.train()
        order = random.permutation(learned)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            optimizer.zero_grad()
            torch.nn.functional.nll_loss(network(x[places]), y[places]).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for start in range(0, len(held), BATCH):
                places = held[start : start + BATCH]
                torch.nn.functional.nll_loss(network(x[places]), y[places]).item()


def main() -> int:
    """Run both sides in turns and say whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=["vgg2", "small"], default="vgg2")
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--threads", type=int, help="default: as many as processors are granted")
    given = parser.parse_args()

    import torch

    from autophagy_assets.analysis.deep.early_stopping import set_aside
    from autophagy_assets.analysis.deep.estimator import CropClassifier
    from autophagy_assets.analysis.deep.networks import network_of
    from autophagy_assets.compute.limits import granted_processors
    from autophagy_assets.config.estimators import ConvolutionalNetwork

    if given.threads:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: given.threads])
    threads = max(1, int(granted_processors()))
    torch.set_num_threads(threads)
    parameters = ConvolutionalNetwork(
        architecture=given.architecture, epochs=EPOCHS, batch_size=BATCH
    )
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    with tempfile.TemporaryDirectory() as folder:
        cells, crops = study_of(Path(folder), given.cells)
        classes = cells["class"].to_numpy()
        aside = set_aside(cells, classes, parameters.random_state)
        held = crops.read(cells, crops.channels(()), masked=True)
        network_of(given.architecture, 1, SIDE)  # imports are no training
        for _ in range(given.repeats):
            network = network_of(given.architecture, 1, SIDE)
            began = time.process_time()
            plain(network, held, classes, aside, parameters)
            seconds["plain"].append(time.process_time() - began)
            classifier = CropClassifier("measured", parameters.model_dump(), crops)
            began = time.process_time()
            classifier.fit(cells, classes)
            seconds["ours"].append(time.process_time() - began)
    middle = {side: statistics.median(found) for side, found in seconds.items()}
    ratio = middle["ours"] / middle["plain"]
    print(
        f"{EPOCHS} epochs of {given.architecture} on {len(cells)} cells, {threads} threads: "
        f"{middle['ours']:.1f} s, plain loop {middle['plain']:.1f} s: {ratio:.2f} times as long "
        f"(target at most {LIMIT}; {given.repeats} times each)"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
