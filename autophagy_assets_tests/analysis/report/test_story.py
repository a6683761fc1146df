"""The report's first page in words, from tables as the assets have them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autophagy_assets.analysis.classifier.classification import predict, train
from autophagy_assets.analysis.classifier.model import TrainedClassifier
from autophagy_assets.analysis.classifier.predictions import no_predictions
from autophagy_assets.analysis.effects.knockout import every_specification, measured_effect
from autophagy_assets.analysis.evidence.comparison import compare
from autophagy_assets.analysis.evidence.controls import COLUMNS as CONTROL_COLUMNS
from autophagy_assets.analysis.evidence.controls import negative_controls
from autophagy_assets.analysis.evidence.cross_validation import cross_validate, refusals
from autophagy_assets.analysis.evidence.folds import CLONE, RANDOM
from autophagy_assets.analysis.evidence.scoring import scoring_of
from autophagy_assets.analysis.evidence.unseen import unseen_predictions
from autophagy_assets.analysis.features.sets import LEVEL, PUNCTA
from autophagy_assets.analysis.labels.agreement import agreement_table
from autophagy_assets.analysis.report.claims import Source, check_claims
from autophagy_assets.analysis.report.story import tell
from autophagy_assets.config.models import Model
from autophagy_assets.config.study import Study
from autophagy_assets_tests.analysis.evidence.models import forest
from autophagy_assets_tests.analysis.evidence.tables import measured_cells
from autophagy_assets_tests.analysis.labels.answered import answers_of

pytestmark = pytest.mark.slow

DEFAULT = Study.load()
# Enough trees for words, which is what these tests are about.
STUDY = DEFAULT.model_copy(
    update={
        "models": tuple(
            model.model_copy(
                update={"parameters": model.parameters.model_copy(update={"n_estimators": 20})}
            )
            for model in DEFAULT.models
        ),
        "cross_validation": DEFAULT.cross_validation.model_copy(update={"permutations": 6}),
    }
)


def with_puncta(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.assign(**{PUNCTA: cells["marker_spots_contrast"].clip(0).round()})


def stored(cells: pd.DataFrame, model: Model, scores: pd.DataFrame) -> TrainedClassifier:
    scoring = scoring_of(scores, model)
    return train(cells, model, "v1", scoring.calibrator, scoring.threshold)


@pytest.fixture(scope="module")
def sources() -> dict[str, Source]:
    """Tables of a screen in which the stimulation adds fewer puncta to the knockout."""
    cells = with_puncta(measured_cells(STUDY, cells=15, seed=1))
    lacking = with_puncta(measured_cells(STUDY, cells=15, genotype="KO", seed=2, response=0.2))
    scores = {m.name: cross_validate(cells, m, STUDY) for m in STUDY.models}
    trained = [stored(cells, model, scores[model.name]) for model in STUDY.models]
    knockout = pd.concat([predict(model, lacking) for model in trained], ignore_index=True)
    comparison = compare(pd.concat(scores.values()), refusals(cells, STUDY))
    primary = STUDY.model(STUDY.primary)
    none = no_predictions(cells)
    measured, _, effects = measured_effect(scores[STUDY.primary], knockout, none, primary, STUDY)
    tables = {
        "model_comparison": comparison,
        "knockout_effect[KO]": pd.concat([measured, effects], ignore_index=True),
        "effect_robustness[KO]": every_specification(scores, knockout, STUDY),
    }
    return {name: Source(name, f"uid {name}", table) for name, table in tables.items()}


def test_the_story_has_question_answer_certainty_and_what_speaks_against_it(sources):
    story = tell(sources, STUDY)
    titles = [title for title, _ in story.paragraphs]
    assert titles == [
        "The question",
        "The answer",
        "How sure that is",
        "What speaks against it",
        "As published",
    ]
    text = dict(story.paragraphs)
    assert "on clones that it had not seen" in text["The answer"]
    assert "he knockout responds less" in text["The answer"]
    assert "With model puncta it responds less in" in text["How sure that is"]
    assert "is not flux" in text["What speaks against it"]
    assert "The reference notebook's model would have had" in text["As published"]


def test_images_that_differ_in_staining_alone_are_said_to():
    """The model does not tell the classes apart, and the background does."""
    cells = measured_cells(STUDY, cells=15, seed=4, biology=0.0)
    patches = cells.assign(**{LEVEL: 100.0 + 50.0 * cells["class"]})
    model = STUDY.model(STUDY.primary)
    scores = cross_validate(cells, model, STUDY)
    card = negative_controls(cells, model, STUDY, scores, patches)
    tables = {"model_comparison": compare(scores, {}), f"shortcut_card[{model.name}]": card}
    story = tell({name: Source(name, "uid", table) for name, table in tables.items()}, STUDY)
    text = dict(story.paragraphs)
    assert "does not tell them apart, with an AUC of" in text["The answer"]
    against = text["What speaks against it"]
    assert "The background in units of the image, on patches without a cell, tells" in against
    assert "the images differ in staining" in against
    check_claims(text.values(), story.claims, tables, [*STUDY.classes.values(), "WT", "LC3B"])


def card(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    """Controls with scheme and whether they are flagged; no scheme where that was not possible."""
    table = pd.DataFrame(rows, columns=["control", "scheme", "flagged"])
    known = {"model": STUDY.primary, "auc": 0.5, "reference": 0.9, "sentence": "It tells."}
    return table.assign(**known).reindex(columns=CONTROL_COLUMNS)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        # A weaker scheme may be flagged: it does not decide, and is no control of its own.
        (
            [
                ("nuisance alone", RANDOM, True),
                ("nuisance alone", CLONE, False),
                ("background", CLONE, False),
                ("permuted labels", "", False),
            ],
            "None of 2 negative controls is flagged; 1 more could not be measured.",
        ),
        ([("background", CLONE, False)], "None of 1 negative controls is flagged."),
        ([("permuted labels", "", False)], "No negative control could be measured."),
    ],
)
def test_controls_are_counted_by_the_scheme_that_decides(rows, said):
    name = f"shortcut_card[{STUDY.primary}]"
    story = tell({name: Source(name, "uid", card(*rows))}, STUDY)
    text = dict(story.paragraphs)["What speaks against it"]
    assert text.startswith(said)
    check_claims([text], story.claims, {name: card(*rows)}, [STUDY.marker_name])


def test_a_knockout_without_effect_is_said_to_have_none_that_is_seen():
    cells = measured_cells(STUDY, clones=4, cells=10, seed=5)
    knockout = measured_cells(STUDY, clones=4, cells=10, genotype="KO", seed=6)
    model = STUDY.model(STUDY.primary)
    scores = cross_validate(cells, model, STUDY)
    predictions = predict(stored(cells, model, scores), knockout)
    measured, _, effects = measured_effect(scores, predictions, no_predictions(cells), model, STUDY)
    table = pd.concat([measured, effects], ignore_index=True)
    story = tell({"knockout_effect[KO]": Source("knockout_effect[KO]", "uid", table)}, STUDY)
    assert "No effect of the knockout is seen" in dict(story.paragraphs)["The answer"]


def test_every_number_of_the_story_is_a_claim_with_asset_and_uid(sources):
    story = tell(sources, STUDY)
    tables = {name: source.table for name, source in sources.items()}
    labels = {"KO", "WT", *STUDY.classes.values(), "LC3B", *(f"clone {n}" for n in range(1, 5))}
    check_claims([text for _, text in story.paragraphs], story.claims, tables, labels)
    assert all(claim.uid == f"uid {claim.asset}" for claim in story.claims)
    numbers = [claim for claim in story.claims if isinstance(claim.value, float)]
    assert len(numbers) >= 6 and all(np.isfinite(claim.value) for claim in numbers)
    assert all(claim.unit for claim in numbers)


def test_what_is_not_there_is_left_out():
    story = tell({}, STUDY)
    assert [title for title, _ in story.paragraphs] == [
        "The question",
        "What speaks against it",
    ]
    assert story.claims == []


def test_puncta_are_measured_beside_the_scores(sources):
    table = sources["knockout_effect[KO]"].table
    assert {"positive share", "mean probability", "puncta per cell"} <= set(table["measure"])
    assert PUNCTA not in table.columns


def test_other_labels_and_answers_are_told_beside_labels_as_given():
    cells = measured_cells(STUDY, cells=12, seed=8)
    plain, other = forest(), forest(name="other", primary=False, labels="audited")
    study = STUDY.model_copy(update={"models": (plain, other)})
    scores = {model.name: cross_validate(cells, model, study) for model in (plain, other)}
    calls = pd.concat([unseen_predictions(scores[m.name], m) for m in (plain, other)])
    shown = cells.groupby(["clone", "class"]).head(6)
    said = [study.classes[1] if at < 2 else study.classes[n] for at, n in enumerate(shown["class"])]
    tables = {
        "model_comparison": compare(pd.concat(scores.values()), {}),
        "annotation_agreement": agreement_table(answers_of(shown, said), calls, study),
    }
    sources = {name: Source(name, "uid", table) for name, table in tables.items()}
    story = tell(sources, study)
    text = dict(story.paragraphs)["What other labels change"]
    assert "Trained with audited labels, model other has an AUC of" in text
    assert "of small with labels as given (96 cells" in text
    assert (
        "Of 24 WT cells that were drawn at random" in text
        and "2 have another class than their label says." in text
    )
    assert "Answers about 24 cells changed 2 labels; the next fifty" in text
    check_claims([text], story.claims, tables, ["WT", *study.classes.values()])
    nobody = sources | {"annotation_agreement": Source("", "", pd.DataFrame({"sentence": [""]}))}
    alone = STUDY.model_copy(update={"models": (plain,)})
    assert "What other labels change" not in dict(tell(nobody, alone).paragraphs)
