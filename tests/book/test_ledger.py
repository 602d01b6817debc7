"""My ledger in a real browser: notes are kept, the report is made here, and delete-all leaves nothing."""

import json

import pytest
from playwright.sync_api import expect
from test_predict import choice

from kdsharp.course.kept import Ledger

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_what_she_did_becomes_a_report_and_can_be_deleted(page, open_page):
    open_page(*choice(), Ledger())
    page.get_by_label("too narrow").check()
    page.get_by_role("button", name="Lock my answer").click()
    expect(page.locator("[data-part=shown]")).to_contain_text("1 of 1 locked, 0 right")
    page.get_by_label("What I saw").fill("Every edge overshoots.")
    page.get_by_label("What I would check next").focus()
    page.reload()
    expect(page.get_by_label("What I saw")).to_have_value("Every edge overshoots.")

    open_page(Ledger(whole=True), name="ledger")
    expect(page.locator("[data-part=shown]")).to_contain_text("0 of 1 (0 %)")
    with page.expect_download() as made:
        page.get_by_role("button", name="Make report (Markdown)").click()
    text = made.value.path().read_text(encoding="utf-8")
    assert "Mine: too narrow (50 % sure); measured too wide: not right." in text
    assert "**What I saw.** Every edge overshoots." in text
    assert "- 05_known_blur: Note: What I expected" in text
    with page.expect_download() as made:
        page.get_by_role("button", name="Make report (JSON)").click()
    assert json.loads(made.value.path().read_text())["lessons"]["05_known_blur"]["note"]["saw"]
    page.get_by_role("button", name="Delete everything").click()
    assert page.evaluate("localStorage.length") == 2  # not yet
    page.get_by_role("button", name="Yes, delete it all").click()
    assert page.evaluate("localStorage.length") == 0
    expect(page.locator("[data-part=shown]")).to_contain_text("Nothing here yet")
    assert page.asked == []
    assert page.errors == []


def test_a_note_is_kept_while_she_types(page, open_page):
    open_page(Ledger())
    page.get_by_label("What I saw").press_sequentially("Half a sen")
    page.wait_for_function("Object.values(localStorage).some((value) => value.includes('Half a sen'))")
    page.reload()  # with the cursor still in the field
    expect(page.get_by_label("What I saw")).to_have_value("Half a sen")
