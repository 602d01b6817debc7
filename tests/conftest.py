"""What several tests need."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


@pytest.fixture
def kdsharp(tmp_path):
    """Run the command line in an empty folder; returns the finished process."""

    def call(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "kdsharp", *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=os.environ | {"COLUMNS": "160"} | environment,
            timeout=600,
        )

    return call


@pytest.fixture
def photo(tmp_path):
    """Path of a small RGB photo with some structure."""
    rows, columns = np.mgrid[:48, :64]
    pixels = np.stack([(rows * 5) % 256, (columns * 4) % 256, (rows * columns) % 256], -1).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def real_data():
    """The folder of real images for measuring, named by KDSHARP_REAL_DATA."""
    folder = os.environ.get("KDSHARP_REAL_DATA")
    if not folder:
        pytest.skip("KDSHARP_REAL_DATA is not set: real pairs are measured only where they lie on disk")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium():
    """Path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        if os.environ.get("KDSHARP_REQUIRE_BROWSER"):
            pytest.fail("KDSHARP_REQUIRE_BROWSER is set, but no Chromium or Chrome is installed")
        pytest.skip("no Chromium or Chrome is installed")
    return found


@pytest.fixture(scope="session")
def smoke_build(tmp_path_factory):
    """All lessons run in smoke profile and the book built from them, with every connection but loopback refused."""
    folder = tmp_path_factory.mktemp("smoke")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "tests" / "offline"), "COLUMNS": "160"}
    for command in (["run", "--profile", "smoke"], ["book", "--profile", "smoke"]):
        done = subprocess.run(
            [sys.executable, "-m", "kdsharp", *command], cwd=folder, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build"
