"""Files that are there and may not be read: one sentence that says so, whatever would have read them."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from kdsharp import checkpoints, cli, images
from kdsharp.checks import UsageError
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


def test_the_facts_of_a_closed_checkpoint_are_not_called_damaged(closed):
    with pytest.raises(UsageError, match="may not be read"):
        checkpoints.read_meta(closed("student.safetensors"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "photo.png")
    with pytest.raises(UsageError, match="give the path of an image file"):
        images.read(tmp_path / "photo.png")


def test_one_closed_file_of_an_export_does_not_stop_the_others(closed):
    path = closed("alice.ipynb")
    (item,) = archives.items(path.parent)
    assert item.content is None
    assert "permissions" in item.trouble


def test_what_else_is_closed_is_one_sentence_of_the_command(monkeypatch, capsys):
    def refuses(args):
        raise PermissionError(13, "Permission denied", "/closed/photo.png")

    monkeypatch.setattr(cli, "app", refuses)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert "/closed/photo.png may not be read or written" in said
