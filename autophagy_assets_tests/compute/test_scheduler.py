"""Addresses of schedulers: nobody there, one with certificates, one without workers."""

from __future__ import annotations

import gc
import subprocess
from pathlib import Path

import pytest
from dask import config as dask_config
from distributed import Client

from autophagy_assets.compute import cluster as engine
from autophagy_assets.compute.cluster import Cluster
from autophagy_assets.errors import InputError
from autophagy_assets_tests.compute.cluster_jobs import INSTALLED, slow, square
from autophagy_assets_tests.compute.dask_cluster import DaskCluster, place

pytestmark = pytest.mark.slow


def test_nobody_at_the_address(monkeypatch):
    monkeypatch.setattr(engine, "CONNECT_S", 1)
    with pytest.raises(InputError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9: see"):
        list(Cluster("tcp://127.0.0.1:9", INSTALLED).map_fields(square, [1]))
    with pytest.raises(InputError, match="asks for certificates, and Dask knows none here"):
        list(Cluster("tls://127.0.0.1:9", INSTALLED).map_fields(square, [1]))
    # One that is collected while the next one begins would hang.
    assert not [one for one in gc.get_objects() if type(one) is Client and one.status != "closed"]


def certificates(folder: Path) -> dict[str, str]:
    """What Dask is to know of an authority of our own, and of a certificate for everybody."""
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -subj /CN=ours -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=everybody -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out cert.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    known = {"require-encryption": "True", "tls.ca-file": str(folder / "ca.pem")}
    for role in ("scheduler", "worker", "client"):
        known |= {f"tls.{role}.{what}": str(folder / f"{what}.pem") for what in ("cert", "key")}
    return {f"distributed.comm.{name}": value for name, value in known.items()}


def test_an_address_with_certificates_is_for_those_who_have_them(tmp_path, monkeypatch):
    known = certificates(tmp_path)
    for name, value in known.items():
        variable = f"DASK_{name.upper().replace('.', '__').replace('-', '_')}"
        monkeypatch.setenv(variable, value)
    guarded = DaskCluster(tmp_path / "guarded")
    try:
        assert guarded.address.startswith("tls://")
        guarded.add_bare()
        with dask_config.set(known | {"distributed.comm.require-encryption": True}):
            assert dict(place(guarded).map_fields(square, [2, 3])) == {2: 4, 3: 9}
        bare = guarded.address.replace("tls", "tcp")
        monkeypatch.setattr(engine, "CONNECT_S", 1)
        with pytest.raises(InputError, match="No Dask scheduler answers"):
            list(Cluster(bare, INSTALLED).map_fields(square, [1]))
    finally:
        guarded.end()


def test_workers_that_never_come_and_a_scheduler_that_ends(tmp_path):
    alone = DaskCluster(tmp_path / "alone")
    try:
        with pytest.raises(InputError, match="has had no worker for 1 s: look whether they run"):
            list(Cluster(alone.address, INSTALLED, 1).map_fields(square, [1]))
        alone.add_bare()
        (tmp_path / "jobs").mkdir()
        jobs = [(str(tmp_path / "jobs"), n) for n in range(60)]
        work = place(alone).map_fields(slow, jobs, [str(job) for job in jobs])
        next(work)
        alone.scheduler.kill()
        with pytest.raises(InputError, match=f"{alone.address} has ended or was restarted"):
            list(work)
    finally:
        alone.end()
