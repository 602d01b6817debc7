"""Networks by name (floor 2): ``MODELS``, ``build``, and what a network costs."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from kdsharp.checks import check_name
from kdsharp.models import reports
from kdsharp.models.students import UnshuffleStudent
from kdsharp.models.unet import ResidualUNet

MODELS: dict[str, Callable[..., nn.Module]] = {
    "unet": ResidualUNet,
    "unet-mini": partial(ResidualUNet, widths=(16, 32, 48), depths=(1, 1, 1)),
    "unet-small": partial(ResidualUNet, widths=(16, 32), depths=(1, 2)),
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
}
"""Architectures by name; the ``-mini`` ones train within a lesson's minute."""


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
    """Multiply-accumulates per pixel of the convolutions, measured on one (1, 3, height, width) pass (lesson 08)."""
    total = 0

    def add(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            positions = (output if isinstance(module, nn.Conv2d) else inputs[0]).shape[-2:].numel()
            total += positions * module.weight.numel()

    hooks = [module.register_forward_hook(add) for module in model.modules()]
    try:
        with torch.no_grad():
            model(torch.zeros(1, 3, height, width, device=next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return total / (height * width)
