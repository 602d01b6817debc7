"""The student in the reader's browser: a real Chromium, the runtime from the book, or from npm in the CDN's place."""

import io
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from kdsharp import checkpoints, export, inference, kernels
from kdsharp.book import sharpening
from kdsharp.checks import UsageError
from kdsharp.datasets import photos
from kdsharp.explore import browser
from kdsharp.images import quantize, to_array, to_linear, to_srgb, to_tensor
from kdsharp.island import modules, packages
from kdsharp.metrics import psnr
from kdsharp.tune import tuned

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PHOTO = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
READ = """canvas => [canvas.width, canvas.height,
    Array.from(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data)]"""
KEPT = """async file => {
    const kept = await (await caches.open('kdsharp')).keys();
    return kept.some(({ url }) => url.endsWith(file));
}"""


@pytest.fixture(scope="module")
def runtime():
    """The folder of npm's packages, which stands for the CDN."""
    if not packages.are_here():
        pytest.skip("npm's packages are not here; fetch them: kdsharp book --fetch")
    return packages.folder()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The file of the bundled student, uint8 pixels in and out."""
    return browser.students(["small"], tmp_path_factory.mktemp("onnx"))["small"]


def serve(page, folder):
    """Answer for the CDN with the files of a folder."""
    files = {packages.on_cdn(file): folder / file for file in packages.INTEGRITY}

    def answer(route):
        body, headers = files[route.request.url].read_bytes(), {"Access-Control-Allow-Origin": "*"}
        route.fulfill(body=body, content_type="application/octet-stream", headers=headers)

    page.route(re.compile("^" + re.escape(packages.HOST)), answer)


def state(page, wanted):
    page.locator(f".kdsharp-browser[data-state={wanted}]").wait_for(timeout=120_000)


def said(page):
    return page.locator("[data-part=status]").inner_text()


def shown(page):
    """The canvas as uint8 (H, W, 3)."""
    width, height, data = page.locator("[data-part=canvas]").evaluate(READ)
    return np.array(data, np.uint8).reshape(height, width, 4)[..., :3]


def slide(page, name, value):
    page.locator(f"[data-part={name}]").fill(str(value))


def give(page, tmp_path, pixels, name="mine.png", **options):
    Image.fromarray(pixels).save(tmp_path / name, **options)
    page.locator("[data-part=file]").set_input_files(tmp_path / name)
    state(page, "done")


def saved(page):
    with page.expect_download() as download:
        page.locator("[data-part=save]").click()
    assert re.fullmatch(r"phone, small x \d\.?\d*\.png", download.value.suggested_filename)  # by what, how strongly
    return np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())))


@pytest.fixture
def single(page, runtime, model, tmp_path):
    """A page of its own with nothing but the island, opened from disk."""
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=example]").wait_for()
    return page


def test_the_browser_answers_as_python_does(single, model):
    page = single
    assert page.asked == []  # a page that nobody touches fetches nothing
    page.locator("[data-part=example]").click()
    state(page, "done")
    assert "90 x 70 pixels" in said(page)
    slide(page, "split", 0)
    answer = export.Session(model).pixels(PHOTO).astype(int)
    assert np.abs(shown(page) - answer).max() <= 1
    slide(page, "strength", 0.5)
    assert np.abs(shown(page) - (PHOTO + 0.5 * (answer - PHOTO))).max() <= 1
    slide(page, "strength", 1)
    page.locator("[data-part=shown]").select_option("difference")
    assert np.abs(shown(page) - np.clip(128 + 4 * (answer - PHOTO), 0, 255)).max() <= 4
    page.locator("[data-part=shown]").select_option("wipe")
    slide(page, "split", 100)
    np.testing.assert_array_equal(shown(page), PHOTO)
    page.locator("[data-part=again]").click()
    state(page, "timed")
    assert re.search(r"median of 5 runs \d+ ms .* Full HD frame takes \d+ ms", said(page))


@pytest.fixture(scope="module")
def card(chrome, chromium):
    """A browser with a graphics card, which is computed: right, and slow."""
    arguments = ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
    browser_with_card = chrome.browser_type.launch(
        executable_path=chromium, args=[*arguments, "--enable-features=Vulkan"]
    )
    yield browser_with_card
    browser_with_card.close()


def on_card(card, runtime, model, folder):
    """The single page in that browser, with the example's answer, and the graphics card asked for."""
    page = card.new_page()
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(folder / "page.html").as_uri())
    page.locator("[data-part=example]").click()
    state(page, "done")
    page.locator("[data-part=card]").check()
    return page


def test_a_graphics_card_that_is_slower_is_told_so_and_not_used(card, runtime, model, tmp_path):
    page = on_card(card, runtime, model, tmp_path)
    state(page, "compared")
    assert re.search(
        r"small, 90 x 70 pixels: graphics card [\d.]+ ms, processor [\d.]+ ms. The processor stays", said(page)
    )
    expect(page.locator("[data-part=card]")).not_to_be_checked()


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Change a line of the worker, for what this machine's card cannot be: fast, or wrong."""

    def edit(old, new):
        web = shutil.copytree(modules.WEB, tmp_path / "web")
        worker = web / "runner.mjs"
        assert worker.read_text().count(old) == 1
        worker.write_text(worker.read_text().replace(old, new))
        monkeypatch.setattr(modules, "WEB", web)
        modules.source.cache_clear()

    yield edit
    monkeypatch.undo()
    modules.source.cache_clear()


def test_a_graphics_card_that_is_faster_answers_as_python_does(card, runtime, model, tmp_path, edited):
    edited("card.least < own.least", "card.least > own.least")
    page = on_card(card, runtime, model, tmp_path)
    state(page, "compared")
    assert "The graphics card computes from now on" in said(page)
    pixels = photos("test")[1].pixels[:96, :120]
    give(page, tmp_path, pixels)
    assert "on the graphics card" in said(page)
    slide(page, "split", 0)
    assert np.abs(shown(page) - export.Session(model).pixels(pixels).astype(int)).max() <= 1
    page.locator("[data-part=card]").uncheck()
    state(page, "done")
    assert said(page) == "The processor computes again."


def test_a_graphics_card_that_answers_otherwise_is_not_used(card, runtime, model, tmp_path, edited):
    edited("const apart = own", "const apart = 3 + own")
    page = on_card(card, runtime, model, tmp_path)
    state(page, "compared")
    assert "lie up to 3 grey levels apart, so the processor stays" in said(page)


@pytest.mark.long
def test_what_a_card_needs_is_kept_and_computes_again_without_a_network(card, runtime, book):
    page = card.new_page()
    worker = (modules.WEB / "runner.mjs").read_text()
    won = worker.replace("card.least < own.least", "card.least > own.least")  # this machine's card is slow
    assert won != worker
    page.route("**/runner.mjs", lambda route: route.fulfill(body=won, content_type="text/javascript"))
    page.goto(f"{book}/sharpen.html")
    page.locator("[data-part=example]").click()
    state(page, "done")
    page.locator("[data-part=card]").check()
    state(page, "compared")
    assert "The graphics card computes from now on" in said(page)
    page.locator("[data-part=example]").click()  # the answer of the card, after which it is kept
    state(page, "done")
    page.wait_for_function(KEPT, arg=packages.CARD_WASM.split("/")[-1], timeout=60_000)
    page.context.set_offline(True)
    page.reload()
    page.locator("[data-part=example]").click()
    state(page, "done")
    page.locator("[data-part=card]").check()
    state(page, "compared")
    assert re.search(r"graphics card [\d.]+ ms, processor [\d.]+ ms", said(page))


def test_on_a_phone_the_first_picture_comes_into_view(single):
    page = single
    page.set_viewport_size({"width": 390, "height": 420})
    page.evaluate("scrollTo(0, 0)")
    page.locator("[data-part=example]").click()
    state(page, "done")
    box = page.locator("[data-part=canvas]").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 421


def test_without_a_graphics_card_nobody_is_asked(single):
    expect(single.locator("[data-part=cards]")).to_be_hidden()


def test_the_page_for_photos_has_every_student_that_is_bundled():
    assert {*sharpening.STUDENTS, "teacher", "teacher-motion"} == set(checkpoints.bundled())


def test_the_filters_beside_it_are_the_packages_own(single, tmp_path):
    page = single
    pixels = photos("test")[1].pixels[:120, :160]
    for label, name in browser.FILTERS.items():
        page.locator("[data-part=model]").select_option(label)
        give(page, tmp_path, pixels, f"{name}.png")
        slide(page, "split", 0)
        expected = inference.sharpen(tuned(name, "shake"), pixels)
        assert np.abs(shown(page).astype(int) - expected).max() <= 1
        assert np.abs(shown(page).astype(int) - pixels).max() > 3
    assert page.asked == []  # a filter needs no runtime


def test_a_photo_that_is_shaken_here_has_a_truth_and_each_answer_its_distance(single, model, tmp_path):
    page = single
    pixels = photos("test")[1].pixels[:96, :120]
    give(page, tmp_path, pixels)
    scores = page.locator("[data-part=scores]")
    expect(scores).to_be_empty()
    sharp = to_tensor(pixels)
    psf = kernels.shake(browser.LENGTH, np.random.default_rng(3))
    blurred = to_array(quantize(to_srgb(kernels.convolve(to_linear(sharp), psf))))
    page.locator("[data-part=shake]").press("Space")
    expect(scores).to_contain_text("Against the truth")
    slide(page, "split", 100)
    assert np.abs(shown(page).astype(int) - blurred).max() <= 1
    slide(page, "split", 0)
    answer = shown(page)
    assert np.abs(answer.astype(int) - export.Session(model).pixels(blurred).astype(int)).max() <= 3
    far = [psnr(to_tensor(each), sharp).item() for each in (blurred, answer)]
    told = [float(each) for each in re.search(r"left ([\d.]+) dB, right ([\d.]+) dB", scores.inner_text()).groups()]
    assert told == pytest.approx(far, abs=0.02)
    assert told[1] > told[0] + 0.5
    slide(page, "strength", 0.5)
    half = psnr(to_tensor(shown(page)), sharp).item()
    told = re.search(r"right ([\d.]+) dB, at strength 0.5", scores.inner_text())
    assert float(told[1]) == pytest.approx(half, abs=0.02)
    slide(page, "strength", 1)
    page.locator("[data-part=left]").select_option("before the shake")
    expect(scores).to_contain_text("left is the truth itself")
    slide(page, "split", 100)
    np.testing.assert_array_equal(shown(page), pixels)
    page.locator("[data-part=shake]").uncheck()
    expect(page.locator("[data-part=left]")).to_have_value("as it came")
    expect(scores).to_be_empty()


@pytest.mark.long
def test_what_is_saved_is_upright_and_has_every_pixel(single, model, tmp_path):
    page = single
    pixels = photos("test")[1].pixels[:96, :128]
    turned = Image.Exif()
    turned[274] = 6  # the camera was held upright
    give(page, tmp_path, pixels, "phone.png", exif=turned)
    upright = np.rot90(pixels, -1)
    expected = export.Session(model).pixels(np.ascontiguousarray(upright)).astype(int)
    found = saved(page)
    assert found.shape == (128, 96, 3)
    assert np.abs(found - expected).max() <= 1


def test_what_is_transparent_stands_on_white(single, tmp_path):
    page = single
    clear = np.zeros((40, 50, 4), np.uint8)
    page.locator("[data-part=model]").select_option("Laplacian")
    give(page, tmp_path, clear, "clear.png")
    assert shown(page).min() == 255


@pytest.mark.long
def test_a_dropped_photo_is_sharpened_in_tiles_as_in_python(page, runtime, model, tmp_path, monkeypatch):
    for module in (browser, inference):
        monkeypatch.setattr(module, "WHOLE", 1000)
        monkeypatch.setattr(module, "TILE", 128)
    coarse = np.random.default_rng(1).integers(0, 256, (24, 33, 3), dtype=np.uint8)
    photo = np.asarray(Image.fromarray(coarse).resize((300, 200), Image.Resampling.BICUBIC))
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    give(page, tmp_path, photo)
    slide(page, "split", 0)
    expected = inference.sharpen(export.Session(model), photo)
    difference = np.abs(shown(page).astype(int) - expected)
    assert (difference <= 1).mean() > 0.999
    assert difference.max() <= 6  # where four tiles meet, they are faded in another order


@pytest.fixture
def at_work(page, runtime, model, tmp_path, monkeypatch):
    """A page that sharpens a large photo, in tiles so small that it takes a while."""
    monkeypatch.setattr(browser, "WHOLE", 1000)
    monkeypatch.setattr(browser, "TILE", 32)
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=model]").select_option("unsharp mask")
    Image.fromarray(np.zeros((1200, 1600, 3), np.uint8)).save(tmp_path / "large.png")
    page.locator("[data-part=file]").set_input_files(tmp_path / "large.png")
    return page


def test_a_large_photo_can_be_stopped(at_work):
    page = at_work
    page.locator("[data-part=stop]").click(timeout=60_000)
    state(page, "stopped")
    expect(page.locator("[data-part=work]")).to_be_hidden()


def test_an_example_that_is_blurred_already_is_not_shaken_once_more(page, runtime, model, tmp_path):
    serve(page, runtime)
    page.goto(browser.BrowserPage({"small": model}, PHOTO, already=True).save(tmp_path / "page.html").as_uri())
    switch = page.locator("[data-part=shake]")
    switch.check()
    page.locator("[data-part=example]").click()
    state(page, "done")
    expect(switch).to_be_disabled()
    expect(switch).not_to_be_checked()  # else the blurred example would stand there as the truth
    give(page, tmp_path, PHOTO)
    expect(switch).to_be_enabled()


def test_a_pasted_photo_is_taken(single, tmp_path):
    page = single
    page.locator("[data-part=model]").select_option("Laplacian")
    page.locator(".kdsharp-browser").evaluate(
        """async (el) => {
          const canvas = new OffscreenCanvas(40, 30);
          canvas.getContext("2d").fillRect(0, 0, 40, 30);
          const data = new DataTransfer();
          data.items.add(new File([await canvas.convertToBlob()], "shot.png", { type: "image/png" }));
          el.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }"""
    )
    state(page, "done")
    assert "40 x 30 pixels" in said(page)


@pytest.mark.long
def test_without_a_network_it_says_so_and_can_try_again(page, runtime, model, tmp_path):
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=example]").click()
    state(page, "failed")
    assert "connect to the internet" in said(page)
    assert all(address.startswith(packages.HOST) for address in page.asked)
    serve(page, runtime)
    page.locator("[data-part=example]").click()
    state(page, "done")


def test_a_runtime_with_another_checksum_is_refused(page, runtime, model, tmp_path):
    page.route(re.compile("^" + re.escape(packages.HOST)), lambda route: route.fulfill(body=b"export default 1"))
    page.goto(browser.BrowserPage({"small": model}, PHOTO).save(tmp_path / "page.html").as_uri())
    page.locator("[data-part=example]").click()
    state(page, "failed")


def test_a_file_that_is_no_photo_is_named(single, tmp_path):
    page = single
    (tmp_path / "no.png").write_bytes(b"no photo")
    page.locator("[data-part=file]").set_input_files(tmp_path / "no.png")
    state(page, "failed")
    assert "no.png" in said(page)
    assert "not a photo" in said(page)
    assert page.asked == []


def test_a_file_that_fails_leaves_no_other_photo_under_its_name(single, tmp_path):
    page = single
    give(page, tmp_path, np.full((40, 60, 3), 90, np.uint8))
    (tmp_path / "text.jpg").write_text("no photo")
    page.locator("[data-part=file]").set_input_files(tmp_path / "text.jpg")
    state(page, "failed")
    expect(page.locator("[data-part=canvas]")).to_be_hidden()
    expect(page.locator("[data-part=save]")).to_be_disabled()


def test_a_photo_that_is_chosen_while_another_is_worked_on_is_the_one_that_comes(at_work, tmp_path):
    page = at_work
    expect(page.locator("[data-part=stop]")).to_be_visible(timeout=60_000)
    give(page, tmp_path, np.full((40, 60, 3), 90, np.uint8), name="next.png")
    assert said(page).startswith("60 x 40 pixels")


def test_a_drag_over_the_photo_moves_the_border_and_opens_no_loupe(single, tmp_path):
    page = single
    give(page, tmp_path, np.full((80, 120, 3), 90, np.uint8))
    box = page.locator("[data-part=canvas]").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20, steps=4)
    page.mouse.up()
    assert abs(int(page.locator("[data-part=split]").input_value()) - 25) <= 1
    expect(page.locator("[data-part=loupe]")).to_be_hidden()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 20)
    expect(page.locator("[data-part=loupe]")).to_be_visible()


def test_floats_are_refused(tmp_path):
    floats = export.export(checkpoints.load("small").model, tmp_path / "floats.onnx")
    with pytest.raises(UsageError, match="pixels"):
        browser.BrowserPage({"small": floats}, PHOTO)


def test_the_book_has_it_whole_the_camera_gives_frames_and_it_opens_without_a_network(page, runtime, book, tmp_path):
    page.context.grant_permissions(["camera"])
    page.goto(f"{book}/sharpen.html")
    page.locator("[data-part=status]").wait_for()
    assert "Your photo stays on this computer" in said(page)
    for photo in photos("test")[:3]:
        give(page, tmp_path, photo.pixels[:256, :256], f"{photo.name}.png")
        slide(page, "split", 0)
        expected = inference.sharpen(export.load("small"), photo.pixels[:256, :256])
        assert np.abs(shown(page).astype(int) - expected).max() <= 1
    page.locator(".kdsharp-browser[data-offline=true]").wait_for(timeout=60_000)
    page.locator("[data-part=camera]").click()
    three_or_more = re.compile(r"^([3-9]|\d\d+)$")
    expect(page.locator(".kdsharp-browser")).to_have_attribute("data-frames", three_or_more, timeout=120_000)
    parts = r"\(reading \d+ ms, network \d+ ms, drawing \d+ ms\)"
    assert re.search(rf"640 x 480, small: [\d.]+ frames a second {parts}, on", said(page))
    page.locator("[data-part=camera]").click()
    state(page, "ended")
    page.context.set_offline(True)
    page.reload()
    page.locator("[data-part=example]").click()
    state(page, "done")
    assert page.evaluate("crossOriginIsolated")  # the service worker sets the headers that threads need
    assert page.asked == []
    assert page.errors == []
