"""What the published book is told when it is built, and what its lessons lose on the way."""

from pathlib import Path

import yaml
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from kdsharp.checks import UsageError
from kdsharp.course import tags
from kdsharp.island import packages


def settle(config: Path) -> tuple[str, str]:
    """Complete a copy of ``book/_config.yml``: where formulas come from, and links that need the repository's address.

    Returns:
        the repository's address, empty when there is none yet, and its branch.

    Raises:
        UsageError: for an address that is not ``https://host/owner/name``.
    """
    found = yaml.safe_load(config.read_text(encoding="utf-8"))
    sphinx = found["sphinx"]["config"]
    if packages.are_here():
        sphinx["mathjax_path"] = f"../packages/{packages.FORMULAS}"  # as seen from _static
    else:
        integrity = {"integrity": packages.INTEGRITY[packages.FORMULAS], "crossorigin": "anonymous", "defer": "defer"}
        sphinx |= {"mathjax_path": packages.on_cdn(packages.FORMULAS), "mathjax_options": integrity}
    repository = found.pop("repository")
    sphinx["html_baseurl"] = found.pop("address") or ""
    sphinx["kdsharp_repository"] = check_address(repository["url"] or "")
    sphinx["kdsharp_branch"] = repository["branch"]
    config.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
    return sphinx["kdsharp_repository"], sphinx["kdsharp_branch"]


def check_address(repository: str) -> str:
    """The address of the repository without a slash at its end; empty is allowed, and means that there is none yet."""
    address = repository.rstrip("/")
    if address and not (address.startswith("https://") and address.count("/") == 4):
        raise UsageError(
            f"book/_config.yml: the repository's url is {repository!r}; give https://HOST/OWNER/NAME, or ''"
        )
    return address


def begin_with_install(notebook: NotebookNode, repository: str, branch: str) -> None:
    """Put a cell below a lesson's title that installs the package, for Colab and its like; none without an address.

    The lesson itself holds no address: on the page the cell is folded, and there to be copied.
    """
    if repository:
        extras = "course,export,sweep,video"
        lines = ["# Where kdsharp is not installed, as in Colab: run this cell first."]
        lines.append(f'%pip install --quiet "kdsharp[{extras}] @ git+{repository}@{branch}"')
        notebook.cells.insert(1, new_code_cell("\n".join(lines), metadata={"tags": ["hide-input", "install"]}))


def leave_solutions_out(notebook: NotebookNode) -> None:
    """Take the solutions out of an executed lesson; what its checks printed goes with them."""
    notebook.cells = [cell for cell in notebook.cells if "solution" not in tags(cell)]
    for cell in notebook.cells:
        if "check" in tags(cell):
            cell.outputs = []
