"""The notebooks in a folder or an archive of strangers' files, those in archives inside it too.

Archives are read in memory, file by file, with limits; nothing is unpacked onto the disk, so no name in one can point
out of a folder. Links are never followed.
"""

import datetime
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kdsharp.checks import UsageError, check_readable
from kdsharp.labs.rebuild import MOST_BYTES

ARCHIVES = (".zip", ".tar", ".tgz", ".gz")
MOST_FILES = 20_000
MOST_ARCHIVE = 500 * 1024 * 1024
DEEPEST = 3
IGNORED = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store", ".git"}


@dataclass
class Item:
    """A file of an export. ``content`` is None where it is not read, and ``trouble`` says why."""

    path: str
    time: float
    content: bytes | None
    trouble: str = ""


def items(place: Path) -> Iterator[Item]:
    """All notebooks of a folder or an archive, those inside archives too.

    Raises:
        UsageError: when it is neither.
    """
    if place.is_dir():
        for path in sorted(place.rglob("*")):
            inside = path.relative_to(place)
            if IGNORED & set(inside.parts):
                continue
            if path.is_symlink():
                yield Item(inside.as_posix(), path.lstat().st_mtime, None, "it is a link, which is not followed")
            elif path.is_file():
                most = MOST_ARCHIVE if path.suffix.lower() in ARCHIVES else MOST_BYTES
                when = path.stat().st_mtime
                try:
                    content = _read_file(path, most)
                except PermissionError:
                    yield Item(inside.as_posix(), when, None, "its permissions keep you from reading it")
                else:
                    yield from _item(inside.as_posix(), when, content, most, 0)
    elif place.is_file():
        check_readable(place)
        content = place.read_bytes()
        if not zipfile.is_zipfile(io.BytesIO(content)) and not _is_tar(content):
            raise UsageError(f"{place} is no folder and no archive; give what the platform exported")
        yield from _archive("", content, place.stat().st_mtime, 1)
    else:
        raise UsageError(f"{place} is not there; give the folder or the archive that the platform exported")


def _item(path: str, when: float, content: bytes | None, most: int, depth: int) -> Iterator[Item]:
    name = PurePosixPath(path).name.lower()
    if name.endswith(ARCHIVES) and not name.endswith(".ipynb"):
        if content is None or depth >= DEEPEST:
            yield Item(path, when, None, "an archive that is too large, or too deep in others")
        else:
            yield from _archive(path, content, when, depth + 1)
    elif name.endswith(".ipynb") or ".ipynb" in name or name.endswith(".json"):
        trouble = "" if content is not None else f"larger than {most >> 20} MB: hand it in without outputs"
        yield Item(path, when, content, trouble)
    elif PurePosixPath(path).suffix.lower() in (".py", ".pdf", ".html", ".txt", ".docx"):
        yield Item(path, when, None, "it is no notebook")


def _archive(path: str, content: bytes, when: float, depth: int) -> Iterator[Item]:
    """What lies in an archive; each member is read up to its limit, whatever its header says."""
    prefix = f"{path}/" if path else ""
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as zipped:
                for member in zipped.infolist()[:MOST_FILES]:
                    inside = prefix + _safe(member.filename)
                    if member.is_dir() or IGNORED & set(PurePosixPath(inside).parts):
                        continue
                    if stat.S_ISLNK(member.external_attr >> 16):
                        yield Item(inside, when, None, "it is a link, which is not followed")
                        continue
                    most = MOST_ARCHIVE if inside.lower().endswith(ARCHIVES) else MOST_BYTES
                    moment = _moment(member)
                    try:
                        with zipped.open(member) as stream:
                            found = stream.read(most + 1)
                    except Exception as error:  # a password, a checksum: the others of the class are still read
                        yield Item(inside, moment, None, f"it cannot be read ({type(error).__name__}: {error})")
                        continue
                    yield from _item(inside, moment, found if len(found) <= most else None, most, depth)
        else:
            with tarfile.open(fileobj=io.BytesIO(content)) as tarred:
                for each in tarred:
                    inside = prefix + _safe(each.name)
                    if IGNORED & set(PurePosixPath(inside).parts) or each.isdir():
                        continue
                    opened = tarred.extractfile(each) if each.isfile() else None
                    if opened is None:
                        yield Item(inside, each.mtime, None, "it is a link, which is not followed")
                        continue
                    most = MOST_ARCHIVE if inside.lower().endswith(ARCHIVES) else MOST_BYTES
                    found = opened.read(most + 1)
                    yield from _item(inside, each.mtime, found if len(found) <= most else None, most, depth)
    except Exception as error:  # zip and tar have a dozen between them
        yield Item(path or "archive", when, None, f"an archive that cannot be read ({type(error).__name__}: {error})")


def _moment(member: zipfile.ZipInfo) -> float:
    """When a member was last changed; a zip names no zone, so it is this machine's. Some tools write month 0."""
    try:
        return datetime.datetime(*member.date_time).timestamp()
    except ValueError:
        return 0.0


def _safe(name: str) -> str:
    """A member's name as a relative path; it is used to tell whose the file is, and never to write."""
    parts = [each for each in PurePosixPath(name.replace("\\", "/")).parts if each not in ("/", "..", ".")]
    return "/".join(parts) or "file"


def _is_tar(content: bytes) -> bool:
    try:
        with tarfile.open(fileobj=io.BytesIO(content)):
            return True
    except (tarfile.TarError, EOFError, OSError):
        return False


def _read_file(path: Path, most: int) -> bytes | None:
    """A file's bytes, or None where it has more than ``most``; a link that came in between is not followed."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(handle, "rb") as stream:
        content = stream.read(most + 1)
    return content if len(content) <= most else None
