"""Recipes: profiles, and one tiny system trained from teacher to student."""

import dataclasses
import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from kdsharp import checkpoints, images
from kdsharp.checks import UsageError
from kdsharp.datasets import Crops, PairedFolder, Photo
from kdsharp.degrade import PROTOCOLS
from kdsharp.distill import TERMS, Distillation
from kdsharp.images import to_array, to_tensor
from kdsharp.losses import LOSSES, mixture
from kdsharp.models import MODELS, build, count_macs, count_parameters
from kdsharp.recipes import (
    PROFILES,
    RECIPES,
    REPORTS,
    Recipe,
    Stage,
    mean_psnr,
    model_card,
    rates,
    train_stage,
    training,
)
from kdsharp.recipes import batches as sources
from kdsharp.train import OPTIMIZERS, TrainConfig

CONFIG = TrainConfig(steps=40, learning_rate=1e-3, warmup=2)
TINY = Recipe(
    "tiny",
    "shake",
    PROTOCOLS["shake"],
    Stage("big-one", "unet-mini", CONFIG),
    Stage("small-one", "unshuffle-mini", CONFIG, alpha=0.5, terms=(("output", 1.0), ("hint", 0.5))),
)


@pytest.fixture(autouse=True)
def few_pixels(monkeypatch):
    """One noisy photo of 80 pixels a side instead of the bundled ones."""
    pixels = np.random.default_rng(0).integers(0, 256, (180, 180, 3), dtype=np.uint8)
    asked = []
    monkeypatch.setattr(training, "photos", lambda split: asked.append(split) or [Photo("a", pixels)])
    monkeypatch.setattr(sources, "training_pictures", lambda *options, **more: [pixels])
    return asked


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_things_that_exist(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert PROTOCOLS[recipe.protocol] is not None
    for stage in (recipe.teacher, recipe.student):
        if isinstance(stage, str):
            assert stage in checkpoints.bundled()
            continue
        assert stage.architecture in MODELS
        assert set(mixture(stage.loss)) <= set(LOSSES)
        assert {term for term, _ in stage.terms} <= set(TERMS)
        named = {"shake": "teacher", "base": "teacher-motion"}.get(name, f"{name}-teacher")
        assert stage.checkpoint in (name, named, name.partition("-")[0])  # base-moving goes on with base


@pytest.mark.parametrize("name", RECIPES)
def test_profiles_shorten(name):
    stage = RECIPES[name].student
    smoke, lab, full = (stage.at(profile) for profile in PROFILES)
    assert full is stage
    assert smoke.config.steps < lab.config.steps == stage.lab < full.config.steps
    for short in (smoke, lab):
        assert short.config.warmup < short.config.steps
        assert (short.alpha, short.terms, short.loss) == (stage.alpha, stage.terms, stage.loss)
        assert short.config.learning_rate == stage.config.learning_rate


@pytest.mark.parametrize("name", REPORTS)
def test_a_reports_taps_fit_its_networks(name):
    """Each report's feature layers exist and can be compared, whether its own terms use them or not."""
    plan = RECIPES[name].student
    chosen = RECIPES[name].teacher
    teacher = build("unet" if isinstance(chosen, str) else chosen.architecture)
    step = Distillation(build(plan.architecture), teacher, terms={"hint": 1.0}, taps=plan.taps)
    image = torch.rand(1, 3, 32, 32)
    assert step(image, image)["hint"].isfinite()


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_what_it_claims_and_what_was_assumed(name):
    assert any(character.isdigit() for character in RECIPES[name].claim)
    assert RECIPES[name].notes


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs_from_end_to_end(name, tmp_path):
    """In smoke profile, on one small photo: what each stage writes can be loaded and has a card."""
    recipe = RECIPES[name]
    for stage in ("teacher", "student"):
        if isinstance(getattr(recipe, stage), Stage):
            path = train_stage(recipe, stage, "smoke", tmp_path, progress=False)
            assert np.isfinite(checkpoints.load(path).meta["psnr"])
    card = path.with_suffix(".md").read_text()
    assert recipe.claim in card
    assert all(note in card for note in recipe.notes)


def test_protocols_of_fixed_size_are_blurred_whole(monkeypatch, tmp_path):
    """Crops are cut after the blur: a corner of a crop may be the corner of the picture, blurred with its border."""
    seen = []
    monkeypatch.setattr(training, "fit", lambda step, batches, *given, **more: seen.append(batches) or [])
    recipe = RECIPES["gaussian-256"]
    train_stage(recipe, "student", "smoke", tmp_path, progress=False)
    (batches,) = seen
    ((_, blurred, sharp),) = batches.folder
    np.testing.assert_array_equal(blurred, to_array(recipe.training(to_tensor(sharp), np.random.default_rng(0))))
    assert batches.size == 48


def test_branches_learn_and_leave_a_plain_checkpoint(tmp_path):
    """The folded network answers as the one that was trained, and has the keys of its architecture alone."""
    plain, branched = (
        train_stage(RECIPES["gaussian-256"], "student", "smoke", tmp_path / name, progress=False, branches=wanted)
        for name, wanted in (("plain", False), ("branched", True))
    )
    (state,) = (tmp_path / "branched" / "student").glob("state-*/model.safetensors")
    assert any("narrow" in key for key in load_file(state))
    one, other = (checkpoints.load(path).model.state_dict() for path in (plain, branched))
    assert one.keys() == other.keys()
    assert not torch.equal(one["bottom.0.conv1.weight"], other["bottom.0.conv1.weight"])
    assert "folded into one afterwards" in branched.with_suffix(".md").read_text()


def test_a_start_is_trained_on_and_stands_in_the_card(tmp_path):
    first = train_stage(TINY, "teacher", "smoke", tmp_path / "first", progress=False)
    path = train_stage(
        TINY, "teacher", "smoke", tmp_path / "then", progress=False, start=first, learning_rate=1e-12, average=0.0
    )
    one, other = (checkpoints.load(each) for each in (first, path))
    for key, value in one.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[key], value, rtol=0, atol=1e-9)
    assert other.meta["start"] == "big-one"
    assert "--profile smoke --start big-one`" in path.with_suffix(".md").read_text()
    moved = train_stage(TINY, "teacher", "smoke", tmp_path / "moved", progress=False, start=first)
    weights = checkpoints.load(moved).model.state_dict()
    assert any(not torch.equal(weights[key], value) for key, value in one.model.state_dict().items())


def test_real_pairs_stand_beside_photos_as_a_quarter_of_each_batch(tmp_path, monkeypatch):
    pixels = np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    for folder, values in (("blur", 255 - pixels), ("sharp", pixels)):
        images.write(tmp_path / "pairs" / folder / "a.png", values)
    images.write(tmp_path / "mine.png", pixels)
    seen = []
    monkeypatch.setattr(training, "fit", lambda step, batches, *given, **more: seen.append(batches[0]) or [])
    given = {"own": [tmp_path / "mine.png"], "pairs": PairedFolder(tmp_path / "pairs"), "alpha": 1.0, "crop": 32}
    for name in ("base", "alpha-labels"):  # the second has images without a label, which stay the last
        train_stage(RECIPES[name], "student", "full", tmp_path / name, progress=False, margin=2, **given)
    (blurred, sharp), (mixed, labelled) = seen
    assert len(blurred) == len(sharp) == 8
    torch.testing.assert_close(blurred[:2], 1 - sharp[:2])  # those of the folder
    assert all((one - 1 + other).abs().max() > 0.1 for one, other in zip(blurred[2:], sharp[2:], strict=True))
    assert len(mixed) == len(labelled) + 8
    torch.testing.assert_close(mixed[:2], 1 - labelled[:2])
    card = (tmp_path / "base" / "base.md").read_text()
    assert "--pairs FOLDER" in card
    assert "1 real pair, a quarter of each batch" in card
    assert "yours to know, and whether it lets you pass weights on" in card
    assert "that of the pairs is yours to know" in card


def test_a_start_of_another_architecture_is_refused(tmp_path):
    with pytest.raises(UsageError, match="tiny is a 'unet-tiny', but this recipe trains a 'unet-mini'"):
        train_stage(TINY, "teacher", "smoke", tmp_path, progress=False, start="tiny")


def test_what_cannot_work_stands_there_repaired_too():
    written, repaired = RECIPES["report-b"], RECIPES["report-b-repaired"]
    assert (written.teacher.loss, repaired.teacher.loss) == ("l1 + 0.5 ssim-without-gradient", "l1 + 0.5 ssim")
    assert dataclasses.replace(written.teacher, checkpoint="", loss="") == dataclasses.replace(
        repaired.teacher, checkpoint="", loss=""
    )
    assert not RECIPES["report-e"].teacher.trained
    assert RECIPES["report-e-repaired"].teacher.trained
    assert (RECIPES["report-e"].student.alpha, RECIPES["report-e-repaired"].student.alpha) == (0.0, 0.5)


def test_an_untrained_teacher_keeps_its_first_weights(tmp_path, monkeypatch):
    monkeypatch.setattr(Crops, "__getitem__", lambda self, step: pytest.fail(f"trained step {step}"))
    path = train_stage(RECIPES["report-e"], "teacher", "smoke", tmp_path, progress=False)
    found, first = checkpoints.load(path), build("report-e-teacher", 0).state_dict()
    assert all(torch.equal(value, first[key]) for key, value in found.model.state_dict().items())
    assert found.meta["steps"] == 0


def test_a_missing_teacher_is_named(tmp_path):
    with pytest.raises(UsageError, match="report-a-teacher.safetensors does not exist; train the teacher first"):
        train_stage(RECIPES["report-a"], "student", "smoke", tmp_path, progress=False)


def test_a_teacher_taken_as_it_is_cannot_be_trained(tmp_path):
    with pytest.raises(UsageError, match="takes its teacher 'teacher' as it is"):
        train_stage(RECIPES["report-d"], "teacher", "smoke", tmp_path, progress=False)


def test_vgg_terms_are_left_out_and_named_where_the_weights_are_missing(tmp_path, monkeypatch):
    plan = RECIPES["report-c"].student
    monkeypatch.setattr(training, "vgg_file", lambda: tmp_path / "missing.pth")
    without, left_out = training.without_missing_vgg(plan)
    assert (without.loss, left_out) == ("1 l1 + 0.1 edge", ["vgg"])
    without, left_out = training.without_missing_vgg(RECIPES["report-d"].student)
    assert (without.terms, left_out) == ((), ["output-vgg", "output-vgg-deep"])
    (tmp_path / "missing.pth").touch()
    assert training.without_missing_vgg(plan) == (plan, [])


def test_changes_reach_the_stage_and_its_config(tmp_path):
    changes = {"optimizer": "sgd", "learning_rate": 0.25, "seed": 3, "alpha": None}
    path = train_stage(TINY, "teacher", "smoke", tmp_path, progress=False, **changes)
    config = json.loads((tmp_path / "teacher" / "config.json").read_text())
    assert (config["optimizer"], config["learning_rate"], config["seed"]) == ("sgd", 0.25, 3)
    assert "sgd, rate 0.25" in path.with_suffix(".md").read_text()


def test_an_unknown_profile_and_an_unknown_stage(tmp_path):
    with pytest.raises(UsageError, match="unknown profile 'quick'; choose one of: smoke, lab, full"):
        TINY.student.at("quick")
    with pytest.raises(UsageError, match="unknown stage 'students'"):
        train_stage(TINY, "students", "smoke", tmp_path)


def test_a_teacher_then_its_student(tmp_path, few_pixels):
    teacher = train_stage(TINY, "teacher", "smoke", tmp_path, progress=False)
    assert teacher == tmp_path / "big-one.safetensors"
    assert few_pixels == ["validation", "test"]
    found = checkpoints.load(teacher)
    assert found.meta["teacher"] is None
    student = checkpoints.load(train_stage(TINY, "student", "smoke", tmp_path, progress=False))
    meta = student.meta
    assert (student.name, meta["teacher"], meta["alpha"], meta["steps"]) == ("small-one", "big-one", 0.5, 6)
    assert meta["terms"] == {"output": 1.0, "hint": 0.5}
    assert (meta["recipe"], meta["stage"], meta["profile"], meta["protocol"]) == ("tiny", "student", "smoke", "shake")
    assert meta["parameters"] == count_parameters(student.model)
    assert meta["macs_per_pixel"] == round(count_macs(student.model))
    start = build("unshuffle-mini", CONFIG.seed).state_dict()
    assert not all(torch.equal(value, start[key]) for key, value in student.model.state_dict().items())
    card = (tmp_path / "small-one.md").read_text()
    assert "`kdsharp train tiny --stage student --profile smoke`" in card
    assert "`big-one`" in card
    assert "hint" in card
    assert f"{meta['psnr']:.2f} dB; the input itself has {meta['psnr_input']:.2f} dB" in card
    assert json.loads((tmp_path / "student" / "config.json").read_text())["steps"] == 6


def test_the_scores_of_the_card_are_those_of_the_metrics(tmp_path):
    meta = checkpoints.load(train_stage(TINY, "teacher", "smoke", tmp_path, progress=False)).meta
    (_, blurred, sharp), *_ = training.synthetic_pairs(PROTOCOLS["shake"], training.photos("test"))
    expected = -10 * torch.log10((blurred - sharp).square().mean()).item()
    assert meta["psnr_input"] == pytest.approx(expected, abs=0.006)


def test_a_student_with_alpha_one_has_no_teacher(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "load", lambda name: pytest.fail(f"loaded {name}"))
    alone = dataclasses.replace(TINY, student=dataclasses.replace(TINY.student, alpha=1.0))
    assert checkpoints.read_meta(train_stage(alone, "student", "smoke", tmp_path, progress=False))["teacher"] is None


def test_without_a_trained_teacher_the_bundled_one_is_taken(tmp_path, monkeypatch):
    asked = []

    def load(name):
        asked.append(name)
        return checkpoints.Checkpoint("big-one", build("unet-mini").eval(), {})

    monkeypatch.setattr(checkpoints, "load", load)
    monkeypatch.setattr(checkpoints, "bundled", lambda: {"big-one": tmp_path})
    train_stage(TINY, "student", "smoke", tmp_path, progress=False)
    assert asked == ["big-one"]


def test_training_twice_gives_the_same_weights(tmp_path):
    first, second = (train_stage(TINY, "teacher", "smoke", tmp_path / name, progress=False) for name in "ab")
    weights = [checkpoints.load(path).model.state_dict() for path in (first, second)]
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())


def test_a_finished_stage_resumes_to_the_same_file(tmp_path, monkeypatch):
    path = train_stage(TINY, "teacher", "smoke", tmp_path, progress=False)
    before = checkpoints.load(path).model.state_dict()
    monkeypatch.setattr(Crops, "__getitem__", lambda self, step: pytest.fail(f"trained step {step} again"))
    train_stage(TINY, "teacher", "smoke", tmp_path, resume=True, progress=False)
    assert all(torch.equal(value, before[key]) for key, value in checkpoints.load(path).model.state_dict().items())


def test_resuming_with_another_alpha_is_refused(tmp_path):
    train_stage(TINY, "teacher", "smoke", tmp_path, progress=False)
    train_stage(TINY, "student", "smoke", tmp_path, progress=False)
    other = dataclasses.replace(TINY, student=dataclasses.replace(TINY.student, alpha=0.9))
    with pytest.raises(UsageError, match="alpha"):
        train_stage(other, "student", "smoke", tmp_path, resume=True, progress=False)


def test_an_out_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="a file stands in its way"):
        train_stage(TINY, "teacher", "smoke", tmp_path / "file", progress=False)


def test_mean_psnr_rounds_and_averages_over_images():
    sharp = torch.full((1, 3, 16, 16), 100 / 255)
    pairs = [("a", sharp + 10.3 / 255, sharp), ("b", sharp + 1.4 / 255, sharp)]
    expected = (20 * np.log10(255 / 10) + 20 * np.log10(255 / 1)) / 2
    assert mean_psnr(torch.nn.Identity(), pairs) == pytest.approx(expected, abs=1e-3)


def test_a_model_card_is_a_markdown_table():
    keys = ("recipe", "stage", "profile", "protocol", "hours", "device", "commit", "date", "seed")
    meta = dict.fromkeys(keys, "x") | {
        "psnr": 30.125,
        "psnr_input": 29.0,
        "photos": "bundled",
        "left_out": [],
        "parameters": 1234,
        "macs_per_pixel": 5678,
        "teacher": None,
        "steps": 9,
    }
    card = model_card(TINY, TINY.teacher, meta, [{"step": 9, "validation": 30.0}])
    assert "1,234 parameters, 5,678 MACs a pixel" in card
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows if "architecture" in line or "seed" in line}) == 1
    leaves, none = (dataclasses.replace(TINY.teacher, leaves=count) for count in (7, 0))
    assert "(`data/photos.toml`) and 7 dead-leaves pictures; nothing else" in model_card(TINY, leaves, meta, [])
    public = model_card(TINY, none, meta | {"photos": "photos"}, [])
    assert "(`kdsharp data get photos`); nothing else" in public
    assert "--photos photos`" in public
    assert "--photos" not in card


def test_a_model_card_says_what_scenes_were_varied(tmp_path):
    varied = dataclasses.replace(
        TINY, teacher=dataclasses.replace(TINY.teacher, contrast=0.25, softness=2.0, wholly=0.25)
    )
    cards = [
        train_stage(each, "teacher", "smoke", tmp_path / name, progress=False)
        for name, each in (("a", TINY), ("b", varied))
    ]
    plain, card = (path.with_suffix(".md").read_text(encoding="utf-8") for path in cards)
    assert "50% of the crops flatter (contrast down to 0.25); 50% partly out of focus (sigma up to" in card
    assert ", 25% of these all over" in card
    assert "flatter" not in plain
    assert "all over" not in plain
    assert not torch.equal(*(next(iter(checkpoints.load(path).model.parameters())) for path in cards))


SCENES = {"contrast": 0.5, "softness": 6.0, "altered": 0.5, "wholly": 0.2, "choices": 1}


@pytest.mark.parametrize(
    "change", [{"contrast": 1.0}, {"softness": 3.0}, {"altered": 1.0}, {"wholly": 1.0}, {"choices": 3}]
)
def test_each_part_of_a_stages_scenes_reaches_its_crops(change, monkeypatch):
    noise = np.random.default_rng(1).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    monkeypatch.setattr(sources, "training_pictures", lambda *given, **more: [noise])
    plan = replace(TINY.student, crop=32, batch=8, **SCENES)
    plain, again, changed = (
        sources.synthetic_batches(TINY, each)[0][1] for each in (plan, plan, replace(plan, **change))
    )
    assert torch.equal(plain, again)
    assert not torch.equal(plain, changed)


def test_rates_are_tuned_alike_and_a_diverging_one_loses(monkeypatch, few_pixels):
    noise = np.random.default_rng(1).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    monkeypatch.setattr(rates, "photos", lambda split: few_pixels.append(split) or [Photo("a", noise)])
    monkeypatch.setattr(sources, "training_pictures", lambda *given, **more: [noise])
    monkeypatch.setattr(rates, "GRID", (1e-3, 1e30))
    monkeypatch.setattr(rates, "OPTIMIZERS", ("adam", "sgd"))
    student = dataclasses.replace(TINY.student, lab_crop=32)
    scores = rates.tune_rates(dataclasses.replace(TINY, student=student), steps=2)
    assert list(scores) == ["adam", "sgd"]
    assert set(few_pixels) == {"validation"}
    for by_rate in scores.values():
        assert np.isfinite(by_rate[1e-3])
        assert by_rate[1e30] < by_rate[1e-3]


def test_the_best_rate_is_written_and_what_every_rate_scored(tmp_path):
    scores = {"adam": {1e-4: 20.0, 1e-3: 24.125, 10.0: float("-inf")}}
    assert rates.write_rates(tmp_path / "rates.toml", scores) == {"adam": {"rate": 1e-3, "psnr": 24.12}}
    table = tomllib.loads((tmp_path / "rates.toml").read_text())["adam"]
    assert table["rate"] == 1e-3
    assert table["tried"] == {"0.0001": 20.0, "0.001": 24.12, "10": float("-inf")}


def test_every_optimizer_has_a_tuned_rate():
    found = {name: rates.tuned_rate(name) for name in OPTIMIZERS}
    assert set(found.values()) <= set(rates.GRID)
    assert found["adadelta"] > 10 * found["adam"]  # what report A's equal rates hide
    with pytest.raises(UsageError, match="unknown optimizer 'adm'"):
        rates.tuned_rate("adm")


@pytest.mark.parametrize("labels", [2, 0])
def test_few_labels_lie_beside_crops_without_one(labels):
    recipe = RECIPES["alpha-labels"]
    plan = replace(recipe.student, leaves=0, crop=32, labels=labels)
    batches = sources.synthetic_batches(recipe, plan)
    blurred, sharp = batches[3]
    assert blurred.shape == (16, 3, 32, 32)
    assert sharp.shape == (8, 3, 32, 32)
    other = sources.synthetic_batches(recipe, replace(plan, config=replace(plan.config, seed=1)))
    if labels:
        assert batches.pairs.shape == (2, 2, 3, 96, 96)
        assert torch.equal(batches.pairs, other.pairs)  # every seed learns from the same pairs
    assert not torch.equal(blurred[8:], other[3][0][8:])
    assert not torch.equal(blurred[:8], blurred[8:])
