"""Marking by hand: `kdsharp labs open` in a real browser, a score that a person gives, and the grades that hold it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from kdsharp.labs import grading, summary

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.usefixtures("bwrap"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PATIENCE = 120_000
RIGHT = "def double(picture):\n    return 2 * picture"


@pytest.fixture
def formgrader(home):
    """The address of Formgrader on the class, started by the command."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {"JUPYTER_PORT": str(port), "JUPYTER_TOKEN": "lecturer", "BROWSER": "true"}
    settings |= {"JUPYTER_CONFIG_DIR": str(home.root / ".jupyter")}
    command = [sys.executable, "-m", "kdsharp", "labs", "open", "--class", str(home.root)]
    with (home.root / "formgrader.log").open("w") as log:
        running = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log, start_new_session=True)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2).close()
                break
            except OSError:
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
        os.killpg(running.pid, 15)
        running.wait(30)


@pytest.fixture
def page(chrome, formgrader):
    page = chrome.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.route(re.compile(r"^https?://(?!127\.0\.0\.1|localhost)"), lambda route: route.abort())
    page.goto(f"{formgrader}/formgrader?token=lecturer")
    yield page
    page.close()


def test_a_score_given_by_hand_is_in_the_grades(home, tiny, handed_in, page, formgrader):
    student = handed_in("zoe", {"write_double": RIGHT, "explain": "Because it is so."})
    home.mark(tiny, student)
    grading.book(home.root, tiny.name, student, "Zoe")
    home.note_booked(tiny, student)

    def row():
        policy = summary.Policy(None, 0, 0)
        return summary.grades(home, tiny, grading.scores(home.root, tiny.name), policy)[0]

    before = row()
    assert before["waits for a person"]
    page.goto(f"{formgrader}/formgrader/gradebook/{tiny.name}/{tiny.name}")
    with page.expect_response(lambda each: "/api/grades" in each.url):  # its fields do nothing before
        page.get_by_role("link", name="Submission #1").click()
    field = page.locator("input#explain")
    field.wait_for()
    page.wait_for_timeout(1000)
    expect(page.get_by_text("Because it is so.")).to_be_visible()
    field.fill("4")
    with page.expect_response(lambda each: "/api/grade/" in each.url and each.request.method == "PUT") as saved:
        field.press("Tab")
    assert saved.value.ok
    after = row()
    assert (after["explain"], after["points"]) == (4, before["points"] + 4)
    assert not after["waits for a person"]
