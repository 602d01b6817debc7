"""The blind test in a browser: sums as in Python, a lock first, answers that survive, names only at the end."""

from urllib.parse import unquote

import numpy as np
import pytest
import torch
from scipy import stats

from kdsharp.course import eyes, rounds

pytestmark = pytest.mark.browser
SYSTEMS, SCENES = ("blurred", "network", "overdone", "truth"), ("one", "two", "three", "four")
SUMS = """async ([address, grades, facts, wins, a, b]) => {
  const judging = await import(address);
  return [grades.map((each) => judging.graded(each, facts)), [0, 3, 8].map((k) => judging.share(k, 8, facts.normal)),
    judging.bradleyTerry(wins), judging.agreement(a, b)];
}"""


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(0)
    return {system: {scene: torch.rand(1, 3, 24, 24, generator=generator) for scene in SCENES} for system in SYSTEMS}


@pytest.fixture(scope="module")
def measured():
    known = {"PSNR": (27.0, 30.0, 24.0), "GMSD": (0.06, 0.04, 0.1)}
    return {name: dict(zip(SYSTEMS, values, strict=False)) for name, values in known.items()}


def test_the_page_sums_as_python_does(page, pictures):
    from kdsharp.island import modules

    rng = np.random.default_rng(0)
    grades = [[int(g) for g in rng.integers(1, 6, 4)] for _ in range(5)] + [[3, 3, 3, 3], [5, 5, 5, 5]]
    wins = rng.integers(0, 5, (4, 4)) * (1 - np.eye(4, dtype=int))
    a, b = [1.0, 2.0, 2.0, 5.0, 0.5], [3.0, 1.0, 4.0, 4.0, 0.0]
    facts = {"factor": stats.t.ppf(0.975, 3), "rounding": rounds.ROUNDING, "normal": rounds.NORMAL}
    page.goto("about:blank")
    found = page.evaluate(SUMS, [modules.address("judging"), grades, facts, wins.tolist(), a, b])
    assert np.allclose(found[0], [rounds.graded(each) for each in grades])
    assert np.allclose(found[1], [rounds.share(k, 8) for k in (0, 3, 8)])
    assert np.allclose(found[2], rounds.bradley_terry(wins))
    assert found[3] == pytest.approx(stats.spearmanr(a, b)[0])


def opened(page, test, path):
    path.write_text(test.document("Eyes"), encoding="utf-8")
    page.goto(path.as_uri())
    page.wait_for_selector("[data-ready]")


def answers_for(test, grade):
    return [grade[asked.systems[0]] for asked in test.rounds]


def test_a_lock_then_rounds_by_key_then_the_result_then_pairs_beside_it(page, pictures, measured, tmp_path):
    rating = eyes.BlindTest(pictures, measured, 1, name="04", zoom=2)
    opened(page, rating, tmp_path / "rating.html")
    page.get_by_role("button", name="truth up").press("Enter")
    page.keyboard.press("Enter")  # the focus has gone with it
    page.keyboard.press("Enter")
    assert page.locator("li").first.inner_text().startswith("truth")
    page.get_by_role("button", name="Lock this ranking").click()
    given = answers_for(rating, {"blurred": 2, "network": 4, "overdone": 5, "truth": 4})
    for k, grade in enumerate(given):
        text = page.locator("[data-island]").inner_text()
        assert f"Round {k + 1} of 16" in text
        assert not any(system in text for system in SYSTEMS)  # blind
        if k == 5:
            page.reload()
            page.wait_for_selector("[data-stage=asking]")
            assert "Round 6 of 16" in page.locator("[role=status]").inner_text()
        page.get_by_role("button", name="bad").focus()
        page.keyboard.press(str(grade))
    said = page.locator("[role=status]").inner_text()
    assert "You preferred overdone to the truth" in said
    assert "PSNR −0.5" in said  # overdone, network, blurred against network, blurred, overdone
    assert "GMSD −0.5" in said  # of which less is better
    assert "overdone against network, photo by photo: +1.0 grades" in said
    rows = page.locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == list(SYSTEMS)
    assert "5.00 (4.54 to 5.00)" in rows[2]
    saved = unquote(page.get_by_role("link", name="CSV").get_attribute("href").split(",", 1)[1])
    (tmp_path / "mine.csv").write_text(saved, encoding="utf-8")
    again = eyes.BlindTest(pictures, measured, 1, name="04", file=tmp_path / "mine.csv")
    assert again.resumed() == given

    few = {system: pictures[system] for system in SYSTEMS[:3]}
    pairs = eyes.BlindTest(few, measured, 1, "pairwise", name="04", zoom=2)
    opened(page, pairs, tmp_path / "pairs.html")
    page.get_by_role("button", name="Lock this ranking").click()
    order = {"overdone": 0, "network": 1, "blurred": 2}
    for asked in pairs.rounds:
        best = min(asked.systems, key=order.__getitem__)
        page.get_by_role("button", name="AB"[asked.systems.index(best)], exact=True).click()
    said = page.locator("[role=status]").inner_text()
    assert "call overdone sharper than blurred in" in said
    assert "truth" not in said
    head = page.locator("thead").inner_text()
    assert all(name in head for name in ("ranking", "pairs won", "Bradley-Terry", "grades", "PSNR"))
    kept = page.evaluate("JSON.parse(localStorage.getItem('kdsharp:ledger:pairs:blind:04:pairwise'))")
    assert (kept["kind"], kept["count"]) == ("blind", len(pairs.rounds))
    assert "right" not in kept  # nobody is right here
    assert "1.00 (0.68 to 1.00)" in page.locator("tbody tr").nth(2).inner_text()
    page.get_by_role("button", name="start over").click()
    page.get_by_role("button", name="Lock this ranking").wait_for()
    assert page.errors == []


def test_on_a_phone_nothing_is_wider_than_the_screen_and_who_prefers_nothing_is_told_so(
    chrome, pictures, measured, tmp_path
):
    phone = chrome.new_page(viewport={"width": 390, "height": 844}, has_touch=True, color_scheme="dark")
    test = eyes.BlindTest(pictures, measured, 1, name="13")
    opened(phone, test, tmp_path / "rating.html")
    phone.get_by_role("button", name="Lock this ranking").tap()
    for grade in answers_for(test, {"blurred": 3, "network": 3, "overdone": 1, "truth": 5}):
        phone.locator(".kdsharp-choices button").nth(grade - 1).tap()
    said = phone.locator("[role=status]").inner_text()
    assert "You preferred nothing to the truth." in said
    assert "blurred against network, photo by photo: +0.0 grades" in said
    assert "no difference that could be told from chance" in said
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = "[...document.querySelectorAll('.kdsharp-columns text')].map((each) => each.getBoundingClientRect().height)"
    assert min(phone.evaluate(sizes)) >= 11
    phone.close()
