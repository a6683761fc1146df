"""Anything that can happen to a study, in any order: after each refresh it is as if made anew.

Every act is a command, an edit of the study file, or a damage, and changes with it what is
``wanted``. After each refresh that ends, nothing may be out of date and every table, model and
figure has to be what a home holds that was made from scratch.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from autophagy_assets_tests.reliability.homes import (
    CommandHome,
    Scratch,
    differences,
    in_parallel,
)
from autophagy_assets_tests.reliability.wanted import (
    BASE,
    ENTRIES,
    LABELS,
    PLACES,
    VARIANTS,
    Pool,
    Wanted,
)

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("AUTOPHAGY_TEST_SEED", "8"))
EXAMPLES = int(os.environ.get("AUTOPHAGY_TEST_EXAMPLES", "4"))
STEPS = int(os.environ.get("AUTOPHAGY_TEST_STEPS", "52"))
# Finding the shortest way to a fault takes an hour; asked for by a person only.
SHRINK = bool(os.environ.get("AUTOPHAGY_TEST_SHRINK"))

SUFFIXES = (".parquet", ".png", ".joblib", "single_cell_data.h5ad", ".zarr", ".html")
HOWS = ["deleted", "flipped", "emptied"]
# A refresh takes as long as all other acts of a study together and shows whatever has happened
# since the last one: it is one act in sixteen, and the end of each study.
ACTS = ["edit", "ingest_field", "replace", "withdraw", "relabel", "damage", "damage_image", "kill"]
ACTS += ["edit", "ingest_field", "edit", "withdraw", "relabel", "damage", "damage", "refresh"]

Draw = Callable[[Any], Any]


def other(values: list[Any], value: Any) -> Any:
    """The next of some values."""
    return values[(values.index(value) + 1) % len(values)]


class Study(RuleBasedStateMachine):
    """A study that things happen to."""

    home: ClassVar[CommandHome]
    scratch: ClassVar[Scratch]
    pool: ClassVar[Pool]
    counts: ClassVar[Counter[str]] = Counter()
    seconds: ClassVar[Counter[str]] = Counter()
    found: ClassVar[list[str]] = []
    first: ClassVar[list[str]]

    def __init__(self) -> None:
        super().__init__()
        self.wanted, self.story, self.failed, self.turn = Wanted(), list[str](), False, 0
        self.home.restore(self.wanted)

    def step(self, name: str, detail: str = "") -> None:
        self.counts[name] += 1
        self.story.append(f"{name} {detail}")
        print(f"  {sum(self.counts.values())}: {name} {detail}", flush=True)

    def ingest(self, places: list[str], replace: bool = False) -> None:
        began = time.monotonic()
        folder = self.pool.folder_of(self.wanted, places)
        more = ["--replace"] if replace else []
        self.must("ingest", str(folder), *more)
        self.seconds["ingest"] += time.monotonic() - began

    def must(self, *arguments: str) -> str:
        try:
            return self.home.must(*arguments)
        except AssertionError as error:
            raise self.fault([str(error)]) from error

    # One rule for all: of several, hypothesis would leave out some at random in each study, and
    # often all but refreshing.
    @rule(place=st.integers(0, len(ACTS) - 1), data=st.data())
    def anything(self, place: int, data: Any) -> None:
        if self.found and not SHRINK:
            self.failed = True
            raise AssertionError(self.found[0])
        # In hypothesis's first study whatever is drawn is 0: there each act has its turn.
        self.turn += 1
        getattr(self, ACTS[(place + self.turn) % len(ACTS)])(data.draw)

    def edit(self, draw: Draw) -> None:
        """Another value of an entry of the study file, or back."""
        entry = draw(st.sampled_from(sorted(ENTRIES)))
        value = other(ENTRIES[entry], self.wanted.entries[entry])
        self.step("edit", f"{entry}: {value}")
        self.wanted.entries[entry] = value
        self.wanted.write_study(self.home.study)

    def ingest_field(self, draw: Draw) -> None:
        """A new field, or one that was withdrawn, with the same images or others; else again."""
        absent = sorted(set(PLACES) - set(self.wanted.fields))
        place = draw(st.sampled_from(absent or sorted(PLACES)))
        variant = draw(st.integers(0, VARIANTS - 1))
        variant = self.wanted.fields.get(place, variant)
        self.step("ingest", f"{place}, variant {variant}")
        self.wanted.fields[place] = variant
        self.ingest([place])

    def replace(self, draw: Draw) -> None:
        """Other images of a field, or of two."""
        known = st.sampled_from(sorted(self.wanted.fields))
        places = sorted(draw(st.sets(known, min_size=1, max_size=2)))
        self.step("replace", ", ".join(places))
        for place in places:
            self.wanted.fields[place] = (self.wanted.fields[place] + 1) % VARIANTS
        self.ingest(places, replace=True)

    def withdraw(self, draw: Draw) -> None:
        """A field is taken out, unless nothing could be trained without it."""
        if may_go := sorted(filter(self.wanted.may_go, self.wanted.fields)):
            place = draw(st.sampled_from(may_go))
            self.step("withdraw", place)
            self.must("withdraw", self.wanted.name_of(place))
            del self.wanted.fields[place]

    def relabel(self, draw: Draw) -> None:
        """Another value of a label of all fields that have it, or back."""
        label = draw(st.sampled_from(sorted(LABELS)))
        value = other(LABELS[label], self.wanted.labels[label])
        self.step("relabel", f"{label}: {value}")
        self.wanted.labels[label] = value
        places = [p for p in self.wanted.fields if label.split()[-1] in (PLACES[p].genotype, label)]
        if places:
            self.ingest(sorted(places))

    def damage(self, draw: Draw) -> None:
        """A file of the store is changed or lost."""
        suffix, how = draw(st.sampled_from(SUFFIXES)), draw(st.sampled_from(HOWS))
        key = self.home.call("damage", suffix=suffix, how=how, which=draw(st.integers(0, 99)))
        if key is not None:
            self.step("damage", f"{key} {how}")

    def damage_image(self, draw: Draw) -> None:
        """A microscope image is changed or lost, and all are ingested again."""
        how, which = draw(st.sampled_from(HOWS)), draw(st.integers(0, 99))
        key = self.home.call("damage", suffix=".tif", how=how, which=which)
        self.step("damage image", f"{key} {how}")
        self.ingest(sorted(self.wanted.fields))

    def kill(self, draw: Draw) -> None:
        """A refresh that is killed, most often in the first half of the time that all takes."""
        share = draw(st.integers(0, 100)) / 100
        delay = 0.05 + self.seconds["first refresh"] * share**2
        done = self.home.call("refresh", killed_after=delay)
        if "code" in done:
            self.step("refresh", f"that ended before it was killed after {delay:.2f} s")
            self.check(done)
        else:
            self.step("kill", f"after {delay:.2f} s")

    def refresh(self, draw: Draw) -> None:
        """What everything is about."""
        self.step("refresh")
        self.refresh_and_check()

    def refresh_and_check(self) -> None:
        began = time.monotonic()
        self.scratch.of(self.wanted)  # made meanwhile, on the other core
        done = self.home.call("refresh")
        self.seconds["refresh"] += time.monotonic() - began
        self.check(done)

    def check(self, done: dict[str, Any]) -> None:
        began = time.monotonic()
        seen, ought = done["seen"], self.scratch.of(self.wanted).result()
        self.seconds["waiting for scratch"] += time.monotonic() - began
        faults = [f"refresh failed: {done}"] if done["code"] != 0 else []
        faults += [f"out of date: {t}: {why}" for t, why in seen["out of date"].items()]
        faults += [f"file: {fault}" for fault in seen["faults"]]
        faults += differences("content", seen["contents"], ought["contents"])
        faults += differences("latest artifact", seen["registered"], ought["registered"])
        if faults:
            raise self.fault(faults)

    def fault(self, faults: list[str]) -> AssertionError:
        """Note it: a kill comes at another point the next time, and hypothesis tries once more."""
        self.failed = True
        lines = [*faults[:40], f"wanted: {self.wanted}", "after:", *self.story]
        self.found.append("not as if made from scratch:\n" + "\n".join(lines))
        print(self.found[-1], flush=True)
        return AssertionError(self.found[-1])

    def teardown(self) -> None:
        if not self.failed:
            print("  at the end: refresh", flush=True)
            self.refresh_and_check()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[type[Study]]:
    """The machine with its two homes; the home begins with three fields, refreshed."""
    began, base = time.monotonic(), Wanted()
    folder = tmp_path_factory.mktemp("machine")
    Study.pool = Pool(folder / "pool")
    Study.home, Study.scratch = in_parallel(
        lambda: CommandHome(folder / "home"), lambda: Scratch(folder, Study.pool)
    )
    base.write_study(Study.home.study)
    Study.home.must("ingest", str(Study.pool.folder_of(base, sorted(BASE))))
    refresh = time.monotonic()
    modules = Study.home.call("imported")
    Study.seconds["first refresh"] += time.monotonic() - refresh
    Study.first = Study.home.call("steps")
    Study.home.keep()
    homes = (Study.home, Study.scratch.home)
    in_parallel(*(partial(home.fork_server.ask, "import", modules=modules) for home in homes))
    Study.seconds["setting up"] += time.monotonic() - began
    yield Study
    Study.scratch.end()
    Study.home.fork_server.end()


def test_a_refresh_makes_each_once_also_in_the_processes_that_image_samples(study: Any) -> None:
    imaged = [step for step in study.first if step.startswith("single_cell_images[")]
    assert len(imaged) == len(BASE)
    assert "study_report" in study.first
    assert len(study.first) == len(set(study.first)), "a step ran twice"


def test_after_anything_that_happens_a_refresh_leaves_what_a_home_made_from_scratch_has(
    study: Any,
) -> None:
    began = time.monotonic()
    print(f"\nseed {SEED}, {EXAMPLES} studies of {STEPS} steps")
    seeded: Any = seed(SEED)(study)
    phases = [Phase.generate, *([Phase.shrink] if SHRINK else [])]
    try:
        run_state_machine_as_test(
            seeded,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                phases=phases,
                deadline=None,
                database=None,
                report_multiple_bugs=False,
                print_blob=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Exception:
        if not study.found:
            raise
        pytest.fail(study.found[0])  # and not that it is flaky
    finally:
        print(f"{sum(study.counts.values())} steps: {dict(study.counts)}")
        print(f"seconds: { {k: round(v) for k, v in study.seconds.items()} }", end=" ")
        print(f"of {time.monotonic() - began:.0f}; {study.scratch.count} homes from scratch")
    if not os.environ.keys() & {"AUTOPHAGY_TEST_EXAMPLES", "AUTOPHAGY_TEST_STEPS"}:
        assert sum(study.counts.values()) >= 200
