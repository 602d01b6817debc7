"""A notebook in JupyterLab: Run All leaves the lock closed, the kernel opens it, and a file keeps what she did."""

import pytest
from playwright.sync_api import expect

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def run_all(page, jupyterlab):
    page.goto(jupyterlab + "/lab/tree/acts.ipynb?reset")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=240_000)
    kernel = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"() => {kernel}?.status === 'idle'", timeout=120_000)
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.locator(".jp-OutputArea-output .kdsharp-ledger").wait_for(timeout=240_000)
    page.wait_for_function(f"() => {kernel}?.status === 'idle'", timeout=120_000)
    page.wait_for_timeout(1000)  # JupyterLab moves the focus to the last cell once more


def test_run_all_leaves_it_locked_and_the_kernel_opens_it(page, jupyterlab):
    run_all(page, jupyterlab)
    output = page.locator(".jp-OutputArea-output")
    assert output.locator(".kdsharp-closed").count() == 1
    assert output.get_by_text("The answer.").count() == 0
    field = output.get_by_label("your number, in dB")
    field.fill("3")
    field.press("Enter")
    verdict = output.locator(".kdsharp-verdict")
    expect(verdict).to_contain_text("You: 3 dB (50 % sure)")
    expect(verdict).to_contain_text("Measured: 3.2 dB")
    expect(verdict).to_contain_text("Right.")
    expect(output.locator(".kdsharp-reveal strong")).to_have_text("answer")
    output.get_by_role("button", name="Count again").click()
    shown = output.locator(".kdsharp-ledger [data-part=shown]")
    expect(shown).to_contain_text("1 of 1 locked, 1 right")
    expect(shown).to_contain_text("1 of 1")  # the exercise that passed
    run_all(page, jupyterlab)  # another day, another kernel
    expect(output.locator(".kdsharp-verdict")).to_contain_text("You: 3 dB (50 % sure)")
    assert page.errors == []
