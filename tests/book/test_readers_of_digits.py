"""The classifiers that train in the page: their answers are NumPy's, and the temperature is seen."""

import numpy as np
import pytest

from kdsharp.explore import digits
from kdsharp.island import modules

RUN = """async ([address, facts, settings]) => {
  const { learn, prepare } = await import(address);
  const data = prepare(facts), begin = performance.now();
  const found = [1, 2].map((seed) => learn(data, { ...settings, seed }));
  return { found, seconds: (performance.now() - begin) / 2000 };
}"""


@pytest.mark.browser
@pytest.mark.parametrize(
    ("alpha", "temperature", "labels", "shuffled"), [(0.25, 4, 3, False), (0.1, 8, 1, True), (1, 1, 3, False)]
)
def test_the_page_trains_numpys_students(page, alpha, temperature, labels, shuffled):
    page.goto("about:blank")
    facts = digits.Digits("Digits").facts(live=False)
    settings = {"alpha": alpha, "temperature": temperature, "labels": labels, "shuffled": shuffled}
    made = page.evaluate(RUN, [modules.address("digits"), facts, settings])
    expected = digits.learn(alpha, temperature, labels, shuffled, seeds=2)
    assert np.abs(np.array(made["found"]) - expected).max() < 1.5 / 497  # one digit whose two best scores are level
    assert made["seconds"] < 3


@pytest.mark.browser
def test_it_trains_by_finger_on_a_phone_and_says_what_came_out(chrome, tmp_path):
    island = digits.Digits("Digits", temperature=8, seeds=3)
    (tmp_path / "digits.html").write_text(island.document("Digits"), encoding="utf-8")
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    problems = []
    phone.on("pageerror", lambda error: problems.append(str(error)))
    phone.goto((tmp_path / "digits.html").as_uri())
    phone.get_by_role("button", name="Train 3 students").tap()
    phone.wait_for_function("document.querySelector('[role=status]').textContent.includes('read right, alone')")
    assert ": better (+" in phone.locator("[role=status]").inner_text()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    phone.get_by_role("slider", name="the teacher's wrong classes").press("ArrowRight")
    assert "Predict" in phone.locator("[role=status]").inner_text()
    phone.close()


def test_a_teacher_helps_more_the_softer_it_speaks_and_harms_where_its_small_numbers_are_shuffled():
    """What lesson 10 says of it."""
    alone, hard, soft = digits.learn(1, 1, 3), digits.learn(0.1, 1, 3), digits.learn(0.1, 8, 3)
    assert hard.mean() > alone.mean() + 0.01
    assert soft.mean() > hard.mean() + 0.05
    assert digits.learn(0.1, 8, 3, shuffled=True).mean() < alone.mean() - 0.05


def test_a_temperature_leaves_probabilities_that_sum_to_one():
    soft = digits.softmax(np.array([[0.0, 1.0, 2.0]]), 20)
    assert soft.sum() == pytest.approx(1)
    assert soft.max() < 0.4
