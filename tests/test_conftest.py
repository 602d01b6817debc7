"""What tests stand on: tools that are missing, and shells that ignore Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shared import once, tool

CHILD = """
def test_a_child_hears_ctrl_c():
    import subprocess, sys
    code = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "True"
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no ignored signals to hand on")
def test_children_of_tests_hear_ctrl_c_though_the_shell_ignores_it(tmp_path):
    for name in ("conftest.py", "shared.py"):
        (tmp_path / name).write_text(Path(__file__).with_name(name).read_text())
    (tmp_path / "test_child.py").write_text(CHILD)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-c",
            os.devnull,
            "--rootdir",
            tmp_path,
            tmp_path,
        ],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert done.returncode == 0, done.stdout


def test_a_missing_tool_skips_here_and_fails_in_ci(monkeypatch):
    monkeypatch.delenv("KDSHARP_REQUIRE_TOOLS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-tool is not installed"):
        tool("no-such-tool", "nor-this")
    monkeypatch.setenv("KDSHARP_REQUIRE_TOOLS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is not installed"):
        tool("no-such-tool")
    assert tool("no-such-tool", os.path.basename(sys.executable))


def test_what_is_long_is_left_to_make_test_all():
    marked = {param.values[0]: param.marks for param in once(["a", "b"], "b")}
    assert [mark.name for mark in marked["a"]] == ["long"]
    assert list(marked["b"]) == []
    with pytest.raises(AssertionError):
        once(["a"], "typo")
