"""The student that trains in the page: its numbers are NumPy's, it is quick, and it works by finger on a phone."""

import re

import numpy as np
import pytest

from kdsharp import checkpoints
from kdsharp.explore import kernel

RUN = """async ([address, facts, settings, steps]) => {
  const { Student, prepare, score } = await import(address);
  const student = new Student(prepare(facts), settings), begin = performance.now();
  for (let n = 0; n < steps; n++) student.next();
  const seconds = (performance.now() - begin) / 1000;
  const found = score(prepare(facts), student.kernel, settings.noise);
  return { kernel: [...student.kernel], score: found, rate: steps / seconds };
}"""


@pytest.fixture(scope="module")
def island():
    return kernel.OneKernel(checkpoints.load("gaussian-256").model, "One kernel", steps=100)


@pytest.mark.browser
@pytest.mark.parametrize(("alpha", "labels", "noise"), [(1, 32, 2), (0.5, 1, 10)])
def test_after_200_steps_the_page_has_numpys_kernel_and_took_20_a_second(page, island, alpha, labels, noise):
    from kdsharp.island import modules

    settings = {"alpha": alpha, "labels": labels, "noise": noise, "steps": 200}
    page.goto("about:blank")
    found = page.evaluate(RUN, [modules.address("kernel"), island.facts(live=False), settings, 200])
    expected = kernel.train(island.data, alpha, labels, noise, 200)
    assert np.abs(np.reshape(found["kernel"], expected.shape) - expected).max() < 1e-4
    assert found["score"] == pytest.approx(kernel.score(island.data, expected, noise), abs=1e-3)
    assert found["rate"] > 20


@pytest.mark.browser
def test_it_trains_by_finger_on_a_phone_and_says_what_came_out(chrome, island, tmp_path):
    (tmp_path / "kernel.html").write_text(island.document("One kernel"), encoding="utf-8")
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    problems = []
    phone.on("pageerror", lambda error: problems.append(str(error)))
    phone.goto((tmp_path / "kernel.html").as_uri())
    phone.get_by_role("button", name="Train").tap()
    phone.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 100 steps')")
    assert "no gain than alone" in phone.locator("[role=status]").inner_text()  # alpha 1 is the student alone
    told = phone.locator(".kdsharp-scores").inner_text()
    mix, alone, mask, blurred = map(float, re.findall(r"(\d+\.\d\d)", told)[:4])
    assert mix == alone > mask > blurred
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    phone.get_by_role("slider", name=re.compile("alpha")).press("ArrowLeft")
    assert "A single dot" in phone.locator("[role=status]").inner_text()
    phone.close()


def test_the_teacher_pays_where_labels_are_few_and_the_truth_where_they_are_many(island):
    """What lesson 09 says of it, at the steps that it says."""
    few = [kernel.score(island.data, kernel.train(island.data, alpha, 1, 2, 400), 2) for alpha in (0.5, 1)]
    many = [kernel.score(island.data, kernel.train(island.data, alpha, 32, 2, 400), 2) for alpha in (0, 1)]
    assert few[0] > few[1] + 0.05
    assert many[1] > many[0] + 0.1


def test_its_still_says_what_one_training_gave(island):
    still = island.still()
    assert "After 100 steps, held-out crops: the kernel" in still
    assert "<img" in still
    assert len(island.page()) < 250_000
