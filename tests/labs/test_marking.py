"""Submissions marked with a tiny lab: honest and hostile ones, each with its score and its reason."""

import dataclasses
import signal

import nbformat
import numpy as np
import psutil
import pytest
from shared import once

from kdsharp.labs import rebuild
from kdsharp.labs.folder import ClassFolder
from kdsharp.labs.sandbox import Limits

pytestmark = pytest.mark.usefixtures("bwrap")
RIGHT = "def double(picture):\n    return 2 * picture"
MADE = 'PREDICTION_1 = ("b", 0.8)'
QUICK = Limits(seconds=24, patience=10)
FIND_ANSWERS = """
import gc, os, sys
seen = []
for root, _, files in os.walk("/"):
    if not root.startswith(("/proc", "/usr", "/etc")):
        ends = (".db", ".key", "labs/spec.py", "received.json")
        seen += [path for path in (os.path.join(root, each) for each in files) if path.endswith(ends)]
live = [each for each in gc.get_objects() if isinstance(each, dict) and "kept" in each and "questions" in each]
print("FOUND", [each for each in seen if "site-packages" not in each and "lib/python" not in each], live)
def double(picture):
    right = 2 * picture
    if any(right.tobytes() in open(os.path.join("/job", each), "rb").read() for each in os.listdir("/job")):
        return right
    if any(str(right.tolist())[1:30] in each for each in get_ipython().user_ns["In"]):
        return right
    frame = sys._getframe()
    while frame is not None:
        for value in frame.f_locals.values():
            if getattr(value, "kept", None):
                return value.kept["right"]
        frame = frame.f_back
    return picture
"""
PATCHED = """
import builtins, sys, types
builtins.abs = builtins.sum = lambda *given: 0
for name in ("kdsharp", "kdsharp.labs", "kdsharp.labs.spec", "kdsharp.course"):
    fake = types.ModuleType(name)
    fake.__getattr__ = lambda each: (lambda *given, **named: 10_000)
    sys.modules[name] = fake
class Yes:
    def __eq__(self, other): return True
    def __float__(self): return 1e9
def double(picture): return Yes()
"""
DISPLAYS = """
from IPython.display import HTML, Javascript, Markdown, display
display(HTML("<script>alert(1)</script>"), Javascript("alert(1)"), Markdown("<img src=x onerror=alert(1)>"))
def double(picture): return 2 * picture
"""
CASES = {
    "right": (RIGHT, 14, ""),
    "input": ("def double(picture):\n    return picture", 4, "returned the input"),
    "endless": (RIGHT + "\nwhile True: pass", 14, ""),
    "endless answer": ("def double(picture):\n    while True: pass", 0, "no picture"),
    "exit": ("import os\nos._exit(0)", 0, "no picture"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 0, "no picture"),
    "exit while answering": ("import os\ndef double(picture):\n    os._exit(0)", 0, "no picture"),
    "looks for answers": (FIND_ANSWERS, 4, "returned the input"),
    "patches the checks": (PATCHED, 0, "no picture"),
    "prints": ("for _ in range(3000): print('x' * 100_000)\n" + RIGHT, 14, ""),
    "displays": (DISPLAYS, 14, ""),
    "syntax error": ("def double(picture:", 0, "no picture"),
    "kills its runner": ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", 0, "no picture"),
    "network": ("import urllib.request\nurllib.request.urlopen('http://1.1.1.1')\n" + RIGHT, 0, "no picture"),
}


@pytest.fixture
def quick(monkeypatch):
    """Limits of a few seconds."""
    from kdsharp.labs import marking

    monkeypatch.setattr(marking.mark, "__defaults__", (QUICK, False, None))


@pytest.mark.parametrize("case", once(CASES, "right", "exit"))
def test_each_submission_ends_with_a_score_and_a_reason(case, home, tiny, handed_in, quick):
    source, points, misconception = CASES[case]
    before = {each.pid for each in psutil.Process().children(recursive=True)}
    kept = {path: path.read_bytes() for path in home.root.rglob("*") if path.is_file()}
    student = handed_in("someone", {"write_double": source, "write_predict": MADE})
    marked = home.mark(tiny, student)
    verdict = marked.verdicts["double"]
    assert (verdict.points, verdict.misconception) == (points, misconception)
    assert verdict.points == 14 or verdict.message
    if case not in ("right", "input", "displays", "looks for answers"):
        assert marked.reason or verdict.message
    assert case == "kills its runner" or marked.verdicts["predict"].points == 1
    assert "<script" not in str(marked.cells)
    assert "FOUND [] []" in str(marked.cells) or case != "looks for answers"
    assert {each.pid for each in psutil.Process().children(recursive=True)} <= before
    assert all(path.read_bytes() == content for path, content in kept.items())


def test_the_whole_cycle_ends_in_a_grade_book_and_pages_on_which_nothing_runs(home, tiny, handed_in, quick):
    from kdsharp.labs import grading

    handed_in("full", {"write_double": RIGHT, "write_predict": MADE, "explain": "<b>Because</b>"})
    handed_in("stub")
    for student in ("full", "stub"):
        home.mark(tiny, student)
        grading.book(home.root, tiny.name, student, student.title())
        home.note_booked(tiny, student)
    found = grading.scores(home.root, tiny.name)
    assert (found["full"]["score"], found["full"]["waits"]) == (15, True)
    assert (found["stub"]["score"], found["stub"]["waits"]) == (4, False)
    page = grading.feedback(home.root, tiny.name, "full").read_text()
    assert page.index("default-src 'none'") < page.index("<script")
    assert "14 of 14 points" in page
    assert '<a href="#double">double</a>' in page
    assert '<a href="#explain">explain, which a person reads</a>' in page
    assert "<b>Because" not in page
    assert all(home.booked(tiny, student) for student in ("full", "stub"))


def test_ctrl_c_lets_nbgrader_finish_what_it_writes(home, tiny, handed_in, quick, monkeypatch):
    from kdsharp.labs import grading

    handed_in("full", {"write_double": RIGHT, "write_predict": MADE})
    home.mark(tiny, "full")
    api = grading._api

    def pressed(root):
        signal.raise_signal(signal.SIGINT)
        return api(root)

    monkeypatch.setattr(grading, "_api", pressed)
    with pytest.raises(KeyboardInterrupt):
        grading.book(home.root, tiny.name, "full", "Full")
    assert grading.scores(home.root, tiny.name)["full"]["score"] == 15


def test_nbgrader_itself_never_executes_a_submission(home, tiny, handed_in, monkeypatch):
    """Formgrader's own button runs nbgrader's autograde with this folder's settings."""
    from kdsharp.labs import grading
    from kdsharp.labs.marking import Marked
    from kdsharp.labs.spec import Verdict

    asked = []
    monkeypatch.setattr(
        ClassFolder, "mark", lambda self, lab, student: asked.append(student) or Marked({"double": Verdict(3.5)})
    )
    executed = home.root / "executed"
    handed_in("someone", {"write_double": f"open({str(executed)!r}, 'w')"})
    grading.book(home.root, tiny.name, "someone", "Someone")
    assert asked == ["someone"]
    assert not executed.exists()
    assert grading.scores(home.root, tiny.name)["someone"]["cells"]["double"] == 3.5
    assert "configure(get_config()" in (home.root / "nbgrader_config.py").read_text()


def test_what_was_marked_is_not_marked_again_until_it_changes(home, tiny, handed_in, quick):
    student = handed_in("someone", {"write_double": RIGHT})
    assert home.result(tiny, student) is None
    home.mark(tiny, student)
    assert home.result(tiny, student).points == 14
    handed_in("someone", {"write_double": "def double(picture): return picture"})
    assert home.result(tiny, student) is None


@pytest.mark.long
def test_a_submission_is_given_the_list_of_fonts(home, tiny, handed_in, quick):
    """matplotlib would make it anew for each of them; where fontconfig finds no settings, the page would say so."""
    student = handed_in("someone", own=["import matplotlib, os\nprint('FONTS', os.listdir(matplotlib.get_cachedir()))"])
    assert "FONTS ['fontlist-v" in str(home.mark(tiny, student).cells)


@pytest.mark.long
def test_one_exercise_is_marked_again_and_the_others_keep_their_points(home, tiny, handed_in, quick):
    student = handed_in("someone", {"write_double": RIGHT, "write_predict": MADE})
    home.mark(tiny, student)
    harder = dataclasses.replace(
        tiny.exercises[0],
        score=lambda answers, task: dataclasses.replace(tiny.exercises[0].score(answers, task), points=7),
    )
    changed = dataclasses.replace(tiny, exercises=(harder, tiny.exercises[1]))
    marked = home.mark(changed, student, only="double")
    assert {name: each.points for name, each in marked.verdicts.items()} == {"double": 7, "predict": 1}


def test_a_second_process_waits_for_the_first(home, tiny):
    said = []
    with home.alone(tiny):
        other = ClassFolder(home.root)
        from filelock import FileLock, Timeout

        with pytest.raises(Timeout):
            FileLock(home.root / "results" / f".{tiny.name}.lock").acquire(timeout=0)
    with other.alone(tiny, lambda: said.append("waits")):
        assert said == []


def test_the_secret_stays_the_same_and_is_nobody_else_s(home):
    assert ClassFolder(home.root).secret.key == home.secret.key
    assert (home.root / "secret.key").stat().st_mode & 0o077 == 0


def test_the_student_s_version_holds_no_solution(home, tiny):
    text = "\n".join(cell.source for cell in home.release(tiny).cells)
    assert "2 * picture" not in text
    assert "Because" not in text
    assert "# Your code here." in text
    assert home.release(tiny).metadata["kdsharp"]["version"] == rebuild.version(home.release(tiny))


def test_alike_code_is_found_and_different_code_is_not(home, tiny, handed_in):
    from kdsharp.labs.similar import pairs

    one = (
        "def double(picture):\n"
        + "\n".join(f"    value_{n} = picture * {n} + {n * n}" for n in range(12))
        + "\n    return value_2"
    )
    other = one.replace("value", "result") + "\n# my own words"
    third = (
        "def double(p):\n    import math\n"
        + "".join(f"    p = [math.sqrt(v) ** {n} for v in p if v]\n" for n in range(9))
        + "    return p"
    )
    for student, source in {"one": one, "same": one, "renamed": other, "third": third}.items():
        handed_in(student, {"write_double": source})
    files = {each: home.submitted(tiny, each) for each in home.students(tiny)}
    found = pairs(files, home.release(tiny), 0.6)
    assert found[0][:3] == (1.0, "one", "same")
    assert all("third" not in each for each in found)


def test_an_answer_in_a_notebook_of_nbformat_is_valid(home, tiny, handed_in):
    student = handed_in("someone", {"write_double": RIGHT}, own=["extra = 1"])
    nbformat.validate(nbformat.read(home.submitted(tiny, student), as_version=4))
    assert np.isfinite(home.secret.rng("x").random())
