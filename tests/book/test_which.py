"""Which one is it, in a browser: blind by key, a count beside chance, answers that survive."""

import pytest
import torch
from scipy import stats

from kdsharp.checks import UsageError
from kdsharp.course.which import WhichOne, chances

SCENES = ("one", "two", "three", "four", "five", "six")


@pytest.fixture(scope="module")
def pictures():
    generator = torch.Generator().manual_seed(0)
    return {
        name: {each: torch.rand(1, 3, 24, 24, generator=generator) for each in SCENES} for name in ("mask", "student")
    }


def test_chance_is_the_binomials():
    assert chances(6) == pytest.approx([1, 63 / 64, 57 / 64, 42 / 64, 22 / 64, 7 / 64, 1 / 64])
    assert chances(9)[7] == pytest.approx(stats.binomtest(7, 9, 0.5, "greater").pvalue)


def test_it_takes_two_and_the_wanted_is_one_of_them(pictures):
    with pytest.raises(UsageError, match="two systems, one of them 'teacher'"):
        WhichOne(pictures, "teacher", "Which?", 0)
    with pytest.raises(UsageError, match="two systems"):
        WhichOne(pictures | {"third": pictures["mask"]}, "mask", "Which?", 0)


def test_where_no_script_runs_the_first_round_is_blind(pictures):
    test = WhichOne(pictures, "student", "Which one did the network make?", 1)
    still = test.still()
    assert "Which one did the network make?" in still
    assert "1.6%" in still
    assert "student" not in still
    assert "Beside the count" not in still
    assert "<summary>Beside the count</summary>" in WhichOne(pictures, "student", "Which?", 1, beside="1 dB").still()
    assert len(test.facts(live=False)["rounds"]) == len(SCENES)


@pytest.mark.browser
def test_answers_by_key_then_the_count_beside_chance_and_who_was_who(page, pictures, tmp_path):
    question = "Which one did the network make?"
    test = WhichOne(pictures, "student", question, 1, name="13", zoom=2, beside="They differ by 1.4 dB.")
    assert {each.systems[0] for each in test.rounds} == {"mask", "student"}  # a coin decides who is A
    (tmp_path / "which.html").write_text(test.document("Which"), encoding="utf-8")
    page.goto((tmp_path / "which.html").as_uri())
    page.wait_for_selector("[data-stage=asking]")
    page.get_by_role("button", name="A", exact=True).focus()
    for k, asked in enumerate(test.rounds):
        assert f"Round {k + 1} of 6" in page.locator("[role=status]").inner_text()
        assert "student" not in page.locator("[data-island]").inner_text()
        assert "They differ" not in page.locator("[data-island]").inner_text()
        assert all("student" not in (image.get_attribute("alt") or "") for image in page.locator("img").all())
        if k == 3:
            page.reload()
            page.wait_for_selector("[data-stage=asking]")
            page.get_by_role("button", name="B", exact=True).focus()
        is_a = asked.systems[0] == "student"
        page.keyboard.press("a" if is_a == (k != 2) else "b")  # the third is missed
    status = page.locator("[role=status]").inner_text()
    assert "You found student in 5 of 6." in status
    assert "10.9 %" in status
    assert "no proof" in status
    assert status.endswith("They differ by 1.4 dB.")
    rows = [row.split() for row in page.locator("tbody tr").all_inner_texts()]
    assert [row[-1] for row in rows] == ["found", "found", "missed", "found", "found", "found"]
    assert [tuple(row[1:3]) for row in rows] == [each.systems for each in test.rounds]
    page.get_by_role("button", name="start over").click()
    page.wait_for_selector("[data-stage=asking][data-round='0']")
    assert page.errors == []


@pytest.mark.browser
def test_two_pictures_exchange_while_a_button_is_held_and_stay_where_they_are_afterwards(page, pictures, tmp_path):
    (tmp_path / "which.html").write_text(WhichOne(pictures, "student", "Which?", 1).document("Which"), encoding="utf-8")
    page.goto((tmp_path / "which.html").as_uri())
    page.wait_for_selector("[data-stage=asking]")

    def seen():
        return [image.get_attribute("src") for image in page.locator("img").all()]

    first, hold = seen(), page.get_by_role("button", name="Hold to exchange")
    hold.focus()
    page.keyboard.down(" ")
    assert seen() == first[::-1]
    page.keyboard.up(" ")
    assert seen() == first
    hold.hover()
    page.mouse.down()
    assert seen() == first[::-1]
    page.evaluate(
        "document.querySelectorAll('.kdsharp-choices button')[0].click()"
    )  # a second finger answers meanwhile
    second = seen()
    page.mouse.up()
    assert seen() == second
    assert set(second).isdisjoint(first)


@pytest.mark.browser
def test_the_count_is_an_entry_of_the_ledger(page, pictures, tmp_path):
    test = WhichOne(pictures, "student", "Which one is it?", 1, name="13")
    (tmp_path / "which.html").write_text(test.document("Which"), encoding="utf-8")
    page.goto((tmp_path / "which.html").as_uri())
    page.get_by_role("button", name="A", exact=True).focus()
    for _ in SCENES:
        page.keyboard.press("a")
    page.wait_for_selector("[data-stage=result]")
    kept = page.evaluate("JSON.parse(localStorage.getItem('kdsharp:ledger:which:blind:13'))")
    found = sum(each.systems[0] == "student" for each in test.rounds)
    assert (kept["kind"], kept["right"], kept["count"]) == ("blind", found, 6)
