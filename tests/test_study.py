"""The distillation study: fair arms, few labels, records that are kept, a table that is right."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from kdsharp import checkpoints, cli, datasets, degrade, images, study, tables
from kdsharp.checks import UsageError
from kdsharp.datasets import Crops, FewLabels, photos
from kdsharp.distill import Distillation
from kdsharp.models import MODELS, build
from kdsharp.plots.narrow import narrowed
from kdsharp.study import arms, distillation, pictures
from kdsharp.train import Supervised

TINY = replace(study.PROFILES["smoke"], steps=2, crop=32, pair_side=48)


def crops(batch=3, size=32):
    return Crops([photos("train")[0].pixels], degrade.Shake(), size, batch, seed=1)


@pytest.fixture(scope="module")
def few():
    blurred, sharp = Crops([photos("train")[0].pixels], degrade.Shake(), 48, 2, seed=9)[0]
    return FewLabels(blurred, sharp, crops(), seed=4)


def moved(name="unshuffle-mini", seed=0):
    model = build(name, seed)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.02 * torch.randn(value.shape, generator=torch.Generator().manual_seed(value.numel() + seed)))
    return model


def test_a_batch_of_few_labels_is_half_labelled(few):
    blurred, sharp = few[7]
    assert (blurred.shape, sharp.shape) == ((6, 3, 32, 32), (3, 3, 32, 32))
    assert torch.equal(blurred[3:], crops()[7][0])
    assert torch.equal(few[7][0], blurred)
    assert not torch.equal(few[8][0][:3], blurred[:3])


def test_labelled_crops_come_from_the_pairs_and_stay_pairs(few):
    """Each sharp crop occurs, turned or mirrored, in a sharp picture, and its blurred one at the same place."""
    for blurred, sharp in zip(few[3][0][:3], few[3][1], strict=True):
        found = []
        for pair in few.pairs:
            for turns in range(4):
                for mirrored in (False, True):
                    whole = pair.rot90(turns, (-2, -1))
                    whole = whole.flip(-1) if mirrored else whole
                    windows = whole.unfold(2, 32, 1).unfold(3, 32, 1)  # (2, 3, rows, columns, 32, 32)
                    same = (windows[1] == sharp[:, None, None]).all(-1).all(-1).all(0).nonzero()
                    found += [windows[0, :, row, column] for row, column in same.tolist()]
        assert any(torch.equal(each, blurred) for each in found)


def test_without_labels_the_truth_is_silent_and_the_teacher_speaks():
    blurred, sharp = torch.rand(4, 3, 16, 16), torch.rand(2, 3, 16, 16)
    student, teacher = moved(), moved(seed=1)
    step = Distillation(student, teacher, terms={"output": 1.0, "bounded": 1.0})
    short = Distillation(student, teacher, terms={"output": 1.0, "bounded": 1.0})(blurred[:2], sharp)
    found = step(blurred, sharp)
    torch.testing.assert_close(found["reconstruction"], short["reconstruction"])
    torch.testing.assert_close(found["bounded"], short["bounded"])
    torch.testing.assert_close(found["output"], (student(blurred) - teacher(blurred)).abs().mean())
    torch.testing.assert_close(Supervised(student)(blurred, sharp)["loss"], found["reconstruction"])


@pytest.mark.parametrize("count", [1, 4, 8])
def test_a_symmetric_teacher_averages_over_turned_and_mirrored_photos(count):
    teacher, image = moved().eval(), torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        views = [image, *(image.rot90(turns, (2, 3)) for turns in (1, 2, 3))]
        answers = [teacher(view).rot90(-turns, (2, 3)) for turns, view in enumerate(views)]
        answers += [teacher(image.flip(3).rot90(turns, (2, 3))).rot90(-turns, (2, 3)).flip(3) for turns in range(4)]
        expected = torch.stack(answers[:count]).mean(0)
        torch.testing.assert_close(arms.Symmetric(teacher, count)(image), expected)


@pytest.mark.parametrize("name", [name for name in study.ARMS if name != "alone"])
def test_every_term_enters_as_large_as_the_reconstruction(name):
    arm, batch = study.ARMS[name], crops()[0]
    step = arms.step_of(arm, moved(), moved(seed=1), batch, ("body", "body"))
    assert isinstance(step, Distillation if arm.terms else Supervised)
    if arm.terms:
        found = step(*batch)
        for term in arm.terms:
            assert (step.terms[term] * found[term]).item() == pytest.approx(found["reconstruction"].item(), rel=1e-3)
        assert found["loss"].item() == pytest.approx(found["reconstruction"].item(), rel=1e-3)


def test_the_best_mix_takes_the_feature_term_that_did_best_on_validation():
    scores = {"alone": 40.0, "output": 41.0, "hint": 30.0, "channel": 31.0, "bounded": 50.0}
    assert arms.best_mix(scores).terms == ("output", "channel")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("study")
    return out, study.run(TINY, out, ["output"], progress=False)


def test_every_arm_meets_every_seed_in_both_regimes_at_one_rate(finished):
    _, records = finished
    runs = [(record["regime"], record["arm"], record["seed"]) for record in records]
    expected = [(regime, arm, seed) for regime in study.REGIMES for seed in (0, 1) for arm in ("alone", "output")]
    assert sorted(runs) == sorted(expected)
    assert len({record["psnr"] for record in records}) == len(records)
    assert {record["learning_rate"] for record in records} == {2.5e-3}


def test_the_arms_of_a_seed_share_first_weights_and_batches(monkeypatch, tmp_path):
    seen = []

    def look(step, batches, config, progress):
        seen.append((step.student.body[0].weight.detach().clone(), batches[1][0], config))

    monkeypatch.setattr(distillation, "fit", look)
    study.run(TINY, tmp_path, ["output"], progress=False)
    rich = seen[1:5]  # after the trial of the rate: alone and output of seed 0, then of seed 1
    for one, other in ((rich[0], rich[1]), (rich[2], rich[3])):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])
        assert one[2] == other[2]
    assert not torch.equal(rich[0][0], rich[2][0])


def test_a_hint_that_comes_first_takes_a_third_of_the_steps_and_of_the_batches(monkeypatch, tmp_path):
    seen = []

    def look(step, batches, config, progress):
        seen.append((getattr(step, "terms", {}), getattr(step, "alpha", 1), config.steps, batches[0][0]))

    monkeypatch.setattr(distillation, "fit", look)
    setup = replace(TINY, steps=9, seeds=1)
    study.run(setup, tmp_path, ["hint-first"], progress=False, regimes=["label-rich"])
    _, alone, hint, rest = seen
    assert (alone[2], hint[2], rest[2]) == (9, 3, 6)
    assert (hint[0], hint[1]) == ({"hint": 1.0}, 0)
    assert list(rest[0]) == ["output"]
    crops = distillation.Data(setup, False).batches("label-rich", 0, study.ARMS["hint-first"])
    assert torch.equal(hint[3], crops[0][0])
    assert torch.equal(rest[3], crops[3][0])
    assert torch.equal(alone[3], crops[0][0])


def test_alpha_temperature_and_the_first_seed_reach_every_run(monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(distillation, "fit", lambda step, batches, config, progress: seen.append((step, config.seed)))
    setup = replace(TINY, alpha=0.25, temperature=2.0, first=7)
    records = study.run(setup, tmp_path, ["output"], progress=False, regimes=["label-rich"])
    assert [record["seed"] for record in records] == [7, 7, 8, 8]
    assert [seed for _, seed in seen] == [9, 7, 7, 8, 8]  # the trial of the rate has a seed of its own
    assert {(step.alpha, step.temperature) for step, _ in seen if isinstance(step, Distillation)} == {(0.25, 2.0)}


def test_each_number_of_steps_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(study.PROFILES, "smoke", TINY)
    command = ["study", "distillation", "--profile", "smoke", "--arm", "output", "--regime", "label-rich"]
    for more in ([], ["--steps", "1"]):
        assert CliRunner().invoke(cli.app, [*command, *more], catch_exceptions=False).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "build" / "study").iterdir()) == ["smoke", "smoke-1"]


def test_finished_runs_are_not_run_again(finished, monkeypatch):
    out, records = finished
    monkeypatch.setattr(distillation, "fit", None)
    assert study.run(TINY, out, ["output"], progress=False) == records


def test_a_run_that_was_stopped_is_run_again_alone(finished, monkeypatch):
    out, records = finished
    (lost,) = out.glob("label-poor, output, seed 1*.json")
    lost.unlink()
    runs = []
    fit = distillation.fit
    monkeypatch.setattr(distillation, "fit", lambda *given, **more: runs.append(1) or fit(*given, **more))
    again = study.run(TINY, out, ["output"], progress=False)
    assert len(runs) == 1
    assert [record["psnr"] for record in again] == [record["psnr"] for record in records]


def test_a_rate_that_diverges_is_not_taken_and_an_arm_that_does_says_so(monkeypatch, tmp_path):
    def diverge(step, batches, config, progress):
        if config.learning_rate > limit:
            raise UsageError("training diverged")

    monkeypatch.setattr(distillation, "fit", diverge)
    limit = 0.1
    records = study.run(replace(TINY, rates=(1.0, 1e-3)), tmp_path / "a", ["output"], progress=False)
    assert {record["learning_rate"] for record in records} == {1e-3}
    limit = 0.0
    with pytest.raises(UsageError, match="diverged"):
        study.run(replace(TINY, rates=(1.0,)), tmp_path / "b", ["output"], progress=False)


def test_another_study_wants_another_folder(finished):
    with pytest.raises(UsageError, match=r"holds a study with other settings; give another folder with --out"):
        study.run(replace(TINY, steps=3), finished[0], progress=False)


def test_an_unknown_arm_lists_all(tmp_path):
    with pytest.raises(UsageError, match=r"unknown arm 'hints' \(did you mean 'hint'\?\); choose one of: alone"):
        study.run(TINY, tmp_path, ["hints"], progress=False)


def test_one_regime_alone_finds_the_records_of_the_whole_study(finished):
    folder, records = finished[0], finished[1]
    found = study.run(TINY, folder, ["output"], progress=False, regimes=["label-poor"])
    expected = [(each["arm"], each["seed"], each["psnr"]) for each in records if each["regime"] == "label-poor"]
    assert [(each["arm"], each["seed"], each["psnr"]) for each in found] == expected != []
    with pytest.raises(UsageError, match=r"unknown regime 'poor'"):
        study.run(TINY, folder, progress=False, regimes=["poor"])


def record(regime, arm, seed, psnr):
    return {"regime": regime, "arm": arm, "seed": seed, "psnr": psnr, "seconds": 2.0}


RECORDS = [
    *(record("label-rich", "alone", seed, 30 + seed) for seed in range(3)),
    *(record("label-rich", "output", seed, 30.1 + seed + 0.01 * seed) for seed in range(3)),
    *(record("label-rich", "hint", seed, 30 + seed + (-1) ** seed) for seed in range(3)),
    *(record("label-rich", "channel", seed, 29 + seed + 0.01 * seed) for seed in range(3)),
]


def test_gains_are_paired_by_seed():
    """The seeds differ by 2 dB, the gains by 0.02: Student's t for three values is 4.303."""
    alone, output, hint, channel = study.summary(RECORDS)
    assert (alone.gain, alone.verdict) == (0, "the baseline")
    assert output.gain == pytest.approx(0.11)
    assert output.half_width == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)
    assert [line.verdict for line in (output, hint, channel)] == ["better", "no gain", "worse"]


def test_the_table_and_the_figure_show_every_line():
    lines = study.summary(RECORDS)
    text = study.markdown(lines, TINY, "kdsharp study distillation")
    assert "| label-rich | output | 31.11 | +0.110 ± 0.025 | better | 2 |" in text
    assert len(text.strip().splitlines()) == 2 + 2 + len(lines)
    wide = study.figure(lines)
    phone = narrowed(wide)
    for made in (wide, phone):
        assert [each.get_title() for each in made.axes] == list(study.REGIMES)
        assert [label.get_text() for label in made.axes[0].get_yticklabels()] == ["output", "hint", "channel"]
    upper, lower = (each.get_window_extent() for each in phone.axes)
    assert upper.y0 > lower.y1
    assert phone.axes[0].get_xlim() == phone.axes[1].get_xlim()
    assert [label.get_text() for label in phone.axes[1].get_yticklabels()] == ["output", "hint", "channel"]


def test_the_command_leaves_records_table_and_figure(tmp_path, monkeypatch):
    monkeypatch.setitem(study.PROFILES, "smoke", TINY)
    command = ["study", "distillation", "--profile", "smoke", "--arm", "output", "--steps", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.app, [*command, "--table", str(tmp_path / "t.csv")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "label-poor" in done.output
    assert (
        (tmp_path / "table.md")
        .read_text()
        .startswith("`kdsharp study distillation --profile smoke --steps 1 --arm output`")
    )
    assert (tmp_path / "figure.webp").stat().st_size > 1000
    assert json.loads((tmp_path / "study.json").read_text())["steps"] == 1
    stored = tables.read(tmp_path / "t.csv")
    assert stored.note.startswith("kdsharp study distillation --profile smoke --steps 1 --arm output: unshuffle-")
    assert tuple(stored.rows[0]) == study.COLUMNS
    found = [(line.regime, line.arm, line.seeds) for line in study.summary(stored.rows)]
    assert found == [(regime, arm, TINY.seeds) for regime in study.REGIMES for arm in ("alone", "output")]


def test_the_full_study_is_what_the_question_asks_for():
    full = study.PROFILES["full"]
    assert full.seeds >= 5
    assert full.labelled == 8
    assert {"output", "hint", "attention", "channel", "affinity", "bounded"} <= set(study.ARMS)
    assert full.student in MODELS


def test_pictures_are_compared_at_one_rate_and_budget(tmp_path, monkeypatch):
    seen = []

    def look(step, batches, config, progress):
        seen.append((len(batches.pictures), config))

    monkeypatch.setattr(pictures, "fit", look)
    lines = study.run_pictures(replace(TINY, leaves=2), tmp_path, progress=False)
    assert [(line.arm, line.seeds) for line in lines] == [("both", 2), ("photos", 2), ("dead leaves", 2)]
    both, photographs, leaves = (count for count, _ in seen[:3])
    assert (leaves, both) == (2, photographs + 2)
    assert len({config for _, config in seen[:3]}) == 1
    assert [line.gain for line in lines] == [0, 0, 0]  # nothing was trained: the same weights
    monkeypatch.setattr(pictures, "fit", None)
    assert study.run_pictures(replace(TINY, leaves=2), tmp_path, progress=False) == lines


def test_the_command_for_pictures_leaves_a_table(tmp_path, monkeypatch):
    monkeypatch.setitem(study.PROFILES, "smoke", TINY)
    command = ["study", "pictures", "--profile", "smoke", "--steps", "1", "--out", str(tmp_path)]
    done = CliRunner().invoke(cli.app, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "| pictures | dead leaves |" in (tmp_path / "table.md").read_text()


def test_the_study_of_ingredients_scores_each_on_real_pairs_and_keeps_its_rows(kdsharp, tmp_path):
    from kdsharp.study import ingredients

    photo = datasets.photos("validation")[0].pixels[:64, :64]
    for folder, pixels in (("blur", photo // 2 + 60), ("sharp", photo)):
        images.write(tmp_path / "pairs" / folder / "a.png", pixels)
    words = ["study", "blur", "--pairs", tmp_path / "pairs", "--size", "tiny", "--steps", 2, "--profile", "smoke"]
    words += ["--out", tmp_path / "out", "--ingredient", "straight paths", "--ingredient", "JPEG after it"]
    done = kdsharp(*words)
    assert done.returncode == 0, done.stderr
    records = sorted((tmp_path / "out").glob("*.json"))
    assert [path.name for path in records] == [
        "JPEG after it, tiny, 2 steps.json",
        "straight paths, tiny, 2 steps.json",
    ]
    table = (tmp_path / "out" / "table.md").read_text()
    assert table.startswith("| ingredient | gain | worst | below | jpeg | ")
    assert "| straight paths | " in table
    before = [path.stat().st_mtime_ns for path in records]
    assert kdsharp(*words).returncode == 0
    assert [path.stat().st_mtime_ns for path in records] == before
    assert kdsharp(*words[:-2], "--seed", 1).returncode == 0
    assert (tmp_path / "out" / "straight paths, tiny, 2 steps, seed 1.json").exists()
    assert "| straight paths, seed 1 | " in (tmp_path / "out" / "table.md").read_text()
    first, second = (
        checkpoints.load(next((tmp_path / "out" / name).glob("*.safetensors"))).model.state_dict()
        for name in ("straight paths", "straight paths, seed 1")
    )
    assert not any(torch.equal(first[name], second[name]) for name in first if name.endswith("weight"))
    found = ingredients.scores(torch.nn.Identity(), datasets.PairedFolder(tmp_path / "pairs"))
    assert (found["gain"], found["below"], found["sharp"]) == (0, 0, float("inf"))


def test_a_clip_adds_the_row_of_its_own_paths(tmp_path, monkeypatch):
    from kdsharp.study import ingredients

    photo = datasets.photos("validation")[0].pixels[:128, :128]
    for index in range(3):
        images.write(tmp_path / "clip" / f"{index}.png", np.roll(photo, 5 * index, 1))
    seen = {}
    monkeypatch.setattr(ingredients, "_row", lambda name, found, *_: seen.setdefault(name, found) and {"gain": 0.0})
    monkeypatch.setattr(ingredients, "kept", lambda _, row: row())
    frames = sorted((tmp_path / "clip").iterdir())
    assert list(ingredients.run([], tmp_path / "out", clip=frames))[-1] == ingredients.CLIP
    lengths = np.hypot(*np.transpose(seen[ingredients.CLIP].blur.vectors))
    assert np.median(lengths) == pytest.approx(5, abs=0.3)
    with pytest.raises(UsageError, match="own paths"):
        ingredients.run([], tmp_path / "out", names=[ingredients.CLIP])
