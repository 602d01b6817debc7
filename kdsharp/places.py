"""Where the project's folders lie: in a clone beside the package, in an installed wheel inside it (floor 0)."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def place(name: str) -> Path:
    """The folder ``data``, ``notebooks`` or ``book``."""
    clone = PACKAGE.parent
    return clone / name if (clone / "pyproject.toml").is_file() else PACKAGE / f"_{name}"
