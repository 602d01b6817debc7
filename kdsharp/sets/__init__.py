"""Public sets, of real pairs and of sharp photos: what they are, how they are arranged, whether all is there (floor 4).

The facts are in ``data/sets.toml``; an address or a checksum that nobody publishes is not there either.
"""

import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from kdsharp.checkpoints import data_folder
from kdsharp.checks import UsageError, check_name
from kdsharp.sets.pairs import SPLITS, Finding, survey


@cache
def set_table() -> dict[str, dict[str, Any]]:
    """``data/sets.toml``."""
    return tomllib.loads((data_folder() / "sets.toml").read_text(encoding="utf-8"))


def set_row(name: str) -> dict[str, Any]:
    """The facts of one set.

    Raises:
        UsageError: for an unknown name.
    """
    return set_table()[check_name(name, set_table(), "data set")]


def describe(name: str) -> str:
    """What a set is, what it may be used for, and where its authors publish it; one fact a line."""
    row = set_row(name)
    lines = [row["title"]] + [f"  {key}: {row[key]}" for key in ("paper", "content", "size", "licence", "page")]
    lines += [f"  address: {address}" for address in row["addresses"] or ["none for a program"]]
    checksum = "SHA-256 of each file" if "files" in row else "none was found"
    return "\n".join([*lines, f"  note: {row['note']}", f"  checksum: {checksum}", f"  layout: {row['layout']}"])


def arrange(name: str, folder: Path) -> Path:
    """Move the pairs of an unpacked archive into a layout that :class:`kdsharp.datasets.PairedFolder` reads.

    Files that are no half of a pair stay where they are. Returns the folder that holds the splits.
    """
    row, root = set_row(name), _unwrap(folder)
    if "blurred" not in row:
        return root
    split_of = {blurred: split for split, blurred in _listed(row, root)}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        inside = path.relative_to(root).as_posix()
        found = re.fullmatch(row["blurred"], inside)
        if found:
            fields = {"split": split_of.get(inside, "unlisted")} | found.groupdict()
            for source, target in zip((inside, row["sharp"].format(**fields)), row["becomes"], strict=True):
                _move(root / source, root / target.format(**fields))
    for emptied in sorted((path for path in root.rglob("*") if path.is_dir()), reverse=True):
        if not any(emptied.iterdir()):
            emptied.rmdir()
    return root


def _unwrap(folder: Path) -> Path:
    """Step into the one folder that most archives wrap around everything."""
    while True:
        inside = [path for path in folder.iterdir() if path.name != "__MACOSX"]
        if len(inside) != 1 or not inside[0].is_dir() or inside[0].name in SPLITS:
            return folder
        folder = inside[0]


def _listed(row: dict[str, Any], root: Path) -> list[tuple[str, str]]:
    """(split, blurred path) of each line of the authors' lists; a line names the sharp and then the blurred image."""
    found = []
    for split, name in row.get("lists", {}).items():
        text = (root / name).read_text(encoding="utf-8") if (root / name).is_file() else ""
        found += [(split, line.split()[1]) for line in text.splitlines() if len(line.split()) > 1]
    return found


def _move(source: Path, target: Path) -> None:
    if source == target or not source.exists():  # verify() names a half that is missing
        return
    if target.exists():
        raise UsageError(f"two files of the archive would become {target.name}; unpack it by hand and look")
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)


def verify(folder: Path, name: str) -> list[Finding]:
    """Layout, scenes, pairs and partners against what the authors state; no image is opened.

    Raises:
        UsageError: for an unknown name, or when the folder is missing.
    """
    row = set_row(name)
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folder of the unpacked data set")
    expected = row.get("pairs") or Counter(split for split, _ in _listed(row, folder))
    lists = [folder / file for file in row.get("lists", {}).values()]
    findings = [Finding(path, "is missing; it says which pairs belong here") for path in lists if not path.is_file()]
    for split, pairs in expected.items():
        if not (folder / split).is_dir():
            findings.append(Finding(folder / split, f"is missing; {pairs} pairs belong there"))
            continue
        for blur in row["blur"]:
            found = survey(folder / split, blur)
            findings += [finding for finding in found.findings if finding not in findings]
            if len(found.pairs) != pairs:
                sentence = f"holds {len(found.pairs)} pairs of {blur} and sharp; the authors state {pairs}"
                findings.append(Finding(folder / split, sentence))
        scenes = row.get("scenes", {}).get(split, found.scenes)
        if found.scenes != scenes:
            findings.append(Finding(folder / split, f"holds {found.scenes} scenes; the authors state {scenes}"))
    return findings
