"""What a control group grants is what may be used, in both versions, at every level."""

from __future__ import annotations

import os

import pytest

from autophagy_assets.compute.limits import granted_memory, granted_processors

CORES = 8
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
NESTED = "0::/user.slice/job.scope"
SEVERAL = "9:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with other files of control groups; gives mount and list of groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)))

    def make(files, groups):
        mount = tmp_path / "cgroup"
        for name, text in files.items():
            (mount / name).parent.mkdir(parents=True, exist_ok=True)
            (mount / name).write_text(text + "\n")
        (tmp_path / "groups").write_text(groups + "\n")
        return mount, tmp_path / "groups"

    return make


@pytest.mark.parametrize(
    ("files", "groups", "granted"),
    [
        ({}, "", CORES),
        ({"cpu.max": "max 100000"}, "0::/", CORES),
        ({"cpu.max": "150000 100000"}, "0::/", 1.5),
        ({"cpu.max": "1600000 100000"}, "0::/", CORES),
        ({"cpu.max": "nonsense"}, "0::/", CORES),
        ({"cpu.max": ""}, "0::/", CORES),
        ({"user.slice/job.scope/cpu.max": "200000 100000"}, NESTED, 2),
        (
            {"user.slice/cpu.max": "300000 100000", "user.slice/job.scope/cpu.max": "max 1"},
            NESTED,
            3,
        ),
        ({"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, SEVERAL, 3),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, SEVERAL, CORES),
        (
            {
                "cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000",
                "cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000",
            },
            SEVERAL,
            0.5,
        ),
    ],
)
def test_processors(machine, files, groups, granted):
    assert granted_processors(*machine(files, groups)) == granted


@pytest.mark.parametrize(
    ("files", "groups", "granted"),
    [
        ({}, "", MACHINE),
        ({"memory.max": "max"}, "0::/", MACHINE),
        ({"memory.max": "1000000"}, "0::/", 1e6),
        ({"memory.max": "2000000", "memory.high": "1000000"}, "0::/", 1e6),
        ({"user.slice/memory.max": "3000000"}, NESTED, 3e6),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, SEVERAL, MACHINE),
        ({"memory/memory.limit_in_bytes": "4000000"}, "9:memory:/not/in/the/container", 4e6),
        ({"memory/docker/abc/memory.limit_in_bytes": "5000000"}, SEVERAL, 5e6),
        ({"memory/memory.limit_in_bytes": "much"}, SEVERAL, MACHINE),
    ],
)
def test_memory(machine, files, groups, granted):
    assert granted_memory(*machine(files, groups)) == granted


def test_this_machine_has_some():
    assert granted_processors() > 0 and 1e8 < granted_memory() <= MACHINE
