"""The manifests for Kubernetes: what its schema takes, and what fits together."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from autophagy_assets.cli.services import services
from autophagy_assets.config import settings
from autophagy_assets_tests.conftest import ROOT, lacking

FILE = ROOT / "deploy" / "kubernetes" / "workers.yaml"
PARTS = {(part["kind"], part["metadata"]["name"]): part for part in yaml.safe_load_all(FILE.open())}
SCHEDULER, WORKERS = (
    PARTS["Deployment", name]["spec"]["template"]
    for name in ("autophagy-scheduler", "autophagy-workers")
)


def options(pod: dict[str, Any]) -> dict[str, Any]:
    """What the command line makes of the arguments of a pod."""
    (container,) = pod["spec"]["containers"]
    assert container["args"][0] == services.name
    return services.make_context("serve", container["args"][1:]).params


@pytest.mark.parametrize("version", ["1.28", "1.33"])
@pytest.mark.parametrize("name", PARTS, ids="-".join)
def test_the_schema_of_kubernetes_takes_them(name, version):
    validate = pytest.importorskip("kubernetes_validate").validate
    try:
        from kubernetes_validate import validate
    except ImportError:
        lacking("kubernetes-validate is not installed: pip install kubernetes-validate")
    validate(PARTS[name], version, strict=True)


def test_workers_join_the_scheduler_through_its_service():
    started, joins = options(SCHEDULER), options(WORKERS)
    service = PARTS["Service", "autophagy-scheduler"]
    (port,) = service["spec"]["ports"]
    (container,) = SCHEDULER["spec"]["containers"]
    assert started["part"] == joins["part"] == "workers"
    assert (started["workers"], started["host"], started["port"]) == (0, "0.0.0.0", port["port"])
    assert joins["scheduler"] == f"tcp://{service['metadata']['name']}:{port['port']}"
    assert {"name": port["targetPort"], "containerPort": started["port"]} in container["ports"]
    assert service["spec"]["selector"].items() <= SCHEDULER["metadata"]["labels"].items()
    assert not service["spec"]["selector"].items() <= WORKERS["metadata"]["labels"].items()


def test_the_address_that_the_file_names_is_one_for_runs(monkeypatch):
    address = options(WORKERS)["scheduler"]
    assert f"AUTOPHAGY_COMPUTE={address}\n" in FILE.read_text()
    monkeypatch.setenv(settings.COMPUTE_VARIABLE, address)
    assert settings.compute() == address


def test_both_are_of_one_image_without_rights_and_closed_to_others():
    pods = [SCHEDULER, WORKERS]
    images = {pod["spec"]["containers"][0]["image"] for pod in pods}
    assert len(images) == 1
    policy = PARTS["NetworkPolicy", "autophagy-workers"]["spec"]
    ours = policy["podSelector"]["matchLabels"]
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": ours}}]}]
    for pod in pods:
        assert ours.items() <= pod["metadata"]["labels"].items()
        assert pod["spec"]["securityContext"]["runAsNonRoot"]
        assert pod["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_image_has_what_it_copies_and_the_user_that_pods_run_as():
    recipe = (ROOT / "deploy" / "container" / "Containerfile").read_text()
    for line in recipe.splitlines():
        if line.startswith("COPY "):
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line
    user = WORKERS["spec"]["securityContext"]["runAsUser"]
    assert f"--uid {user} " in recipe and f"\nUSER {user}\n" in recipe
    assert "--require-hashes -r requirements.lock" in recipe
