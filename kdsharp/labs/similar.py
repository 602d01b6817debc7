"""Which submissions resemble each other: a hint for a conversation, and never a verdict.

The measure is RapidFuzz's normalised Indel similarity (``rapidfuzz.distance.Indel``) of the words of the code that a
person wrote, without comments and without what was handed out.
"""

import io
import itertools
import tokenize
from pathlib import Path

import nbformat
from nbformat import NotebookNode

SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def words(notebook: NotebookNode, release: NotebookNode) -> list[str]:
    """The words of the code cells that differ from those that were handed out."""
    given = {cell.source.strip() for cell in release.cells}
    lines = {line.strip() for cell in release.cells for line in cell.source.splitlines()}
    found: list[str] = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.strip() not in given:
            own = "\n".join(line for line in cell.source.splitlines() if line.strip() not in lines)
            found += _words(own)
    return found


def pairs(files: dict[str, Path], release: NotebookNode, least: float = 0.8) -> list[tuple[float, str, str, int]]:
    """Pairs of submissions by their similarity, from 1 (the same) down to ``least``: (it, one, the other, words).

    Submissions of fewer than 30 words say nothing and are left out.
    """
    from rapidfuzz.distance import Indel

    known = {name: words(nbformat.read(path, as_version=4), release) for name, path in files.items()}
    known = {name: each for name, each in known.items() if len(each) >= 30}
    found = []
    for one, other in itertools.combinations(known, 2):
        alike = Indel.normalized_similarity(known[one], known[other], score_cutoff=least)
        if alike >= least:
            found.append((alike, one, other, min(len(known[one]), len(known[other]))))
    return sorted(found, reverse=True)


def _words(code: str) -> list[str]:
    try:
        return [
            each.string for each in tokenize.generate_tokens(io.StringIO(code).readline) if each.type not in SKIPPED
        ]
    except (tokenize.TokenError, SyntaxError):
        return code.split()
