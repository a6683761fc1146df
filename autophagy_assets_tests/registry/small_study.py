"""A study of two fields in the records: images, crops, tables, a model, a gallery; by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from autophagy_assets.config.study import Study
from autophagy_assets.registry.provenance.recorder import Recorder
from autophagy_assets.registry.provenance.runs import Step
from autophagy_assets_tests.analysis.synthetic import write_h5sc

CHANNELS = ("DAPI", "Alexa488", "mCherry")
CELLS = {"FOV1": [3, 7], "FOV2": [7, 12]}  # ids repeat between fields


@dataclass(frozen=True)
class SmallStudy:
    """Uids of what was registered, by what it is."""

    name: str
    images: dict[str, list[str]]
    crops: dict[str, str]
    features: str
    model: str
    predictions: str
    figure: str


def recorder(asset: str, partition: str | None = None, *reads: str) -> Recorder:
    made = Recorder(
        Step(asset, partition, f"dagster-{asset}", "def body(): ...", "4", {"depth": 10})
    )
    for uid in reads:
        made.read(uid)
    return made


def register(name: str) -> SmallStudy:
    """Register the study under a name of its own."""
    images, crops = {}, {}
    ingest = Recorder(Step("ingest", None, None, "def ingest(): ...", "1"))
    for field in CELLS:
        images[field] = [
            ingest.put(
                lambda path, text=f"{field} {channel}": path.write_text(text),
                f"{name}/raw_images/WT/{field}/{channel}.tif",
                f"raw image of WT, {field}, {channel}",
                {"study": name},
            ).record.uid
            for channel in CHANNELS
        ]
    ingest.finish()

    imaging = recorder("single_cell_images", "WT", *images["FOV1"], *images["FOV2"])
    for code, (field, ids) in enumerate(CELLS.items()):
        crops[field] = imaging.put(
            lambda path, code=code, ids=ids: write_h5sc(path, code, ids, Study.load().channels),
            f"{name}/imaging/single_cell_images/WT/{field}/single_cell_data.h5ad",
            f"single cells of {field}",
            {"study": name},
            made_from=tuple(images[field]),
        ).record.uid
    imaging.finish()

    cells = pd.concat(
        [
            pd.DataFrame({"dataset": crops[f], "scportrait_cell_id": ids, "class": 1, "fov": f})
            for f, ids in CELLS.items()
        ],
        ignore_index=True,
    )
    features = put_table(name, "imaging/cell_features/WT", cells, *crops.values())
    classifier = recorder(f"{name}_classifier", None, features)
    model = classifier.put(
        lambda path: path.write_bytes(b"model"),
        f"{name}/classifier/{name}_classifier.joblib",
        "model",
        {"study": name, "genotype": "WT"},
        kind="model",
    )
    classifier.finish()
    scored = cells.assign(predicted_class=1, prob_class1=[0.9, 0.8, 0.7, 0.6], outcome="TP")
    predictions = put_table(
        name, f"classifier/{name}_predictions", scored, model.record.uid, features
    )
    gallery = recorder(f"{name}_gallery", None, predictions, *crops.values())
    key = f"{name}/galleries/{name}_gallery"
    figure = gallery.put(
        lambda path: path.write_bytes(b"png"), f"{key}.png", "gallery", {}, kind="figure"
    )
    drawn = scored.iloc[[2]].assign(panel="TP", row=0, column=1)
    gallery.put(lambda path: drawn.to_parquet(path), f"{key}.parquet", "what it draws", {})
    gallery.finish()
    return SmallStudy(
        name,
        images,
        crops,
        features,
        model.record.uid,
        predictions,
        figure.record.uid,
    )


def put_table(name: str, place: str, table: pd.DataFrame, *reads: str) -> str:
    """Register a table as an asset's; gives its uid."""
    parts = place.split("/")
    asset, partition = (parts[1], parts[2]) if len(parts) == 3 else (parts[1], None)
    made = recorder(asset, partition, *reads)

    def write(path: Path) -> None:
        table.to_parquet(path)

    output = made.put(write, f"{name}/{place}.parquet", asset, {"study": name}, rows=len(table))
    made.finish()
    return output.record.uid
