"""Cross-validation, controls, effect and robustness, against scikit-learn alone.

``python -m benchmarks.evidence [--repeats N]``. Cells as the reference study has them, with drawn
features: 2 genotypes x 2 clones x 2 stimulations x 2 fields of view. The plain side fits the same
models on the same folds, with the same permuted labels, and computes every AUC: nothing is
calibrated, no threshold set, no effect measured, no sentence made. Both sides take turns in one
process, on one thread, in seconds of the processor. Target: at most 1.5 times as long.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import Any

LIMIT = 1.5
CELLS, PATCHES, REPEATS = 70, 40, 3


def table(study: Any, cells: int, seed: int) -> Any:
    """Cells, or patches, of every field of view with features of both sets."""
    import numpy as np
    import pandas as pd

    random, parts = np.random.default_rng(seed), []
    for genotype in (study.control, "EI24KO"):
        for clone in ("clone 1", "clone 2"):
            for number, stimulation in study.classes.items():
                for fov in ("FOV1", "FOV2"):
                    moved = 0.8 * number * (genotype == study.control)
                    names = [f"DAPI_{n}" for n in range(20)] + [f"Alexa488_{n}" for n in range(19)]
                    names += [f"marker_{n}_contrast" for n in range(24)]
                    names += [f"marker_{n}_units" for n in range(24)]
                    part = pd.DataFrame(random.normal(moved, 1, (cells, len(names))), columns=names)
                    part.insert(0, "dataset", f"{genotype}{clone}{number}{fov}")
                    part.insert(1, "scportrait_cell_id", range(cells))
                    part.insert(2, "class", number)
                    part = part.assign(
                        genotype=genotype, stimulation=stimulation, clone=clone, fov=fov
                    )
                    parts.append(part)
    return pd.concat(parts, ignore_index=True)


def ours(study: Any, cells: Any, background: Any) -> None:
    """All that the platform computes, from the table of cells to the sentences."""
    import pandas as pd

    from autophagy_assets.analysis.classifier.estimators import estimator_of
    from autophagy_assets.analysis.effects.effect import effects_table
    from autophagy_assets.analysis.effects.responses import measure, responses
    from autophagy_assets.analysis.effects.robustness import scores_by_scheme, specifications
    from autophagy_assets.analysis.evidence.comparison import compare, headline
    from autophagy_assets.analysis.evidence.controls import negative_controls
    from autophagy_assets.analysis.evidence.cross_validation import cross_validate, refusals
    from autophagy_assets.analysis.evidence.scoring import scored_as_stored, scoring_of
    from autophagy_assets.analysis.features.sets import features_of

    found = {m.name: cross_validate(cells, m, study) for m in study.models}
    headline(compare(pd.concat(found.values()), refusals(cells, study)), study.primary)
    knockout, scores = cells[cells["genotype"] != study.control], list[Any]()
    control = cells[cells["genotype"] == study.control]
    for model in study.models:
        negative_controls(cells, model, study, found[model.name], background)
        scoring = scoring_of(found[model.name], model)
        used = features_of(model, [n for n in cells if "_" in n and n != "scportrait_cell_id"])
        fitted = estimator_of(model).fit(control[used], control["class"])
        raw = fitted.predict_proba(knockout[used])[:, 1]
        predicted = knockout.assign(prob_class1=scoring.probabilities(raw))
        scores += scores_by_scheme(found[model.name], predicted, model)
        scored = pd.concat([scored_as_stored(found[model.name], model, scoring.scheme), predicted])
        effects_table(responses(measure(scored, scoring.positive_above), study), "EI24KO", study)
    specifications(scores, "EI24KO", study.classes[1], study)


def plain(study: Any, cells: Any, background: Any) -> None:
    """The fits alone, as a script would have them."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold

    settings = study.cross_validation

    def aucs(table: Any, columns: list[str], forest: dict, labels: Any, strict: bool) -> None:
        part = table[table["genotype"] == study.control]
        x, truth = part[columns], part["class"].to_numpy()
        y = truth if labels is None else labels
        leave, clones = LeaveOneGroupOut(), part["clone"].to_numpy()
        ways = [list(leave.split(x, truth, clones))]
        if not strict:
            random = StratifiedKFold(settings.folds, shuffle=True, random_state=0)
            ways += [
                list(random.split(x, truth)),
                list(leave.split(x, truth, clones + part["fov"])),
            ]
        for folds in ways:
            scores = np.empty(len(x))
            for train, test in folds:
                fitted = RandomForestClassifier(**forest).fit(x.iloc[train], y[train])
                scores[test] = fitted.predict_proba(x.iloc[test])[:, 1]
            roc_auc_score(y, scores)

    nuisance = [n for n in cells if n.startswith(("DAPI", "Alexa488"))]
    contrast = [n for n in cells if n.endswith("_contrast")]
    units = [n for n in cells if n.endswith("_units")]
    control = cells[cells["genotype"] == study.control]
    for model, columns in zip(study.models, (nuisance, contrast), strict=True):
        forest = model.parameters.model_dump()
        aucs(cells, columns, forest, None, False)
        aucs(cells, nuisance, forest, None, False)
        for patches in (columns, units):
            aucs(background, patches, forest, None, False)
        for seed in range(settings.permutations):
            random = np.random.default_rng(seed)
            labels = control["class"].to_numpy().copy()
            for _, rows in control.reset_index(drop=True).groupby("clone"):
                images = rows["dataset"].unique()
                classes = dict(zip(images, random.permutation([0, 0, 1, 1]), strict=True))
                labels[rows.index] = rows["dataset"].map(classes)
            aucs(cells, columns, forest, labels, True)
        RandomForestClassifier(**forest).fit(control[columns], control["class"])


def main() -> int:
    """Run both sides in turns and say whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    repeats = parser.parse_args().repeats

    from threadpoolctl import threadpool_limits

    from autophagy_assets.config.study import Study

    study = Study.load()
    cells, background = table(study, CELLS, 0), table(study, PATCHES, 1)
    seconds: dict[str, list[float]] = {"ours": [], "plain": []}
    with threadpool_limits(1):
        for _ in range(repeats):
            for side, function in (("plain", plain), ("ours", ours)):
                began = time.process_time()
                function(study, cells, background)
                seconds[side].append(time.process_time() - began)
    middle = {side: statistics.median(found) for side, found in seconds.items()}
    ratio = middle["ours"] / middle["plain"]
    print(
        f"cross-validation, controls, effect and robustness of {len(cells)} cells: "
        f"{middle['ours']:.1f} s, plain fits {middle['plain']:.1f} s: {ratio:.2f} times as long "
        f"(target at most {LIMIT}; {repeats} times each)"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
