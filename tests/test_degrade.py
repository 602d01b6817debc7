"""Degradations: Pillow's own answers for the resampling ones, the stated formula for camera shake."""

import dataclasses
import io

import numpy as np
import pytest
import scipy.ndimage
import torch
from PIL import Image, ImageFilter

from kdsharp import degrade
from kdsharp.checks import UsageError
from kdsharp.degrade import Compressed, GaussianBlur, LinearMotion, Mix, Motion, Rescale, Rolling, Shake, Soft, jpeg
from kdsharp.degrade.motion import exposed
from kdsharp.images import quantize, to_array, to_linear, to_srgb, to_tensor
from kdsharp.kernels import convolve

PHOTO = scipy.ndimage.zoom(np.random.default_rng(0).integers(0, 256, (12, 15, 3)), (6, 6, 1), order=1).astype(np.uint8)
SHARP = to_tensor(PHOTO)
SYNTHETIC = [name for name, found in degrade.PROTOCOLS.items() if found is not None]


def rng(seed=0):
    return np.random.default_rng(seed)


def with_pillow(target, change):
    return np.asarray(change(Image.fromarray(target)))


def test_the_protocols_have_their_names():
    assert list(degrade.PROTOCOLS) == [
        "shake",
        "gaussian-256",
        "gaussian-256-down",
        "bilinear-60",
        "bicubic-4x",
        "motion",
        "gopro",
    ]


@pytest.mark.parametrize("name", SYNTHETIC)
def test_every_protocol_keeps_the_shape_gives_eight_bits_and_blurs(name):
    protocol = degrade.protocol(name)
    sharp = to_tensor(protocol.prepare(PHOTO))
    blurred = protocol(sharp, rng())
    assert (blurred.shape, blurred.dtype) == (sharp.shape, torch.float32)
    torch.testing.assert_close(quantize(blurred), blurred)
    assert blurred.diff().abs().mean() < sharp.diff().abs().mean()


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_seed_decides(name):
    protocol = degrade.protocol(name)
    assert torch.equal(protocol(SHARP, rng(5)), protocol(SHARP, rng(5)))


@pytest.mark.parametrize("name", SYNTHETIC)
def test_the_target_is_left_alone(name):
    before = SHARP.clone()
    degrade.protocol(name)(SHARP, rng())
    assert torch.equal(SHARP, before)


def test_gaussian_256_is_pillows():
    protocol = degrade.protocol("gaussian-256")
    target = protocol.prepare(PHOTO)
    np.testing.assert_array_equal(target, with_pillow(PHOTO, lambda image: image.resize((256, 256), Image.BICUBIC)))
    expected = with_pillow(target, lambda image: image.filter(ImageFilter.GaussianBlur(1.5)))
    np.testing.assert_array_equal(to_array(protocol(to_tensor(target), rng())), expected)


def test_gaussian_256_down_halves_and_doubles_after_the_blur():
    protocol = degrade.protocol("gaussian-256-down")
    target = protocol.prepare(PHOTO)

    def change(image):
        small = image.filter(ImageFilter.GaussianBlur(1.5)).resize((128, 128), Image.BICUBIC)
        return small.resize((256, 256), Image.BICUBIC)

    np.testing.assert_array_equal(to_array(protocol(to_tensor(target), rng())), with_pillow(target, change))


def test_bilinear_60_is_pillows():
    protocol = degrade.protocol("bilinear-60")
    target = protocol.prepare(PHOTO)
    assert target.shape == (256, 464, 3)
    expected = with_pillow(
        target, lambda image: image.resize((278, 154), Image.BILINEAR).resize((464, 256), Image.BILINEAR)
    )
    np.testing.assert_array_equal(to_array(protocol(to_tensor(target), rng())), expected)


def test_bicubic_4x_is_pillows_at_the_photos_own_size():
    protocol = degrade.protocol("bicubic-4x")
    assert protocol.prepare(PHOTO) is PHOTO
    expected = with_pillow(PHOTO, lambda image: image.resize((22, 18), Image.BICUBIC).resize((90, 72), Image.BICUBIC))
    np.testing.assert_array_equal(to_array(protocol(SHARP, rng())), expected)


def test_shake_without_noise_blurs_in_linear_light():
    shake = Shake(length=(6, 12), shot=0, read=0)
    generator = rng(3)
    psf = shake.psf_for(generator).double().numpy()
    rgb = PHOTO / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = np.stack([scipy.ndimage.convolve(linear[..., c], psf, mode="mirror") for c in range(3)], -1).clip(0, 1)
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 255
    found = to_array(shake(SHARP, rng(3))).astype(float)
    assert np.abs(found - expected).max() < 0.51


def test_shake_owns_up_to_the_psf_that_it_used():
    shake = Shake(shot=0, read=0)
    blurred = shake(SHARP, rng(4))
    told = quantize(to_srgb(convolve(to_linear(SHARP), shake.psf_for(rng(4)))))
    assert shake.linear_light
    assert torch.equal(told, blurred)
    assert not torch.equal(quantize(to_srgb(convolve(to_linear(SHARP), shake.psf_for(rng(5))))), blurred)


def test_gaussian_256_owns_up_to_its_psf_on_the_stored_values():
    protocol = degrade.protocol("gaussian-256")
    sharp = to_tensor(protocol.prepare(PHOTO))
    told = convolve(sharp, protocol.psf_for(rng()))
    inner = (..., slice(8, -8), slice(8, -8))  # Pillow repeats the border, convolve mirrors it
    assert not protocol.linear_light
    assert (told - protocol(sharp, rng()))[inner].abs().max() < 2.6 / 255  # Pillow rounds after each of six passes


@pytest.mark.parametrize("name", ["gaussian-256-down", "bilinear-60", "bicubic-4x"])
def test_rescaling_has_no_psf(name):
    assert degrade.protocol(name).psf_for(rng()) is None


def test_each_image_of_a_batch_gets_its_own_trajectory():
    first, second = Shake(shot=0, read=0)(SHARP.repeat(2, 1, 1, 1), rng())
    assert not torch.equal(first, second)


def test_a_still_camera_without_noise_changes_nothing():
    assert torch.equal(Shake(shot=0, read=0, still=1.0)(SHARP, rng()), SHARP)


def test_the_share_of_still_images():
    generator = rng()
    still = [Shake(still=0.3).psf_for(generator).shape == (1, 1) for _ in range(400)]
    assert np.mean(still) == pytest.approx(0.3, abs=0.07)
    assert not any(Shake().psf_for(generator).shape == (1, 1) for _ in range(50))


@pytest.mark.parametrize(("shot", "read", "value"), [(0.0, 20.0, 0.5), (20.0, 0.0, 0.25), (20.0, 20.0, 0.5)])
def test_the_noise_has_the_stated_variance(shot, read, value):
    """Levels are uniform up to their largest, so that their mean square is a third of its square."""
    flat = torch.full((400, 1, 16, 16), value)
    noise = (Shake(shot=shot, read=read)(flat, rng(1)) - flat) * 255
    assert noise.var().item() == pytest.approx((shot**2 * value + read**2) / 3, rel=0.1)
    assert abs(noise.mean().item()) < 0.3


def test_degradations_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Shake().shot = 3


def test_an_unknown_protocol_lists_all():
    with pytest.raises(UsageError, match="unknown protocol 'shaky' .*shake, gaussian-256, .*gopro"):
        degrade.protocol("shaky")


def test_gopro_needs_real_pairs():
    with pytest.raises(UsageError, match="real pairs; give a folder of pairs with --pairs"):
        degrade.protocol("gopro")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Shake, {"length": (0.0, 3.0)}),
        (Shake, {"length": (5.0, 3.0)}),
        (Shake, {"still": 1.5}),
        (Motion, {"gathered": 1.5}),
        (Rescale, {"scale": 0.0}),
        (Rescale, {"scale": 1.5}),
        (Rescale, {"filter": "lanczos"}),
    ],
)
def test_wrong_settings_fail_at_once(kind, settings):
    with pytest.raises(UsageError):
        kind(**settings)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(Shake, {"shot": -1.0}), (Shake, {"read": -1.0}), (GaussianBlur, {"radius": -1.0}), (GaussianBlur, {"factor": 0})],
)
def test_negative_settings_fail_at_once(kind, settings):
    with pytest.raises(UsageError):
        kind(**settings)


MOVING = dataclasses.replace(degrade.PROTOCOLS["motion"], lights=1.0, shot=0.0, read=0.0, still=0.0)


def test_motion_moves_light_about_and_makes_none():
    flat = torch.full((6, 3, 48, 64), 128 / 255)
    assert torch.equal(MOVING(flat, rng()), flat)


def test_motion_without_motion_is_the_photo():
    assert torch.equal(dataclasses.replace(MOVING, still=1.0)(SHARP, rng()), SHARP)


def test_a_longer_motion_blurs_more():
    gradients = [
        dataclasses.replace(MOVING, length=(length, length))(SHARP.repeat(8, 1, 1, 1), rng()).diff().abs().mean()
        for length in (2.0, 6.0, 18.0)
    ]
    assert gradients[0] > gradients[1] > gradients[2]


def test_the_response_says_whether_light_or_values_are_averaged():
    """One bright pixel in the dark: values spread their sum, light spreads more of it once it is a value again."""
    dot = torch.zeros(1, 3, 65, 65)
    dot[..., 32, 32] = 0.9
    short = dataclasses.replace(MOVING, length=(3.0, 3.0))
    values, light = (dataclasses.replace(short, response=(g, g))(dot, rng(3)).sum() for g in (1.0, 2.2))
    assert values == pytest.approx(2.7, rel=0.1)
    assert light > 1.5 * values


def test_clipped_lights_leave_brighter_streaks_on_a_straight_path_and_an_arc_too():
    dot = torch.zeros(1, 3, 33, 33)
    dot[..., 16, 16] = 1
    for moving in (LinearMotion, Rolling):
        plain, bright = (
            moving(length=(9.0, 9.0), responses=(1.0,), lights=lights, shot=0, read=0, still=0)(dot, rng(1)).sum()
            for lights in (1.0, 9.0)
        )
        assert bright > 1.5 * plain
    with pytest.raises(UsageError, match="lights"):
        LinearMotion(lights=0.5)


def test_clipped_lights_leave_brighter_streaks():
    dot = torch.zeros(1, 3, 65, 65)
    dot[..., 30:35, 30:35] = 1.0
    streaks = [
        dataclasses.replace(MOVING, lights=lights, length=(9.0, 9.0))(dot, rng(1)).sum() for lights in (1.0, 9.0)
    ]
    assert streaks[1] > streaks[0]


def test_one_picture_may_hold_two_motions():
    """Where the PSF is one and the same everywhere, a grid of dots gives the same spot at every dot."""
    grid = torch.zeros(1, 3, 96, 96)
    grid[..., 16::32, 16::32] = 0.9
    moving = dataclasses.replace(MOVING, length=(4.0, 4.0))
    differ = []
    for seed in range(24):
        spots = moving(grid, rng(seed)).unfold(2, 32, 32).unfold(3, 32, 32)[0, 0].reshape(9, 32, 32)
        differ.append((spots - spots[:1]).abs().max().item() > 0.02)
    assert 10 <= sum(differ) <= 20


def test_gathered_frames_leave_separate_copies():
    """A dot that moves 60 pixels: 7 to 13 short exposures leave gaps in its trace, an open shutter leaves none."""
    dot = torch.zeros(1, 3, 129, 129)
    dot[..., 64, 64] = 0.9
    moving = dataclasses.replace(MOVING, length=(60.0, 60.0), wobble=0.0, response=(1.0, 1.0))
    lit = [
        [int((dataclasses.replace(moving, gathered=share)(dot, rng(seed))[0, 0] > 0).sum()) for seed in range(8)]
        for share in (0.0, 1.0)
    ]
    assert min(lit[0]) > 55
    assert min(lit[1]) < 40


@pytest.mark.parametrize(("frames", "share", "kept"), [(7, 1.0, 70), (7, 0.5, 35), (5, 0.2, 15)])
def test_exposed_keeps_the_middle_of_each_frame(frames, share, kept):
    path = np.stack([np.arange(70.0), np.zeros(70)])
    found = exposed(path, frames, share)[0]
    assert len(found) == pytest.approx(kept, abs=frames)
    assert found.mean() == pytest.approx(34.5)
    assert exposed(np.zeros((2, 1)), frames, share).shape == (2, 1)


def test_a_mix_sends_each_image_through_one_of_its_parts():
    parts = (GaussianBlur(radius=1.0), GaussianBlur(radius=4.0))
    batch = SHARP.repeat(12, 1, 1, 1)
    mixed = Mix(((0.5, parts[0]), (0.5, parts[1])))(batch, rng())
    outcomes = [part(SHARP, rng())[0] for part in parts]
    counts = [sum(torch.equal(image, outcome) for image in mixed) for outcome in outcomes]
    assert sum(counts) == 12
    assert min(counts) > 0


def test_a_mix_of_one_part_is_that_part():
    assert torch.equal(Mix(((1.0, GaussianBlur()),))(SHARP, rng()), GaussianBlur()(SHARP, rng()))


def test_the_shares_of_a_mix_sum_to_one():
    with pytest.raises(UsageError, match=r"shares of a mix are \[0.5, 0.4\], but must sum to 1"):
        Mix(((0.5, GaussianBlur()), (0.4, Shake())))


@pytest.mark.parametrize("response", [1.0, 2.2])
def test_averaged_frames_are_the_mean_of_shifted_pictures(response):
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    path = np.array([[-3.0, -1.0, 0.0, 1.0, 3.0], [2.0, 0.0, 0.0, 0.0, -2.0]])
    found = degrade.average_frames(image, path, 3, response)
    frames = [torch.roll(image, (int(y), int(x)), (-2, -1)) for x, y in path.T[[0, 2, 4]]]
    expected = torch.stack([frame**response for frame in frames]).mean(0) ** (1 / response)
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(found[inner], expected[inner], rtol=0, atol=1e-3)
    assert torch.allclose(degrade.average_frames(image, path[:, 2:3], 1, response), image, atol=2e-3)


# Straight motion, and the file after it


def test_straight_motion_without_noise_is_a_line_in_the_light_that_the_camera_adds_up():
    for response in (1.0, 2.2):
        motion = LinearMotion(length=(9, 9), responses=(response,), shot=0, read=0, still=0)
        psf = motion.psf_for(rng(3)).double().numpy()
        light = np.stack(
            [scipy.ndimage.convolve((PHOTO[..., c] / 255) ** response, psf, mode="mirror") for c in range(3)], -1
        )
        expected = light.clip(0, 1) ** (1 / response) * 255
        assert np.abs(to_array(motion(SHARP, rng(3))) - expected).max() < 0.6


def test_paths_are_straight_of_the_asked_length_and_go_everywhere():
    motion, generator = LinearMotion(length=(4, 40), still=0.25), rng()
    lengths, angles, still = [], [], 0
    for _ in range(400):
        psf = motion.psf_for(generator).numpy()
        still += psf.size == 1
        y, x = np.nonzero(psf)
        if psf.size > 1:
            spread, axes = np.linalg.eigh(np.cov(np.stack([x, y]), aweights=psf[y, x]))
            lengths.append(np.sqrt(12 * spread[1]))
            angles.append(np.degrees(np.arctan2(axes[1, 1], axes[0, 1])) % 180)
            assert spread[0] < 0.5
    assert still / 400 == pytest.approx(0.25, abs=0.07)
    assert min(np.histogram(angles, 6, (0, 180))[0]) > 25  # of about 300, in six directions
    assert 3.5 < min(lengths) < 6
    assert 34 < max(lengths) < 42
    assert np.median(lengths) == pytest.approx(np.sqrt(4 * 40), rel=0.2)  # even on a log scale


def test_some_pictures_of_a_batch_go_through_jpeg_after_the_blur_and_the_rest_do_not():
    still = Shake(length=(1, 1), shot=0, read=0, still=1)
    batch = SHARP.expand(40, -1, -1, -1)
    blurred = Compressed(still, quality=(20, 20), share=0.5)(batch, rng())
    packed = [not torch.equal(each, SHARP[0]) for each in blurred]
    assert 10 < sum(packed) < 30
    with_it = blurred[packed.index(True)][None]
    assert torch.equal(with_it, jpeg(SHARP, 20))
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, format="jpeg", quality=20)
    np.testing.assert_array_equal(to_array(with_it), np.asarray(Image.open(buffer)))


def test_compression_keeps_what_its_inside_says():
    inner = GaussianBlur()
    packed = Compressed(inner)
    assert packed.linear_light == inner.linear_light
    assert packed.prepare(PHOTO).shape == (256, 256, 3)
    assert isinstance(packed, degrade.Degradation)
    assert torch.equal(Compressed(LinearMotion()).psf_for(rng(1)), LinearMotion().psf_for(rng(1)))


def test_soft_pictures_are_blurred_by_a_gaussian_or_enlarged_each_at_its_own_strength():
    clean = Soft(radius=(0.5, 2.5), scale=(0.2, 0.8), shot=0, read=0)
    blurred = clean(SHARP.expand(40, -1, -1, -1), rng())
    errors = [(each - SHARP[0]).square().mean().item() for each in blurred]
    assert len(set(errors)) > 30  # no two alike
    generator = rng(5)
    gaussians = [way for way in (clean._way(generator) for _ in range(200)) if isinstance(way, GaussianBlur)]
    assert 70 < len(gaussians) < 130
    assert np.median([way.radius for way in gaussians]) == pytest.approx(np.sqrt(0.5 * 2.5), rel=0.2)
    only = Soft(radius=(1.5, 1.5), scale=(0.6, 0.6), shot=0, read=0)(SHARP.expand(12, -1, -1, -1), rng())
    known = [
        GaussianBlur(1.5)(SHARP, rng()),
        *(Rescale(0.6, None, way)(SHARP, rng()) for way in ("bilinear", "bicubic")),
    ]
    found = [[torch.equal(each[None], expected) for expected in known] for each in only]
    assert all(sum(row) == 1 for row in found)
    assert all(any(column) for column in zip(*found, strict=True))
    assert not torch.equal(Soft(radius=(1.5, 1.5), scale=(0.6, 0.6), read=4)(SHARP, rng()), only[:1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Soft(radius=(0, 2)),
        lambda: Soft(radius=(3, 2)),
        lambda: Soft(scale=(0.5, 1.5)),
        lambda: Soft(scale=(0.8, 0.3)),
        lambda: Soft(read=-1),
        lambda: Compressed(Shake(), quality=(0, 50)),
        lambda: Compressed(Shake(), quality=(60, 50)),
        lambda: Compressed(Shake(), share=1.5),
        lambda: LinearMotion(length=(5, 2)),
        lambda: LinearMotion(responses=(0.5,)),
        lambda: jpeg(SHARP, 101),
    ],
)
def test_impossible_motion_and_compression_are_refused(wrong):
    with pytest.raises(UsageError):
        wrong()


def test_a_roll_draws_arcs_around_its_centre_longer_further_out():
    lights = torch.zeros(1, 1, 101, 101)
    lights[..., 50, 60] = lights[..., 50, 90] = 1
    seen = degrade.roll(lights, 40.0, (50.0, 50.0))
    rows, columns = (seen[0, 0] > 0.2 * seen[0, 0, :, 75:].max()).nonzero().double().T
    radius = ((rows - 50) ** 2 + (columns - 50) ** 2).sqrt()
    near, far = radius < 25, radius > 25
    assert radius[far].sub(40).abs().max() < 2  # on the circle, not on its chord: that would come 2.4 pixels nearer
    assert rows[far].max() - rows[far].min() == pytest.approx(2 * 40 * 0.342, abs=3)
    assert 3 * (rows[near].max() - rows[near].min()) < rows[far].max() - rows[far].min()
    torch.testing.assert_close(degrade.roll(lights, 0.0, (50.0, 50.0)), lights)


def test_a_rolling_camera_moves_the_middle_by_its_length_and_a_border_by_more_or_less():
    still = Rolling(shot=0, read=0, still=1)
    torch.testing.assert_close(still(SHARP, rng()), SHARP, atol=1e-3, rtol=0)
    dots = torch.zeros(1, 1, 181, 181)
    dots[..., 10::20, 10::20] = 1  # the middle is one of them
    moved = Rolling(length=(12.0, 12.0), responses=(1.0,), shot=0, read=0, still=0, degrees=8.0, moments=97)
    seen = degrade.roll(dots, *_drawn(moved), 97)[0, 0]
    sizes = [_extent(seen[r - 10 : r + 11, c - 10 : c + 11]) for r in (30, 90, 150) for c in (30, 90, 150)]
    assert sizes[4] == pytest.approx(12, abs=1.5)
    assert min(sizes) < 10
    assert max(sizes) > 14


def _drawn(moved):
    """The turn and its centre that one picture of 181 pixels gets."""
    degrees, centre = moved._turn(rng(1), np.array([90.0, 90.0]))  # by 7.6 degrees
    return degrees, tuple(centre)


def _extent(trace):
    """The length of a trace in pixels: the distance of its ends."""
    spots = (trace > 0.3 * trace.max()).nonzero().double()
    return torch.cdist(spots, spots).max().item()


def test_a_rolling_camera_draws_each_picture_its_own_arc_and_names_no_psf():
    blurred = Rolling()(SHARP.expand(2, -1, -1, -1), rng(1))
    assert blurred.shape == (2, *SHARP.shape[1:])
    assert not torch.equal(blurred[0], blurred[1])
    torch.testing.assert_close(Rolling()(SHARP, rng(5)), Rolling()(SHARP, rng(5)))
    assert Rolling().psf_for(rng()) is None
    with pytest.raises(UsageError, match="moments"):
        Rolling(moments=0)
