"""Files that are there and may not be read: one sentence that says so, whatever would have read them."""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from kdsharp import checkpoints, images
from kdsharp.checks import UsageError
from kdsharp.cli import main
from kdsharp.course import calibration
from kdsharp.export import session
from kdsharp.labs import archives
from kdsharp.sets.archives import check_archive
from kdsharp.video import reading

NOBODY = 65534
READERS = {
    "photo.png": images.read,
    "student.safetensors": checkpoints.load,
    "restormer.pth": checkpoints.load,
    "student.onnx": session.load,
    "set.zip": check_archive,
    "clip.mp4": lambda path: reading.opened(path).__enter__(),
    "report.json": calibration.locked,
    "export.zip": lambda path: list(archives.items(path)),
}


@pytest.fixture
def closed():
    """A folder with a file that its reader may not open; root, who may open all, is nobody meanwhile."""
    if not hasattr(os, "geteuid"):
        pytest.skip("this system knows no users of this kind")
    before = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)

        def make(file):
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"anything")
            path.chmod(0)
            if before == 0:
                os.seteuid(NOBODY)
            return path

        try:
            yield make
        finally:
            os.seteuid(before)


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_may_not_be_read_is_not_called_damaged(closed, name, monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "bundled", dict)  # nobody may not see where this repository lies either
    (tmp_path / name).write_bytes(b"anything")
    with suppress(Exception):  # imports what it needs, which nobody may not
        READERS[name](tmp_path / name)
    path = closed(name)
    with pytest.raises(UsageError, match="may not be read; change its permissions") as told:
        READERS[name](path)
    assert str(path) in str(told.value)


def test_one_closed_file_of_an_export_does_not_stop_the_others(closed):
    path = closed("alice.ipynb")
    (item,) = archives.items(path.parent)
    assert item.content is None
    assert "permissions" in item.trouble


def test_a_closed_folder_is_one_sentence_of_the_command(closed, monkeypatch, capsys, tmp_path):
    def collect(path):
        monkeypatch.setattr(sys, "argv", ["kdsharp", "labs", "collect", "lab1_filters", str(path)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    collect(tmp_path / "missing")  # imports what it needs, which nobody may not
    path = closed("photo.png")
    root = os.getuid() == 0
    if root:
        os.seteuid(0)
    path.parent.chmod(0o600)
    if root:
        os.seteuid(NOBODY)
    code, said = collect(path)
    assert code == 2
    assert said.count("\n") == 1
    assert f"{path} may not be read" in said
