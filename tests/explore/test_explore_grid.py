"""The alpha x temperature grid: read, bundled from a sweep, drawn at its corners; and the button that trains."""

import itertools
import json
import time

import numpy as np
import pytest
import torch

from kdsharp import checkpoints, plots, sweep
from kdsharp.checks import UsageError
from kdsharp.explore import Slider
from kdsharp.explore.button import Stopped, TrainingButton
from kdsharp.explore.grid import render_gains, render_grid
from kdsharp.explore.training import train_until
from kdsharp.models import build
from kdsharp.plots import Picture, figure
from kdsharp.train import Supervised, TrainConfig

ALPHAS, TAUS, SEEDS = (0.0, 0.5, 1.0), (1.0, 8.0), (0, 1, 2)
SHARP = torch.rand(1, 3, 120, 120, generator=torch.Generator().manual_seed(0))


def score(alpha, tau, seed):
    return 30 + seed if alpha == 1 else 30 + seed + 0.5 * (1 - alpha) + 0.01 * tau * seed


@pytest.fixture
def swept(tmp_path):
    """The folder of a finished sweep, as `kdsharp sweep alpha-temperature` leaves it."""
    for index, (alpha, tau, seed) in enumerate(itertools.product(ALPHAS, TAUS, SEEDS)):
        folder = tmp_path / "points" / f"{index:02}"
        folder.mkdir(parents=True)
        file = folder / "alpha-temperature.safetensors"
        checkpoints.save(file, build("unshuffle-mini", index), "unshuffle-mini")
        results = {"psnr": score(alpha, tau, seed), "psnr_input": 28.0, "steps": 7}
        results |= {"ssim_to_teacher": 0.9} if alpha < 1 else {}  # a student alone has no teacher to agree with
        record = {"id": f"{index:02}", "status": "done", "seed": seed, "seconds": 1.0, "commit": "abc"}
        record |= {"target": "alpha-temperature student", "parameters": {"alpha": alpha, "temperature": tau}}
        record |= {"results": results | {"checkpoint": file.relative_to(tmp_path).as_posix()}}
        folder.with_suffix(".json").write_text(json.dumps(record))
    return tmp_path


def test_a_sweep_becomes_a_grid(swept, tmp_path):
    grid = sweep.bundle(swept, tmp_path / "grid", ("temperature", "alpha"), keep=1)
    assert (grid.axes, grid.values("alpha"), grid.values("temperature")) == (("alpha", "temperature"), ALPHAS, TAUS)
    assert (grid.psnr_input, grid.steps) == (28.0, 7)
    for alpha, tau in itertools.product(ALPHAS, TAUS):
        assert grid.psnr(alpha=alpha, temperature=tau).tolist() == [score(alpha, tau, seed) for seed in SEEDS]
    assert np.abs(grid.gains(alpha=1, temperature=8)).max() == 0
    assert grid.gains(alpha=0, temperature=1) == pytest.approx([0.5, 0.51, 0.52])
    with pytest.raises(UsageError, match="no run at"):
        grid.psnr(alpha=0.3)
    with pytest.raises(UsageError, match="axis"):
        grid.values("labels")


def test_a_grid_keeps_the_students_of_one_seed_in_half_the_bytes(swept, tmp_path):
    grid = sweep.bundle(swept, tmp_path / "grid", ("alpha", "temperature"), keep=1)
    assert len(list((tmp_path / "grid").glob("*.safetensors"))) == len(ALPHAS) * len(TAUS)
    kept = checkpoints.load(grid.student(alpha=0.5, temperature=8))
    record = json.loads((swept / "points" / "10.json").read_text())  # alpha 0.5, temperature 8, seed 1
    first = checkpoints.load(swept / record["results"]["checkpoint"])
    for ours, theirs in zip(kept.model.parameters(), first.model.parameters(), strict=True):
        assert ours.dtype == torch.float32
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    small, large = (
        path.stat().st_size
        for path in (grid.student(alpha=0.5, temperature=8), swept / record["results"]["checkpoint"])
    )
    assert small < 0.7 * large


def test_gains_are_paired_with_the_student_alone_of_as_many_labels():
    rows = [
        {
            "alpha": alpha,
            "labels": labels,
            "seed": seed,
            "psnr": 20 + labels + seed + (0.5 if alpha < 1 else 0) / labels,
        }
        for alpha, labels, seed in itertools.product((0.5, 1.0), (2, 8), (0, 1))
    ]
    grid = sweep.Grid(("alpha", "labels"), tuple(rows), 19.0, 5, None)
    assert grid.gains(alpha=0.5, labels=2) == pytest.approx([0.25, 0.25])
    assert grid.gains(alpha=0.5, labels=8) == pytest.approx([0.0625, 0.0625])
    assert grid.alone(8) == pytest.approx([28, 29])


def test_an_unfinished_sweep_is_no_grid(swept, tmp_path):
    path = next((swept / "points").glob("*.json"))
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"status": "failed"}))
    with pytest.raises(UsageError, match="no finished sweep"):
        sweep.bundle(swept, tmp_path / "grid", ("alpha", "temperature"))
    path.write_text(json.dumps(record))
    with pytest.raises(UsageError, match="not a sweep over ALPHA and PULL"):
        sweep.bundle(swept, tmp_path / "grid", ("alpha", "pull"))
    path.unlink()
    with pytest.raises(UsageError, match="1 runs are missing"):
        sweep.bundle(swept, tmp_path / "grid", ("alpha", "temperature"))
    with pytest.raises(UsageError, match="holds no grid"):
        sweep.load_grid(tmp_path / "nothing")


def test_a_student_alone_has_the_recipes_own_temperature(swept, tmp_path):
    """It was not asked for one: nothing of it acts there."""
    for path in (swept / "points").glob("*.json"):
        record = json.loads(path.read_text())
        if record["parameters"]["alpha"] == 1:
            if record["parameters"]["temperature"] == TAUS[0]:
                path.unlink()
            else:
                path.write_text(json.dumps(record | {"parameters": {"alpha": 1.0}}))
    grid = sweep.bundle(swept, tmp_path / "grid", ("alpha", "temperature"))
    assert grid.psnr(alpha=1, temperature=1).tolist() == [score(1, 8, seed) for seed in SEEDS]
    assert grid.gains(alpha=0, temperature=8) == pytest.approx([0.5, 0.58, 0.66])


def test_the_grids_that_lesson_10_walks_are_whole_and_have_their_students():
    labels, classmate, warm = map(sweep.load_grid, ("labels", "classmate", "temperature"))
    assert labels.values("labels") == (0, 2, 8, 32)
    assert labels.values("alpha") == classmate.values("alpha") == (0, 0.25, 0.5, 0.75, 0.9, 1)
    assert labels.alone(8).tolist() == classmate.alone(8).tolist()  # the same runs: no teacher acts there
    for grid, count in ((labels, 24), (classmate, 6)):
        students = {grid.student(alpha=row["alpha"], labels=row["labels"]) for row in grid.rows}
        assert len(students) == count
        assert all(path.is_file() for path in students)
    assert (warm.values("pull"), len(warm.alone())) == ((0.1, 1, 10), 5)
    assert {
        len(warm.psnr(alpha=0.5, temperature=t, pull=r)) for t in warm.values("temperature") for r in (0.1, 1, 10)
    } == {5}


def test_the_exhibit_is_whole():
    grid = sweep.load_grid("rounding")
    assert grid.values("alpha") == (0, 0.25, 0.5, 0.75, 1)
    assert grid.values("temperature") == (1, 2, 4, 8)
    alone = np.array([grid.psnr(alpha=1, temperature=tau) for tau in grid.values("temperature")])
    assert alone.shape == (4, 3)
    assert np.ptp(alone, axis=0).max() < 0.02  # temperature acts on nothing at alpha 1


def test_a_grid_is_drawn_with_its_gains(swept, tmp_path):
    assert "from +0.26 to +0.58" in render_grid(sweep.bundle(swept, tmp_path / "grid", ("alpha", "temperature"))).alt


def test_gains_of_any_unit_are_drawn_and_alpha_one_is_the_student_alone():
    gains = np.array([[[3.0, 5.0], [9.0, 11.0]], [[0.0, 0.0], [0.0, 0.0]]])
    drawn = render_gains(gains, (0.5, 1.0), (1, 8), "points", "temperature T", caption="Warm is better.")
    assert "at 2 mixes" in drawn.alt
    assert "from +4.0 to +10.0" in drawn.alt
    assert "Warm is better." in drawn.tag()


def test_the_upright_axis_keeps_its_whole_name_where_a_grid_has_two_rows(monkeypatch):
    drawn = []
    monkeypatch.setattr(plots, "figure", lambda *size: drawn.append(figure(*size)) or drawn[-1])
    render_gains(np.zeros((2, 2, 3)), (0.1, 0.9), (1, 8), "points", "temperature T")
    drawn[0].draw_without_rendering()
    name = drawn[0].axes[0].yaxis.label.get_window_extent()
    assert 0 <= name.y0 < name.y1 <= drawn[0].bbox.height


def picture(text):
    return Picture(figure(100, 50), text)


def known(alpha):
    return picture(f"known at alpha {alpha:g}")


def slow_training(steps, pause):
    def train(watch, alpha):
        done = 0
        try:
            for step in range(1, steps + 1):
                time.sleep(pause)
                watch(step, 1 / step)
                done = step
        except Stopped:
            pass
        return picture(f"alpha {alpha:g} after {done} steps")

    return train


def press(widget, **message):
    """What the page sends when one of its buttons is pressed."""
    widget._handle_custom_msg(message, [])


def test_the_button_trains_where_the_slider_stands():
    button = TrainingButton(slow_training(5, 0), known, "t", 5, alpha=Slider("alpha", (0.0, 0.5, 1.0), 0.5))
    widget = button.widget()
    assert widget.facts["sliders"][0]["start"] == 1
    press(widget, train=[2])
    button.thread.join(20)
    answer = widget.answer
    assert answer["picture"][1] == "alpha 1 after 5 steps"
    assert answer["text"] == "step 5 of 5, loss 0.2000; done"
    assert (answer["step"], answer["running"]) == (5, False)


def test_stop_stops_and_shows_what_there_is():
    button = TrainingButton(slow_training(10_000, 0.01), known, "t", 10_000, alpha=Slider("alpha", (0.0, 1.0), 0.0))
    widget = button.widget()
    press(widget, train=[0])
    time.sleep(0.5)
    assert widget.answer["running"]
    press(widget, stop=True)
    button.thread.join(20)
    assert not button.thread.is_alive()
    assert widget.answer["text"].endswith("stopped")
    assert 0 < widget.answer["step"] < 5000
    assert "steps" in widget.answer["picture"][1]
    press(widget, train=[1])  # and it can begin again
    time.sleep(0.3)
    assert widget.answer["text"].startswith("step")
    press(widget, stop=True)
    button.thread.join(20)


def test_an_error_in_the_thread_is_said():
    def broken(watch, alpha):
        raise ValueError("no such network")

    button = TrainingButton(broken, known, "t", 3, alpha=Slider("alpha", (0.0,), 0.0))
    widget = button.widget()
    press(widget, train=[0])
    button.thread.join(20)
    assert widget.answer == {"step": 0, "text": "ValueError: no such network", "running": False, "picture": None}


def test_the_page_shows_what_is_known_and_trains_nothing():
    def never(watch, alpha):
        raise AssertionError("trained without being asked")

    page = TrainingButton(never, known, "A <title>", 4, alpha=Slider("alpha", (0.0, 0.5), 0.4)).page()
    assert "known at alpha 0.5" in page
    assert "A &lt;title&gt;" in page
    assert "trains 4 steps, in JupyterLab" in page
    with pytest.raises(UsageError, match="at least one slider"):
        TrainingButton(never, known, "t", 4)


def test_training_stops_between_two_steps():
    batches = [(SHARP[..., :32, :32], SHARP[..., :32, :32])] * 6
    config = TrainConfig(steps=6, warmup=1, average=0.5, log_every=1)

    def watch(step, loss):
        if step == 3:
            raise Stopped

    network = build("unshuffle-mini")
    assert len(train_until(Supervised(network), batches, config, watch)) == 3
    assert not network.training
    assert len(train_until(Supervised(network), batches, config, lambda step, loss: None)) == 6
