"""Unpacking: whole or not at all, and nothing outside the folder."""

import io
import os
import shutil
import stat
import tarfile
import zipfile
from types import SimpleNamespace

import pytest

from kdsharp.checks import UsageError
from kdsharp.sets import archives

CONTENT = {"train/a.txt": b"one" * 5000, "train/deep/b.txt": b"two"}


def make_zip(path, content=CONTENT, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content.items():
            file.writestr(name, data)
    return path


def make_tar(path, content=CONTENT, mode="w"):
    with tarfile.open(path, mode) as file:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def make_tar_gz(path, content=CONTENT):
    return make_tar(path, content, "w:gz")


def refusal(archive, tmp_path):
    """The one sentence; nothing but the archives is left behind."""
    (tmp_path / "out").mkdir(exist_ok=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError) as caught:
        archives.unpack(archive, tmp_path / "out" / "new", progress=False)
    assert sorted(tmp_path.rglob("*")) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("make", [make_zip, make_tar, make_tar_gz])
def test_an_archive_becomes_a_folder(tmp_path, make):
    folder = archives.unpack(make(tmp_path / "a"), tmp_path / "out" / "new", progress=False)
    assert folder == tmp_path / "out" / "new"
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == CONTENT
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert list((tmp_path / "out").iterdir()) == [folder]


def test_several_archives_share_a_folder_and_arrange_picks_a_part(tmp_path):
    parts = [make_zip(tmp_path / "a", {"set/x": b"x"}), make_tar(tmp_path / "b", {"set/y": b"y"})]
    folder = archives.unpack(parts, tmp_path / "new", lambda root: root / "set", progress=False)
    assert sorted(path.name for path in folder.iterdir()) == ["x", "y"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "new"]


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize("name", ["../evil", "train/../../evil", "/evil", "..\\evil", "C:\\evil", "C:evil"])
def test_a_member_that_leads_out_is_refused(tmp_path, make, name):
    archive = make(tmp_path / "a", CONTENT | {name: b"x"})
    message = refusal(archive, tmp_path)
    assert "is not safe to unpack" in message
    assert "leads out of the folder" in message


def test_a_zip_with_a_link(tmp_path):
    link = zipfile.ZipInfo("train/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a", "w") as file:
        file.writestr(link, "/etc/hosts")
    assert "'train/link' is no plain file" in refusal(tmp_path / "a", tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_a_link_or_a_device(tmp_path, kind):
    with tarfile.open(make_tar(tmp_path / "a"), "a") as file:
        member = tarfile.TarInfo("train/odd")
        member.type, member.linkname = kind, "train/a.txt"
        file.addfile(member)
    assert "'train/odd' is no plain file" in refusal(tmp_path / "a", tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar, make_tar_gz])
def test_an_archive_larger_than_the_disk(tmp_path, make, monkeypatch):
    archive = make(tmp_path / "a")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=15_002))
    assert "unpacks to 15,003 bytes or more, but 15,002 are free" in refusal(archive, tmp_path)


@pytest.mark.parametrize("make", [make_zip, make_tar, make_tar_gz])
def test_a_truncated_archive(tmp_path, make):
    noise = os.urandom(20_000)  # does not compress, so that half of the archive is half of the data
    archive = make(tmp_path / "a", {"a": noise, "b": noise})
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    message = refusal(archive, tmp_path)
    assert "cannot be unpacked" in message or "is neither a zip nor a tar archive" in message


def test_a_zip_with_a_flipped_byte(tmp_path):
    archive = make_zip(tmp_path / "a", {"a": os.urandom(20_000)})
    data = bytearray(archive.read_bytes())
    data[9000] ^= 0xFF
    archive.write_bytes(data)
    assert "cannot be unpacked" in refusal(archive, tmp_path)


def test_what_is_no_archive(tmp_path):
    (tmp_path / "page.zip").write_text("<html>quota exceeded</html>")
    assert "is neither a zip nor a tar archive" in refusal(tmp_path / "page.zip", tmp_path)
    assert "is missing" in refusal(tmp_path / "nowhere.zip", tmp_path)


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(UsageError, match="new exists"):
        archives.unpack(make_zip(tmp_path / "a"), tmp_path / "new", progress=False)
    assert list((tmp_path / "new").iterdir()) == []


def test_ctrl_c_leaves_no_half_folder(tmp_path):
    def stop(root):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archives.unpack(make_zip(tmp_path / "a"), tmp_path / "new", stop, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_checksum_of_an_archive(tmp_path):
    archive = make_zip(tmp_path / "a")
    with pytest.raises(UsageError, match="not the expected 0000"):
        archives.check_archive(archive, "0" * 64)
