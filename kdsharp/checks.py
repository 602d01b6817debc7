"""Argument checks whose message shows what came and what is allowed (floor 0)."""

import errno
import importlib.util
import json
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
"""What a system says when a disk, a user's share of it or the largest file is full."""


class UsageError(ValueError):
    """A mistake in what the user gave. The command line prints it as one sentence and exits with status 2."""


def check_name(value: str, allowed: Iterable[str], what: str) -> str:
    """Return ``value`` when it is one of ``allowed``; otherwise say which names there are."""
    names = list(allowed)
    if value in names:
        return value
    close = get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise UsageError(f"unknown {what} {value!r}{hint}; choose one of: {', '.join(names)}")


def check_range(value: float, low: float, high: float, what: str) -> float:
    """Return ``value`` when ``low <= value <= high``."""
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise UsageError(f"{what} is {value!r}, but it must be a number between {low:g} and {high:g}")
    return value


def check_positive(value: float, what: str) -> float:
    """Return ``value`` when it is above 0."""
    if not isinstance(value, (int, float)) or not value > 0:
        raise UsageError(f"{what} is {value!r}, but it must be a number above 0")
    return value


def check_installed(packages: Iterable[str], extra: str) -> None:
    """The packages of one of kdsharp's extras are here.

    Raises:
        UsageError: with the command that installs them.
    """
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise UsageError(f"{missing[0]} is not installed; this needs: pip install 'kdsharp[{extra}]'")


def value_of(text: str) -> Any:
    """What a value on the command line means to papermill: True, False, None, a number, JSON, otherwise text."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    with suppress(json.JSONDecodeError):
        return json.loads(text)
    if text[:1] in "+-.0123456789":  # .3 and 1. are numbers in Python, and no JSON
        with suppress(ValueError):
            return float(text)
    return text


def check_images(*batches: Tensor, channels: int | None = None) -> None:
    """Every tensor is floating point of shape (B, C, H, W), and all shapes agree.

    Raises:
        UsageError: with the offending shape, or with both shapes when they differ.
    """
    for batch in batches:
        if not isinstance(batch, Tensor) or batch.ndim != 4 or not torch.is_floating_point(batch):
            found = f"{batch.dtype} of shape {tuple(batch.shape)}" if isinstance(batch, Tensor) else type(batch)
            raise UsageError(f"expected a float tensor of shape (B, C, H, W) in [0, 1], found {found}")
        if channels is not None and batch.shape[1] != channels:
            raise UsageError(f"expected {channels} channels, found shape {tuple(batch.shape)}")
        if batch.shape != batches[0].shape:
            raise UsageError(f"shapes differ: {tuple(batches[0].shape)} against {tuple(batch.shape)}")


def check_readable(path: str | Path) -> None:
    """Refuse a file that is there and may not be read; whatever else can be wrong with it is for its reader to say.

    Raises:
        UsageError: when its permissions, or those of its folder, keep the user out.
    """
    try:
        if Path(path).is_file():  # to open a pipe would wait for somebody who writes into it
            with open(path, "rb"):
                pass
    except PermissionError:
        raise UsageError(f"{path} may not be read; change its permissions, or copy it") from None
    except OSError:
        pass


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that becomes ``path`` by rename when the block ends well.

    Whoever reads ``path`` sees the whole file or none. The temporary name keeps the suffix, because
    many writers choose their format by it.

    Raises:
        UsageError: when the folder cannot be written, is full, or has a folder of that name.
    """
    path = Path(path)
    make_folder(path.parent)
    handle, name = tempfile.mkstemp(
        prefix=f".part-{platform.node()}-{os.getpid()}-", suffix=path.suffix, dir=path.parent
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with suppress(OSError):  # mounts such as CIFS and exFAT know no permissions
            temporary.chmod(0o644)
        try:
            temporary.replace(path)
        except OSError:  # object stores know no rename; a file that another program holds open stays as it is
            if path.is_dir():
                raise UsageError(f"{path} is a folder; a file of that name cannot be written") from None
            shutil.copyfile(temporary, path)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise UsageError(f"{path} cannot be written ({os.strerror(error.errno or 0)}); make room for it") from None
    finally:
        temporary.unlink(missing_ok=True)


def clear_parts(folder: Path) -> None:
    """Remove what a killed run of this machine left half-written in ``folder``; running ones keep theirs."""
    mine = re.compile(rf"\.part-{re.escape(platform.node())}-(\d+)-")
    for path in folder.glob(".part-*"):
        found = mine.match(path.name)
        if found and path.is_file() and not _is_running(int(found[1])):
            path.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    if os.name == "nt":  # a signal would end it there: its file is left alone
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def make_folder(path: str | Path) -> Path:
    """Create the folder ``path`` and make sure that files can be written into it.

    Raises:
        UsageError: when it is a file, or not writable.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{path} cannot be a folder: a file stands in its way; choose another folder") from None
    except OSError as error:
        raise UsageError(f"cannot write into {path} ({error.strerror}); choose another folder") from None
    return path
