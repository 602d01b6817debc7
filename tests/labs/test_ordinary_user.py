"""The sandbox of an ordinary user: root's is built another way (see ``sandbox.py``).

Tests in a container run as root and lecturers do not. Where an ordinary user runs them, ``test_sandbox.py`` does it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kdsharp.labs import sandbox

ROOT = Path(__file__).parents[2]
USER = "65534"
CHECK = "from kdsharp.labs import sandbox; sandbox.check()"


@pytest.fixture
def ordinary(bwrap):
    """Run Python as a user without rights, in a world where the package and this Python can be read by everybody."""
    if getattr(os, "geteuid", lambda: 1)() != 0:
        pytest.skip("these tests run as an ordinary user already")
    world = [bwrap, "--die-with-parent", "--dev-bind", "/proc", "/proc", "--dev-bind", "/dev", "/dev"]
    world += ["--perms", "1777", "--tmpfs", "/tmp", "--chdir", str(ROOT)]
    for path in (*map(Path, sandbox.SYSTEM), ROOT, Path(sys.base_prefix), Path(sys.prefix)):
        for parent in reversed(path.parents[:-1]):
            world += ["--perms", "0755", "--dir", str(parent)]
        world += ["--ro-bind-try", str(path), str(path)]
    for name in sandbox.LINKS:
        if Path(name).exists():
            world += ["--symlink", os.readlink(name), name] if Path(name).is_symlink() else ["--ro-bind", name, name]
    world += ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", sys.executable]
    environment = os.environ | {"HOME": "/tmp", "TMPDIR": "/tmp", "PYTHONPATH": str(ROOT)}

    def call(*arguments):
        return subprocess.run([*world, *arguments], capture_output=True, text=True, env=environment, timeout=1200)

    return call


@pytest.mark.long
def test_an_ordinary_user_s_sandbox_holds_what_root_s_holds(ordinary):
    usable = ordinary("-c", CHECK)
    if usable.returncode:
        pytest.skip(f"no sandbox for an ordinary user here: {usable.stderr.strip().splitlines()[-1]}")
    done = ordinary(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rs", "tests/labs/test_sandbox.py"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout, done.stdout  # as it would be if that user found no bubblewrap
