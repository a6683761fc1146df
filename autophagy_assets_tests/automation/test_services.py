"""The parts as services of their own, as the units in deploy/ start them; real processes."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autophagy_assets.cli.serve import CODE_LOCATION
from autophagy_assets.config.study import Study
from autophagy_assets_tests.automation.test_webhook import Listener, heard_by_a_server
from autophagy_assets_tests.conftest import ROOT, clean_environment
from autophagy_assets_tests.registry.image_folder import FIELD, image, truncate, write_images
from autophagy_assets_tests.ui.served import family_of, free_port, listening

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
PARTS = ["code", "daemon", "read-only", "web"]


def command_of(unit: Path) -> list[str]:
    """The command of a unit, without the place of its program."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore
    parser.read(unit)
    program, *arguments = shlex.split(parser["Service"]["ExecStart"])
    assert program.endswith("/.venv/bin/autophagy")
    return arguments


def test_there_is_a_unit_for_each_part():
    assert [command_of(unit) for unit in UNITS] == [["serve", part] for part in [*PARTS, "workers"]]


def test_systemd_understands_the_units(tmp_path):
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("no systemd-analyze on this machine")
    for unit in UNITS:
        text = re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
        (tmp_path / unit.name).write_text(text)
    files = sorted(map(str, tmp_path.glob("*.service")))
    # Where nobody is logged in, the user manager has no folder, and nothing is looked at.
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}

    def complaints() -> list[str]:
        command = [verify, "--user", "verify", *files]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        return [line for line in done.stderr.splitlines() if "autophagy" in line]

    assert complaints() == []
    with Path(files[0]).open("a") as unit:
        unit.write("Nonsense=1\n")
    assert len(complaints()) == 1


def test_nginx_understands_its_settings(tmp_path):
    nginx, openssl = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), "openssl"
    if nginx is None or shutil.which(openssl) is None:
        pytest.skip("no nginx or no openssl on this machine")
    certificate = ["-keyout", tmp_path / "autophagy.key", "-out", tmp_path / "autophagy.pem"]
    new = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab.example"]
    subprocess.run([*new, *certificate], check=True, capture_output=True)
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    # Only places and ports are others here.
    text = re.sub(r"/etc/\S+/(autophagy[^/;]*);", rf"{tmp_path}/\1;", text)
    text = re.sub(r"listen \d+", lambda _: f"listen {free_port()}", text)
    (tmp_path / "site.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ access_log off; include {tmp_path}/site.conf; }}"
    )
    command = [nginx, "-t", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "warn" not in done.stderr, done.stderr


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    with heard_by_a_server() as server:
        yield server


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, listener: Listener
) -> Iterator[dict[str, Any]]:
    """All four parts at work on one empty home; gives the ports, and stops them all."""
    folder = tmp_path_factory.mktemp("services")
    home = folder / "home"
    home.mkdir()
    (folder / "inbox").mkdir()
    environment = clean_environment(
        home,
        PYTHONPATH=str(ROOT),
        AUTOPHAGY_AUTOMATE="1",
        AUTOPHAGY_WATCH_SECONDS="2",
        AUTOPHAGY_INBOX=str(folder / "inbox"),
        AUTOPHAGY_WEBHOOK=listener.url,
        AUTOPHAGY_UI_URL="http://lab.example",
        no_proxy="127.0.0.1",
    )
    ports = {part: free_port() for part in ("code", "web", "read-only")}
    code = ["--code-port", str(ports["code"])]
    running = {}
    for part in ("code", "daemon", "web", "read-only"):
        more = ["--port", str(ports[part])] if part in ("web", "read-only") else []
        log = (folder / f"{part}.log").open("w")
        running[part] = subprocess.Popen(
            [sys.executable, "-m", "autophagy_assets.cli", "serve", part, *more, *code],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        for part in ("web", "read-only"):
            wait(lambda part=part: sensors(ports[part]), f"{part}:\n{said(folder)}")
        yield {**ports, "pids": running, "inbox": folder / "inbox"}
    finally:
        for process in reversed(list(running.values())):
            process.send_signal(signal.SIGTERM)
        for part, process in running.items():
            process.wait(timeout=60)
            # The code server ends with 1 when it is asked to end; its unit says that this is no
            # failure.
            ended = (0, -signal.SIGTERM, 1 if part == "code" else 0)
            assert process.returncode in ended, (
                f"{part} ended with {process.returncode}:\n{log_of(folder, part)}"
            )


def log_of(folder: Path, part: str) -> str:
    return (folder / f"{part}.log").read_text()[-3000:]


def said(folder: Path) -> str:
    return "\n".join(f"{part}: {log_of(folder, part)}" for part in PARTS)


def wait(look: Callable[[], object], what: str, seconds: float = 90) -> object:
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, what
        time.sleep(0.5)
    return found


def ask(port: int, query: str) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def sensors(port: int) -> dict[str, tuple[str, list[str]]]:
    """Status and reasons of the latest ticks of each sensor."""
    query = """{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name }
        sensors { name sensorState { status ticks(limit: 3) { skipReason } } } } } } }"""
    try:
        nodes = ask(port, query)["repositoriesOrError"].get("nodes") or []
    except (urllib.error.URLError, OSError):
        return {}
    return {
        sensor["name"]: (
            sensor["sensorState"]["status"],
            [str(tick["skipReason"]) for tick in sensor["sensorState"]["ticks"]],
        )
        for node in nodes
        for sensor in node["sensors"]
        if node["location"]["name"] == CODE_LOCATION
    }


def looks(port: int, sensor: str, since: float) -> int:
    """How often a sensor has looked since a time, as far as its last five looks go."""
    query = f"""{{ sensorOrError(sensorSelector: {{sensorName: "{sensor}",
        repositoryName: "__repository__", repositoryLocationName: "{CODE_LOCATION}"}}) {{
        ... on Sensor {{ sensorState {{ ticks(limit: 5) {{ timestamp endTimestamp }} }} }} }} }}"""
    ticks = ask(port, query)["sensorOrError"]["sensorState"]["ticks"]
    return sum(tick["timestamp"] > since and tick["endTimestamp"] is not None for tick in ticks)


@pytest.mark.slow
def test_a_submission_that_cannot_be_ingested_is_reported(services, listener):
    """Nothing has been turned on by hand: the sensors run, and the lab hears what is wrong."""
    found = sensors(services["web"])
    assert {status for status, _ in found.values()} == {"RUNNING"}
    # The failure sensor reports what fails after its first look.
    wait(lambda: sensors(services["web"])["report_failures"][1], "first look for failures")
    inbox = services["inbox"]
    write_images(inbox.parent / "friday", Study.load(), [FIELD])
    image(truncate)(inbox.parent / "friday")
    (inbox.parent / "friday").rename(inbox / "friday")
    wait(lambda: listener.heard, "message of the failed run")
    (heard,) = listener.heard
    lines = heard[2]["text"].splitlines()
    assert lines[:2] == ["ingest_submission has failed.", "Folder in the inbox: friday"]
    assert "0_DAPI.tif" in lines[2] and lines[3].startswith("Run: http://lab.example/runs/")

    def reported() -> bool:
        run = lines[3].rpartition("/")[2]
        ticks = sensors(services["web"])["watch_inbox"][1]
        return any("friday: its ingest has failed: " in t and f"See run {run}" in t for t in ticks)

    wait(reported, "a tick of watch_inbox that reports it")
    now = time.time()
    wait(lambda: looks(services["web"], "watch_inbox", now) >= 2, "two looks more")
    assert len(listener.heard) == 1, "it is not tried again"


@pytest.mark.slow
def test_the_read_only_server_shows_all_and_changes_nothing(services):
    start = """mutation { startSensor(sensorSelector: {sensorName: "watch_inbox",
        repositoryName: "__repository__",
        repositoryLocationName: "autophagy_assets.definitions"}) { __typename } }"""
    launch = """mutation { launchRun(executionParams: {selector: {
        repositoryName: "__repository__", jobName: "refresh_all",
        repositoryLocationName: "autophagy_assets.definitions"}, runConfigData: "{}"}) {
        __typename } }"""
    assert ask(services["read-only"], launch)["launchRun"]["__typename"] == "UnauthorizedError"
    assert ask(services["read-only"], start)["startSensor"]["__typename"] == "UnauthorizedError"
    assert sensors(services["read-only"]).keys() == sensors(services["web"]).keys()


@pytest.mark.slow
def test_no_part_can_be_reached_from_elsewhere(services):
    family = set().union(*(family_of(p.pid) for p in services["pids"].values()))
    found = listening(family)
    assert {services[part] for part in ("code", "web", "read-only")} <= {port for _, port in found}
    # gRPC listens on the IPv4 address through an IPv6 socket.
    assert {address for address, _ in found} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
