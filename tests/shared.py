"""What test files call: which cases are long, and programs of the system."""

import os
import shutil

import pytest


def once(names, *kept):
    """Parameters of a test of which each proves the same: ``make test`` runs those ``kept``, ``make test-all`` all."""
    names = list(names)
    assert set(kept) <= set(names)
    return [pytest.param(name, id=name, marks=[] if name in kept else pytest.mark.long) for name in names]


def tool(*names):
    """The path of a program of the system, by its first name that is installed.

    Where it is not, the test is skipped with the reason; where KDSHARP_REQUIRE_TOOLS is set, as in CI, it fails.
    """
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        (pytest.fail if os.environ.get("KDSHARP_REQUIRE_TOOLS") else pytest.skip)(f"{names[0]} is not installed")
    return found


def settled(page):
    """Wait until a page has loaded, set its formulas, and asked for what it asks for at once.

    Playwright's own ``networkidle`` does not come on every page, long after the last request has ended.
    """
    page.wait_for_function("() => document.readyState === 'complete'")
    page.evaluate("() => globalThis.MathJax?.startup?.promise?.then(() => true)")
    page.wait_for_timeout(700)


def mutated(content, rng):
    """Some bytes changed, most of them near the beginning, where the description stands; or a piece lost or doubled."""
    data, how = bytearray(content), rng.integers(5)
    if how == 0:
        return bytes(data[: rng.integers(1, len(data))])
    start = int(len(data) * rng.random() ** 3)
    length = int(rng.integers(1, 40))
    if how == 1:
        return bytes(data[:start] + data[start + length :])
    if how == 2:
        return bytes(data[: start + length] + data[start:])
    if how == 3:
        data[start : start + length] = bytes(len(data[start : start + length]))
        return bytes(data)
    for place in (len(data) * rng.random(int(rng.integers(1, 12))) ** 3).astype(int):
        data[place] = rng.integers(256)
    return bytes(data)
