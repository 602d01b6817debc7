"""README's table is what the command beside it prints; the front picture is the one that the code draws."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kdsharp import study, tables

ROOT = Path(__file__).parents[1]


def test_the_table_in_readme_is_what_evaluate_prints(kdsharp, tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    arguments = re.search(r"`kdsharp (evaluate --model tiny --model small .*?)`", text)[1].split()
    assert kdsharp(*arguments, "--json", tmp_path / "rows.json").returncode == 0
    for row in json.loads((tmp_path / "rows.json").read_text()):
        shown = re.search(rf"^\| {row['model']} \|(.*)\|$", text, re.MULTILINE)[1].replace(",", "").split("|")
        measured = [row[key] for key in ("psnr", "ssim", "ssim_volumetric", "parameters")]
        assert [float(cell) for cell in shown] == pytest.approx(measured, abs=0.006)


@pytest.mark.parametrize("name", ["distillation-rich", "distillation-poor-900", "distillation-poor"])
def test_the_rows_of_the_study_are_those_of_its_stored_runs(name):
    told = (ROOT / "data" / "checkpoints" / "STUDY.md").read_text(encoding="utf-8")
    rows = study.table(study.summary(tables.read(name).rows)).strip().splitlines()[2:]
    without_seconds = [row.rsplit("|", 2)[0] for row in rows]
    assert len(rows) >= 3
    assert [row for row in without_seconds if row not in told] == []


def test_the_front_picture_in_readme_is_current():
    from kdsharp.book.front import front_picture

    committed = np.asarray(Image.open(ROOT / "book" / "front.webp").convert("RGB"), float)
    drawn = np.asarray(Image.open(io.BytesIO(front_picture().content)).convert("RGB"), float)
    assert committed.shape == drawn.shape
    assert np.abs(committed - drawn).mean() < 2


def test_all_checkpoints_together_stay_small():
    folder = ROOT / "data" / "checkpoints"
    weights = list(folder.glob("*.safetensors"))
    assert sum(path.stat().st_size for path in weights) < 12e6
    for path in weights:
        card = path.with_suffix(".md").read_text(encoding="utf-8")
        for part in ("recipe", "commit", "seed", "data", "## Scores", "## Limits", "## Curve"):
            assert part in card, (path.name, part)


@pytest.mark.alone
def test_the_student_sharpens_full_hd_in_seven_tenths_of_the_time_of_report_ds():
    """Both in turn in one run, the quickest of six each: a number of seconds would belong to one machine."""
    import time

    from kdsharp import checkpoints, inference
    from kdsharp.models import build

    photo = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), dtype=np.uint8)
    networks = {"small": checkpoints.load("small").model, "report D": build("report-d-student").eval()}
    times = {name: [] for name in networks}
    for _ in range(6):
        for name, network in networks.items():
            start = time.perf_counter()
            inference.sharpen(network, photo)
            times[name].append(time.perf_counter() - start)
    assert min(times["small"]) < 0.7 * min(times["report D"])
