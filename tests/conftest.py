"""What several tests need."""

import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image
from playwright.sync_api import sync_playwright
from shared import tool

ROOT = Path(__file__).parents[1]


def pytest_configure(config):
    """A shell that runs a job in the background (``make test &``, ``nohup``, many CIs) has it ignore Ctrl-C, and all
    its children too. Tests send Ctrl-C to children: here they get the default back.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def kdsharp(tmp_path):
    """Run the command line in an empty folder; returns the finished process."""

    def call(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "kdsharp", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=os.environ | {"COLUMNS": "160"} | environment,
            timeout=600,
        )

    return call


@pytest.fixture
def photo(tmp_path):
    """Path of a small RGB photo with some structure."""
    rows, columns = np.mgrid[:48, :64]
    pixels = np.stack([(rows * 5) % 256, (columns * 4) % 256, (rows * columns) % 256], -1).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def real_data():
    """The folder of real images for measuring, named by KDSHARP_REAL_DATA."""
    folder = os.environ.get("KDSHARP_REAL_DATA")
    if not folder:
        pytest.skip("KDSHARP_REAL_DATA is not set: real pairs are measured only where they lie on disk")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium():
    """Path of an installed Chromium or Chrome."""
    return tool("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chrome(chromium):
    """A headless browser, one a worker: Playwright allows no second one beside it."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        arguments += ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def smoke_build(tmp_path_factory, worker_id):
    """All lessons run in smoke profile and the book built from them, with every connection but loopback refused.

    Of several workers the first one makes it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "smoke"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "offline"), "COLUMNS": "160"}
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "whole").exists():
            folder.mkdir(exist_ok=True)
            for command in (["run", "--profile", "smoke"], ["book", "--profile", "smoke", "--no-serve"]):
                done = subprocess.run(
                    [sys.executable, "-m", "kdsharp", *command],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    env=environment,
                )
                assert done.returncode == 0, done.stdout + done.stderr
            (folder / "whole").touch()
    return folder / "build"


class FileServer(ThreadingHTTPServer):
    """One file on loopback, with the faults that a test asks for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FileHandler)
        self.content = np.random.default_rng(0).bytes(2_000_000)
        self.kind, self.etag = "application/zip", '"one"'
        self.ranges = self.if_range = True
        self.statuses = []  # answered in this order before the file is
        self.cuts = []  # bytes after which the next answers end too early
        self.stalls = threading.Event()  # set: a cut answer is silent instead, until the client goes away
        self.requests, self.served = [], 0

    def url(self, name="pairs.zip"):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def handle_error(self, request, address):
        """A client that went away is what several tests are about."""


class FileHandler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):
        server = self.server
        server.requests.append(dict(self.headers))
        start, status = 0, server.statuses.pop(0) if server.statuses else 200
        known = self.headers.get("If-Range") in (None, server.etag) or not server.if_range
        if "Range" in self.headers and server.ranges and known and status == 200:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            status = 206 if start < len(server.content) else 416
        if status not in (200, 206):
            self.send_error(status)
            return
        self.send_response(status)
        body = server.content[start:]
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.etag:
            self.send_header("ETag", server.etag)
        self.send_header("Content-Type", server.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else None
        server.served += len(body[:cut])  # before the bytes: who has them all may look at once
        self.wfile.write(body[:cut])
        if cut is not None and server.stalls.is_set():
            self.connection.settimeout(300)
            self.connection.recv(1)


@pytest.fixture
def file_server(monkeypatch):
    """A running :class:`FileServer`, reached without a proxy."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
