"""An object store of the tests' own, and a line to it that can be cut.

moto keeps the objects in memory, speaks S3 and heeds conditions. Between it and the platform is a
proxy, at which requests can be held up, broken off or refused as a network or a server does it.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

USER = {"AWS_ACCESS_KEY_ID": "team", "AWS_SECRET_ACCESS_KEY": "secret"}
# One try for each request: what goes wrong on purpose is not waited for.
ENVIRONMENT = USER | {"AWS_MAX_ATTEMPTS": "1", "AWS_DEFAULT_REGION": "us-east-1"}
_EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>It has expired.</Message></Error>"


def program() -> str | None:
    """moto's server, where it is installed."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("moto_server", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")


class ObjectStore:
    """A server on the loopback interface, and a proxy before it.

    Attributes
    ----------
    fault : str
        What becomes of the requests that follow: ``away`` (no answer), ``expired`` (refused),
        ``stalled`` (half of what is put arrives, and then nothing), ``broken off`` (half of an
        object is answered); empty: nothing.
    times : int
        How many requests it becomes of.
    stalled : threading.Event
        Set once a request is held up.
    """

    def __init__(self, moto: str) -> None:
        self.port = _free_port()
        self._moto = subprocess.Popen(
            [moto, "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.fault, self.times, self.stalled = "", 0, threading.Event()
        self._proxy = ThreadingHTTPServer(("127.0.0.1", 0), _Line)
        self._proxy.store = self  # type: ignore[attr-defined]
        self._proxy.daemon_threads = True
        threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        for _ in range(300):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("moto does not answer")

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._proxy.server_address[1]}"

    def address(self, bucket: str, prefix: str) -> str:
        """As ``AUTOPHAGY_STORAGE`` wants it; the bucket is made."""
        self.client.create_bucket(Bucket=bucket)  # which may be there
        return f"s3://{bucket}/{prefix}?endpoint_url={self.endpoint}"

    @cached_property
    def client(self) -> Any:
        """boto3's, straight to the server: for what others do to the bucket."""
        import boto3

        keys = {"aws_access_key_id": "another", "aws_secret_access_key": "program"}
        url = f"http://127.0.0.1:{self.port}"
        return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **keys)

    def go_wrong(self, fault: str, times: int = 1_000_000) -> None:
        self.stalled.clear()
        self.fault, self.times = fault, times

    def require_rights(self, required: bool) -> None:
        """Have the server refuse everybody, as it knows no user."""
        link = http.client.HTTPConnection("127.0.0.1", self.port)
        link.request("POST", "/moto-api/reset-auth", b"0" if required else b"1000000000")
        assert link.getresponse().status == 200

    def due(self, method: str, key: str) -> str:
        """What is to become of a request."""
        wanted = {"stalled": method == "PUT", "broken off": method == "GET" and "?" not in key}
        if not self.times or not wanted.get(self.fault, True):
            return ""
        self.times -= 1
        return self.fault

    def end(self) -> None:
        self._proxy.shutdown()
        self._moto.terminate()
        self._moto.wait(timeout=30)


class _Line(BaseHTTPRequestHandler):
    """One connection through the proxy."""

    protocol_version = "HTTP/1.1"
    wbufsize, disable_nagle_algorithm = 1 << 16, True

    def handle_one(self) -> None:
        store: ObjectStore = self.server.store  # type: ignore[attr-defined]
        fault = store.due(self.command, self.path)
        length = int(self.headers.get("Content-Length", 0))
        if fault == "stalled":
            self.rfile.read(length // 2)
            store.stalled.set()
            self.rfile.read()  # until the other end has gone
        if fault in ("stalled", "away"):
            self.close_connection = True
            return
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        body = self.rfile.read(length)
        if fault == "expired":
            self._answer(400, {"Content-Type": "application/xml"}, _EXPIRED)
            return
        link = http.client.HTTPConnection("127.0.0.1", store.port)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        link.request(self.command, self.path, body, headers)
        answer = link.getresponse()
        content = answer.read()
        length_of_object = answer.headers["Content-Length"]
        if fault == "broken off":
            content = content[: len(content) // 2]
            self.close_connection = True
        self._answer(answer.status, dict(answer.headers), content, length_of_object)

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, length: str | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = handle_one

    def log_message(self, *_: Any) -> None:
        pass


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
