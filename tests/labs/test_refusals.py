"""What a lecturer mistypes: each command says one sentence, and makes nothing."""

import zipfile

import pytest
from typer.testing import CliRunner

from kdsharp.checks import UsageError
from kdsharp.cli import app

COMMANDS = {
    "mark": ["mark", "lab0"],
    "regrade": ["regrade", "lab0", "--exercise", "1"],
    "export": ["export", "lab0", "--csv", "grades.csv"],
    "feedback": ["feedback", "lab0"],
    "leaderboard": ["leaderboard", "lab0"],
    "similar": ["similar", "lab0"],
    "open": ["open"],
}


@pytest.fixture
def refused(tiny, tmp_path, monkeypatch):
    """The sentence with which a command ends, in an empty folder."""
    pytest.importorskip("nbgrader")
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        ended = CliRunner().invoke(app, ["labs", *map(str, arguments)])
        assert isinstance(ended.exception, UsageError), (ended.exception, ended.output)
        assert "\n" not in str(ended.exception)
        return str(ended.exception)

    return call


@pytest.mark.parametrize("command", COMMANDS)
def test_a_class_that_is_not_there_is_not_made(command, refused, tmp_path):
    assert refused(*COMMANDS[command], "--class", "typo").startswith("typo is no folder of a class")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "open"])
def test_a_class_that_has_not_handed_in_is_told_what_comes_first(command, refused, home, bwrap):
    said = refused(*COMMANDS[command], "--class", home.root)
    assert said.endswith("first: kdsharp labs collect lab0_tiny ZIP")


def test_an_export_that_holds_nothing_is_no_submission(refused, home, tmp_path):
    (tmp_path / "folder").mkdir()
    zipfile.ZipFile(tmp_path / "nothing.zip", "w").close()
    for place in ("folder", "nothing.zip"):
        assert "holds no notebook" in refused("collect", "lab0", place, "--class", home.root)


def test_a_table_is_no_folder_and_waits_for_nobody(refused, home, tmp_path):
    (tmp_path / "folder").mkdir()
    assert "is a folder" in refused("export", "lab0", "--csv", "folder", "--class", home.root)
