"""What every filter of ``FILTERS`` promises, whatever its idea."""

import pytest
import torch

from kdsharp.checks import UsageError
from kdsharp.filters import FILTERS, ORACLES
from kdsharp.filters.spatial import blur

GENERATOR = torch.Generator().manual_seed(0)
IMAGE = torch.rand(2, 3, 40, 44, dtype=torch.float64, generator=GENERATOR)
NOT_LINEAR = {"gradient", "polyblur"}  # their weights come from the picture itself


def test_blind_filters_and_oracles_have_their_names():
    names = "unsharp high-pass laplacian log gradient ideal butterworth gaussian wavelet polyblur"
    assert list(FILTERS) == names.split()
    assert list(ORACLES) == ["wiener", "richardson-lucy"]


@pytest.mark.parametrize("name", FILTERS)
def test_flat_areas_stay_for_any_amount(name):
    flat = torch.full((1, 3, 33, 47), 0.37)
    for amount in (0.0, 0.5, 3.0):
        torch.testing.assert_close(FILTERS[name](flat, amount=amount), flat, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", FILTERS)
def test_amount_zero_does_nothing_and_more_sharpens(name):
    torch.testing.assert_close(FILTERS[name](IMAGE, amount=0.0), IMAGE)
    soft = blur(IMAGE, 1.0)
    assert FILTERS[name](soft, amount=1.0).std() > 1.1 * soft.std()


@pytest.mark.parametrize("name", FILTERS)
def test_the_answer_is_the_image_and_amount_times_a_detail(name):
    """What the tuning relies on."""
    soft = blur(IMAGE, 0.8)
    detail = FILTERS[name](soft, amount=1.0) - soft
    assert detail.abs().max() > 0.05
    torch.testing.assert_close(FILTERS[name](soft, amount=2.7), soft + 2.7 * detail)


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_but_the_adaptive_ones_is_linear(name):
    sharpen = FILTERS[name]
    combined = sharpen(2 * IMAGE - 3 * IMAGE.flip(-1), amount=0.8)
    apart = 2 * sharpen(IMAGE, amount=0.8) - 3 * sharpen(IMAGE.flip(-1), amount=0.8)
    assert torch.allclose(combined, apart) == (name not in NOT_LINEAR)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("size", [(16, 16), (17, 16), (31, 201)])
def test_small_and_odd_pictures_keep_shape_and_type(name, size):
    image = torch.rand(2, 3, *size, generator=GENERATOR)
    sharpened = FILTERS[name](image)
    assert (sharpened.shape, sharpened.dtype) == (image.shape, torch.float32)
    assert torch.isfinite(sharpened).all()
    assert not torch.equal(sharpened, image)


@pytest.mark.parametrize("name", FILTERS)
def test_each_image_of_a_batch_is_sharpened_by_itself(name):
    images = torch.stack([blur(IMAGE[:1], 0.7)[0], blur(IMAGE[1:], 2.0)[0]])
    together = FILTERS[name](images)
    torch.testing.assert_close(together[1:], FILTERS[name](images[1:]))


@pytest.mark.parametrize("name", FILTERS)
def test_one_channel_is_enough(name):
    grey = blur(IMAGE[:, :1], 0.8)
    torch.testing.assert_close(FILTERS[name](grey.expand(2, 3, 40, 44)), FILTERS[name](grey).expand(2, 3, 40, 44))


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_not_a_batch_of_images_is_refused(name):
    with pytest.raises(UsageError, match="expected a float tensor"):
        FILTERS[name](IMAGE[0])
