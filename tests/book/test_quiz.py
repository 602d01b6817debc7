"""The four kinds of questions in a real browser, by keyboard, without a kernel."""

import pytest
from playwright.sync_api import expect

from kdsharp import plots
from kdsharp.checks import UsageError
from kdsharp.course.quizzes import Quiz

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

STEPS = ["scene", "blur", "noise", "rounding"]


def picture():
    made = plots.figure(300, 200)
    made.add_axes((0, 0, 1, 1)).plot([0, 1], [0, 1])
    return plots.Picture(made, "a line that rises")


def questions():
    places = [(0.2, 0.3, False, "That is flat."), (0.8, 0.7, True, "There it is.")]
    return [
        {"question": "Which <b>one</b>?", "answers": [("this", True, "Yes."), ("that", False, "That is blur.")]},
        {"question": "In order?", "order": STEPS, "why": "Light first."},
        {
            "question": "PSNR?",
            "number": 30,
            "unit": "dB",
            "within": 0.1,
            "why": "-10 log.",
            "slips": [(-30, "The sign.")],
        },
        {"question": "Where is the halo?", "picture": picture(), "places": places},
    ]


def said(page, question):
    return page.locator("fieldset").nth(question).locator("[role=status]")


def test_each_kind_is_answered_by_keyboard_and_kept(page, open_page):
    open_page(Quiz(questions()))
    page.get_by_label("that").focus()
    page.keyboard.press("Space")
    expect(said(page, 0)).to_have_text("Not yet. That is blur.")
    page.keyboard.press("ArrowUp")
    expect(said(page, 0)).to_have_text("Yes.")

    rows = page.locator(".kdsharp-order li")
    for place, step in enumerate(STEPS):  # bring each to its place by the buttons of its row
        while rows.nth(place).locator("span").inner_text() != step:
            page.get_by_role("button", name=f"up: {step}").focus()
            page.keyboard.press("Enter")
            assert step in page.evaluate("document.activeElement.ariaLabel")  # the focus goes with the row
            expect(said(page, 1)).to_contain_text(f"{step}: now ")
    page.get_by_role("button", name="Check the order").press("Enter")
    expect(said(page, 1)).to_have_text("Right. Light first.")

    page.get_by_label("your number, in dB").fill("-30")
    page.keyboard.press("Enter")
    expect(said(page, 2)).to_have_text("Not yet. The sign.")
    page.get_by_label("your number, in dB").fill("30,05")
    page.keyboard.press("Enter")
    expect(said(page, 2)).to_have_text("Right. -10 log.")

    page.get_by_role("button", name="place A, 20 percent from the left").press("Enter")
    expect(said(page, 3)).to_have_text("Not yet. That is flat.")
    page.get_by_role("button", name="place B").press("Enter")
    expect(said(page, 3)).to_have_text("Right. There it is.")
    assert page.locator("[aria-pressed=true]").inner_text() == "B"
    kept = page.evaluate(
        "Object.values(localStorage).map(JSON.parse).map(e => [e.question, e.right, e.first, e.tries])"
    )
    assert sorted(kept) == [
        ["In order?", True, True, 1],
        ["PSNR?", True, False, 2],
        ["Where is the halo?", True, False, 2],
        ["Which one?", True, False, 2],
    ]
    page.reload()
    expect(page.get_by_text("You have answered this one.")).to_have_count(4)
    for k, told in enumerate(("Yes.", "Right. Light first.", "Right. -10 log.", "Right. There it is.")):
        expect(said(page, k)).to_contain_text(told)  # what she knew stands there again
    expect(page.get_by_label("your number, in dB")).to_have_value("30")
    expect(page.locator("input[type=radio]:checked")).to_have_count(1)
    after = page.evaluate(
        "Object.values(localStorage).map(JSON.parse).map(e => [e.question, e.right, e.first, e.tries])"
    )
    assert sorted(after) == sorted(kept)
    assert page.errors == []


def test_a_wrong_order_is_told_how_much_of_it_is_right(page, open_page):
    open_page(Quiz(questions()))
    page.get_by_role("button", name="Check the order").click()
    expect(said(page, 1)).to_contain_text("of 3 follow each other")
    assert page.locator(".kdsharp-order li span").all_inner_texts() != STEPS


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_one_column_on_a_phone_and_can_be_read(page, open_page, scheme):
    page.set_viewport_size({"width": 390, "height": 900})
    page.emulate_media(color_scheme=scheme)
    open_page(Quiz(questions()))
    page.locator(".kdsharp-choice").first.wait_for()
    lefts = {round(each.bounding_box()["x"]) for each in page.locator(".kdsharp-choice").all()}
    assert len(lefts) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_a_script_the_answers_are_open():
    still = Quiz(questions()).still()
    assert "<b>this</b> Yes." in still
    assert "<b>scene, blur, noise, rounding.</b> Light first." in still
    assert "<b>30 dB.</b>" in still
    assert "<b>B, at 80% from the left and 70% from the top</b> There it is." in still


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"question": "?"}, "one of the keys"),
        ({"question": "?", "order": STEPS, "number": 1, "why": ""}, "one of the keys"),
        ({"question": "?", "order": STEPS}, "has the keys order, question, why"),
        ({"question": "?", "answers": [("a", True, ""), ("b", True, "")]}, "exactly one right"),
        ({"question": "?", "order": ["a", "b"], "why": ""}, "at least three"),
        ({"question": "?", "number": 1, "within": 0.5, "why": "", "slips": [(1.2, "")]}, "counts as right"),
        ({"question": "?", "picture": None, "places": [(0.5, 0.5, False, "")]}, "exactly one right"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(question, message):
    with pytest.raises(UsageError, match=message):
        Quiz([question])
