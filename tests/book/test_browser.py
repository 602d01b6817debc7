"""The published page and JupyterLab in a real browser."""

import pytest
from playwright.sync_api import expect
from shared import once, settled

from kdsharp import course

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.mark.parametrize(("width", "least"), [(1440, 1440), (390, 500)])
def test_the_front_page_shows_its_picture_and_on_a_phone_another(page, book, width, least):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{book}/index.html")
    picture = page.locator("img[src*='front.webp']")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.currentSrc").endswith("front.webp") == (width > 600)
    file = "async image => { await image.decode(); return image.naturalWidth * devicePixelRatio; }"
    assert picture.evaluate(file) >= least


def move(slider):
    slider.focus()
    slider.press("End" if slider.input_value() != slider.get_attribute("max") else "Home")


WITH_EXPLORER = [name for name, path in course.lessons().items() if "Explorer(" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("lesson", once(WITH_EXPLORER, "01_spatial_sharpening", "10_alpha_temperature"))
def test_moving_a_slider_changes_the_picture(page, book, lesson):
    page.goto(f"{book}/lessons/{lesson}.html")
    explorer = page.locator("[data-island=explorer]").first
    explorer.scroll_into_view_if_needed()
    slider, picture = explorer.locator("input[type=range]").first, explorer.locator("img")
    slider.wait_for()
    before, said = picture.get_attribute("src"), picture.get_attribute("alt")
    move(slider)
    assert picture.get_attribute("src") != before
    assert picture.get_attribute("alt") != said
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 200
    missing = page.locator("img:not([alt]), img[alt='']")
    assert missing.count() == 0, missing.first.evaluate("image => image.outerHTML.slice(0, 200)")
    assert page.errors == []


def test_an_explorer_fetches_its_frames_when_the_reader_comes_near(page, book):
    fetched = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{book}/lessons/10_alpha_temperature.html")
    settled(page)
    before = [url for url in fetched if "/content/" in url]
    explorer = page.locator("[data-island=explorer]").first
    assert explorer.get_attribute("data-ready") is None
    explorer.scroll_into_view_if_needed()
    page.wait_for_function("node => 'ready' in node.dataset", arg=explorer.element_handle())
    settled(page)
    beside = page.locator("img").evaluate_all("every => every.map((each) => each.currentSrc)")
    shown = explorer.locator("img").evaluate("each => each.currentSrc")
    near = {url for url in fetched if "/content/" in url} - set(before) - (set(beside) - {shown})
    assert 1 <= len(near) <= 6  # itself and what lies one step away, not all of its frames
    assert not explorer.locator("img").get_attribute("src").startswith("data:")


READABLE = """node => {
  const shade = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return a === 0 ? null : (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
  };
  let ground = null;
  for (let each = node; ground === null && each; each = each.parentElement) {
    ground = shade(getComputedStyle(each).backgroundColor);
  }
  return Math.abs(shade(getComputedStyle(node).color) - ground);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_an_explorer_can_be_read_and_its_pixels_are_as_they_are(page, book, scheme, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{book}/lessons/01_spatial_sharpening.html")
    explorer = page.locator("[data-island=explorer]").first
    explorer.scroll_into_view_if_needed()
    label = explorer.locator("label").first
    label.wait_for()
    assert label.evaluate(READABLE) > 0.5
    picture = explorer.locator("img")
    assert picture.evaluate("image => getComputedStyle(image).filter") == "none"
    box = picture.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


CODE = """() => {
  const heights = (nodes) => [...nodes].reduce((sum, node) => sum + node.getBoundingClientRect().height, 0);
  const inputs = [...document.querySelectorAll("article div.cell_input")];
  const shown = inputs.filter((node) => !node.closest("details:not([open])"));
  return [heights(shown), heights(document.querySelectorAll("article"))];
}"""
"""Pixels that the code takes which stands open, and those of the page."""


@pytest.mark.parametrize("lesson", once(course.lessons(), "05_known_blur"))
def test_code_takes_less_than_a_quarter_of_a_pages_height(page, book, lesson):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{book}/lessons/{lesson}.html")
    settled(page)
    code, whole = page.evaluate(CODE)
    assert 0 < code < whole / 4


@pytest.mark.parametrize("lesson", once(course.lessons(), "05_known_blur"))
def test_the_first_section_begins_on_the_first_screen(page, book, lesson):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{book}/lessons/{lesson}.html")
    settled(page)
    assert page.locator("article h2").first.bounding_box()["y"] < 900
    assert (
        page.locator("article figure img, article img").first.bounding_box()["height"] > 100
    )  # and its cover is there


def test_from_disk_the_still_stays_and_says_where_sliders_move(page, smoke_build):
    page.goto((smoke_build / "book" / "_build" / "html" / "lessons" / "01_spatial_sharpening.html").as_uri())
    explorer = page.locator("[data-island=explorer]").first
    explorer.scroll_into_view_if_needed()
    picture = explorer.locator("img").element_handle()
    page.wait_for_function("image => image.naturalWidth > 200", arg=picture)  # it is loaded when it comes near
    assert "The sliders move in JupyterLab" in explorer.inner_text()


def test_the_explorer_is_live_in_jupyterlab(page, jupyterlab):
    page.goto(jupyterlab + "/lab/tree/10_alpha_temperature.ipynb?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=120_000)
    kernel = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"() => {kernel}?.status === 'idle'", timeout=60_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    explorer = page.locator(".jp-OutputArea-output .kdsharp-explorer").first
    slider, picture = explorer.locator("input[type=range]").first, explorer.locator("img")
    slider.wait_for(state="attached", timeout=120_000)
    slider.scroll_into_view_if_needed()
    before = picture.get_attribute("src")
    slider.focus()
    slider.press("ArrowLeft")
    expect(picture).not_to_have_attribute("src", before, timeout=60_000)
    for key in ("ArrowRight", "ArrowLeft", "ArrowRight", "ArrowLeft"):  # faster than the kernel draws
        slider.press(key)
    expect(explorer).not_to_have_attribute("aria-busy", "true", timeout=60_000)
