"""A clip teaches its own student: its motion is measured, learned on sharp photos, and used only where it helps."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from kdsharp import adapt, checkpoints, cli, datasets, degrade, images, kernels
from kdsharp.adapt import learn
from kdsharp.checks import UsageError
from kdsharp.models import build
from kdsharp.video import frames as frames_of

PHOTO = datasets.photos("train")[0].pixels


def put(path, pixels):
    return images.write(path, pixels)


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def moving(steps, size=(160, 200)):
    """Frames of a camera that goes by these (x, y) pixels a frame."""
    place, frames = np.array([40, 40]), []
    for step in [(0, 0), *steps]:
        place = place + step
        frames.append(PHOTO[place[1] : place[1] + size[0], place[0] : place[0] + size[1]])
    return list(zip(frames, frames[1:], strict=False))


def test_the_motion_of_a_camera_is_found_in_pixels_a_frame():
    found = adapt.motion_of(moving([(6, 2)] * 3))
    np.testing.assert_allclose(np.median(found.vectors, 0), (-6, -2), atol=0.3)  # the picture goes the other way
    assert (found.pairs, found.cuts) == (3, 0)
    assert found.sentence().startswith("moves 6 pixels a frame")


def test_a_pair_across_a_cut_is_left_out_and_said():
    other = datasets.photos("train")[3].pixels[:160, :200]
    found = adapt.motion_of([*moving([(6, 2)] * 2), (moving([(1, 1)])[0][0], other)])
    assert (found.pairs, found.cuts) == (3, 1)
    assert "1 of 3 pairs of frames left out" in found.sentence()
    with pytest.raises(UsageError, match="no two neighbouring frames show the same scene"):
        adapt.motion_of([(PHOTO[:160, :200], other)])


def test_a_clip_without_motion_or_with_one_frame_is_told_so():
    with pytest.raises(UsageError, match="hardly anything moves"):
        adapt.motion_of(moving([(0, 0)] * 2))
    with pytest.raises(UsageError, match="one frame only"):
        adapt.motion_of([])


def test_neighbours_of_a_video_and_of_a_burst(tmp_path):
    frames = list(frames_of.pan(PHOTO, (96, 128), 12))
    clip = frames_of.write(frames, tmp_path / "clip.mp4")
    pairs = list(adapt.neighbours(clip, 4))
    assert 2 <= len(pairs) <= 4
    assert all(one.shape == other.shape == (96, 128, 3) and not np.array_equal(one, other) for one, other in pairs)
    burst = [put(tmp_path / f"{index}.png", frame) for index, frame in enumerate(frames)]
    found = list(adapt.neighbours(burst, 3))
    assert [next(i for i, frame in enumerate(frames) if np.array_equal(frame, one)) for one, _ in found] == [0, 5, 10]
    assert list(adapt.neighbours(burst[:1])) == []
    put(tmp_path / "0.png", frames[0][..., 0])
    with pytest.raises(UsageError, match="is a greyscale image"):
        list(adapt.neighbours(burst[:2]))
    assert len(list(adapt.neighbours(burst[:2], convert=True))) == 1
    (tmp_path / "0.png").write_bytes(b"no photo")
    assert len(list(adapt.neighbours(burst[:3]))) == 1  # of the other two
    put(tmp_path / "0.png", frames[0])
    put(tmp_path / "1.png", PHOTO[:50, :60])
    with pytest.raises(UsageError, match="differ in size"):
        list(adapt.neighbours(burst[:2]))


def test_photos_are_blurred_by_the_clips_own_vectors():
    motion = degrade.ClipMotion(vectors=((12.0, 0.0), (0.0, -80.0)), exposure=(0.5, 0.5), still=0, length=(2, 20))
    across, down = kernels.motion(6, 0), kernels.motion(20, 90)
    generator, seen = np.random.default_rng(0), set()
    for _ in range(20):
        psf = motion.psf_for(generator)
        wanted = across if psf.shape == across.shape else down
        torch.testing.assert_close(psf, wanted)
        seen.add(psf.shape)
    assert len(seen) == 2
    still = degrade.ClipMotion(vectors=((0.01, 0.0),), still=0)
    assert still.psf_for(generator).shape == (1, 1)
    with pytest.raises(UsageError, match="no vectors"):
        degrade.ClipMotion()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(learn, "SIZE", 48)
    monkeypatch.setattr(learn, "BATCH", 2)
    monkeypatch.setattr(learn, "FEWEST", 12)


MOTION = degrade.ClipMotion(vectors=((9.0, 1.0),))


def test_the_better_of_before_and_after_is_used(quick, monkeypatch):
    network = build("unet-tiny", 0).eval().requires_grad_(False)
    for scores, better in (((20, 25, 26), True), ((20, 25, 24), False)):
        answers = iter(scores)
        monkeypatch.setattr(learn, "mean_psnr", lambda model, pairs, answers=answers: next(answers))
        found = adapt.adapt(network, MOTION, 0.001, progress=False)
        assert found.better is better
        assert (found.model is network) is not better
        assert found.steps == 12
        assert f"{scores[2] - scores[1]:+.2f} dB: {'adapted' if better else 'the former one stays'}" in found.sentence()
    assert same_weights(network, build("unet-tiny", 0))


def test_learning_ends_soon_after_its_minutes_however_it_was_planned(quick, monkeypatch):
    monkeypatch.setattr(learn, "_steps", lambda *given: 100_000)
    found = adapt.adapt(build("unet-tiny", 0).eval(), MOTION, 0.1, progress=False)
    assert learn.FEWEST <= found.steps < 100_000
    assert 6 < found.seconds < 30


def test_ctrl_c_goes_on_with_what_is_learned_and_all_waiting_has_a_bar(quick, monkeypatch, capsys):
    answers = iter((20, 25, 26))
    monkeypatch.setattr(learn, "mean_psnr", lambda model, pairs: next(answers))

    def stop(number, loss):
        if number == 7:
            raise KeyboardInterrupt

    network = build("unet-tiny", 0).eval()
    found = adapt.adapt(network, MOTION, 0.001, progress=True, watch=stop)
    assert found.steps == 7
    shown = capsys.readouterr().err
    assert shown.index("reading photos") < shown.index("trying the speed") < shown.index("learning the clip's motion")
    assert not found.model.training
    assert not same_weights(found.model, network)


def test_the_judges_are_blurred_crops_of_photos_that_are_not_learned_from():
    motion = degrade.ClipMotion(vectors=((6.0, 2.0),), still=0.5)
    few, more = (learn.judges(motion, with_training) for with_training in (False, True))
    assert 8 < len(few) < learn.JUDGES * learn.BATCH  # about half of them stayed sharp
    assert all(not torch.equal(blurred, sharp) for _, blurred, sharp in few + more)
    assert {blurred.shape for _, blurred, _ in few} == {(1, 3, learn.SIZE, learn.SIZE)}
    assert not all(torch.equal(one[2], other[2]) for one, other in zip(few, more, strict=False))


def test_time_decides_how_many_steps(quick):
    found = adapt.adapt(build("unet-tiny", 0).eval(), MOTION, 0.4, progress=False)
    assert found.steps > learn.FEWEST
    assert found.still < max(found.before, found.after) + 1
    assert 16 < found.seconds < 180  # twenty-four, and the scores at the end


@pytest.mark.parametrize("decoding", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("seconds", [60, 120, 300])
def test_the_plan_fills_its_time_however_long_photos_take_to_decode(decoding, seconds, monkeypatch):
    now, kept = [0.0], set()

    def fit(step, crops, config, watch, **more):
        """A step takes 0.1 s, and each picture that is not in memory its time; batches are drawn as ``Crops`` does."""
        for number in range(config.steps):
            drawn = np.random.default_rng([0, number]).integers(450, size=learn.BATCH * learn.CHOICES)
            now[0] += 0.1 + decoding * len(set(drawn.tolist()) - kept)
            kept.update(drawn.tolist())
            watch(number + 1, 0.0)

    monkeypatch.setattr(learn, "fit", fit)
    monkeypatch.setattr(learn, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    crops = SimpleNamespace(pictures=range(450))
    steps = learn._steps(torch.nn.Identity(), crops, seconds, progress=False)
    fit(None, crops, SimpleNamespace(steps=steps), lambda *_: None)
    assert 0.9 * seconds < now[0] < 1.05 * seconds


def test_the_command_learns_says_so_and_keeps_the_weights(quick, monkeypatch, tmp_path, capsys):
    for index, (frame, _) in enumerate(moving([(6, 2)] * 3)):
        put(tmp_path / "burst" / f"{index}.png", frame)
    asked = []
    real = learn.adapt
    monkeypatch.setattr(adapt, "adapt", lambda *given: asked.append(given[2]) or real(*given[:2], 0.001, None, False))
    kept, out = tmp_path / "mine.safetensors", tmp_path / "out"
    words = ["sharpen", str(tmp_path / "burst"), "--adapt", "--model", "tiny", "--save", str(kept), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["kdsharp", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (0, None)
    said = capsys.readouterr().out
    assert asked == [2.0]
    assert "3 photos: moves" in said
    assert "held-back photos that move as the clip" in said
    assert len(list(out.iterdir())) == 3
    assert checkpoints.load(kept).meta["adapted_from"] == "tiny"


def test_motion_that_is_the_same_everywhere_has_no_range():
    vectors = np.tile([3.0, 4.0], (10, 1))
    assert adapt.Movement(vectors, 1, 0).sentence() == "moves 5 pixels a frame (everywhere alike)"
    vectors[:5] *= 2
    assert "eight of ten places: 5.0 to 10.0" in adapt.Movement(vectors, 1, 0).sentence()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--save", "x.safetensors"], "belong to --adapt"),
        (["--adapt", "2", "--filter", "unsharp"], "--adapt tunes a network"),
        (["--adapt", "2", "--runtime", "onnx"], "--adapt tunes a network"),
        (["--adapt", "-1"], "must be a number above 0"),
        (["--adapt", "2", "--save", "x.txt"], "one .safetensors file"),
        (["--adapt", "2"], "there is one frame only"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path, monkeypatch, capsys, words, says):
    photo = put(tmp_path / "a.png", PHOTO[:64, :64])
    monkeypatch.setattr(sys, "argv", ["kdsharp", "sharpen", str(photo), "--out", str(tmp_path / "out"), *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert not list((tmp_path / "out").glob("*"))
