"""A network or filter on photos of any size."""

import platform
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import torch

from kdsharp import checkpoints, inference
from kdsharp.degrade import Shake
from kdsharp.filters import unsharp_mask
from kdsharp.images import to_array, to_tensor
from kdsharp.metrics import psnr

PHOTO = np.random.default_rng(0).integers(0, 256, (203, 311, 3), dtype=np.uint8)


@pytest.fixture
def tiles(monkeypatch):
    """Small tiles, so that a small photo takes six of them."""
    monkeypatch.setattr(inference, "WHOLE", 1000)
    monkeypatch.setattr(inference, "TILE", 128)
    assert inference.OVERLAP % 8 == 0


def test_strength_one_is_the_functions_own_answer():
    expected = to_array(unsharp_mask(to_tensor(PHOTO)))
    np.testing.assert_array_equal(inference.sharpen(unsharp_mask, PHOTO), expected)


def test_strength_zero_gives_the_photo_back(tiles):
    np.testing.assert_array_equal(inference.sharpen(unsharp_mask, PHOTO, strength=0), PHOTO)


@pytest.mark.parametrize("strength", [0.4, 1.7])
def test_strength_scales_the_difference(strength):
    darker = inference.sharpen(lambda image: image - 20 / 255, np.full((20, 20, 3), 100, np.uint8), strength)
    assert np.unique(darker).tolist() == [100 - 20 * strength]


def test_tiles_agree_with_the_whole_for_a_filter(tiles, monkeypatch):
    in_tiles = inference.sharpen(unsharp_mask, PHOTO).astype(int)
    monkeypatch.setattr(inference, "WHOLE", PHOTO.size)
    whole = inference.sharpen(unsharp_mask, PHOTO)
    assert np.abs(in_tiles - whole).max() <= 1
    assert np.abs(whole.astype(int) - PHOTO).max() > 5  # it did something


def test_tiles_that_answer_differently_leave_no_seam(tiles):
    """A gate that looks at the whole tile answers a little differently in each: here by its mean."""
    photo = np.full((300, 420, 3), 100, np.uint8)
    photo[:150, :210] = 140
    found = inference.sharpen(lambda image: 0 * image + image.mean(), photo).astype(int)
    assert found.max() - found.min() > 20
    assert max(np.abs(np.diff(found, axis=0)).max(), np.abs(np.diff(found, axis=1)).max()) <= 2


def test_tiles_cost_the_student_next_to_nothing(tiles, monkeypatch):
    """Its gates see a tile instead of the photo, and still know the blur."""
    sharp = to_tensor(skimage.data.coffee())
    student, photo = checkpoints.load("small").model, to_array(Shake()(sharp, np.random.default_rng(0)))
    monkeypatch.setattr(inference, "TILE", 256)
    in_tiles = inference.sharpen(student, photo)
    monkeypatch.setattr(inference, "WHOLE", photo.size)
    whole = inference.sharpen(student, photo)
    assert not np.array_equal(in_tiles, whole)
    scores = [psnr(to_tensor(pixels), sharp).item() for pixels in (photo, in_tiles, whole)]
    assert scores[1] > scores[0] + 1
    assert abs(scores[1] - scores[2]) < 0.05


@pytest.mark.parametrize("size", [(128, 128), (129, 257), (40, 600), (16, 16), (1000, 33)])
def test_every_pixel_of_every_size_is_written_once(tiles, size):
    photo = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(inference.sharpen(lambda image: 1 - image, photo), 255 - photo)


def test_the_function_sees_one_tile_at_a_time_with_its_surroundings(tiles):
    seen = []

    def note(image):
        seen.append(tuple(image.shape))
        return image

    inference.sharpen(note, np.zeros((400, 500, 3), np.uint8))
    side = 128 + 2 * inference.OVERLAP
    assert len(seen) == 16
    assert (1, 3, side, side) in seen
    assert max(max(shape) for shape in seen) == side


def test_a_photo_up_to_the_limit_is_done_in_one_piece(monkeypatch):
    monkeypatch.setattr(inference, "WHOLE", 203 * 311)
    seen = []
    inference.sharpen(lambda image: seen.append(image.shape) or image, PHOTO)
    assert seen == [(1, 3, 203, 311)]


def test_no_gradient_is_recorded_and_the_photo_is_left_alone():
    before, weight = PHOTO.copy(), torch.tensor(0.5, requires_grad=True)
    kept = []
    inference.sharpen(lambda image: kept.append(image * weight) or kept[0], PHOTO)
    assert not kept[0].requires_grad
    np.testing.assert_array_equal(PHOTO, before)


def test_a_network_can_ask_for_smaller_pieces(monkeypatch):
    monkeypatch.setattr(inference, "TILE", 128)
    seen = []

    class Hungry(torch.nn.Module):
        whole = 203 * 311 - 1

        def forward(self, image):
            seen.append(image.shape)
            return image

    inference.sharpen(Hungry(), PHOTO)
    assert len(seen) == 6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc hands large blocks back")
def test_glibc_keeps_freed_memory():
    """In a process of its own: after large blocks come and go, fetching them again takes no new pages.

    Twenty first: torch asks for aligned blocks, which rarely fit into the hole that the last one left.
    """
    script = (
        "import resource, torch\n"
        "from kdsharp.inference import keep_freed_memory\n"
        "{}\n"
        "for _ in range(20): torch.ones(20_000_000)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(3): torch.ones(20_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)\n"
    )
    faults = []
    for call in ("pass", "assert keep_freed_memory()"):
        done = subprocess.run([sys.executable, "-c", script.format(call)], capture_output=True, text=True, check=True)
        faults.append(int(done.stdout))
    assert faults[1] < 0.1 * faults[0]


def test_the_peak_of_memory_is_what_is_alive_at_once():
    given = torch.ones(500, 500)

    def call():
        first = given + 1
        second = first * 2
        del first
        return second.view(-1) + 1

    assert inference.peak_megabytes(call) == pytest.approx(2 * 1.0)  # two of a million bytes each at any time
    assert inference.peak_megabytes(lambda: given.view(-1).mul_(1)) == 0


def test_tiles_bound_the_memory(tiles):
    net = checkpoints.load("small").model
    small, large = (np.zeros((side, side, 3), np.uint8) for side in (256, 512))
    peaks = [inference.peak_megabytes(lambda p=pixels: inference.sharpen(net, p)) for pixels in (small, large)]
    assert peaks[1] < 2 * peaks[0]
    with torch.inference_mode():
        whole = [inference.peak_megabytes(lambda p=pixels: net(to_tensor(p))) for pixels in (small, large)]
    assert whole[1] == pytest.approx(4 * whole[0], rel=0.05)
