"""The reports' networks: their layers, counted by hand, and that none of them adds its input to its answer."""

import pytest
import torch
from torch import nn

from kdsharp.models import MODELS, build, count_parameters

REPORTS = [name for name in MODELS if name.startswith("report-")]


def conv(inputs, outputs, side=3):
    return inputs * outputs * side**2 + outputs


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report-a-teacher", conv(3, 64) + 2 * conv(64, 64) + conv(64, 3)),
        ("report-a-student", conv(3, 32) + 2 * conv(32, 32) + conv(32, 3)),
        ("report-b-teacher", conv(3, 64) + conv(64, 128) + 8 * conv(128, 128) + conv(128, 64, 2) + conv(64, 3)),
        ("report-b-student", conv(3, 64) + conv(64, 128) + 2 * conv(128, 128) + conv(128, 64, 2) + conv(64, 3)),
        ("report-c-student", conv(3, 64) + 2 * conv(64, 64) + conv(64, 3)),
        ("report-d-student", conv(3, 16) + conv(16, 32) + conv(32, 32) + conv(32, 16) + conv(16, 3)),
        ("report-e-teacher", conv(3, 64) + conv(64, 64) + conv(64, 3)),
        ("report-e-student", conv(3, 16) + conv(16, 3)),
    ],
)
def test_layers_by_hand(name, expected):
    assert count_parameters(build(name)) == expected


def test_every_network_of_the_reports_is_counted_above():
    assert len(REPORTS) == 8


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("size", [(16, 16), (17, 23)])
def test_any_size_comes_back(name, size):
    image = torch.rand(2, 3, *size)
    assert build(name)(image).shape == image.shape


@pytest.mark.parametrize("name", REPORTS)
def test_no_skip_a_new_network_does_not_know_its_input(name):
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        answer = build(name)(image)
    assert (answer - image).square().mean() > 0.02  # 17 dB: a blurred photo is nearer to the sharp one than that


@pytest.mark.parametrize("name", ["report-b-teacher", "report-b-student", "report-d-student"])
def test_a_sigmoid_never_reaches_black_or_white(name):
    answer = build(name)(torch.rand(1, 3, 16, 16) * 1e3)
    assert answer.min() >= 0
    assert answer.max() <= 1


def test_report_ds_student_has_twelve_layers():
    kinds = (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Upsample, nn.Sigmoid)
    layers = [layer for layer in build("report-d-student").modules() if isinstance(layer, kinds)]
    assert [type(layer).__name__ for layer in layers] == (
        ["Conv2d", "ReLU"] * 2 + ["MaxPool2d", "Conv2d", "ReLU", "Upsample", "Conv2d", "ReLU", "Conv2d", "Sigmoid"]
    )
