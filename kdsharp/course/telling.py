"""What a lesson says of its run: sentences with numbers, recorded results, where they come from."""

import time
from pathlib import Path
from typing import Any

from kdsharp import provenance

RESULT = "application/vnd.kdsharp.result+json"
"""Media type of a recorded result inside an executed notebook."""

_STARTED = time.perf_counter()


def say(markdown: str) -> None:
    """Show text as Markdown: for sentences whose numbers come from variables."""
    from IPython.display import Markdown, display

    display(Markdown(markdown))


def record(**values: float | int | str) -> None:
    """Record results of a lesson; ``kdsharp run`` collects them into ``results.json``.

    One of them is called ``headline``: a text with a number, its unit and what it says, for the instructor's guide.
    """
    from IPython.display import display

    rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
    text = ", ".join(f"{name} = {value}" for name, value in rounded.items())
    display({RESULT: rounded, "text/plain": f"recorded: {text}"}, raw=True)


def collect_results(executed: Path) -> dict[str, Any]:
    """All values that the lesson recorded with :func:`record`."""
    import nbformat

    found: dict[str, Any] = {}
    for cell in nbformat.read(executed, as_version=4).cells:
        for output in cell.get("outputs", []):
            found |= output.get("data", {}).get(RESULT, {})
    return found


def finish(profile: str, seed: int, precision: str = "float32") -> None:
    """Print where this lesson's numbers come from: seed, profile, device, precision, versions, commit, time."""
    lines = {"profile": profile, "seed": seed, "device": provenance.device_name(), "precision": precision}
    lines["commit"] = provenance.commit()
    lines |= provenance.versions() | {"seconds": round(time.perf_counter() - _STARTED, 1)}
    print("\n".join(f"{name:16} {value}" for name, value in lines.items()))
