"""Branches that exist in training only: more ways for a 3x3 convolution to learn, none at inference (lesson 08)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize


class Branches(nn.Module):
    """The kernel of a 3x3 convolution as the sum of three branches, all linear, so that they are one kernel.

    ``kernel = w + pad(one) + wide * narrow``: the convolution itself, a 1x1 convolution (the centre of a 3x3), and a
    1x1 convolution to ``expansion`` times the channels followed by a 3x3. The network computes the same functions with
    or without them, but gradient descent takes other steps: Adam scales each branch by itself. They are added as
    kernels, not as images, so training costs hardly more. After Ding et al., RepVGG (CVPR 2021) and Bhardwaj et al.,
    SESR (arXiv 2103.09404).

    Args:
        kernel: the weight (O, I, 3, 3) that it starts from; the branches start at zero.
        expansion: width of the third branch, in multiples of I.
    """

    def __init__(self, kernel: Tensor, expansion: int = 2) -> None:
        super().__init__()
        outputs, inputs = kernel.shape[:2]
        self.one = nn.Parameter(torch.zeros(outputs, inputs))
        self.narrow = nn.Parameter(torch.zeros(expansion * inputs, inputs))
        self.wide = nn.Parameter(torch.randn(outputs, expansion * inputs, 3, 3) / (9 * expansion * inputs) ** 0.5)

    def forward(self, kernel: Tensor) -> Tensor:
        both = torch.einsum("omhw,mi->oihw", self.wide, self.narrow)
        return kernel + both + F.pad(self.one[..., None, None], (1, 1, 1, 1))


def add_branches(model: nn.Module, expansion: int = 2) -> nn.Module:
    """Give every 3x3 convolution of a network its branches, in place; its answers stay the same at first."""
    for module in list(model.modules()):
        if isinstance(module, nn.Conv2d) and module.kernel_size == (3, 3) and module.groups == 1:
            parametrize.register_parametrization(module, "weight", Branches(module.weight, expansion))
    return model


def fold_branches(model: nn.Module) -> nn.Module:
    """Replace all branches by the one kernel that they sum to, in place; the answers stay the same."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d) and parametrize.is_parametrized(child, "weight"):
                setattr(parent, name, _plain(child))
    return model


def _plain(conv: nn.Conv2d) -> nn.Conv2d:
    """A new convolution: torch's own removal edits a class that copies of the network share."""
    sizes = (conv.in_channels, conv.out_channels, (3, 3), conv.stride, conv.padding)
    plain = nn.Conv2d(*sizes, bias=conv.bias is not None).to(conv.weight.device)  # type: ignore[arg-type]
    plain.load_state_dict({"weight": conv.weight} | ({} if conv.bias is None else {"bias": conv.bias}))
    return plain.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stub
