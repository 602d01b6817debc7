"""Networks by name (floor 2): ``MODELS``, ``build``, and what a network costs."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from kdsharp.checks import check_name
from kdsharp.models import reports
from kdsharp.models.nafnet import LOCAL_WINDOW, NAFNet
from kdsharp.models.restormer import Restormer
from kdsharp.models.students import UnshuffleStudent
from kdsharp.models.unet import ResidualUNet

MODELS: dict[str, Callable[..., nn.Module]] = {
    "unet": ResidualUNet,
    "unet-mini": partial(ResidualUNet, widths=(16, 32, 48), depths=(1, 1, 1)),
    "unet-tiny": partial(ResidualUNet, (16, 16), (2, 1), (0,), factor=4, ends=1, grey=True),
    "unet-small": partial(ResidualUNet, widths=(16, 32), depths=(1, 2)),
    "unet-base": partial(ResidualUNet, (32, 48), (2, 1), (1,), factor=4, ends=1, window=128),
    "unet-large": partial(ResidualUNet, (48, 88), (2, 2), (1,), factor=4, ends=1, window=128),
    "unet-windows": partial(ResidualUNet, window=128),
    "unet-race": partial(ResidualUNet, widths=(32, 48, 84), depths=(1, 1, 2)),
    "unshuffle": UnshuffleStudent,
    "unshuffle-mini": partial(UnshuffleStudent, width=16, depth=1),
    "report-a-teacher": partial(reports.encoder_decoder, 64),
    "report-a-student": partial(reports.encoder_decoder, 32),
    "report-b-teacher": partial(reports.SigmoidUNet, 4),
    "report-b-student": partial(reports.SigmoidUNet, 1),
    "report-c-student": partial(reports.encoder_decoder, 64),
    "report-d-student": reports.PoolingStudent,
    "report-e-teacher": reports.three_convolutions,
    "report-e-student": reports.two_convolutions,
    "restormer": Restormer,
    "restormer-mini": partial(Restormer, dim=8, blocks=(1, 1, 1, 2), refinement=1),
    "nafnet": NAFNet,
    "nafnet-local": partial(NAFNet, window=LOCAL_WINDOW),
    "nafnet-mini": partial(NAFNet, width=16, encoder=(1, 1, 2), decoder=(1, 1, 1)),
}
"""Architectures by name. The ``-mini`` ones train on a laptop; ``unet-race`` does the work of ``restormer-mini``,
to one part in a hundred (lesson 07); ``restormer`` and ``nafnet`` have the papers' sizes."""


def build(name: str, seed: int = 0) -> nn.Module:
    """A freshly initialised network; the same ``seed`` gives the same weights, whatever ran before.

    Raises:
        UsageError: for an unknown name.
    """
    check_name(name, MODELS, "architecture")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS[name]().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stub


def count_parameters(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters())


def count_macs(model: nn.Module, height: int = 256, width: int = 256) -> float:
    """Multiply-accumulates per pixel, counted by PyTorch on one (1, 3, height, width) pass (lesson 08).

    Convolutions and matrix products count, so attention does too; norms, gates and sums do not.
    """
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image)
    return counter.get_total_flops() / 2 / (height * width)
