"""All explorers on one page for a lecture hall: taken from the executed lessons, moved by keys, served by Voila."""

import json
import re
import socket
import subprocess
import urllib.request

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from playwright.sync_api import TimeoutError, expect

from kdsharp import course, plots
from kdsharp.book.stage import Stage, found, voila, write_app
from kdsharp.checks import UsageError
from kdsharp.explore import Explorer, Slider
from kdsharp.explore.dials import Dials

QUIET = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


def draw(height):
    """A picture that differs with the slider."""
    return plots.Picture(plots.curves({"a": ([0, 1], [0, height])}, "x", "y"), f"a line up to {height:g}")


@pytest.fixture
def executed(tmp_path):
    """Lessons 01 and 12 as executed notebooks, with an explorer, six dials, and an output that is no explorer."""
    folder = tmp_path / "executed"
    folder.mkdir()
    made = {"01": [Explorer(draw, "A line", height=Slider("height", (1, 2, 3), 1))], "12": [Dials()]}
    for number, islands in made.items():
        outputs = [new_output("display_data", {"text/html": each.page()}) for each in islands]
        outputs.append(new_output("display_data", {"text/html": "<p>no explorer</p>"}))
        nbformat.write(
            new_notebook(cells=[new_code_cell("x", outputs=outputs)]), folder / course.find_lesson(number).name
        )
    return folder


def test_the_explorers_are_those_of_the_executed_lessons_in_their_order(executed):
    explorers = found(executed)
    assert [(each["lesson"], each["module"]) for each in explorers] == [
        ("01 · Sharpening in space", "explorer"),
        ("12 · Optimizers", "dials"),
    ]
    assert len(explorers[0]["facts"]["frames"]) == 3


def test_a_folder_without_explorers_is_refused(tmp_path):
    with pytest.raises(UsageError, match="run the lessons: kdsharp run"):
        write_app(tmp_path, tmp_path / "app")
    assert not (tmp_path / "app").exists()


def test_the_kernel_names_a_file_for_each_explorer_and_holds_none(executed, tmp_path):
    notebook = write_app(executed, tmp_path / "app")
    files = [each["facts"] for each in Stage(executed).widget().facts["explorers"]]
    assert files == ["voila/files/explorers/0.json", "voila/files/explorers/1.json"]
    held = [json.loads((notebook.parent / each.removeprefix("voila/files/")).read_text()) for each in files]
    assert held == [each["facts"] for each in found(executed)]


@pytest.mark.browser
@QUIET
def test_keys_walk_through_the_explorers_and_fill_the_screen(executed, open_page):
    page = open_page(Stage(executed))
    panes = page.locator(".kdsharp-pane")
    expect(panes).to_have_count(2)
    picture = panes.first.locator("img")
    before = picture.get_attribute("src")
    slider = panes.first.locator("input[type=range]")
    slider.press("ArrowRight")
    expect(picture).not_to_have_attribute("src", before)
    slider.press("n")  # a slider keeps its keys from the page, and not these
    expect(page.locator(".kdsharp-count")).to_have_text("2 of 2: 12 · Optimizers")
    page.keyboard.press("f")
    expect(page.locator(".kdsharp-presenting")).to_have_count(1)
    expect(panes.first).to_be_hidden()
    expect(panes.last).to_be_visible()
    page.keyboard.press("PageUp")
    expect(panes.first).to_be_visible()
    expect(panes.last).to_be_hidden()
    expect(picture).to_be_visible()
    page.keyboard.press("f")
    expect(page.locator(".kdsharp-presenting")).to_have_count(0)
    assert page.errors == []


@pytest.mark.browser
@QUIET
def test_an_explorer_that_does_not_come_says_so_and_comes_when_it_is_shown_again(executed, open_page, tmp_path):
    stage = Stage(executed)
    facts = json.dumps(stage.explorers[1]["facts"])
    stage.explorers[1] |= {"facts": "later.json"}
    page = open_page(stage)
    last = page.locator(".kdsharp-pane").last
    expect(last.get_by_role("alert")).to_contain_text("did not come")
    (tmp_path / "later.json").write_text(facts)
    page.keyboard.press("n")
    expect(last.locator("input[type=range]").first).to_be_visible()
    expect(last.get_by_role("alert")).to_have_count(0)


SEEN = """(pane) => [...pane.querySelectorAll("img")].map((each) => each.src).join() +
  [...pane.querySelectorAll("canvas")].map((each) => each.toDataURL()).join() +
  [...pane.querySelectorAll("svg")].map((each) => each.innerHTML).join()"""
STANDS_UNTIL_TRAINED = ("kernel", "digits")
"""Kinds whose sliders say what the next training shall be."""


@pytest.mark.browser
@pytest.mark.long
@QUIET
def test_voila_serves_it_and_each_explorer_moves(page, smoke_build, tmp_path):
    notebook = write_app(smoke_build / "smoke", tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    call = voila(notebook, port, opens=False)
    log = tmp_path / "voila.log"
    with log.open("w") as heard:
        running = subprocess.Popen(call, stdout=heard, stderr=subprocess.STDOUT)
    try:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(240):
            try:
                opener.open(f"http://127.0.0.1:{port}/voila/static/require.min.js", timeout=2).close()
                break
            except OSError:
                page.wait_for_timeout(500)
        page.goto(f"http://127.0.0.1:{port}/")
        panes = page.locator(".kdsharp-pane")
        try:
            panes.first.wait_for(timeout=100_000)
        except TimeoutError:  # seen once, on a busy machine: the kernel never answered; a lecturer loads it again
            print(log.read_text())
            page.reload()
            panes.first.wait_for(timeout=100_000)
        kinds = [each["module"] for each in found(smoke_build / "smoke")]
        assert panes.count() == len(kinds)
        assert len({re.match(r"\d\d", each["lesson"])[0] for each in found(smoke_build / "smoke")}) == 16
        for place, kind in enumerate(kinds):
            pane = panes.nth(place)
            print(place, kind)  # a failure's last line names the explorer
            pane.scroll_into_view_if_needed()
            slider = pane.locator("input[type=range]:not([max='0'])").first  # smoke has sliders of one value
            slider.wait_for()
            page.wait_for_timeout(200)
            before = pane.evaluate(SEEN)
            if kind in STANDS_UNTIL_TRAINED:
                continue
            slider.press("End" if slider.evaluate("each => each.value !== each.max") else "Home")
            page.wait_for_function(
                f"([pane, before]) => ({SEEN})(pane) !== before", arg=[pane.element_handle(), before]
            )
    finally:
        running.terminate()
        running.wait(20)
    assert page.errors == []
