"""Feature taps and adapters."""

import pytest
import torch
from torch import nn

from kdsharp.checks import UsageError
from kdsharp.features import Adapter, Taps, match_size
from kdsharp.models import build

IMAGE = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(0))


def hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_a_tap_keeps_what_its_layer_puts_out():
    model = build("unshuffle-mini")
    with Taps(model, ["body", "unshuffle"]) as taps:
        model(IMAGE)
    torch.testing.assert_close(taps["unshuffle"], nn.functional.pixel_unshuffle(IMAGE, 4))
    torch.testing.assert_close(taps["body"], model.body(nn.functional.pixel_unshuffle(IMAGE, 4)))


def test_tapping_does_not_change_the_answer_and_carries_gradients():
    model = build("unshuffle-mini")
    with Taps(model, ["body"]) as taps:
        torch.testing.assert_close(model(IMAGE), model(IMAGE))
    taps["body"].sum().backward()
    assert model.body[0].weight.grad.any()


def test_what_a_tap_keeps_is_not_overwritten_by_the_layers_after_it():
    model = build("unshuffle-mini")
    with Taps(model, ["body.1.0", "body.1.0.conv1", "body.1.0.conv2"]) as taps, torch.no_grad():
        model(IMAGE)
    assert taps["body.1.0.conv1"].min() < 0
    assert not torch.equal(taps["body.1.0.conv2"], taps["body.1.0"])


def test_hooks_are_removed_at_the_end():
    model = build("unshuffle-mini")
    with Taps(model, ["body", "body.0"]):
        assert hooks(model) == 2
    assert hooks(model) == 0


def test_hooks_are_removed_after_a_failure():
    model = build("unshuffle-mini")
    with pytest.raises(RuntimeError), Taps(model, ["body"]):
        model(torch.rand(1, 5, 16, 16))
    assert hooks(model) == 0


def test_an_unknown_layer_lists_the_top_level_ones():
    with pytest.raises(UsageError, match=r"unknown layer 'bodi' \(did you mean 'body'\?\); .*unshuffle, body, head"):
        Taps(build("unshuffle-mini"), ["bodi"])


def test_an_adapter_is_one_linear_map_per_position():
    adapter = Adapter(3, 5)
    features = torch.rand(2, 3, 6, 7)
    expected = torch.einsum("oi,bihw->bohw", adapter.project.weight[..., 0, 0], features)
    expected = expected + adapter.project.bias.view(1, -1, 1, 1)
    torch.testing.assert_close(adapter(features, torch.rand(2, 5, 6, 7)), expected)


@pytest.mark.parametrize(("source", "goal"), [((8, 12), (4, 6)), ((4, 6), (8, 12)), ((5, 7), (5, 7)), ((6, 6), (4, 4))])
def test_an_adapter_comes_to_the_teachers_grid_and_keeps_flat_maps(source, goal):
    flat = torch.full((2, 3, *source), 0.7)
    torch.testing.assert_close(match_size(flat, torch.empty(1, 9, *goal)), torch.full((2, 3, *goal), 0.7))
    assert Adapter(3, 9)(flat, torch.empty(2, 9, *goal)).shape == (2, 9, *goal)


def test_shrinking_averages_and_enlarging_interpolates():
    features = torch.rand(1, 2, 4, 6)
    expected = features.unfold(2, 2, 2).unfold(3, 2, 2).mean((-1, -2))
    torch.testing.assert_close(match_size(features, torch.empty(1, 1, 2, 3)), expected)
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4)
    enlarged = match_size(ramp, torch.empty(1, 1, 8, 8))[0, 0, 0]
    assert enlarged.tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
