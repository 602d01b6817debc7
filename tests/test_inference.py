"""A network or filter on photos of any size."""

import numpy as np
import pytest
import skimage.data
import torch

from kdsharp import checkpoints, inference
from kdsharp.filters import unsharp_mask
from kdsharp.images import to_array, to_tensor

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


def test_tiles_of_the_student_are_close_to_the_whole(tiles, monkeypatch):
    student, photo = (
        checkpoints.load("small").model,
        to_array(unsharp_mask(to_tensor(skimage.data.coffee()), 2.0, -0.9)),
    )
    in_tiles = inference.sharpen(student, photo).astype(float)
    monkeypatch.setattr(inference, "WHOLE", photo.size)
    whole = inference.sharpen(student, photo)
    assert np.abs(in_tiles - whole).mean() < 0.1 * np.abs(whole - photo.astype(float)).mean()


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
