"""Labs that are handed out through nbgitpuller, and feedback pages in a real browser."""

import subprocess
import sys

import pytest

from kdsharp.labs import grading, outputs
from kdsharp.labs.folder import ClassFolder
from kdsharp.labs.marking import Marked
from kdsharp.labs.spec import Verdict


def git(place, *words):
    own = ["-c", "user.name=Lecturer", "-c", "user.email=lecturer@example.org"]
    subprocess.run(["git", *own, *words], cwd=place, check=True, capture_output=True)


def test_a_pulled_update_loses_nobody_s_work(home, tiny, tmp_path):
    pytest.importorskip("nbgitpuller")
    handout, copy = tmp_path / "handout", tmp_path / "student"
    handout.mkdir()
    text = (home.root / "release" / tiny.name / f"{tiny.name}.ipynb").read_text()
    (handout / "lab.ipynb").write_text(text)
    git(handout, "init", "-q", "-b", "main")
    git(handout, "add", ".")
    git(handout, "commit", "-q", "-m", "lab")

    def pull():
        command = [sys.executable, "-c", "from nbgitpuller.pull import main; main()", f"file://{handout}", "main", copy]
        subprocess.run(command, check=True, capture_output=True)

    pull()
    mine = (copy / "lab.ipynb").read_text().replace("brighter = picture", "brighter = 2 * picture")
    (copy / "lab.ipynb").write_text(mine)
    (handout / "lab.ipynb").write_text(text.replace("# A tiny lab", "# A tiny lab, corrected"))
    (handout / "second.ipynb").write_text(text)
    git(handout, "add", ".")
    git(handout, "commit", "-q", "-m", "update")
    pull()
    now = (copy / "lab.ipynb").read_text()
    assert "brighter = 2 * picture" in now
    assert "corrected" in now
    assert (copy / "second.ipynb").exists()


@pytest.mark.browser
@pytest.mark.long
def test_nothing_runs_on_a_feedback_page(home, tiny, handed_in, monkeypatch, chrome):
    attack = '<script>document.title = "hacked"; alert(1)</script><img src="http://127.0.0.1:9/x" onerror="alert(2)">'
    handed_in(
        "someone", {"write_double": f"# {attack}", "explain": f"{attack}\n\n[x](javascript:alert(3))"}, own=[attack]
    )
    data = {"text/html": attack, "application/javascript": "alert(4)", "text/plain": attack}
    cells = {
        2: outputs.clean([{"output_type": "display_data", "data": data}, {"output_type": "stream", "text": attack}])
    }
    found = Marked({"double": Verdict(3, "slip", attack)}, cells)
    monkeypatch.setattr(ClassFolder, "result", lambda self, lab, student: found)
    grading.book(home.root, tiny.name, "someone", attack)
    page_file = grading.feedback(home.root, tiny.name, "someone")
    happened = []
    page = chrome.new_page(viewport={"width": 1440, "height": 900})
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("requestfinished", lambda request: happened.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_timeout(500)
    assert page.title() == tiny.name
    assert page.get_by_text("3 of 14 points").count() == 1
    assert page.locator("a[href^='javascript']").count() == 0
    page.close()
    assert happened == [page_file.as_uri()]
