"""A photo out of stripes: the page's sums and swaps are NumPy's, and the sentence about them is true."""

import numpy as np
import pytest

from kdsharp.explore import stripes
from kdsharp.island.files import webp

RUN = """async ([own, fourier, planes, cat, cup, counts, side]) => {
  const { only, ordered, swapped } = await import(own), { picture, spectrum } = await import(fourier);
  const { load } = await import(planes);
  const waves = await Promise.all([cat, cup].map(async (each) => spectrum((await load(each, side))[0], side)));
  const order = ordered(waves[0], side), few = (plane) => Array.from(plane.filter((_, k) => k % 97 === 0));
  const sums = counts.map((count) => few(picture(only(waves[0], [0, ...order.slice(0, count)], side), side)));
  return { all: order.length, sums, swap: few(picture(swapped(...waves), side)) };
}"""


@pytest.mark.browser
def test_the_page_adds_and_swaps_as_numpy_does(page):
    from kdsharp.island import modules

    planes = stripes.bundled()
    pictures = [webp(np.stack([plane] * 3, -1)) for plane in planes.values()]
    modules_ = [modules.address(name) for name in ("stripes", "fourier", "planes")]
    counts = [1, 10, 100, 1000, stripes.ALL]
    page.goto("about:blank")
    found = page.evaluate(RUN, [*modules_, *pictures, counts, stripes.SIDE])
    cat, cup = (plane / 255 for plane in planes.values())
    assert found["all"] == stripes.ALL
    for count, got in zip(counts, found["sums"], strict=True):
        assert np.abs(stripes.strongest(cat, count).ravel()[::97] - got).max() < 1e-4
    assert np.abs(stripes.swapped(cat, cup).ravel()[::97] - found["swap"]).max() < 1e-4


def test_each_stripe_more_brings_the_sum_nearer_and_all_of_them_are_the_photo():
    cat = stripes.bundled()["cat"] / 255
    errors = [np.mean((stripes.strongest(cat, count) - cat) ** 2) for count in (0, *stripes.COUNTS, stripes.ALL)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == pytest.approx(cat.var())
    assert errors[-1] < 1e-20


def test_what_is_seen_after_a_swap_is_the_photo_that_gave_the_places():
    """What the page says, for its own two photos."""
    cat, cup = (plane / 255 for plane in stripes.bundled().values())
    for contrast, place in ((cat, cup), (cup, cat)):
        seen = stripes.swapped(contrast, place)
        alike = [abs(np.corrcoef(np.diff(seen).ravel(), np.diff(each).ravel())[0, 1]) for each in (place, contrast)]
        assert alike[0] > 5 * alike[1]


@pytest.mark.browser
def test_she_moves_the_slider_and_guesses_before_the_swap_is_drawn(chrome, tmp_path):
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    problems = []
    phone.on("pageerror", lambda error: problems.append(str(error)))
    (tmp_path / "stripes.html").write_text(stripes.Stripes().document("Stripes"), encoding="utf-8")
    phone.goto((tmp_path / "stripes.html").as_uri())
    phone.wait_for_selector("[data-ready]")
    sums, swap = phone.locator("[role=status]").all()
    assert sums.inner_text().startswith("10 of 32,769 stripes")
    phone.get_by_role("slider").press("End")
    assert "32,769 of 32,769 stripes, on the mean grey: identical to the truth" in sums.inner_text()
    assert phone.get_by_text("not drawn yet").count() == 2
    phone.get_by_role("button", name="gave the contrasts").tap()
    assert phone.get_by_text("not drawn yet").count() == 0
    assert "You expected to see the photo that gave the contrasts." in swap.inner_text()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    phone.close()


def test_its_still_shows_sums_and_swaps():
    still = stripes.Stripes().still()
    assert "1,000 stripes 2" in still
    assert "<img" in still
