"""A running platform: the web server and daemon that `autophagy ui` starts, and what they say."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autophagy_assets.cli.serve import CODE_LOCATION
from autophagy_assets.config.models import AS_PUBLISHED

REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": CODE_LOCATION,
}
# What a featurized study needs to be complete; no image is segmented.
GIVE_AND_REFRESH = """
import sys
from pathlib import Path
from autophagy_assets.automation.refresh import refresh
from autophagy_assets.config.study import Study
from autophagy_assets_tests.given import given_study

study = Study.load()
# Crops of the size that segmentation gives: galleries show them beside those of new images.
given_study(study, Path(sys.argv[1]), side=study.segmentation.image_size)
done = refresh()
assert not done.failed, done.failed
print(len(done.made))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def listening(pids: set[int]) -> set[tuple[str, int]]:
    """Address and port of every TCP socket on which some processes listen."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = os.readlink(link)
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            entry = line.split()
            if entry[3] == "0A" and entry[9] in inodes:
                address, port = entry[1].split(":")
                found.add((_address(address), int(port, 16)))
    return found


def _address(hexadecimal: str) -> str:
    words = [bytes.fromhex(hexadecimal[i : i + 8])[::-1] for i in range(0, len(hexadecimal), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))


def family_of(pid: int) -> set[int]:
    """A process and all its descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parent = int(text.rsplit(")", 1)[1].split()[1])
        parents.setdefault(parent, []).append(int(stat.parent.name))
    family, found = {pid}, [pid]
    while found:
        children = parents.get(found.pop(), [])
        family.update(children)
        found.extend(children)
    return family


@dataclass
class Served:
    """A platform that is served from a home."""

    home: Path
    environment: dict[str, str]
    port: int
    process: subprocess.Popen
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask the web server, as its own pages do."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            answer = json.load(reply)
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def said(self) -> str:
        return self.log.read_text()[-4000:]

    def wait(self, what: str, look: Callable[[], Any], seconds: float, pause: float = 1.0) -> Any:
        """Wait until a look gives something that is true; each look costs the web server."""
        end = time.monotonic() + seconds
        while True:
            if found := look():
                return found
            assert self.process.poll() is None, f"the server has ended:\n{self.said()}"
            assert time.monotonic() < end, f"no {what} in {seconds} s:\n{self.said()}"
            time.sleep(pause)

    def answers(self) -> bool:
        try:
            located = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { id } } } }"
            )
        except (urllib.error.URLError, OSError):
            return False
        return bool(located["workspaceOrError"]["locationEntries"])

    def command(self, *arguments: str) -> str:
        """Run the command line on the same home."""
        done = subprocess.run(
            [sys.executable, "-m", "autophagy_assets.cli", *arguments],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def runs(self) -> dict[str, str]:
        """Status of every run by its id."""
        found = self.ask("{ runsOrError { ... on Runs { results { runId status } } } }")
        return {run["runId"]: run["status"] for run in found["runsOrError"]["results"]}

    def ended(self, run: str, seconds: float = 90) -> str:
        """Wait for a run to end; gives its status."""
        query = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

        def look() -> str | None:
            status = self.ask(query, id=run)["runOrError"].get("status")
            return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

        return self.wait(f"end of run {run}", look, seconds)

    def materialized(self, asset: str, partition: str | None = None) -> dict[str, Any] | None:
        """Latest materialization: its run, and its metadata by label."""
        query = """
        query ($key: AssetKeyInput!, $partitions: [String!]) {
          assetNodeOrError(assetKey: $key) { ... on AssetNode {
            assetMaterializations(limit: 1, partitions: $partitions) {
              runId metadataEntries { label
                ... on TextMetadataEntry { text }
                ... on MarkdownMetadataEntry { mdStr }
                ... on JsonMetadataEntry { jsonString }
                ... on IntMetadataEntry { intValue } } } } } }"""
        found = self.ask(
            query, key={"path": [asset]}, partitions=[partition] if partition else None
        )["assetNodeOrError"]["assetMaterializations"]
        if not found:
            return None
        values = {
            entry.pop("label"): next(iter(entry.values()), None)
            for entry in found[0]["metadataEntries"]
        }
        return {"run": found[0]["runId"], **values}

    def parameters(self) -> dict[str, Any]:
        """Parameters of the published model as it is now."""
        made = self.materialized("autophagy_classifier", AS_PUBLISHED)
        assert made is not None
        return json.loads(made["parameters"])

    def new_run(self, known: Iterable[str], seconds: float = 60) -> str:
        """Wait for a run that was not known."""
        return self.wait("new run", lambda: sorted(set(self.runs()) - set(known)), seconds)[0]

    def launch(self, job: str) -> str:
        """Launch a job as the launchpad does; gives its run."""
        query = """
        mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
          __typename ... on LaunchRunSuccess { run { runId } }
          ... on PythonError { message } } }"""
        selector = {**REPOSITORY, "jobName": job}
        answer = self.ask(query, params={"selector": selector, "runConfigData": "{}"})["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return answer["run"]["runId"]

    def stop(self) -> int:
        """Stop as a service manager does."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def serve(home: Path, environment: dict[str, str]) -> Served:
    """Start `autophagy ui` on a free port and wait until it answers."""
    port, log = free_port(), home / "ui.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "autophagy_assets.cli", "ui", "--port", str(port)],
            env=environment,
            cwd=home,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    served = Served(home, environment, port, process, log)
    served.wait("answer of the web server", served.answers, 90)
    return served
