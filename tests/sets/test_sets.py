"""Public sets: stated facts, arranged archives, counts that are compared, and `kdsharp data` as a user meets it."""

import io
import signal
import subprocess
import sys
import time
import zipfile
from urllib.parse import urlsplit

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kdsharp import cli, images, sets
from kdsharp.checks import UsageError
from kdsharp.datasets import PairedFolder
from kdsharp.sets import archives, download

FACTS = {"title", "paper", "content", "size", "licence", "page", "addresses", "note", "layout", "use", "blur"}
HOSTS = {"raw.githubusercontent.com", "seungjunnah.github.io", "github.com", "data.cv.snu.ac.kr"}


def content(name):
    """A small picture, with its name behind it, so that no two files are alike."""
    packed = io.BytesIO()
    Image.new("RGB", (16, 16)).save(packed, format="png")
    return packed.getvalue() + name.encode()


def make_zip(path, names):
    """An archive of small pictures."""
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, content(name))
    return path


def gopro_names(splits, scenes, top="GOPRO_Large/"):
    """The file names of GoPro's archive, its pairs dealt out to the scenes."""
    for split, count in splits.items():
        for index in range(count):
            scene = f"{top}{split}/GOPR{index % scenes[split]:04}_11_00"
            yield from (f"{scene}/{half}/{index:06}.png" for half in ("blur", "blur_gamma", "sharp"))


def unpacked(tmp_path, name, names):
    archive = make_zip(tmp_path / "archive.zip", names)
    return archives.unpack(archive, tmp_path / name, lambda root: sets.arrange(name, root), progress=False)


@pytest.fixture
def small_gopro(monkeypatch):
    """GoPro with three training pairs in two scenes and one test pair."""
    row = sets.set_table()["gopro"] | {"pairs": {"train": 3, "test": 1}, "scenes": {"train": 2, "test": 1}}
    monkeypatch.setattr(sets, "set_table", lambda: {"gopro": row})


# The facts


def test_every_set_states_all_facts():
    assert set(sets.set_table()) == {"gopro", "hide", "realblur", "reds", "photos"}
    for row in sets.set_table().values():
        assert row.keys() >= (FACTS - {"use", "blur"} if "files" in row else FACTS)
        assert {"pairs", "lists", "files"} & row.keys()
        assert all(row[key] for key in FACTS & row.keys() - {"addresses", "use"})


def test_gopro_has_the_numbers_of_its_authors():
    row = sets.set_table()["gopro"]
    assert row["pairs"] == {"train": 2103, "test": 1111}
    assert row["scenes"] == {"train": 22, "test": 11}


def test_addresses_are_the_authors_own():
    for row in sets.set_table().values():
        assert {urlsplit(address).hostname for address in [row["page"], *row["addresses"]]} <= HOSTS


@pytest.mark.parametrize("name", ["gopro", "hide", "realblur", "reds"])
def test_a_description_holds_licence_size_and_page(name):
    text, row = sets.describe(name), sets.set_table()[name]
    for key in ("title", "content", "size", "licence", "page"):
        assert row[key] in text
    assert all(address in text for address in row["addresses"] or ["none for a program"])
    assert "checksum: none was found" in text


def test_an_unknown_set():
    with pytest.raises(UsageError, match=r"unknown data set 'gopr' \(did you mean 'gopro'"):
        sets.describe("gopr")


# Archives become folders that PairedFolder reads


@pytest.mark.parametrize("top", ["", "GOPRO_Large/", "a/b/"])
def test_gopro_is_stepped_into(tmp_path, top):
    folder = unpacked(tmp_path, "gopro", gopro_names({"train": 3, "test": 1}, {"train": 2, "test": 1}, top))
    assert len(PairedFolder(folder, "train", "blur_gamma")) == 3
    assert len(PairedFolder(folder, "test")) == 1


def test_backslashes_are_folders_and_a_macs_companions_are_left_in_the_archive(tmp_path):
    names = [r"train\blur\1.png", r"train\sharp\1.png", "__MACOSX/train/blur/._1.png", "train/blur/._1.png"]
    folder = archives.unpack(make_zip(tmp_path / "archive.zip", names), tmp_path / "set", progress=False)
    assert [name for name, _, _ in PairedFolder(folder, "train").pairs] == ["1"]
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


def test_one_split_alone_is_not_stepped_into(tmp_path):
    folder = unpacked(tmp_path, "gopro", gopro_names({"test": 1}, {"test": 1}, ""))
    assert (folder / "test").is_dir()


def test_hide_gets_the_flat_layout(tmp_path):
    blurred = ["train/1.png", "train/2.png", "test/test-close-ups/3.png", "test/test-long-shot/4.png"]
    sharp = [f"GT/{index}.png" for index in (1, 2, 3, 4)]
    names = [f"HIDE_dataset/{name}" for name in [*blurred, *sharp, "train.txt"]] + ["__MACOSX/HIDE_dataset/._x"]
    folder = unpacked(tmp_path, "hide", names)
    assert [name for name, _, _ in PairedFolder(folder, "train").pairs] == ["1", "2"]
    assert [name for name, _, _ in PairedFolder(folder, "test").pairs] == ["3", "4"]
    assert sorted(path.name for path in folder.iterdir()) == ["test", "train", "train.txt"]


@pytest.mark.parametrize("top", ["{split}/", ""])
def test_reds_gets_scenes(tmp_path, top):
    names = [
        f"{top.format(split=split)}{split}_{half}/{scene}/{frame}.png"
        for split in ("train", "val")
        for half in ("blur", "sharp")
        for scene in ("000", "001")
        for frame in ("00000000", "00000001")
    ]
    folder = unpacked(tmp_path, "reds", names)
    assert len(PairedFolder(folder, "train")) == len(PairedFolder(folder / "val")) == 4
    assert sorted(path.name for path in (folder / "val").iterdir()) == ["000", "001"]


def realblur(tmp_path, missing=()):
    names, lines = [], {"J": [], "R": []}
    for version in lines:
        for scene in ("scene001", "scene002"):
            base = f"RealBlur-{version}_ECC/{scene}"
            lines[version].append(f"{base}/gt/gt_1.png {base}/blur/blur_1.png\n")
            names += [f"{base}/gt/gt_1.png", f"{base}/blur/blur_1.png"]
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as file:
        for name in names:
            if name not in missing:
                file.writestr(f"RealBlur/{name}", content(name))
        for version, (train, test) in lines.items():
            file.writestr(f"RealBlur/RealBlur_{version}_train_list.txt", train)
            file.writestr(f"RealBlur/RealBlur_{version}_test_list.txt", test)
    return archives.unpack(
        tmp_path / "archive.zip", tmp_path / "realblur", lambda root: sets.arrange("realblur", root), progress=False
    )


def test_realblur_is_split_by_its_lists(tmp_path):
    folder = realblur(tmp_path)
    for version in "JR":
        assert [name for name, _, _ in PairedFolder(folder / version, "train").pairs] == ["scene001/1"]
        assert [name for name, _, _ in PairedFolder(folder / version, "test").pairs] == ["scene002/1"]
    assert sets.verify(folder, "realblur") == []


def test_realblur_without_a_half_or_a_list(tmp_path):
    folder = realblur(tmp_path, missing=["RealBlur-J_ECC/scene002/gt/gt_1.png"])
    (folder / "RealBlur_R_train_list.txt").unlink()
    found = {
        finding.path.relative_to(folder).as_posix(): finding.sentence for finding in sets.verify(folder, "realblur")
    }
    assert found["J/test/scene002/sharp"] == "is missing beside blur/"
    assert "0 pairs of blur and sharp; the authors state 1" in found["J/test"]
    assert "is missing" in found["RealBlur_R_train_list.txt"]


def test_two_files_that_would_become_one(tmp_path):
    names = ["test/test-close-ups/3.png", "test/test-long-shot/3.png", "train/1.png", "GT/3.png", "GT/1.png"]
    with pytest.raises(UsageError, match="two files of the archive would become 3.png"):
        unpacked(tmp_path, "hide", names)
    assert not (tmp_path / "hide").exists()


# Counts


def test_a_complete_set_has_no_findings(tmp_path, small_gopro):
    folder = unpacked(tmp_path, "gopro", gopro_names({"train": 3, "test": 1}, {"train": 2, "test": 1}))
    assert sets.verify(folder, "gopro") == []


def test_wrong_counts_and_scenes_are_named(tmp_path, small_gopro):
    folder = unpacked(tmp_path, "gopro", gopro_names({"train": 2, "test": 1}, {"train": 1, "test": 1}))
    found = [(finding.path, finding.sentence) for finding in sets.verify(folder, "gopro")]
    assert found == [
        (folder / "train", "holds 2 pairs of blur and sharp; the authors state 3"),
        (folder / "train", "holds 2 pairs of blur_gamma and sharp; the authors state 3"),
        (folder / "train", "holds 1 scenes; the authors state 2"),
    ]


def test_a_missing_split_and_a_missing_partner(tmp_path, small_gopro):
    folder = unpacked(tmp_path, "gopro", gopro_names({"train": 3}, {"train": 2}))
    lost = folder / "train" / "GOPR0000_11_00" / "blur_gamma" / "000000.png"
    lost.unlink()
    found = {finding.path: finding.sentence for finding in sets.verify(folder, "gopro")}
    assert found[folder / "test"] == "is missing; 1 pairs belong there"
    assert found[lost.parents[1] / "sharp" / "000000.png"] == f"has no partner in {lost.parent}"
    assert found[folder / "train"] == "holds 2 pairs of blur_gamma and sharp; the authors state 3"


def test_verify_needs_a_folder(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        sets.verify(tmp_path / "nowhere", "gopro")


# The command


@pytest.fixture
def assert_refused(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, which saves its start; it must answer these words and exit status 2."""

    def call(arguments, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["kdsharp", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = "".join(capsys.readouterr())
        assert stopped.value.code == 2, said
        for word in words:
            assert word in said

    return call


def test_list_names_every_set(kdsharp):
    done = kdsharp("data", "list")
    assert done.returncode == 0, done.stderr
    for name in sets.set_table():
        assert name in done.stdout


def test_a_set_is_fetched_over_a_cut_line_unpacked_and_verified(kdsharp, tmp_path, file_server):
    row = sets.set_table()["gopro"]
    archive = make_zip(tmp_path / "made.zip", gopro_names(row["pairs"], row["scenes"]))
    file_server.content = archive.read_bytes()
    file_server.cuts = [len(file_server.content) // 2]
    done = kdsharp("data", "get", "gopro", "--url", file_server.url("GOPRO_Large.zip"), "--out", "sets")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "CC BY 4.0" in done.stdout
    assert "is complete. Measure: kdsharp evaluate --model small --pairs sets/gopro" in done.stdout
    assert file_server.served == len(file_server.content)
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == ["GOPRO_Large.zip", "gopro"]
    again = kdsharp("data", "get", "gopro", "--out", "sets")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "is there already; nothing is fetched" in again.stdout


def test_an_incomplete_archive_fetched_by_hand_is_exit_status_1(kdsharp, tmp_path):
    archive = make_zip(tmp_path / "made.zip", gopro_names({"train": 2, "test": 1}, {"train": 1, "test": 1}))
    done = kdsharp("data", "get", "gopro", "--archive", archive)
    assert done.returncode == 1, done.stderr
    assert "holds 2 pairs of blur and sharp; the authors state 2103" in done.stdout
    assert (tmp_path / "gopro" / "train").is_dir()


@pytest.mark.parametrize("name", ["hide", "realblur"])
def test_a_set_without_an_address_says_how_to_fetch_it_by_hand(assert_refused, tmp_path, name):
    assert_refused(("data", "get", name), sets.set_table()[name]["page"], f"kdsharp data get {name} --archive FILE")
    assert list(tmp_path.iterdir()) == []


def test_impossible_arguments_of_get(assert_refused, tmp_path, file_server):
    (tmp_path / "page.zip").write_text("<html>")
    assert_refused(("data", "get", "gopr"), "did you mean 'gopro'")
    assert_refused(("data", "get", "hide", "--archive", "nowhere.zip"), "nowhere.zip is missing")
    assert_refused(("data", "get", "hide", "--archive", "page.zip"), "neither a zip nor a tar")
    assert_refused(("data", "get", "hide", "--archive", "page.zip", "--sha256", "0" * 64), "not the expected")
    assert_refused(("data", "get", "hide", "--archive", "a", "--url", "b"), "exclude each other")
    assert_refused(("data", "get", "reds", "--sha256", "0" * 64), "given 1 times for 4 archives")
    file_server.statuses = [404]
    assert_refused(("data", "get", "hide", "--url", file_server.url()), "answers 404")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.zip"]


def test_ctrl_c_keeps_the_part_and_the_same_command_goes_on(kdsharp, tmp_path, file_server):
    file_server.content = make_zip(tmp_path / "made.zip", ["train/1.png", "GT/1.png"]).read_bytes()
    half = len(file_server.content) // 2
    file_server.cuts = [half]
    file_server.stalls.set()
    command = [sys.executable, "-m", "kdsharp", "data", "get", "hide", "--url", file_server.url()]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        part = tmp_path / "pairs.zip.part"
        while file_server.served < half:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        deadline = time.monotonic() + download.TIMEOUT / 2  # before the silence ends the connection
        while not part.exists() or part.stat().st_size < half:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what has arrived is kept, and the same command goes on" in stderr
    assert "Traceback" not in stderr
    assert part.stat().st_size == half
    done = kdsharp("data", "get", "hide", "--url", file_server.url())
    assert done.returncode == 1, done.stderr  # one of HIDE's 8422 pairs
    assert file_server.served == len(file_server.content)
    assert (tmp_path / "hide" / "train" / "target" / "1.png").exists()


def test_check_prints_a_table_and_exits_with_1_for_errors_alone(kdsharp, tmp_path):
    sharp = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    for half, pixels in (("input", ndimage.gaussian_filter(sharp, (1, 1, 0))), ("target", sharp)):
        (tmp_path / "mine" / half).mkdir(parents=True)
        for name in ("a", "b"):
            images.write(tmp_path / "mine" / half / f"{name}.png", pixels)
    done = kdsharp("data", "check", "mine")
    assert (done.returncode, done.stdout) == (0, "2 pairs, 0 errors, 0 warnings in mine\n")
    (tmp_path / "mine" / "input" / "notes.txt").touch()
    done = kdsharp("data", "check", "mine")
    assert done.returncode == 0
    assert "2 pairs, 0 errors, 1 warnings" in done.stdout
    Image.new("L", (24, 20)).save(tmp_path / "mine" / "target" / "b.png")
    (tmp_path / "mine" / "target" / "a.png").unlink()
    done = kdsharp("data", "check", "mine")
    assert done.returncode == 1
    for words in ("error", "mine/target/b.png", "is a greyscale image", "mine/input/a.png", "has no partner"):
        assert words in done.stdout


def test_impossible_arguments_of_check(assert_refused, tmp_path):
    assert_refused(("data", "check", "nowhere"), "nowhere is not a folder")
    assert_refused(("data", "check", tmp_path, "--split", "val"), "no split 'val'")
    assert_refused(("data", "check", tmp_path, "--blur", "gamma"), "unknown blur folder 'gamma'")
