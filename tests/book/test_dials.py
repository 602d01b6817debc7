"""Six dials: the page walks as torch's optimizers do, and no single rate is as good as six."""

import re

import numpy as np
import pytest

from kdsharp.explore import descent, dials
from kdsharp.train import OPTIMIZERS

RUN = """async ([address, name, rate, steepness, start, steps]) => {
  const { path } = await import(address);
  return path(name, rate, steepness, start, steps);
}"""


@pytest.mark.browser
def test_the_page_walks_as_torch_does(page):
    from kdsharp.island import modules

    page.goto("about:blank")
    address = modules.address("dials")
    for name in OPTIMIZERS:
        for rate, steepness in ((0.003, 1.0), (0.03, 20.0), (0.3, 5.0), (10.0, 1.0)):
            found = np.array(page.evaluate(RUN, [address, name, rate, steepness, descent.START, dials.STEPS]))
            expected = descent.path(name, rate, steepness, dials.STEPS).numpy()
            inside = np.abs(expected).max(axis=1) < 20
            assert np.abs(found - expected)[inside].max() < 1e-4 * max(1, rate), (name, rate, steepness)


@pytest.mark.parametrize("steepness", [1.0, *(pytest.param(each, marks=pytest.mark.long) for each in (5.0, 80.0))])
def test_one_rate_is_right_for_four_at_most_and_six_dials_for_all(steepness):
    """What lesson 12 says of the valleys that it offers."""
    down = {
        name: [dials.is_down(descent.path(name, rate, steepness, dials.STEPS), steepness) for rate in dials.RATES]
        for name in OPTIMIZERS
    }
    assert all(any(each) for each in down.values())
    assert max(map(sum, zip(*down.values(), strict=True))) <= 4


@pytest.mark.browser
def test_one_slider_moves_all_dials_and_each_moves_alone_on_a_phone(chrome, tmp_path):
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    problems = []
    phone.on("pageerror", lambda error: problems.append(str(error)))
    (tmp_path / "dials.html").write_text(dials.Dials().document("Dials"), encoding="utf-8")
    phone.goto((tmp_path / "dials.html").as_uri())
    phone.wait_for_selector("[data-ready]")
    said = phone.locator("[role=status]")
    assert said.inner_text().startswith("One rate, 0.01: 1 of 6 are down after 40 steps.")
    together = phone.get_by_role("slider", name=re.compile("one learning rate for all"))
    for _ in range(2):
        together.press("ArrowRight")
    assert said.inner_text().startswith("One rate, 0.1: 4 of 6 are down after 40 steps.")
    assert phone.get_by_role("group", name="adagrad").get_by_role("slider").get_attribute("aria-valuetext") == "0.1"
    phone.get_by_role("group", name="adagrad").get_by_role("slider").press("ArrowRight")
    phone.get_by_role("group", name="adadelta").get_by_role("slider").press("End")
    assert "A dial each: 6 of 6 are down" in said.inner_text()
    assert "Your best in this valley: 4 with one rate, 6 with any dials." in said.inner_text()
    phone.get_by_role("slider", name=re.compile("steepness")).press("End")
    assert phone.get_by_role("group", name="sgd").inner_text().startswith("sgd\nleft the picture")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    phone.close()


def test_its_still_says_how_many_one_rate_brings_down():
    assert "One rate, 0.01, for all: 1 of 6 are down after 40 steps." in dials.Dials().still()
