"""The benchmark scripts run and print their table; their numbers are for people, on a quiet machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from shared import once, tool

from kdsharp import datasets, images

SCRIPTS = sorted((Path(__file__).parent / "benchmarks").glob("*.py"))
PRINTS = {
    "adapt": "control: on random motion",
    "background": "| disk, sigma 10 |",
    "browser": "WebAssembly, one thread",
    "card": "Sharp photos (set14) come back with",
    "choosing": "| patterns | worst |",
    "aims": "no image below -0.1 dB",
    "explorers": "05, Wiener filter",
    "latency": "report-e-student",
    "loading": "as the reports load",
    "marking": "2 of 2 marked, exit status 0",
    "memory": "beyond both",
    "students": "report-e-student",
    "sweep": "2 plain processes",
    "unsharp": "best unsharp of each photo",
}


def test_every_script_is_tested():
    assert {path.stem for path in SCRIPTS} == set(PRINTS)


@pytest.fixture(scope="module")
def real_images(tmp_path_factory):
    """What a folder of real images holds, made of noise."""
    folder, rng = tmp_path_factory.mktemp("real"), np.random.default_rng(0)
    for place in ("gopro/test/A/blur", "gopro/test/A/sharp", "reds/input", "reds/target", "set14"):
        images.write(folder / place / "1.png", rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    photo = datasets.photos("test")[0].pixels
    for index in range(3):
        for place in ("blur", "sharp"):
            images.write(folder / "reds_clip" / place / f"{index}.png", photo[:96, 8 * index : 8 * index + 128])
    return folder


@pytest.mark.parametrize("name", once(PRINTS, "unsharp"))
def test_it_runs_and_prints_its_table(name, real_images):
    if name == "marking":
        tool("bwrap")
    if name == "browser":
        tool("chromium", "chromium-browser", "google-chrome")
    script = Path(__file__).parent / "benchmarks" / f"{name}.py"
    environment = os.environ | {"KDSHARP_REAL_DATA": str(real_images)}
    done = subprocess.run([sys.executable, str(script), "--quick"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert PRINTS[name] in done.stdout
