"""Small clips as arrays."""

import numpy as np
import pytest
import skimage.data

from kdsharp.checks import UsageError
from kdsharp.images import to_tensor
from kdsharp.metrics import psnr
from kdsharp.video import frames

ROWS, COLUMNS = np.mgrid[:90, :120]
PHOTO = np.stack([ROWS * 2, COLUMNS * 2, ROWS + COLUMNS], -1).astype(np.uint8)


def test_a_pan_goes_from_corner_to_corner():
    seen = list(frames.pan(PHOTO, (40, 60), 7))
    assert [each.shape for each in seen] == [(40, 60, 3)] * 7
    np.testing.assert_array_equal(seen[0], PHOTO[:40, :60])
    np.testing.assert_array_equal(seen[-1], PHOTO[-40:, -60:])
    with pytest.raises(UsageError, match="does not fit"):
        next(frames.pan(PHOTO, (100, 60), 3))


def test_a_written_clip_comes_back(tmp_path):
    clip = list(frames.pan(PHOTO, (40, 60), 9))
    back = frames.read(frames.write(clip, tmp_path / "clip.mp4"))
    assert len(back) == 9
    assert min(psnr(to_tensor(a), to_tensor(b)).item() for a, b in zip(clip, back, strict=True)) > 35


def test_a_coarser_clip_is_smaller_and_each_can_be_played_while_it_still_loads(tmp_path):
    clip = list(frames.pan(PHOTO, (40, 60), 9))
    fine, coarse = (frames.write(clip, tmp_path / f"{crf}.mp4", crf=crf).read_bytes() for crf in (None, 40))
    assert len(coarse) < len(fine)
    assert fine.index(b"moov") < fine.index(b"mdat")


def test_flicker_is_the_deviation_over_time():
    noise = np.random.default_rng(0).normal(100, 4, (200, 8, 8, 3)).round().astype(np.uint8)
    assert frames.flicker(noise) == pytest.approx(4, rel=0.03)
    assert frames.flicker([PHOTO] * 3) == 0


def test_a_filmed_frame_is_the_mean_along_its_step_and_its_truth_stands_in_the_middle():
    photo = skimage.data.coffee()
    blurred, sharp = frames.filmed(photo, (60, 80), 4, step=(9, -3))
    assert len(blurred) == len(sharp) == 4
    top, left = next(
        (y, x) for y in range(340) for x in range(520) if np.array_equal(photo[y : y + 60, x : x + 80], sharp[1])
    )
    np.testing.assert_array_equal(photo[top - 3 : top + 57, left + 9 : left + 89], sharp[2])  # one step on
    shots = [photo[top - round(t / 3) : top + 60 - round(t / 3), left + t : left + t + 80] for t in range(-4, 5)]
    np.testing.assert_allclose(blurred[1], np.mean(shots, 0), atol=0.6)
    with pytest.raises(UsageError, match="leave a photo"):
        frames.filmed(photo, (60, 80), 99, step=(9, -3))
