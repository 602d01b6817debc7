"""Exports of four platforms, with accents, nested archives, copies, attempts and links: each notebook is found."""

import io
import json
import os
import tarfile
import time
import zipfile

import nbformat
import pytest

from kdsharp.checks import UsageError
from kdsharp.labs import summary
from kdsharp.labs.collecting import collect
from kdsharp.labs.platforms import owner, short
from kdsharp.labs.spec import Belief, Verdict


@pytest.fixture
def notebook(home, tiny):
    def make(answer="mine"):
        made = home.release(tiny)
        made.cells[2].source = f"def double(picture): return {answer!r}"
        return nbformat.writes(made).encode()

    return make


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.fixture
def take(home, tiny, tmp_path):
    """Collect an archive with these files; the submissions by student."""

    def call(files, dry=False):
        path = tmp_path / "export.zip"
        path.write_bytes(zipped(files))
        return {each.received.student: each for each in collect(home, tiny, path, dry)}

    return call


@pytest.mark.parametrize(
    ("path", "platform", "student", "number", "file"),
    [
        # github.com/moodle/moodle, mod/assign/locallib.php
        ("Zoë Ångström_1234567_assignsubmission_file_/lab.ipynb", "moodle", "zoe-angstrom", "1234567", "lab.ipynb"),
        ("Ana López_1234_assignsubmission_file_lab.ipynb", "moodle", "ana-lopez", "1234", "lab.ipynb"),
        ("BAE,WOOJIN_6130510_assignsubmission_file_/a/b.ipynb", "moodle", "bae-woojin", "6130510", "a/b.ipynb"),
        ("王伟_77_assignsubmission_file_/lab.ipynb", "moodle", "student-77", "77", "lab.ipynb"),
        # github.com/instructure/canvas-lms, lib/content_zipper.rb: user, then file; the -1 of a file that was handed in
        # before under the same name is of make_unique_filename in app/models/attachment.rb
        ("smithbob_340934_208490284_lab1.ipynb", "canvas", "smithbob-340934", "340934", "lab1.ipynb"),
        ("smithbob_LATE_340934_208490284_lab1-1.ipynb", "canvas", "smithbob-340934", "340934", "lab1-1.ipynb"),
        ("LATE_anon_a1B2c_208490284_lab1.ipynb", "canvas", "anon-a1b2c-a1b2c", "a1B2c", "lab1.ipynb"),
        # github.com/jupyter/nbgrader, nbgrader/plugins/zipcollect.py
        (
            "ps1_bitdiddle_attempt_2016-01-30-15-00-00_problem1.ipynb",
            "blackboard",
            "bitdiddle",
            "bitdiddle",
            "problem1.ipynb",
        ),
        # github.com/ILIAS-eLearning/ILIAS, Modules/Exercise/classes/class.ilExSubmission.php: in ASCII
        ("Abgaben/Mueller_Joerg_jmueller_4711/lab.ipynb", "ilias", "jmueller", "jmueller", "lab.ipynb"),
        ("Team_3/Weiss_Eva_eweiss_12/lab.ipynb", "ilias", "eweiss", "eweiss", "lab.ipynb"),
        ("anna/lab.ipynb", "files", "anna", "", "lab.ipynb"),
        ("Bert Beispiel (2).ipynb", "files", "bert-beispiel", "", "Bert Beispiel (2).ipynb"),
    ],
)
def test_whose_a_file_is(path, platform, student, number, file):
    found = owner(path)
    assert (found.platform, found.student, found.number, found.file) == (platform, student, number, file)


def test_names_become_safe_and_stay_apart():
    assert short("Łukasz Ødegård-Weiß", "1") == "lukasz-odegard-weiss"
    assert short("../../etc", "") == "etc"
    assert short("李", "").startswith("student-")
    assert short("Zoe\u0308", "") == short("Zoë", "")


def test_an_export_is_taken_in_once(take, home, tiny, notebook):
    files = {
        "Zoë_1_assignsubmission_file_/anything at all.ipynb": notebook(),
        "Ada_2_assignsubmission_file_/x.ipynb": notebook("a"),
    }
    assert take(files, dry=True)["zoe"].new
    assert home.students(tiny) == []
    assert all(each.new for each in take(files).values())
    assert home.students(tiny) == ["ada", "zoe"]
    assert not any(each.new for each in take(files).values())
    assert "'mine'" in home.submitted(tiny, "zoe").read_text()
    assert home.received(tiny, "zoe").name == "Zoë"


def test_of_two_attempts_and_of_copies_the_newest_counts(take, home, tiny, notebook):
    done = take(
        {
            "lab_ann_attempt_2027-01-01-10-00-00_l.ipynb": notebook("old"),
            "lab_ann_attempt_2027-01-02-09-00-00_l.ipynb": notebook("new"),
            "Bo_1_assignsubmission_file_/lab.ipynb": notebook("first"),
            "Bo_1_assignsubmission_file_/lab (1).ipynb": notebook("second"),
            "Bo_1_assignsubmission_file_/lab (2).ipynb": b"{",
        }
    )
    assert "'new'" in home.submitted(tiny, "ann").read_text()
    assert done["ann"].received.time == "2027-01-02 09:00:00 UTC"
    assert "'second'" in home.submitted(tiny, "bo").read_text()
    assert "2 notebooks: lab (1).ipynb counts, not lab.ipynb" in done["bo"].received.notes
    assert any("no valid JSON" in each for each in done["bo"].received.notes)


def test_a_file_that_cannot_be_read_or_has_no_date_ends_nothing(take, home, tiny, notebook, tmp_path):
    undated = zipfile.ZipInfo("Bo_2_assignsubmission_file_/x.ipynb", (1980, 0, 0, 0, 0, 0))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("Ann_1_assignsubmission_file_/x.ipynb", notebook("broken"))
        archive.writestr(undated, notebook("second"))
        archive.writestr("Cy_3_assignsubmission_file_/x.ipynb", notebook("third"))
    (tmp_path / "damaged.zip").write_bytes(out.getvalue().replace(b"broken", b"BROKEN"))
    done = {each.received.student: each.received for each in collect(home, tiny, tmp_path / "damaged.zip")}
    assert set(done) == {"ann", "bo", "cy"}
    assert any("x.ipynb: it cannot be read (BadZipFile" in each for each in done["ann"].notes)
    assert "'third'" in home.submitted(tiny, "cy").read_text()


def test_times_have_the_zone_of_this_machine_and_those_of_a_download_are_not_believed(
    home, tiny, notebook, tmp_path, monkeypatch
):
    files = {
        "lab_ann_attempt_2027-01-02-09-00-00_l.ipynb": (2027, 1, 9, 9, 0, 0),
        "Bo_1_assignsubmission_file_/l.ipynb": (2027, 1, 2, 9, 0, 0),
        "smithbob_LATE_340934_208490284_l.ipynb": (2027, 1, 9, 9, 0, 0),
    }
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, moment in files.items():
            archive.writestr(zipfile.ZipInfo(name, moment), notebook())
    with zipfile.ZipFile(tmp_path / "at once.zip", "w") as archive:
        for name in list(files)[:2]:
            archive.writestr(zipfile.ZipInfo(name, (2027, 1, 9, 9, 0, 0)), notebook())
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Europe/Berlin")
        time.tzset()
        done = {each.received.student: each.received for each in collect(home, tiny, tmp_path / "all.zip")}
        at_once = [each.received for each in collect(home, tiny, tmp_path / "at once.zip", dry=True)]
    time.tzset()
    assert (done["ann"].time, done["ann"].timed) == ("2027-01-02 08:00:00 UTC", True)
    assert (done["bo"].time, done["bo"].timed) == ("2027-01-02 08:00:00 UTC", True)
    assert not done["smithbob-340934"].timed
    assert [(each.student, each.timed) for each in at_once] == [("ann", True), ("bo", False)]
    policy = summary.Policy(summary.due("2027-01-01T12:00:00+00:00"))
    late = {row["student"]: row["days late"] for row in summary.grades(home, tiny, {}, policy)}
    assert late == {"ann": 1, "bo": 1, "smithbob-340934": 1}


def test_archives_in_archives_are_read_and_links_and_bombs_are_not(take, home, tiny, notebook, tmp_path):
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        member = tarfile.TarInfo("deep/lab.ipynb")
        member.size = len(notebook("tar"))
        archive.addfile(member, io.BytesIO(notebook("tar")))
        link = tarfile.TarInfo("passwd.ipynb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    nested = zipped({"1.zip": zipped({"2.zip": zipped({"3.zip": zipped({"lab.ipynb": notebook()})})})})
    done = take(
        {
            "a_1_assignsubmission_file_/work.zip": zipped(
                {"x/lab.ipynb": notebook("zip"), "__MACOSX/._lab.ipynb": b"x"}
            ),
            "b_2_assignsubmission_file_/work.tar.gz": tar.getvalue(),
            "c_3_assignsubmission_file_/work.zip": nested,
            "d_4_assignsubmission_file_/../../../../climbed-out.ipynb": notebook("out"),
            "e_5_assignsubmission_file_/work.zip": b"PK\x03\x04 broken",
            "f_6_assignsubmission_file_/large.ipynb": b" " * (21 << 20),
        }
    )
    assert "'zip'" in home.submitted(tiny, "a").read_text()
    assert "'tar'" in home.submitted(tiny, "b").read_text()
    assert any("is a link" in each for each in done["b"].received.notes)
    assert done["c"].received.notes[0].startswith("no notebook of this lab")
    assert sorted(path.name for path in (home.root / "submitted").iterdir()) == list("abcdef")
    assert any("cannot be read" in each for each in done["e"].received.notes)
    assert any("hand it in without outputs" in each for each in done["f"].received.notes)
    assert not list(tmp_path.parent.rglob("climbed-out.ipynb"))


def test_a_folder_is_collected_without_following_links_out_of_it(home, tiny, notebook, tmp_path):
    place = tmp_path / "handed in"
    (place / "anna").mkdir(parents=True)
    (place / "anna" / "lab.ipynb").write_bytes(notebook("anna"))
    (tmp_path / "other.ipynb").write_bytes(notebook("stolen"))
    (place / "bob").mkdir()
    os.symlink(tmp_path / "other.ipynb", place / "bob" / "lab.ipynb")
    os.symlink(tmp_path, place / "carl")
    with (place / "anna" / "huge.ipynb").open("wb") as out:
        out.truncate(300 << 20)
    done = {each.received.student: each.received for each in collect(home, tiny, place)}
    assert set(done) == {"anna", "bob", "carl"}
    assert any("hand it in without outputs" in each for each in done["anna"].notes)
    assert "stolen" not in home.submitted(tiny, "bob").read_text()


def test_a_missing_notebook_another_lab_and_two_of_one_name_each_get_a_row(take, home, tiny, notebook):
    other = nbformat.from_dict(home.release(tiny))
    other.metadata["kdsharp"]["lab"] = "lab9_other"
    done = take(
        {
            "No Notebook_1_assignsubmission_file_/report.pdf": b"%PDF",
            "Wrong Lab_2_assignsubmission_file_/x.ipynb": nbformat.writes(other).encode(),
            "Sam Lee_3_assignsubmission_file_/x.ipynb": notebook("one"),
            "Sam Lee_4_assignsubmission_file_/x.ipynb": notebook("two"),
        }
    )
    assert set(done) == {"no-notebook", "wrong-lab", "sam-lee", "sam-lee-4"}
    assert done["no-notebook"].received.notes[0] == "no notebook of this lab: marked as handed in empty"
    assert "x.ipynb: it is not lab0_tiny but lab9_other" in done["wrong-lab"].received.notes


def test_two_people_in_one_file_are_one_submission_and_one_file_of_two_is_named(take, home, tiny, notebook):
    first, second = (nbformat.reads(notebook(name).decode(), as_version=4) for name in ("anna", "bert"))
    first.cells += second.cells
    pair = notebook("a pair")
    done = take({"anna and bert.ipynb": json.dumps(first).encode(), "cleo.ipynb": pair, "dora.ipynb": pair})
    assert set(done) == {"anna-and-bert", "cleo", "dora"}
    assert any("a second cell" in note for note in done["anna-and-bert"].received.notes)
    text = home.submitted(tiny, "anna-and-bert").read_text()
    assert text.index("'anna'") < text.index("'bert'")
    assert done["cleo"].received.notes == ["the same file, byte for byte, as dora handed in"]
    assert done["dora"].received.notes == ["the same file, byte for byte, as cleo handed in"]


def test_what_is_no_export_is_refused(home, tiny, tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(UsageError, match="no folder and no archive"):
        collect(home, tiny, tmp_path / "x.txt")
    with pytest.raises(UsageError, match="is not there"):
        collect(home, tiny, tmp_path / "nowhere.zip")


def test_no_grade_lies_outside_what_its_cell_is_worth(home, tiny, handed_in):
    student = handed_in("zoe", {})
    (automatic, *_), (manual, *_) = tiny.exercises, tiny.manual
    given = {automatic.name: -3.0, manual.name: manual.points + 60}
    scores = {student: {"score": sum(given.values()), "cells": given, "waits": False}}
    (row,) = summary.grades(home, tiny, scores, summary.Policy())
    assert (row[automatic.name], row[manual.name], row["score"]) == (0, manual.points, manual.points)
    assert f"{manual.name}: {manual.points + 60:g} given, {manual.points:g} of {manual.points:g} count" in row["notes"]


def test_late_days_cost_what_the_policy_says():
    policy = summary.Policy(summary.due("2027-01-01T12:00:00+00:00"), percent=10, free=1)
    assert policy.days("2027-01-01 11:59:00 UTC", False) == 0
    assert policy.days("2027-01-01 12:00:01 UTC", False) == 1
    assert policy.days("2027-01-03 12:00:01 UTC", False) == 3
    assert policy.days("2027-01-01 11:00:00 UTC", True) == 1
    assert policy.days("", False) == 0
    assert policy.days("", True) == 1
    assert policy.penalty(20, 3) == 4
    assert policy.penalty(20, 99) == 20
    assert summary.Policy().days("2030-01-01 00:00:00 UTC", True) == 0


def test_a_table_for_each_platform_and_no_formula_in_any(tiny, tmp_path):
    row = {"student": "x", "name": "=HYPERLINK(1)", "number": "7", "platform": "moodle", "score": 12.5}
    for platform in ("all", "moodle"):
        rows = summary.for_platform([row], tiny, platform)
        summary.write_csv(rows, tmp_path / "x.csv")
        assert "'=HYPERLINK" in (tmp_path / "x.csv").read_text(encoding="utf-8-sig")
    assert summary.for_platform([row], tiny, "moodle")[0]["Identifier"] == "Participant 7"
    assert summary.for_platform([row], tiny, "canvas") == []


def test_what_a_class_believed(tiny, tmp_path):
    wrong, other, right = Verdict(0, "returned the input"), Verdict(4, "doubled twice"), Verdict(14)
    sure = [
        Verdict(1, belief=Belief(0.95, False)),
        Verdict(1, belief=Belief(0.6, True)),
        Verdict(1, belief=Belief(0.0, False)),
    ]
    verdicts = [{"double": each, "predict": belief} for each, belief in zip([wrong, wrong, right], sure, strict=True)]
    verdicts.append({"double": other})
    named = [("returned the input", 2), ("doubled twice", 1)]
    assert summary.misconceptions(verdicts, tiny) == [("double", named, 4), ("predict", [], 3)]
    rows = summary.calibration(verdicts)
    assert [(row[1], row[3]) for row in rows] == [(1, 0.0), (1, 1.0), (1, 0.0)]
    summary.figure(rows, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 5000
