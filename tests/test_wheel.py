"""The wheel is the product too: installed in an empty folder it has lessons, book and data, and works."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdsharp.datasets import photos

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this clone, built without a network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", out, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_it_holds_lessons_book_data_types_and_licences(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, pattern in (("notebooks", "*.ipynb"), ("book", "*.md"), ("data/checkpoints", "*.safetensors")):
        inside, _, rest = folder.partition("/")
        for path in (ROOT / folder).glob(pattern):
            assert f"kdsharp/_{inside}/{rest + '/' if rest else ''}{path.name}" in names
    assert "kdsharp/py.typed" in names
    assert sum(name.endswith(("LICENSE", "LICENSES.md")) and "dist-info" in name for name in names) == 2
    assert not any("-Copy" in name or ".ipynb_checkpoints" in name for name in names)


@pytest.mark.long
def test_installed_in_an_empty_folder_it_starts_a_course_runs_a_lesson_and_sharpens(wheel, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    folder = next((tmp_path / "env").glob("[Ll]ib*")) / ("site-packages" if os.name == "nt" else "")
    folder = next(iter(folder.glob("python*/site-packages")), folder)
    zipfile.ZipFile(wheel).extractall(folder)
    (folder / "others.pth").write_text(str(Path(np.__file__).parents[1]))  # what kdsharp needs, from this environment
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    here = tmp_path / "empty"
    here.mkdir()
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def kdsharp(*words):
        command = [python, "-m", "kdsharp", *map(str, words)]
        return subprocess.run(command, cwd=here, env=own, capture_output=True, text=True)

    where = subprocess.run(
        [python, "-c", "import kdsharp; print(kdsharp.__file__)"], cwd=here, env=own, text=True, capture_output=True
    )
    assert str(tmp_path) in where.stdout
    assert kdsharp("course", "start", "mine").returncode == 0
    assert len(list((here / "mine").glob("*.ipynb"))) == 16
    done = kdsharp("run", "2", "--profile", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    pixels = photos("train")[0].pixels[:96, :128]
    mixed = here / "mixed"
    mixed.mkdir()
    for suffix in ("jpg", "png", "webp", "tif", "avif"):
        Image.fromarray(pixels).save(mixed / f"photo-{suffix}.{suffix}")
    (mixed / "broken.jpg").write_bytes((mixed / "photo-jpg.jpg").read_bytes()[:900])
    (mixed / "._photo.jpg").write_bytes(b"junk")
    done = kdsharp("sharpen", "mixed", "--out", "sharper")
    assert done.returncode == 2
    assert "5 sharpened into sharper" in done.stdout
    assert "broken.jpg is damaged" in done.stdout
    assert len(list((here / "sharper").iterdir())) == 5
