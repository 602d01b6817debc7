"""A folder of what people really have: folders, patterns, strays, and one bad file among good ones."""

import numpy as np
import pytest
from PIL import Image

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.cli.batch import jobs, passed_over, run


def put(path, size=(20, 24)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture
def holiday(tmp_path):
    """A folder that passed through a Mac and a PC."""
    folder = tmp_path / "holiday"
    for name in ("b.jpg", "a.png", "deep/c.jpg"):
        put(folder / name)
    for stray in ("._a.png", ".DS_Store", "Thumbs.db", "notes.txt", "__MACOSX/x.jpg", ".hidden/y.jpg"):
        (folder / stray).parent.mkdir(exist_ok=True)
        (folder / stray).write_bytes(b"stray")
    return folder


def names(found, out):
    return [job.target.relative_to(out).as_posix() for job in found]


def test_a_folder_is_its_photos_without_strays_and_deeper_on_wish(holiday, tmp_path):
    out = tmp_path / "sharper"
    assert names(jobs([holiday], out), out) == ["a.png", "b.jpg"]
    assert names(jobs([holiday], out, recursive=True), out) == ["a.png", "b.jpg", "deep/c.jpg"]


def test_results_inside_the_folder_are_not_taken_again(holiday):
    put(holiday / "sharper" / "a.png")
    found = jobs([holiday], holiday / "sharper", recursive=True)
    assert names(found, holiday / "sharper") == ["a.png", "b.jpg", "deep/c.jpg"]


def test_a_pattern_that_the_shell_left_alone_is_expanded_and_a_name_with_brackets_is_a_name(holiday, tmp_path):
    put(holiday / "photo [1].png")
    assert names(jobs([holiday / "*.jpg"], tmp_path), tmp_path) == ["b.jpg"]
    assert names(jobs([holiday / "photo [1].png"], tmp_path), tmp_path) == ["photo [1].png"]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (["*.webp"], "no file fits"),
        (["empty"], "holds no photo or video; --recursive"),
        (["strays"], "holds no photo or video among its 2 files"),
        (["a.png", "deep/../a.png"], "twice"),
        (["a.png", "other/a.png"], "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_work(holiday, tmp_path, inputs, words):
    (holiday / "empty").mkdir()
    put(holiday / "other" / "a.png")
    (holiday / "strays").mkdir()
    for name in ("a.dng", "b.gif"):
        (holiday / "strays" / name).write_bytes(b"stray")
    with pytest.raises(UsageError, match=words):
        jobs([holiday / each for each in inputs], tmp_path)


def test_a_file_is_never_its_own_result(holiday):
    with pytest.raises(UsageError, match="would be overwritten"):
        jobs([holiday / "a.png"], holiday)


def test_a_folder_is_never_its_own_result(holiday):
    with pytest.raises(UsageError, match="the photos of .*holiday would be overwritten"):
        jobs([holiday], holiday / "deep" / "..")


def test_a_file_that_is_given_twice_is_done_once(holiday, tmp_path):
    assert len(jobs([holiday / "a.png"] * 2, tmp_path)) == 1


def test_links_that_lead_in_a_circle_or_nowhere_end_nothing(holiday, tmp_path):
    (holiday / "circle.jpg").symlink_to(holiday / "circle.jpg")
    (holiday / "nowhere.jpg").symlink_to(tmp_path / "no.jpg")
    assert names(jobs([holiday], tmp_path), tmp_path) == ["a.png", "b.jpg"]
    with pytest.raises(UsageError, match="is a link that leads nowhere"):
        images.read(holiday / "nowhere.jpg")


def test_what_a_folder_holds_beside_photos_is_counted_by_its_kind(holiday, tmp_path):
    for name in ("a.DNG", "b.dng", "deep/c.gif", "plain"):
        (holiday / name).write_bytes(b"stray")
    expected = {".dng": 2, ".txt": 1, ".db": 1, "without a suffix": 1}
    assert passed_over([holiday], tmp_path) == expected
    assert passed_over([holiday], tmp_path, recursive=True) == expected | {".gif": 1}
    assert passed_over([holiday], holiday / "deep", recursive=True) == expected


def test_a_device_that_gives_up_and_what_stands_in_the_way_are_noted_and_the_others_are_done(holiday, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").write_text("a file")

    def work(job):
        if job.source.name == "a.png":
            raise OSError(5, "Input/output error")

    failed = dict(run(jobs([holiday], tmp_path / "out", recursive=True), work))
    assert failed.pop(holiday / "a.png").endswith("a.png: Input/output error")
    assert "a file stands in its way" in failed.pop(holiday / "deep" / "c.jpg")
    assert failed == {}


def test_a_result_that_is_called_like_a_file_is_asked_for_as_a_folder(kdsharp, holiday, tmp_path):
    done = kdsharp("sharpen", str(holiday / "b.jpg"), "--out", "b_sharp.jpg")
    assert done.returncode == 2
    assert "b_sharp.jpg looks like a file; give the folder alone" in done.stderr
    assert not (tmp_path / "b_sharp.jpg").exists()


def test_one_refused_file_is_noted_and_the_others_are_done(holiday, tmp_path):
    done = []

    def work(job):
        if job.source.name == "a.png":
            raise UsageError("a.png is damaged")
        done.append(job.source.name)

    failed = run(jobs([holiday], tmp_path / "out", recursive=True), work)
    assert failed == [(holiday / "a.png", "a.png is damaged")]
    assert done == ["b.jpg", "c.jpg"]


def test_the_command_does_what_it_can_and_says_what_it_left(kdsharp, holiday, tmp_path):
    (holiday / "bad.jpg").write_bytes((holiday / "b.jpg").read_bytes()[:200])
    call = ("sharpen", "holiday", "--out", "sharper", "--filter", "unsharp", "--recursive")
    done = kdsharp(*call)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "3 sharpened into sharper" in done.stdout
    assert "not looked at: 1 .db, 1 .txt" in done.stdout
    assert "bad.jpg is damaged" in done.stdout
    assert "Traceback" not in done.stderr
    made = sorted(path.relative_to(tmp_path / "sharper").as_posix() for path in (tmp_path / "sharper").rglob("*.*"))
    assert made == ["a.png", "b.jpg", "deep/c.jpg"]
    before = (tmp_path / "sharper" / "a.png").stat().st_mtime_ns
    again = kdsharp(*call, "--skip-existing")
    assert "0 sharpened into sharper, 3 were there already" in again.stdout
    assert (tmp_path / "sharper" / "a.png").stat().st_mtime_ns == before


def test_a_single_bad_file_is_one_sentence(kdsharp, holiday):
    (holiday / "bad.jpg").write_bytes(b"no photo")
    done = kdsharp("sharpen", "holiday/bad.jpg", "--out", "sharper")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is not an image" in done.stderr
