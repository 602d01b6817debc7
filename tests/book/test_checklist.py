"""The checklist of lesson 15 in a real browser: it counts, writes what was ticked and noted, and remembers it."""

from urllib.parse import unquote

import pytest

from kdsharp.explore.checklist import ITEMS, Checklist

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_ticks_are_counted_and_notes_are_written_and_both_are_there_the_next_day(page, tmp_path):
    (tmp_path / "list.html").write_text(Checklist().document("list"), encoding="utf-8")
    page.goto((tmp_path / "list.html").as_uri())
    count = page.locator("[data-part=count]")
    count.wait_for()
    assert count.inner_text().startswith(f"0 of {len(ITEMS)}")
    page.locator("[data-item='1']").check()
    page.locator("[data-item='3']").check()
    page.locator("[data-note='3']").fill("section 2, train.py line 40")
    assert count.inner_text().startswith(f"2 of {len(ITEMS)}; still open in: Data")
    page.reload()
    count.wait_for()
    assert count.inner_text().startswith(f"2 of {len(ITEMS)}; still open in: Data")
    text = unquote(page.locator("[data-part=save]").get_attribute("href").split(",", 1)[1])
    assert f"- [x] {ITEMS[3].question} (lesson 15): section 2, train.py line 40" in text
    assert f"- [ ] {ITEMS[0].question}" in text
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    assert count.inner_text() == f"{len(ITEMS)} of {len(ITEMS)}; complete"
    assert page.errors == []
