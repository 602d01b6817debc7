"""Sets that are published as single files: each fetched by itself and held against its checksum (floor 4)."""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from kdsharp.checkpoints import data_folder
from kdsharp.checks import make_folder
from kdsharp.sets import set_table
from kdsharp.sets.download import fetch


def listed(name: str) -> list[dict[str, str]]:
    """The rows of a list in ``data/``: file, sha256, path; lines that begin with # say where they come from."""
    lines = (data_folder() / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t"))


def is_whole(path: Path, sha256: str) -> bool:
    """Whether a file is there with this checksum."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def fetch_listed(rows: list[dict[str, str]], base: str, folder: Path, progress: bool = True) -> list[Path]:
    """Fetch each listed file into ``folder`` under its ``file`` name; what is there and whole is not fetched again.

    Args:
        rows: of :func:`listed`.
        base: the address that each ``path`` stands behind.
        folder: created when missing. A call that was stopped goes on with the next.
        progress: show a bar.

    Raises:
        UsageError: when an address fails for good, the disk is full, or a file is not the one that was listed.
    """
    make_folder(folder)
    found = []
    for row in tqdm(rows, desc=folder.name, unit="file", disable=not progress):
        target = folder / row["file"]
        if not is_whole(target, row["sha256"]):
            arrived = fetch(f"{base}/{row['path']}", folder / ".arriving", row["sha256"], progress=False)
            arrived.replace(target)
        found.append(target)
    if (folder / ".arriving").is_dir() and not any((folder / ".arriving").iterdir()):
        (folder / ".arriving").rmdir()
    return found


def known(paths: Sequence[Path]) -> str | None:
    """The set of single files that all of these belong to; None when one of them does not."""
    for name, row in set_table().items():
        sums = {each["file"]: each["sha256"] for each in listed(row["files"])} if "files" in row else {}
        if all(path.name in sums and is_whole(path, sums[path.name]) for path in paths):
            return name
    return None
