"""One server of the built book, one JupyterLab: shared by all tests of pages."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from playwright.sync_api import expect

from kdsharp import course
from kdsharp.book.serving import serving
from kdsharp.island import modules
from kdsharp.island.files import seal

PATIENCE = 90_000
"""Milliseconds that a browser may take: a busy machine is no failure."""
expect.set_options(timeout=PATIENCE)
OURS = re.compile(r"/_static/island/|data:text/javascript")
"""Where an error comes from that is not the theme's."""
OUTSIDE = re.compile(r"^https?://(?!127\.0\.0\.1|localhost)")


@pytest.fixture
def page(chrome):
    """A page that may only open this machine. ``page.asked`` lists what else it wanted, ``page.errors`` what failed in
    an island.
    """
    page = chrome.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.asked, page.errors = [], []

    def refuse(route):
        page.asked.append(route.request.url)
        route.abort()

    page.route(OUTSIDE, refuse)
    page.on("pageerror", lambda error: page.errors.extend([str(error)] if OURS.search(error.stack or "") else []))
    yield page
    page.close()


@pytest.fixture
def open_page(page, tmp_path):
    """Open a page that holds islands one below the other, as a lesson does, without a kernel."""
    with serving(tmp_path) as address:

        def show(*islands, name="05_known_blur"):
            modules.publish(tmp_path / "island")
            body = "\n".join(seal(island.page()) for island in islands)
            script = '<script type="module" src="island/page.mjs"></script>'
            style = '<meta charset="utf-8"><link rel="stylesheet" href="island/look.css">'
            text = f'<!doctype html><html lang="en"><head>{style}{script}</head><body>{body}</body></html>'
            (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")
            page.goto(f"{address}/{name}.html")
            return page

        yield show


@pytest.fixture(scope="session")
def book(smoke_build):
    """The address of the book, built from lessons in smoke profile."""
    with serving(smoke_build / "book" / "_build" / "html") as address:
        yield address


ACTS = (
    "from kdsharp import course\nguess = course.predict('How much?', unit='dB', within=0.5)",
    "guess.reveal('The **answer**.', measured=3.2)",
    "course.quiz([{'question': 'PSNR?', 'number': 30, 'why': 'So it is.'}])",
    "course.expect(True, 'no')\ncourse.passed('that it runs.')",
    "course.ledger(whole=True)",
)
"""A notebook with something of each kind that a reader does."""


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """The folder that JupyterLab opens."""
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="session")
def jupyterlab(chromium, desk):
    """The address of a JupyterLab whose folder holds all lessons in smoke profile."""
    folder = desk
    for name, path in course.lessons().items():
        text = path.read_text(encoding="utf-8").replace('PROFILE = \\"lab\\"', 'PROFILE = \\"smoke\\"')
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8")
    acts = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in ACTS])
    acts.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(acts, folder / "acts.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    home = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    settings = {"notebook-extension/tracker": {"windowingMode": "none"}}  # else cells out of sight are not in the page
    settings["apputils-extension/notification"] = {"fetchNews": "false", "checkForUpdates": False}
    for name, value in settings.items():
        extension, _, plugin = name.partition("/")
        file = folder / "settings" / "@jupyterlab" / extension / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value), encoding="utf-8")
    options += ["--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"]
    with (folder / "lab.log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=os.environ | home, stdout=log, stderr=log
        )
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                urllib.request.urlopen(address + "/api", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address
        running.terminate()
        running.wait(20)
