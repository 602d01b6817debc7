"""Predictions on a page without a kernel, in a real browser: locked, opened, kept, and read without scripts."""

import pytest
from playwright.sync_api import expect

from kdsharp import plots
from kdsharp.course.predicting import Guess, Reveal

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def number():
    guess = Guess("By how much is `noise` multiplied?", None, "times", None, 2.0)
    made = plots.figure(300, 200)
    made.add_axes((0, 0, 1, 1)).plot([0, 1], [0, 1])
    picture = plots.Picture(made, "a line that rises", "It rises.")
    return guess, Reveal(guess, [picture.tag()], 541.0, "Most of it is **fine** detail.")


def choice():
    guess = Guess("Which mistake costs more?", ["too narrow", "too wide", "both the same"], None, None, None)
    return guess, Reveal(guess, [], "too wide", "It divides by contrast that was never lost.")


def test_a_number_is_locked_by_keyboard_and_stands_beside_the_measured_one(page, open_page):
    open_page(*number())
    field, closed = page.get_by_label("your number, in times"), page.locator(".kdsharp-closed")
    closed.wait_for()
    assert page.locator("img").count() == 0
    assert page.get_by_text("541").count() == 0
    field.focus()
    page.keyboard.type("many")
    page.keyboard.press("Enter")
    expect(page.locator(".kdsharp-predict [role=status]")).to_have_text("Write a number first, such as 0.5.")
    field.fill("50,0")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # 75 %
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    verdict = page.locator(".kdsharp-verdict")
    expect(verdict).to_contain_text("You: 50 times (75 % sure)")
    expect(verdict).to_contain_text("Measured: 541 times")
    expect(verdict).to_contain_text("10.8 times too small")
    assert page.locator("figure img[alt='a line that rises']").count() == 1
    assert page.locator("figcaption").inner_text() == "It rises."
    assert field.is_disabled()
    assert page.evaluate("document.activeElement.getAttribute('role')") == "status"
    page.reload()
    expect(page.locator(".kdsharp-verdict")).to_contain_text("You: 50 times")
    assert page.errors == []


def test_a_choice_that_is_right_is_told_so(page, open_page):
    open_page(*choice())
    page.get_by_label("too wide").check()
    page.get_by_role("button", name="Lock my answer").click()
    expect(page.locator(".kdsharp-verdict")).to_contain_text("Right.")
    expect(page.locator(".kdsharp-reveal")).to_contain_text("contrast that was never lost")
    kept = page.evaluate("JSON.parse(Object.values(localStorage)[0])")
    assert (kept["answer"], kept["sure"], kept["measured"], kept["right"]) == ("too wide", 50, "too wide", True)
    assert page.evaluate("Object.keys(localStorage)[0]").startswith("kdsharp:ledger:05_known_blur:prediction:")


def test_show_anyway_opens_without_an_answer_and_says_so(page, open_page):
    open_page(*choice())
    page.get_by_role("button", name="Show anyway").click()
    expect(page.locator(".kdsharp-verdict")).to_have_text("Measured: too wide")
    expect(page.locator(".kdsharp-predict [role=status]")).to_contain_text("before you locked")
    assert page.get_by_label("too wide").is_disabled()


def test_each_lock_opens_its_own_answer(page, open_page):
    open_page(*number(), *choice())
    page.get_by_label("too narrow").check()
    page.get_by_role("button", name="Lock my answer").nth(1).click()
    expect(page.locator(".kdsharp-verdict")).to_have_count(1)
    expect(page.locator(".kdsharp-closed")).to_have_count(1)


def test_without_scripts_all_is_open(chrome, open_page, page):
    address = open_page(*number()).url
    plain = chrome.new_context(java_script_enabled=False).new_page()
    plain.goto(address)
    text = plain.locator("body").inner_text()
    assert "Measured: 541 times" in text
    assert "Most of it is fine detail." in text
    assert plain.locator("figure img").is_visible()
    plain.context.close()


def test_where_an_island_cannot_be_loaded_its_answer_is_open(page, open_page):
    page.route("**/reveal.mjs", lambda route: route.abort())
    open_page(*number())
    expect(page.locator("[data-island=reveal]")).to_contain_text("Measured: 541 times")
