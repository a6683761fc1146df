"""Peak memory of steps whose tables grow with the cells of a genotype.

``python -m benchmarks.memory [--cells N] [--step NAME]``. The cells of a knockout, in four samples
with 60 features and 20 of the marker, and as many of the control whose marker alone is there. What
the steps start from is made up; then each is the Dagster run of the platform's own asset with its
checks, in a process of its own. Target: 1 GB for 2,000,000 cells.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CELLS, LIMIT_GB = 2_000_000, 1.0
FEATURES, OF_MARKER, FIELD = 60, 20, 500
CLONES, MODELS, KNOCKOUT = ("clone 1", "clone 2"), ("as_published", "puncta"), "KO"
MADE_UP = "what the steps start from"
STEPS = (
    *("raw_features", "clean_features", "model_features", "ko_predictions", "ko_evaluation"),
    *("knockout_effect", "effect_robustness", "replicate_plan", "response_curve"),
)


def samples(study: Any) -> dict[str, tuple[str, str, str]]:
    """Genotype, clone and stimulation of each sample, by its key."""
    from autophagy_assets.registry.fields import sample_key

    genotypes, stimulations = (study.control, KNOCKOUT), study.classes.values()
    places = [(g, c, s) for g in genotypes for c in CLONES for s in stimulations]
    return {sample_key(*place): place for place in places}


def identities(sample: str, count: int) -> Iterator[Any]:
    """Identity of the cells of a sample, a row group after the other."""
    import numpy as np
    import pandas as pd

    from autophagy_assets.io_managers.parquet import ROW_GROUP

    for begin in range(0, count, ROW_GROUP):
        number = np.arange(begin, min(begin + ROW_GROUP, count))
        fields = np.array([f"{sample}{n:06d}" for n in range(-(-count // FIELD))], dtype=object)
        cells = {"dataset": fields[number // FIELD], "scportrait_cell_id": number % FIELD}
        yield pd.DataFrame(cells)


def with_features(cells: Any, names: list[str], **known: Any) -> Any:
    """Cells with what is known of them and with random features."""
    import numpy as np
    import pandas as pd

    begin = int(cells["scportrait_cell_id"].iloc[0]) + len(cells)
    values = np.random.default_rng(begin).normal(size=(len(cells), len(names)))
    features = pd.DataFrame(values, columns=names, index=cells.index)
    return pd.concat([cells.assign(**known), features], axis=1)


def made_up(count: int) -> list[Any]:
    """Assets that the steps start from."""
    import numpy as np
    import pandas as pd

    from autophagy_assets.analysis.evidence.folds import SCHEMES
    from autophagy_assets.assets.definition import study_asset
    from autophagy_assets.io_managers.pieces import TablePieces
    from autophagy_assets.staleness.partitions import models
    from autophagy_assets.staleness.partitions import samples as by_sample

    each = count // (2 * len(CLONES))
    features = [f"DAPI_mean_{n}" for n in range(FEATURES - 2)]
    features += ["DAPI_mean_nucleus", "DAPI_mean_cytosol"]
    asset: dict[str, Any] = {"io": "table_io", "kinds": []}

    @study_asset(group="imaging", partitions=by_sample, **asset)
    def cell_features(context):
        """Cells of a sample with features."""
        classes = {label: code for code, label in context.study.classes.items()}
        code = classes[samples(context.study)[context.partition][2]]
        cells = identities(context.partition, each)
        return TablePieces(each, (with_features(c, features, **{"class": code}) for c in cells))

    @study_asset(group="imaging", partitions=by_sample, **asset)
    def marker_features(context):
        """Cells of a sample with features of the marker."""
        names = [f"marker_puncta_number_{n}_contrast" for n in range(OF_MARKER - 1)]
        names.append("marker_puncta_number_contrast")
        cells = identities(context.partition, each)
        return TablePieces(each, (with_features(c, names) for c in cells))

    @study_asset(group="imaging", partitions=by_sample, **asset)
    def single_cell_images(context):
        """Fields of view of a sample."""
        place = samples(context.study)[context.partition]
        known = dict(zip(("genotype", "clone", "stimulation"), place, strict=True))
        fields = pd.concat(identities(context.partition, each))["dataset"].unique()
        names = [f"FOV{n + 1}" for n in range(len(fields))]
        return pd.DataFrame({"dataset": fields, **known, "fov": names, "pixel_um": 0.1})

    @study_asset(group="evidence", partitions=models, **asset)
    def cross_validation(context):
        """Scores of 20,000 cells of the control."""
        random, n = np.random.default_rng(0), 20_000
        code = np.arange(n) % 2
        cells = pd.concat(identities("WT", n), ignore_index=True).assign(
            **{"class": code, "genotype": context.study.control},
            stimulation=np.array([*context.study.classes.values()], dtype=object)[code],
            clone=np.array(CLONES, dtype=object)[np.arange(n) // 2 % 2],
            fov="FOV1",
            model=context.partition,
            score=random.uniform(size=n) / 2 + code / 2,
            fold="1",
            marker_puncta_number_contrast=random.poisson(3, n).astype(float),
        )
        cells["prob_class1"] = cells["score"]
        return pd.concat([cells.assign(scheme=s) for s in SCHEMES[:2]], ignore_index=True)

    @study_asset(group="knockouts", **asset)
    def condition_predictions(context):
        """No predictions."""
        from autophagy_assets.analysis.classifier.predictions import no_predictions

        return no_predictions(learned(context.study, features))

    @study_asset(group="classifier", io="model_io", kinds=[], partitions=models)
    def autophagy_classifier(context):
        """A small forest of other cells."""
        from autophagy_assets.analysis.classifier.classification import train

        model = context.study.model(MODELS[0])
        few = model.parameters.model_copy(update={"n_estimators": 4})
        model = model.model_copy(update={"parameters": few, "name": context.partition})
        return train(learned(context.study, features), model, "1")

    return [
        *(cell_features, marker_features, single_cell_images, cross_validation),
        *(condition_predictions, autophagy_classifier),
    ]


def learned(study: Any, features: list[str]) -> Any:
    """A few cells of the control."""
    import numpy as np
    import pandas as pd

    cells = pd.concat(identities("WT", 2_000), ignore_index=True)
    code = np.arange(len(cells)) % 2
    known = {"class": code, "genotype": study.control, "stimulation": "", "clone": "", "fov": ""}
    return with_features(cells, [*features, "marker_puncta_number_contrast"], **known)


def definitions(count: int) -> Any:
    """The steps that are measured, and what they start from."""
    import dagster as dg

    from autophagy_assets.assets import effects, features, knockouts
    from autophagy_assets.assets.definition import StudyResource
    from autophagy_assets.checks import features as checks
    from autophagy_assets.io_managers.figure import FigureIOManager
    from autophagy_assets.io_managers.joblib import JoblibIOManager
    from autophagy_assets.io_managers.parquet import ParquetIOManager

    rooms = (features, knockouts, effects)
    own = [getattr(room, name) for name in STEPS for room in rooms if hasattr(room, name)]
    looked_at = [checks.check_raw_features, checks.check_clean_features]
    return dg.Definitions(
        assets=[*made_up(count), *own],
        asset_checks=looked_at,
        resources={
            "study": StudyResource(),
            "table_io": ParquetIOManager(),
            "figure_io": FigureIOManager(),
            "model_io": JoblibIOManager(),
        },
        executor=dg.in_process_executor,
    )


def make(name: str, count: int) -> dict[str, float]:
    """Make an asset in a Dagster run; seconds of the processor, and peak memory in GB."""
    import dagster as dg

    from autophagy_assets.config.home import dagster_instance
    from autophagy_assets.config.study import Study
    from autophagy_assets.staleness import partitions

    warnings.filterwarnings("ignore")
    job = definitions(count).resolve_implicit_global_asset_job_def()
    every = list(samples(Study.load()))
    todo = {name: ["" if name == "response_curve" else KNOCKOUT]}
    if name == MADE_UP:
        todo = {
            "cell_features": [sample for sample in every if sample.startswith(KNOCKOUT)],
            **dict.fromkeys(("marker_features", "single_cell_images"), every),
            "cross_validation": list(MODELS),
            "autophagy_classifier": list(MODELS),
            "condition_predictions": [""],
        }
    with dagster_instance() as instance:
        for kind, keys in (
            (partitions.SAMPLE_PARTITIONS, every),
            (partitions.GENOTYPE_PARTITIONS, [KNOCKOUT]),
            (partitions.KNOCKOUT_PARTITIONS, [KNOCKOUT]),
            (partitions.MODEL_PARTITIONS, list(MODELS)),
        ):
            instance.add_dynamic_partitions(kind, keys)
        used = time.process_time()
        for asset, partition in [(asset, key) for asset, keys in todo.items() for key in keys]:
            done = job.execute_in_process(
                instance=instance,
                partition_key=partition or None,
                asset_selection=[dg.AssetKey(asset)],
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            assert done.success
    return {
        "core_seconds": time.process_time() - used,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> int:
    """Measure and print; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--until", choices=STEPS, default=STEPS[-1], help="the last step")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print("\n" + json.dumps(make(options.part, options.cells)))
        return 0
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"AUTOPHAGY_HOME": str(Path(folder) / "home")}
        command = [sys.executable, "-m", "benchmarks.memory", "--cells", str(options.cells)]
        print(f"{options.cells:,} cells x {FEATURES} features, and {OF_MARKER} of the marker:")
        for name in (MADE_UP, *STEPS[: STEPS.index(options.until) + 1]):
            done = subprocess.run(
                [*command, "--part", name],
                check=True,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            peak, seconds = found["peak_gb"], found["core_seconds"]
            print(f"  {name:26} {peak:.2f} GB, {seconds:.1f} s of the processor", flush=True)
            worst = max(worst, peak)
    said = "met" if worst <= LIMIT_GB else "MISSED"
    print(f"  largest {worst:.2f} GB, target {LIMIT_GB}: {said}")
    return int(worst > LIMIT_GB)


if __name__ == "__main__":
    sys.exit(main())
