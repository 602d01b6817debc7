"""Unpack an archive that nobody vouches for (floor 4)."""

import lzma
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm.auto import tqdm

from kdsharp.checks import UsageError, check_readable, make_folder
from kdsharp.sets.download import FULL, check_sha256


def check_archive(archive: Path, sha256: str | None = None) -> Path:
    """The archive itself when it is there and has the checksum."""
    check_readable(archive)
    if not archive.is_file():
        raise UsageError(f"{archive} is missing; give the path of an archive that you fetched")
    check_sha256(archive, sha256)
    return archive


def unpack(
    archives: Path | Sequence[Path],
    folder: Path,
    arrange: Callable[[Path], Path] | None = None,
    progress: bool = True,
) -> Path:
    """Unpack zip or tar archives into the new ``folder``, which appears whole or not at all.

    Args:
        archives: one file, or several that belong into one folder.
        folder: must not exist yet.
        arrange: called with the temporary folder before it is renamed; returns the part of it that is wanted.
        progress: show a bar.

    Raises:
        UsageError: when ``folder`` exists, an archive is damaged or of another kind, needs more room than is free,
            or holds a link, a device, an absolute path or one with ``..``.
    """
    if folder.exists():
        raise UsageError(f"{folder} exists; choose another folder or remove it")
    temporary = Path(tempfile.mkdtemp(prefix=".part-", dir=make_folder(folder.parent)))
    try:
        for archive in [archives] if isinstance(archives, Path) else archives:
            _extract(check_archive(archive), temporary, progress)
        found = arrange(temporary) if arrange else temporary
        found.chmod(0o755)  # mkdtemp allows nobody else in
        return found.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _extract(archive: Path, folder: Path, progress: bool) -> None:
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder, progress)
        elif tarfile.is_tarfile(archive):
            _untar(archive, folder, progress)
        else:
            raise UsageError(f"{archive} is neither a zip nor a tar archive; delete it and fetch it again")
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise UsageError(f"the disk of {folder.parent} is full; make room for the content of {archive}") from None
        raise UsageError(f"{archive} cannot be unpacked ({error}); delete it and fetch it again") from None


def _unzip(archive: Path, folder: Path, progress: bool) -> None:
    with zipfile.ZipFile(archive) as file:
        members = file.infolist()
        for member in members:
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check_member(archive, member.filename, kind in (0, stat.S_IFREG, stat.S_IFDIR))
        _check_room(archive, sum(member.file_size for member in members), shutil.disk_usage(folder).free)
        for member in tqdm(members, desc=archive.name, unit="file", disable=not progress):
            member.filename = member.filename.replace("\\", "/")  # as some Windows programs write them
            if not _is_companion(member.filename):
                file.extract(member, folder)


def _untar(archive: Path, folder: Path, progress: bool) -> None:
    """In one pass, because a compressed tar shows its members only by being decompressed."""
    free, needed = shutil.disk_usage(folder).free, 0
    with tarfile.open(archive) as file:
        for member in tqdm(file, desc=archive.name, unit="file", disable=not progress):
            _check_member(archive, member.name, member.isreg() or member.isdir())
            needed += member.size
            _check_room(archive, needed, free)
            if not _is_companion(member.name):
                file.extract(member, folder, filter="data")


def _is_companion(name: str) -> bool:
    """What a Mac or Windows lays beside every file."""
    steps = name.split("/")
    return "__MACOSX" in steps or steps[-1].startswith("._") or steps[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def _check_member(archive: Path, name: str, plain: bool) -> None:
    steps = name.replace("\\", "/").split("/")
    if not plain or steps[0] == "" or ".." in steps or re.match("[A-Za-z]:", name):
        what = "is no plain file" if not plain else "leads out of the folder"
        raise UsageError(f"{archive} is not safe to unpack: its member {name!r} {what}; do not use it")


def _check_room(archive: Path, needed: int, free: int) -> None:
    if needed > free:
        raise UsageError(f"{archive} unpacks to {needed:,} bytes or more, but {free:,} are free; choose another disk")
