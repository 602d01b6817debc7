"""The published page and JupyterLab in a real browser."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

from kdsharp import course

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def page(chromium):
    """A page of a headless browser that may only open this machine."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost)"), lambda route: route.abort())
        yield page
        browser.close()


def test_the_front_page_shows_its_picture(page, smoke_build):
    page.goto((smoke_build / "book" / "_build" / "html" / "index.html").as_uri())
    picture = page.locator("img[src*='front.webp']")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 600


@pytest.mark.parametrize("lesson", course.lessons())
def test_moving_a_slider_changes_the_picture(page, smoke_build, lesson):
    page.goto((smoke_build / "book" / "_build" / "html" / "lessons" / f"{lesson}.html").as_uri())
    explorer = page.locator(".kdsharp-explorer").first
    slider, picture = explorer.locator("input[type=range]").first, explorer.locator("img")
    before, said = picture.get_attribute("src"), picture.get_attribute("alt")
    slider.focus()
    slider.press("End" if slider.input_value() != slider.get_attribute("max") else "Home")
    assert picture.get_attribute("src") != before
    assert picture.get_attribute("alt") != said
    missing = page.locator("img:not([alt]), img[alt='']")
    assert missing.count() == 0, missing.first.evaluate("image => image.outerHTML.slice(0, 200)")


@pytest.fixture
def jupyterlab(tmp_path):
    """Address of a JupyterLab whose folder holds lesson 09 in smoke profile."""
    source = course.lessons()["09_distillation"].read_text(encoding="utf-8")
    (tmp_path / "lesson.ipynb").write_text(
        source.replace('PROFILE = \\"lab\\"', 'PROFILE = \\"smoke\\"'), encoding="utf-8"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.root_dir=" + str(tmp_path)]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")
    home = {"JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings")}
    tracker = tmp_path / "settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    tracker.write_text('{"windowingMode": "none"}', encoding="utf-8")  # else cells out of sight are not in the page
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyterlab",
            *options,
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ],
        env=os.environ | home,
        stdout=log,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(address + "/api", timeout=2).close()
            break
        except OSError:
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait(20)
    log.close()


def test_the_explorer_is_live_in_jupyterlab(page, jupyterlab):
    page.goto(jupyterlab + "/lab/tree/lesson.ipynb?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    kernel = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"() => {kernel}?.status === 'idle'", timeout=60_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    handle = page.locator(".noUi-handle").first
    handle.wait_for(state="attached", timeout=70_000)
    handle.scroll_into_view_if_needed()
    picture = page.locator(".jp-OutputArea-output .widget-html-content img").first
    before = picture.get_attribute("src")
    handle.focus()
    handle.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before, timeout=60_000)
