"""On a phone letters in figures can be read, and on every screen a loupe shows a photo's pixels as they are."""

import base64
import io
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect
from shared import once, settled

from kdsharp import course, explore, plots
from kdsharp.book.serving import serving
from kdsharp.island import modules

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
LEAST = 11
"""Pixels: letters smaller than this are not read on a phone."""
SIZES = """() => [...document.querySelectorAll("img[data-lettering]")].filter((each) => each.width).map((image) => {
  const source = image.parentElement.querySelector("source");
  const isNarrow = source && matchMedia(source.media).matches;
  const made = Number((isNarrow ? source : image).getAttribute("width"));
  return [image.alt, (image.dataset.lettering * image.clientWidth) / made];
})"""
"""Of each figure its alt text and the height of its smallest letters as the screen shows them, in pixels."""

OPEN = """() => {
  for (const each of document.querySelectorAll("button")) if (each.textContent === "Show anyway") each.click();
}"""
"""Opens what is locked."""


def small(page):
    return [(alt, round(size, 1)) for alt, size in page.evaluate(SIZES) if size < LEAST]


@contextmanager
def show(page, folder, *pieces):
    """Open a page of pieces of HTML in a column as wide as the book's, with the modules and the look of the book."""
    modules.publish(folder / "island")
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += '<link rel="stylesheet" href="island/look.css"><script type="module" src="island/page.mjs"></script>'
    body = f"<article>{''.join(pieces)}</article>"
    text = f'<!doctype html><html lang="en"><head>{head}</head><body style="margin:16px">{body}</body></html>'
    (folder / "page.html").write_text(text, encoding="utf-8")
    with serving(folder) as address:
        page.goto(f"{address}/page.html")
        yield


LINES = {name: ([0, 1, 2, 3], [26.0, 27.5, 29.0, 28.0]) for name in ("unsharp mask", "small", "teacher")}
PHOTO = torch.rand(1, 3, 130, 130, generator=torch.Generator().manual_seed(0))


def drawn(steps):
    """A frame of an explorer that is not drawn narrow."""
    made = plots.figure(720, 120)
    made.text(0.5, 0.5, f"{steps:g} steps", fontsize=9)
    return plots.Picture(made, f"{steps:g} steps")


def test_at_390_pixels_every_kind_of_figure_has_letters_of_11_pixels(page, tmp_path):
    kinds = {
        "curves": plots.curves(LINES, "noise-to-signal ratio that the filter was told (no unit)", "PSNR (dB)"),
        "bars": plots.bars({"unsharp mask": 1, "small network": 2, "teacher": 3, "another": 1}, None, "gain (dB)", 1),
        "pareto": plots.pareto([{"model": "teacher", "x": 100, "y": 31.0}], "x", "y", "ms a megapixel", "PSNR (dB)"),
        "scatter": plots.scatter(LINES, "", "PSNR (dB)", ticks=["gaussian-\n256", "bilinear-\n60", "shake", "sky"]),
        "panels": plots.panels(dict.fromkeys(LINES, PHOTO), truth=PHOTO / 2),
        "spectra": plots.spectra(dict.fromkeys(LINES, PHOTO)),
        "drawing": plots.networks.restormer_block(),
        "wide": plots.figure(height=100),
    }
    kinds["wide"].text(0.5, 0.5, "drawn in one width", fontsize=9)
    pieces = [plots.Picture(made, kind, f"The {kind}.").tag() for kind, made in kinds.items()]
    pieces.append(explore.Explorer(drawn, "An explorer", steps=explore.Slider("steps", (1, 2, 3), 1)).page())
    page.set_viewport_size({"width": 390, "height": 844})
    with show(page, tmp_path, *pieces):
        page.locator("[data-island]").scroll_into_view_if_needed()
        page.locator("[data-ready]").wait_for()
        assert {alt for alt, _ in page.evaluate(SIZES)} == {*kinds, "1 steps"}
        assert small(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        charts = page.locator("img:is([alt=curves], [alt=bars], [alt=pareto], [alt=scatter], [alt=drawing])")
        lines = charts.evaluate_all("every => every.filter((each) => each.currentSrc.startsWith('data:image/svg+xml'))")
        assert len(lines) == charts.count() == 5
        assert page.locator(".kdsharp-pan:has(img[alt=drawing])").count() == 0
        assert page.locator(".kdsharp-pan:has(img[alt=wide])").get_attribute("tabindex") == "0"


@pytest.mark.parametrize("lesson", once(course.lessons(), "12_optimizers"))
def test_at_390_pixels_a_lesson_has_letters_of_11_pixels(page, book, lesson):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{book}/lessons/{lesson}.html")
    for island in page.locator("[data-island]").all():
        island.scroll_into_view_if_needed()
    page.evaluate(OPEN)
    settled(page)
    assert page.evaluate(SIZES)
    assert small(page) == []
    charts = "every => every.filter((each) => each.currentSrc.endsWith('.svg')).map((each) => each.naturalWidth)"
    widths = page.locator("img[data-lettering]").evaluate_all(charts)
    assert all(widths)  # none is broken; a lesson whose charts hold photos or wait for a prediction has none
    assert widths or lesson != "12_optimizers"


def test_on_a_dark_page_a_chart_is_dark_and_a_photo_is_as_it_was(page, tmp_path):
    made = {"chart": plots.curves(LINES, "x", "y"), "photo": plots.panels({"noise": PHOTO})}
    corners = {}
    with show(page, tmp_path, *(plots.Picture(each, name).tag() for name, each in made.items())):
        for scheme in ("light", "dark"):
            page.evaluate("scheme => document.documentElement.style.colorScheme = scheme", scheme)
            shots = {name: page.locator(f"img[alt={name}]").screenshot() for name in made}
            corners[scheme] = {
                name: np.asarray(Image.open(io.BytesIO(shot)).convert("L"))[2, 2] for name, shot in shots.items()
            }
    assert corners["light"] == {"chart": 255, "photo": 255}
    assert corners["dark"]["chart"] < 40
    assert corners["dark"]["photo"] == 255


SHRUNK = """() => [...document.querySelectorAll("img[data-photo]")]
  .filter((each) => each.clientWidth && each.clientWidth !== Number(each.getAttribute("width")))
  .map((each) => [each.alt, each.clientWidth])"""
"""Photos whose pixels are not those of the page, with their width there."""


@pytest.mark.parametrize("lesson", once(course.lessons(), "04_measuring"))
def test_on_a_desk_a_photo_is_as_wide_as_it_was_drawn(page, book, lesson):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{book}/lessons/{lesson}.html")
    page.evaluate(OPEN)
    assert page.locator("img[data-photo]").count() or lesson != "04_measuring"  # lesson 12 draws charts alone
    assert page.evaluate(SHRUNK) == []


def test_a_loupe_shows_the_pixels_of_a_photo_as_they_are_and_keys_move_it(chrome, tmp_path):
    fine = chrome.new_page(viewport={"width": 900, "height": 700}, device_scale_factor=2)
    picture = plots.Picture(plots.panels({"noise": PHOTO}, zoom=3), "noise", "Noise.")
    with show(fine, tmp_path, picture.tag()):
        image, glass = fine.locator("img"), fine.locator(".kdsharp-loupe")
        expect(image).to_have_attribute("tabindex", "0")
        expect(glass).to_be_hidden()
        image.click(position={"x": 101, "y": 120})
        expect(glass).to_be_visible()
        file = np.asarray(Image.open(io.BytesIO(picture.content)))
        seen = np.asarray(Image.open(io.BytesIO(glass.screenshot())).convert("RGB"))
        middle = seen.shape[0] // 2
        np.testing.assert_array_equal(
            seen[middle, middle], file[240, 202]
        )  # two pixels of the file for one of the page
        colours = {tuple(each) for each in seen[middle, 20:-20]}
        assert colours <= {tuple(each) for each in file[238:243, 100:304].reshape(-1, 3)}  # none was mixed from two
        image.click(position={"x": 101, "y": 120})
        expect(glass).to_be_hidden()
        image.focus()
        fine.keyboard.press("Enter")
        expect(glass).to_be_visible()
        before = glass.evaluate("each => each.style.backgroundPosition")
        fine.keyboard.press("ArrowRight")
        assert glass.evaluate("each => each.style.backgroundPosition") != before
        fine.keyboard.press("Escape")
        expect(glass).to_be_hidden()
        fine.keyboard.press("Enter")
        image.blur()
        expect(glass).to_be_hidden()
    fine.close()


def test_an_open_loupe_shows_the_picture_that_has_come_in_place_of_the_former(page, tmp_path):
    former, later = (plots.Picture(plots.panels({"noise": each}, zoom=3), "", "") for each in (PHOTO, 1 - PHOTO))
    with show(page, tmp_path, former.tag()):
        image, glass = page.locator("img"), page.locator(".kdsharp-loupe")
        image.focus()
        page.keyboard.press("Enter")  # no mouse is there whose next move would draw it anew
        address = f"data:image/png;base64,{base64.b64encode(later.content).decode()}"
        image.evaluate("(each, address) => new Promise((done) => { each.onload = done; each.src = address; })", address)
        expect(glass).to_be_visible()
        assert address in glass.evaluate("each => each.style.backgroundImage")


def test_a_switch_is_pressed_by_key_and_says_what_it_is(page, open_page):
    def state(kept, amount):
        made = plots.figure(300, 100)
        made.text(0.1, 0.5, f"{kept} {amount}")
        return plots.Picture(made, f"kept: {kept}, amount: {amount:g}")

    made = explore.Explorer(
        state,
        "A switch",
        kept=explore.Switch("one range a channel", True),
        amount=explore.Slider("amount", (1, 2, 3), 2),
    )
    assert "(one range a channel: on, amount: 2)" in made.still()
    shown = open_page(made)
    switch, image = shown.get_by_role("switch", name="one range a channel"), shown.locator("[data-ready] img")
    expect(switch).to_be_checked()
    expect(image).to_have_attribute("alt", "kept: True, amount: 2")
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(image).to_have_attribute("alt", "kept: False, amount: 2")
    expect(shown.locator("output").first).to_have_text("off")
    shown.get_by_role("slider").press("ArrowRight")
    expect(image).to_have_attribute("alt", "kept: False, amount: 3")
    assert page.errors == []


LIVE = """async (pictures) => {
  const { default: explorer } = await import(new URL("island/explorer.mjs", document.baseURI));
  const heard = {}, el = document.querySelector("article").appendChild(document.createElement("div"));
  const sliders = [{ label: "a", values: ["1", "2"], start: 0 }];
  const held = { facts: { title: "t", sliders, width: 720, narrow: 350, first: pictures[0] } };
  const model = { get: (name) => held[name], on: (name, act) => { heard[name] = act; }, send: () => {} };
  explorer.render({ model, el });
  held.answer = { picture: pictures[1], number: 1 };
  heard["change:answer"]();
  await el.querySelector("img").decode();
  return el.querySelector("img").currentSrc;
}"""


def test_on_a_narrow_screen_a_live_explorer_shows_what_its_kernel_drew(page, tmp_path):
    first = plots.Picture(plots.curves(LINES, "x", "y"), "first").frame()
    with plots.quickly():
        second = plots.Picture(plots.curves(LINES, "another", "y"), "second").frame()
    assert (len(first), len(second)) == (3, 2)
    page.set_viewport_size({"width": 390, "height": 844})
    with show(page, tmp_path, ""):
        assert page.evaluate(LIVE, [first, second]) == second[0]
