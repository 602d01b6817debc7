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
    said = phone.locator("[role=status]").inner_text()
    assert "no gain over the student alone" in said  # at alpha 1 it is the student alone
    told = phone.locator(".kdsharp-scores").inner_text()
    mix, alone, mask, blurred = map(float, re.findall(r"(\d+\.\d\d)", told)[:4])
    assert mix == alone > mask > blurred
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems == []
    phone.get_by_role("slider", name=re.compile("alpha")).press("ArrowLeft")
    assert "A single dot" in phone.locator("[role=status]").inner_text()
    phone.close()


@pytest.mark.browser
def test_without_a_teacher_it_is_held_against_the_unsharp_mask(page, tmp_path):
    island = kernel.OneKernel(checkpoints.load("gaussian-256").model, "One kernel", steps=100, taught=False)
    (tmp_path / "kernel.html").write_text(island.document("One kernel"), encoding="utf-8")
    page.goto((tmp_path / "kernel.html").as_uri())
    assert page.get_by_role("slider").count() == 2  # noise and steps; no word of a mix
    page.get_by_role("button", name="Train").click()
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('After 100 steps')")
    assert "better than the tuned unsharp mask" in page.locator("[role=status]").inner_text()
    words = page.locator("body").inner_text()
    assert not any(word in words for word in ("alone", "teacher", "mix"))


def test_the_unsharp_mask_is_tuned_for_the_noise_that_it_is_held_against(island):
    """A mask tuned at 2 grey levels was 2.7 dB below its input at 10."""
    for level, mask in zip(kernel.NOISES, island.data["masks"], strict=True):
        assert kernel.score(island.data, mask, level) > kernel.score(island.data, kernel.dot(), level) - 0.5


@pytest.mark.long
def test_the_teacher_pays_where_labels_are_few_and_the_truth_where_they_are_many(island):
    """What lesson 09 says of it, at the steps that it says."""
    few, many = (
        {a: kernel.score(island.data, kernel.train(island.data, a, labels, 2, 400), 2) for a in alphas}
        for labels, alphas in ((1, (0, 0.5, 0.75, 1)), (32, (0, 0.5, 1)))
    )
    gains = [few[0.75] - few[1], few[0.5] - few[1], few[0] - few[1], many[0.5] - many[1], many[0] - many[1]]
    assert gains == pytest.approx([0.14, 0.06, -0.28, -0.22, -0.63], abs=0.01)


def test_its_still_says_what_one_training_gave(island):
    still = island.still()
    assert "After 100 steps, held-out crops: the kernel" in still
    assert "<img" in still
    assert len(island.page()) < 250_000
