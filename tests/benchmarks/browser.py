"""The students in a browser: frames a second on a camera of 640x480, and milliseconds for Full HD.

    python tests/benchmarks/browser.py [--student tiny]

Chromium's fake camera gives the frames, WebAssembly runs the networks; beside the rate stands what a frame took (median
of 20): the canvas's pixels to bytes, the network, the page's drawing. On one thread, and on as many as a page gets
whose server sends the two headers that threads need. Aim: `tiny` at least 15 frames a second on two cores.
"""

import argparse
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from kdsharp.book.serving import serving
from kdsharp.datasets import photos
from kdsharp.explore.browser import BrowserPage, students
from kdsharp.island import packages

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
STATUS = "[data-part=status]"

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--frames", type=int, default=60)
parser.add_argument("--student", action="append", help="only this one; may be given several times")
parser.add_argument("--quick", action="store_true", help="one student, three frames, a small photo: does it run?")
options = parser.parse_args()
names = ["tiny"] if options.quick else options.student or ["tiny", "small", "base", "gaussian-256", "bilinear-60"]
frames = 3 if options.quick else options.frames
example = photos("test")[1].pixels
if not options.quick:
    example = np.tile(example, (4, 5, 1))[:1080, :1920]
chromium = next(path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path)
flags = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
table = Table("student", "back end", "frames a second, 640x480", "read, run, draw, ms", "Full HD, ms", "a second")


def answer_with(headers):
    """A route that sends what the server sends, or what stands for the CDN, with these headers besides."""
    files = {packages.on_cdn(file): packages.folder() / file for file in packages.INTEGRITY}

    def answer(route):
        if route.request.url in files:
            body, allowed = files[route.request.url].read_bytes(), {"Access-Control-Allow-Origin": "*"}
            route.fulfill(body=body, content_type="application/octet-stream", headers=allowed)
        else:
            found = route.fetch()
            route.fulfill(response=found, headers=found.headers | headers)

    return answer


with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, serving(Path(folder)) as address:
    BrowserPage(students(names, Path(folder) / "onnx"), example).save(Path(folder) / "page.html")
    browser = playwright.chromium.launch(executable_path=chromium, args=flags)
    for headers in ({}, ISOLATED):
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.route(re.compile("^http"), answer_with(headers))
        page.goto(f"{address}/page.html")
        for name in names:
            page.locator("[data-part=model]").select_option(name)
            page.locator("[data-part=camera]").click()
            page.wait_for_function(
                "frames => Number(document.querySelector('.kdsharp-browser').dataset.frames) >= frames", arg=frames
            )
            rate = re.search(r"([\d.]+) frames a second \((.+)\), on (.+)", page.locator(STATUS).inner_text())
            page.locator("[data-part=camera]").click()
            page.locator(".kdsharp-browser[data-state=ended]").wait_for()
            page.locator(".kdsharp-browser").evaluate("each => { each.dataset.frames = 0; }")
            page.locator("[data-part=example]").click()
            page.locator(".kdsharp-browser[data-state=done]").wait_for()
            page.locator("[data-part=again]").click()
            page.locator(".kdsharp-browser[data-state=timed]").wait_for()
            hd = re.search(r"frame takes (\d+) ms: ([\d.]+) frames", page.locator(STATUS).inner_text())
            parts = ", ".join(re.findall(r"\d+", rate[2]))
            table.add_row(name, f"WebAssembly, {rate[3]}", rate[1], parts, hd[1], hd[2])
        page.close()
    browser.close()
Console(width=120).print(table)
