"""A student does lab 1 in JupyterLab: from the file that was handed out to the one that is handed in and marked."""

import csv
import shutil

import pytest
from playwright.sync_api import expect
from shared import tool

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

KERNEL = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
HERS = """def laplacian_sharpen(image, amount):
    wide = np.pad(image, 1, mode="reflect")
    around = wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:]
    return image - amount * (around - 4 * image)
"""


@pytest.fixture
def handed_out(kdsharp, desk):
    """Lab 1 as `kdsharp labs release` writes it, on the student's desk."""
    pytest.importorskip("nbgrader")
    tool("bwrap")
    done = kdsharp("labs", "release", "lab1", "--to", str(desk))
    assert done.returncode == 0, done.stderr
    return desk / "lab1_filters.ipynb"


def idle(page):
    page.wait_for_function(f"() => {KERNEL}?.status === 'idle'", timeout=240_000)


def cell(page, text):
    """The cell whose source holds a text: how many stand before it, and where it is in the page. Some are folded."""
    place = page.evaluate(
        "text => window.jupyterapp.shell.currentWidget.content.widgets"
        ".findIndex(each => each.model.type === 'code' && each.model.sharedModel.getSource().includes(text))",
        text,
    )
    assert place >= 0, f"no cell holds {text}"
    return place, page.locator(".jp-Notebook .jp-Cell").nth(place)


def run(page, text):
    """Select a cell and run it; where it is in the page."""
    place, found = cell(page, text)
    page.evaluate("place => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = place; }", place)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-cell')")  # waits until it ran
    idle(page)
    return found


def write(page, text, hers):
    """Replace what stands in a cell, as a person does."""
    cell(page, text)[1].locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(hers)


def test_from_the_file_handed_out_to_the_one_handed_in(page, jupyterlab, handed_out, kdsharp, tmp_path):
    page.goto(f"{jupyterlab}/lab/tree/{handed_out.name}?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=240_000)
    idle(page)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    expect(page.get_by_text("Not yet: a white pixel stays as it was").first).to_be_visible(timeout=240_000)
    idle(page)

    write(page, "def laplacian_sharpen", HERS)
    run(page, "def laplacian_sharpen")
    expect(run(page, "star = laplacian_sharpen")).to_contain_text("Right: a white pixel becomes 5")

    for needed in ("def unsharp_mask", "PREDICTION_1 = None", "def butterworth_gain", "def butterworth_sharpen"):
        run(page, needed)
    expect(run(page, "loudest = course.commit")).to_contain_text("Not yet: write a letter")
    expect(run(page, "loudest.reveal")).to_contain_text("The answer is locked")
    write(page, "PREDICTION_1 = None", 'PREDICTION_1 = ("b", 0.8)')
    run(page, "PREDICTION_1 =")
    expect(run(page, "loudest = course.commit")).to_contain_text("Locked: b, the Laplacian, 80% sure")
    expect(run(page, "loudest.reveal")).to_contain_text("Measured: b, the Laplacian: right.")

    page.keyboard.press("ControlOrMeta+s")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert "wide[:-2, 1:-1]" in handed_out.read_text(encoding="utf-8")
    assert page.errors == []

    handed_in = tmp_path / "handed-in" / "Zoë"
    handed_in.mkdir(parents=True)
    shutil.copy(handed_out, handed_in)
    for said in (["collect", "lab1", "handed-in"], ["mark", "lab1"], ["export", "lab1", "--csv", "grades.csv"]):
        done = kdsharp("labs", *said)
        assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "grades.csv").open(encoding="utf-8-sig") as file:
        (row,) = csv.DictReader(file)
    assert (row["student"], float(row["laplacian"]), float(row["predict_noise"])) == ("zoe", 3, 1)
    assert float(row["points"]) == 4  # what she has not written gives nothing
