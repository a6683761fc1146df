"""A failed run is reported: a real HTTP server receives it, and no secret is sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest

from autophagy_assets.automation.alerts import define_report_failures, message_of
from autophagy_assets.automation.webhook import NotPosted, post
from autophagy_assets.config.secrets import without_secrets


class Listener(HTTPServer):
    """Remembers what it receives, and answers as it is set to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[str, str, dict]] = []
        self.answer, self.headers, self.silent = 200, {}, threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/services/secret"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Listener = self.server
        server.heard.append((self.path, self.headers["Content-Type"], json.loads(body)))
        if server.silent.is_set():
            server.silent.clear()
            threading.Event().wait(1)
            return
        self.send_response(server.answer)
        for name, value in server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"ok")

    do_GET = do_POST

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def heard_by_a_server() -> Iterator[Listener]:
    server = Listener()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with heard_by_a_server() as server:
        yield server


def test_the_message_has_the_format_of_slack(listener):
    post(listener.url, "AUC < 0.7 & falling")
    assert listener.heard == [
        ("/services/secret", "application/json", {"text": "AUC &lt; 0.7 &amp; falling"})
    ]


@pytest.mark.parametrize("answer", [400, 404, 500])
def test_an_answer_that_refuses_is_reported_without_the_address(listener, answer):
    listener.answer = answer
    with pytest.raises(NotPosted, match=f"it answers {answer}") as raised:
        post(listener.url, "x")
    assert "secret" not in str(raised.value) and raised.value.__cause__ is None


@pytest.mark.parametrize("answer", [301, 302, 307, 308])
def test_it_is_not_sent_on_to_another_address(listener, answer):
    listener.answer, listener.headers = answer, {"Location": listener.url + "/elsewhere"}
    with pytest.raises(NotPosted, match=str(answer)):
        post(listener.url, "x")
    assert len(listener.heard) == 1


def test_a_server_that_does_not_answer_times_out(listener):
    listener.silent.set()
    with pytest.raises(NotPosted, match="cannot be reached"):
        post(listener.url, "x", timeout_s=0.2)


def test_a_server_that_is_down_is_reported(listener):
    gone = HTTPServer(("127.0.0.1", 0), Handler)
    port = gone.server_port
    gone.server_close()
    with pytest.raises(NotPosted, match="Connection refused"):
        post(f"http://127.0.0.1:{port}/secret", "x")


@dg.op
def divide() -> None:
    raise dg.Failure("sample.csv has no rows; add one per cell.", allow_retries=False)


@dg.op
def crash() -> None:
    try:
        raise ValueError("cannot reach postgresql://me:hidden@db/lab")
    except ValueError as error:
        raise RuntimeError("something else") from error


@dg.job(name="nightly")
def failing() -> None:
    divide()


@dg.job
def crashing() -> None:
    crash()


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["WT", "KO"]))
def table() -> None:
    raise dg.Failure("the table of WT is empty", allow_retries=False)


class Tick:
    """The sensor as the daemon evaluates it, again and again."""

    def __init__(self) -> None:
        self.instance = dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}})
        self.cursor: str | None = None
        self.look()

    def look(self) -> list[str]:
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        self.logged: list[str] = []
        context.log.error = lambda message: self.logged.append(message)  # type: ignore
        data = define_report_failures().evaluate_tick(context)
        self.cursor = data.cursor
        errors = [r.error for r in data.dagster_run_reactions or [] if r.error]
        assert not errors, errors
        return self.logged


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Tick:
    for name in ("AUTOPHAGY_WEBHOOK", "AUTOPHAGY_UI_URL", "AUTOPHAGY_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Tick()


def test_a_failed_run_is_reported_once_with_its_reason_and_a_link(tick, listener, monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_WEBHOOK", listener.url)
    monkeypatch.setenv("AUTOPHAGY_UI_URL", "https://lab.example/")
    run = failing.execute_in_process(instance=tick.instance, raise_on_error=False)
    assert tick.look() == []
    ((_, _, posted),) = listener.heard
    assert posted["text"].splitlines() == [
        "nightly has failed.",
        "divide: sample.csv has no rows; add one per cell.",
        f"Run: https://lab.example/runs/{run.run_id}",
    ]
    tick.look()
    assert len(listener.heard) == 1


def test_assets_and_partition_are_named(tick, listener, monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_WEBHOOK", listener.url)
    run = dg.materialize([table], instance=tick.instance, partition_key="WT", raise_on_error=False)
    tick.look()
    ((_, _, posted),) = listener.heard
    assert "Partition: WT" in posted["text"] and "table: the table of WT is empty" in posted["text"]
    assert f"Run: {run.run_id}" in posted["text"]


def test_many_assets_are_counted():
    keys = frozenset(dg.AssetKey(name) for name in "abcdefg")
    run = dg.DagsterRun("__ASSET_JOB", "r1", asset_selection=keys)
    assert message_of(run, "why", None).splitlines() == [
        "A run of assets has failed.",
        "Assets: a, b, c, d, e and 2 more",
        "why",
        "Run: r1",
    ]


def test_without_a_webhook_it_is_logged(tick):
    run = failing.execute_in_process(instance=tick.instance, raise_on_error=False)
    (logged,) = tick.look()
    assert "sample.csv has no rows" in logged and run.run_id in logged


def test_a_webhook_that_is_down_is_logged_and_breaks_nothing(tick, listener, monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_WEBHOOK", listener.url)
    listener.answer = 503
    failing.execute_in_process(instance=tick.instance, raise_on_error=False)
    crashing.execute_in_process(instance=tick.instance, raise_on_error=False)
    logged = [line for _ in range(2) for line in tick.look()]
    assert len(listener.heard) == 2 and len(logged) == 2
    for line in logged:
        assert "it answers 503" in line and "/services/secret" not in line
    assert "hidden" not in str(logged) + str(listener.heard)


def test_the_first_error_is_the_reason_and_passwords_are_not_reported(tick):
    crashing.execute_in_process(instance=tick.instance, raise_on_error=False)
    (logged,) = tick.look()
    assert "cannot reach postgresql://<credentials>@db/lab" in logged


def test_what_is_known_to_be_secret_is_taken_out(monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_WEBHOOK", "https://hooks.example/T/key")
    text = without_secrets("posting to https://hooks.example/T/key, then http://a:b@c/d failed")
    assert text == "posting to <AUTOPHAGY_WEBHOOK>, then http://<credentials>@c/d failed"
    assert len(without_secrets("x" * 5000)) < 1100


def test_a_run_that_succeeds_is_not_reported(tick, listener, monkeypatch):
    monkeypatch.setenv("AUTOPHAGY_WEBHOOK", listener.url)

    @dg.job
    def fine() -> None:
        pass

    fine.execute_in_process(instance=tick.instance)
    assert tick.look() == [] and listener.heard == []
