"""The steps of the reference notebook as a script: read tables, fit, test, draw.

It is what the platform is timed against. It keeps no records, and it knows its files by
path: ``python -m benchmarks.plain_study INPUT.json OUT``, where the input names the feature
tables by genotype, and the crops and the SpatialData store of each dataset.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import anndata
import matplotlib.pyplot as plt
import pandas as pd
import scportrait
import seaborn as sns
import spatialdata
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import auc, confusion_matrix, roc_curve
from sklearn.model_selection import train_test_split

MARKER = 4
IDENTITY = ["dataset", "scportrait_cell_id"]


def features(table: pd.DataFrame) -> pd.DataFrame:
    left_out = [c for c in table.columns if "mCherry" in c or c in [*IDENTITY, "class"]]
    return table.drop(columns=left_out)


def save(figure, path: Path) -> None:
    figure.savefig(path, dpi=150)
    plt.close(figure)


def grid(data, ax, title: str, **more) -> None:
    scportrait.pl.cell_grid_single_channel(
        data, select_channel=MARKER, ax=ax, title=title, show_fig=False, **more
    )


def draw_confusion(true, predicted, ax) -> None:
    counts = confusion_matrix(true, predicted)
    sns.heatmap(counts / counts.sum(axis=1, keepdims=True), annot=True, fmt=".2f", ax=ax)


def draw_evaluation(test: pd.DataFrame, out: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
    fpr, tpr, _ = roc_curve(test["class"], test["score"])
    left.plot(fpr, tpr, label=f"AUC = {auc(fpr, tpr):.2f}")
    left.legend()
    draw_confusion(test["class"], test["predicted"], right)
    save(figure, out / "classifier_evaluation-as_published.png")


def draw_errors(test: pd.DataFrame, crops: dict[str, str], out: Path) -> None:
    ordered = test.sort_values("score", ascending=False)
    positive, called = ordered["class"] == 1, ordered["predicted"] == 1
    chosen = {
        "TP": ordered[positive & called].head(9),
        "TN": ordered[~positive & ~called].tail(9),
        "FN": ordered[positive & ~called].tail(9),
        "FP": ordered[~positive & called].head(9),
    }
    figure, axes = plt.subplots(2, 2, figsize=(13, 13))
    for ax, (name, cells) in zip(axes.flat, chosen.items(), strict=True):
        parts = []
        for dataset, of_dataset in cells.groupby("dataset"):
            data = scportrait.io.read_h5sc(crops[dataset])
            ids = of_dataset.set_index("scportrait_cell_id")["score"]
            data = data[data.obs["scportrait_cell_id"].isin(ids.index)].copy()
            data.obs["score"] = data.obs["scportrait_cell_id"].map(ids)
            parts.append(data)
        together = anndata.concat(parts, uns_merge="first", index_unique="-")
        together.obs["scportrait_cell_id"] = range(together.n_obs)  # ids repeat across datasets
        together.obs.index = [str(n) for n in range(together.n_obs)]
        labels = together.obs["score"].round(2).to_numpy()
        grid(together, ax, name, cell_ids=list(range(together.n_obs)), cell_labels=labels)
    save(figure, out / "error_galleries-as_published.png")


def draw_groups(tables: dict[str, pd.DataFrame], crops: dict[str, str], out: Path) -> None:
    for name, genotypes in (("class_gallery", ["WT"]), ("wt_ko_gallery", sorted(tables))):
        figure, axes = plt.subplots(len(genotypes), 2, figsize=(12, 6 * len(genotypes)))
        for row, genotype in zip(axes.reshape(-1, 2), genotypes, strict=True):
            for ax, label in zip(row, (0, 1), strict=True):
                table = tables[genotype]
                first = table.loc[table["class"] == label, "dataset"].iloc[0]
                data = scportrait.io.read_h5sc(crops[first])
                n_cells = min(16, data.n_obs)  # scPortrait draws no fewer than it is told to
                grid(data, ax, f"{genotype}, class {label}", n_cells=n_cells)
        save(figure, out / f"{name}.png")


def draw_context(table: pd.DataFrame, crops: dict[str, str], stores: dict, out: Path) -> None:
    cell = table.sample(1, random_state=42)
    dataset, cell_id = cell["dataset"].iloc[0], cell["scportrait_cell_id"].iloc[0]
    field = spatialdata.read_zarr(stores[dataset])
    x, y = field["centers_seg_all_nucleus"].compute().loc[cell_id, :]
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3.5))
    scportrait.pl.cell_grid_multi_channel(
        scportrait.io.read_h5sc(crops[dataset]), cell_ids=cell_id, ax=left, show_fig=False
    )
    part = scportrait.tl.sdata.pp.get_bounding_box_sdata(
        field, center_x=x, center_y=y, max_width=100
    )
    scportrait.pl.plot_segmentation_mask(
        part, masks=["seg_all_nucleus", "seg_all_cytosol"], ax=right, show_fig=False
    )
    right.scatter(x, y, color="red", s=200)
    save(figure, out / "spatial_context.png")


def main(source: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    given = json.loads(source.read_text())
    tables = {
        genotype: pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
        for genotype, paths in given["tables"].items()
    }
    draw_groups(tables, given["crops"], out)
    train, test = train_test_split(tables["WT"], test_size=0.4, random_state=42)
    forest = RandomForestClassifier(max_depth=10, random_state=42)
    forest.fit(features(train), train["class"])
    test = test.assign(
        predicted=forest.predict(features(test)), score=forest.predict_proba(features(test))[:, 1]
    )
    draw_evaluation(test, out)
    draw_errors(test, given["crops"], out)
    for genotype in sorted(set(tables) - {"WT"}):
        figure, ax = plt.subplots(figsize=(4, 2))
        predicted = forest.predict(features(tables[genotype]))
        draw_confusion(tables[genotype]["class"], predicted, ax)
        save(figure, out / f"ko_evaluation-{genotype}.png")
    draw_context(tables["WT"], given["crops"], given["stores"], out)
    test.to_parquet(out / "test_predictions.parquet")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
