"""Lesson 08's reach, mosaic and explorer, against formulas, gradients and the corners of the grid."""

import io

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from kdsharp import plots
from kdsharp.checks import UsageError
from kdsharp.explore import students
from kdsharp.models import build, count_macs, count_parameters
from kdsharp.models.students import UnshuffleStudent

PHOTO = torch.rand(1, 3, 140, 150, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("report-e-student", 5), ("report-e-teacher", 7), ("report-a-student", 9), ("report-c-student", 9)],
)
def test_plain_convolutions_reach_two_pixels_a_layer(name, expected):
    assert students.reach(build(name), 64) == expected


@pytest.mark.parametrize(("depth", "factor"), [(1, 1), (2, 2), (1, 4), (3, 4)])
def test_unshuffling_multiplies_the_reach(depth, factor):
    network = UnshuffleStudent(4, depth, factor)
    assert students.reach(network, 128) == factor * (2 * (2 + 2 * depth) + 1)


@pytest.mark.parametrize("name", ["report-b-student", "report-d-student"])
def test_reach_agrees_with_the_gradient(name):
    """Of all answers, which move with the middle pixel: autograd on random weights, as many rows as were counted."""
    network = build(name)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.uniform_(layer.weight, 0.5, 1)
            layer.weight.data /= layer.weight[0].numel()
            nn.init.zeros_(layer.bias)
    network = network.double()
    found = []
    for row in range(20, 46):
        image = 1e-4 * torch.rand(1, 3, 64, 64, dtype=torch.float64)
        image[..., 32, 32] = 1e-2
        image.requires_grad_()
        network(image)[0, :, row].sum().backward()
        found.append(image.grad[0, :, 32, 32].abs().sum().item() > 0)
    assert sum(found) <= students.reach(network, 64) <= sum(found) + 2


def test_the_network_is_left_as_it_was():
    network = build("unet-tiny")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    students.reach(network, 64)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_a_reach_beyond_the_photo_is_told_as_its_side():
    assert students.reach(build("unet"), 32) == 32


def test_cost_is_what_the_package_counts():
    network = build("unshuffle-mini")
    found = students.cost(network, 32, 1)
    assert (found.parameters, found.macs) == (count_parameters(network), count_macs(network))
    assert found.ms > 0
    assert found.reach == 36


def test_a_mosaic_holds_every_pixel_once_in_small_photos():
    image = PHOTO[..., :8, :12]
    made = students.mosaic(image, 4)
    assert made.shape == image.shape
    assert torch.equal(made.flatten().sort().values, image.flatten().sort().values)
    for i in range(4):
        for j in range(4):
            assert torch.equal(made[..., 2 * i : 2 * i + 2, 3 * j : 3 * j + 3], image[..., i::4, j::4])
    channels = F.pixel_unshuffle(image, 4)
    assert torch.equal(channels[:, 16 + 5], made[:, 1, 2:4, 3:6])
    with pytest.raises(UsageError, match="multiples of 4"):
        students.mosaic(PHOTO[..., :9, :12], 4)


COSTS = {
    (8, 1): students.Cost(2000, 1500.0, 120.0, 13),
    (8, 8): students.Cost(20000, 300.0, 12.0, 104),
    (48, 1): students.Cost(40000, 40000.0, 900.0, 13),
    (48, 8): students.Cost(200000, 3000.0, 40.0, 500),
}


@pytest.mark.parametrize("key", COSTS)
def test_corners(key):
    picture = students.render_student(PHOTO, COSTS, *map(float, key), at=(3, 4))
    assert Image.open(io.BytesIO(picture.content)).size == (2 * plots.WIDTH, 2 * 330)
    assert f"Width {key[0]}, factor {key[1]}: reach {COSTS[key].reach} pixels" in picture.alt
    assert students.render_student(PHOTO, COSTS, *key, at=(3, 4)).content == picture.content


def test_each_slider_changes_the_picture_and_an_unknown_student_is_refused():
    assert len({students.render_student(PHOTO, COSTS, *key).content for key in COSTS}) == 4
    with pytest.raises(UsageError, match="unknown student"):
        students.render_student(PHOTO, COSTS, 9, 1)
