"""Drawings of networks: every box has the size of the map that its layer answers."""

import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.models import build
from kdsharp.plots import networks
from kdsharp.plots.narrow import DPI, NARROW, narrowed


def words(figure):
    return [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]


def test_the_levels_of_a_unet_are_measured():
    found = networks.stages(build("unet"))
    assert [each.name for each in found] == [
        "stem",
        "encoders.0",
        "encoders.1",
        "bottom",
        "decoders.1",
        "decoders.0",
        "head",
    ]
    assert [each.channels for each in found] == [32, 32, 64, 128, 64, 32, 3]
    assert [each.scale for each in found] == [1 / 2, 1 / 2, 1 / 4, 1 / 8, 1 / 4, 1 / 2, 1]
    assert found[3].label() == "128\n1/8"
    assert found[-1].label() == "3\nfull"


def test_a_networks_mode_stays_as_it_was():
    network = build("unet-mini").train()
    networks.stages(network)
    assert network.training


@pytest.mark.parametrize("name", ["unet-mini", "unshuffle-mini", "report-d-student"])
def test_every_student_and_teacher_can_be_drawn(name):
    model = build(name)
    shown = words(networks.network(model, name))
    assert name in shown
    assert ("the input itself is added" in shown) == (not name.startswith("report"))


def test_taps_are_drawn_between_the_layers_that_are_compared():
    student, teacher = build("unet-small"), build("unet")
    figure = networks.taps(student, teacher, {"bottom": "bottom", "encoders.0": "encoders.0"})
    assert {"bottom to bottom", "encoders.0 to encoders.0", "student", "teacher"} <= set(words(figure))
    plain = networks.taps(student, teacher, {})
    assert len(figure.axes[0].lines) == len(plain.axes[0].lines) + 2


def test_a_tap_outside_the_drawing_is_refused():
    with pytest.raises(UsageError, match=r"no layer 'encoders.5' in the drawing; there are stem"):
        networks.taps(build("unet-small"), build("unet"), {"bottom": "encoders.5"})


def test_a_network_without_convolutions_or_with_too_many_is_refused():
    with pytest.raises(UsageError, match="1 to 20 layers, found 0"):
        networks.network(nn.Identity())
    many = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(21)))
    with pytest.raises(UsageError, match="found 21"):
        networks.network(many)


def test_restormers_block_names_its_table_and_its_gate():
    shown = " ".join(words(networks.restormer_block()))
    assert "softmax(t cos)" in shown
    assert "gelu(a) times b" in shown


def test_figures_fit_the_text_column():
    for figure in (networks.network(build("unet-mini")), networks.restormer_block()):
        assert round(figure.get_figwidth() * figure.dpi) == 720
        assert torch.isfinite(torch.tensor(figure.get_figheight()))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: networks.network(build("unet"), "a title that is far too long for the screen of a telephone"),
        lambda: networks.taps(build("unshuffle-mini"), build("unet"), {"body": "encoders.1"}),
        networks.restormer_block,
    ],
    ids=["network", "taps", "block"],
)
def test_a_phone_gets_a_drawing_as_wide_as_its_screen_with_all_words_inside(draw):
    wide = draw()
    narrow = narrowed(wide)
    assert narrow.get_figwidth() * DPI == NARROW
    for made in (wide, narrow):
        made.canvas.draw()
        whole = made.bbox
        boxes = [text.get_window_extent() for text in made.axes[0].texts]
        assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 for box in boxes)
        assert all(whole.y0 <= box.y0 and box.y1 <= whole.y1 for box in boxes)
    assert sorted(word for text in words(wide) for word in text.replace("-\n", "").split()) == sorted(
        word for text in words(narrow) for word in text.replace("-\n", "").split()
    )


def test_a_layer_that_holds_others_is_drawn_at_the_last_of_them():
    student, teacher = build("unshuffle-mini"), build("unet")
    (line,) = [each for each in networks.taps(student, teacher, {"body": "head"}).axes[0].lines if each.is_dashed()]
    (same,) = [each for each in networks.taps(student, teacher, {"body.1.0": "head"}).axes[0].lines if each.is_dashed()]
    assert list(line.get_xdata()) == list(same.get_xdata())
