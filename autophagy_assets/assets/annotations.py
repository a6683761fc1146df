"""Annotations: answers of people who looked at cells."""

import dagster as dg
import pandas as pd

from autophagy_assets.analysis.features.tables import ANNOTATIONS
from autophagy_assets.analysis.review.answers import put_together
from autophagy_assets.assets.definition import study_asset

GROUP = "labels"

annotation_files = dg.AssetSpec(
    "annotation_files",
    group_name=GROUP,
    kinds={"parquet"},
    description="Answers that people gave on review pages, as 'autophagy annotate' has registered "
    "them: one file for each person and page.",
)


@study_asset(
    group=GROUP,
    io="table_io",
    kinds={"pandas", "parquet"},
    deps=[dg.AssetDep("annotation_files")],
    schema=ANNOTATIONS,
)
def annotations(context) -> pd.DataFrame:
    """Answers of all people on all review pages, with who, when and which page.

    Empty where nobody has answered.
    """
    files = context.registry.annotation_files
    return put_together(pd.read_parquet(context.read(uid)) for uid in files.values())
