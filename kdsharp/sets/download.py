"""Fetch a large file over a bad line (floor 4).

The loop of :func:`fetch` is written here because none of the installed libraries resumes safely: pooch and fsspec start
again from nothing, and huggingface_hub's ``http_get`` continues without asking whether the file is still the same one.
"""

import hashlib
import json
import re
import shutil
import time
from errno import EDQUOT, EFBIG, ENOSPC
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

from kdsharp.checks import UsageError, atomic_path, make_folder

TRIES = 5
"""So many requests in a row may bring nothing new before the download gives up."""
TIMEOUT = 60
"""Seconds without a byte after which a connection counts as cut."""
CHUNK = 1 << 18
FULL = (ENOSPC, EDQUOT, EFBIG)
"""Error numbers of a disk that takes no more."""


def fetch(url: str, folder: Path, sha256: str | None = None, progress: bool = True, pause: float = 1.0) -> Path:
    """Download ``url`` into ``folder``; a cut connection, or a later call, goes on where the last one stopped.

    What has arrived lies in ``NAME.part`` and becomes ``NAME`` by rename when it is whole. ``NAME.part.json`` holds the
    address, the length and the ETag or date of the file; when one of them changes, the download starts again.

    Args:
        url: an http or https address.
        folder: created when missing.
        sha256: expected checksum, 64 hexadecimal digits; not checked when None.
        progress: show a bar.
        pause: seconds before the second request; doubled with each request that brings nothing.

    Raises:
        UsageError: when the address is wrong or answers with a web page, the disk is too small, the line stays
            cut, or the checksum differs.
    """
    parts = urlsplit(url)
    name = unquote(parts.path).rsplit("/", 1)[-1]
    if parts.scheme not in ("http", "https") or not parts.netloc or name in ("", ".", ".."):
        raise UsageError(f"{url!r} is not the address of a file; give one that starts with https:// or http://")
    target = make_folder(folder) / name
    part = target.with_name(name + ".part")
    if target.is_file():
        check_sha256(target, sha256)
        return target
    failures, reached = 0, _size(part)
    with tqdm(desc=name, unit="B", unit_scale=True, disable=not progress) as bar:
        while True:
            reason = _attempt(url, part, bar)
            if reason is None:
                break
            failures = 0 if _size(part) > reached else failures + 1
            reached = max(reached, _size(part))
            if failures == TRIES:
                raise UsageError(
                    f"{parts.netloc} failed {TRIES} times in a row ({reason}); "
                    f"{_size(part):,} bytes are kept in {part}, and the same command goes on from there"
                )
            time.sleep(pause * 2 ** max(failures - 1, 0))
    check_sha256(part, sha256)
    part.replace(target)
    _note(part).unlink(missing_ok=True)
    return target


def check_sha256(path: Path, expected: str | None) -> None:
    """Compare a file's SHA-256 with 64 hexadecimal digits; nothing to do when ``expected`` is None."""
    if expected is None:
        return
    if not re.fullmatch("[0-9a-fA-F]{64}", expected):
        raise UsageError(f"the checksum {expected!r} is not a SHA-256: that has 64 hexadecimal digits")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected.lower():
        raise UsageError(
            f"{path} has the SHA-256 {found}, not the expected {expected.lower()}; delete and fetch it again"
        )


def _attempt(url: str, part: Path, bar: tqdm) -> str | None:
    """One request for what is missing. Returns None when the file is whole, otherwise why it is not."""
    try:
        return _request(url, part, bar)
    except HTTPError as error:
        error.close()
        if error.code == 416:  # the file has become shorter than what is here
            part.unlink(missing_ok=True)
        elif error.code not in (408, 425, 429) and error.code < 500:
            raise UsageError(
                f"{url} answers {error.code} {error.reason}; look up the present address on the authors' page"
            ) from None
        return f"{error.code} {error.reason}"
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise UsageError(f"the disk of {part} is full; make room, and the same command goes on") from None
        return str(error) or type(error).__name__


def _request(url: str, part: Path, bar: tqdm) -> str | None:
    note = _note(part)
    known = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    offset = _size(part) if known.get("url") == url else 0
    if offset and offset == known["total"]:
        return None
    headers = {"User-Agent": "kdsharp", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if known["version"]:
            headers["If-Range"] = known["version"]
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:
        if response.headers.get_content_type() == "text/html":
            raise UsageError(
                f"{url} answers with a web page, not with an archive: open it in a browser, fetch the file by hand "
                "and pass it with --archive"
            )
        start, total = _extent(response.status, response.headers)
        state = {"url": url, "total": total, "version": _version(response.headers)}
        if start and (start != offset or state != known):  # a server that does not know If-Range
            part.unlink(missing_ok=True)
            return "the file has changed there"
        if total is not None and total - start > shutil.disk_usage(part.parent).free:
            raise UsageError(f"{part.name} needs {total - start:,} more bytes than are free there; choose another disk")
        bar.total, bar.n = total, start
        with part.open("ab" if start else "wb") as file:
            with atomic_path(note) as temporary:  # after the old bytes are gone, before new ones come
                temporary.write_text(json.dumps(state), encoding="utf-8")
            while chunk := response.read1(CHUNK):  # hands over what has come, so that a cut loses none of it
                file.write(chunk)
                file.flush()  # a process that is killed leaves what it has
                bar.update(len(chunk))
    return None if total is None or _size(part) == total else "the connection was cut"


def _extent(status: int, headers: HTTPMessage) -> tuple[int, int | None]:
    """Where the body starts in the file, and how long the file is."""
    if status == 206:
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", ""))
        if found:
            return int(found[1]), None if found[2] == "*" else int(found[2])
        raise HTTPException("its Content-Range cannot be read")
    length = headers.get("Content-Length")
    return 0, int(length) if length else None


def _version(headers: HTTPMessage) -> str | None:
    """What identifies this version of the file; a weak ETag does not promise the same bytes."""
    tag = headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
