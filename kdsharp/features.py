"""Looking inside a network: feature taps, and 1x1 adapters between two widths (floor 3; lesson 09)."""

from types import TracebackType

from torch import Tensor, nn

from kdsharp.checks import check_name


class Taps:
    """A context manager that keeps what named layers put out.

    ::

        with Taps(teacher, ["bottom"]) as taps:
            teacher(image)
        taps["bottom"]  # (B, C, h, w)

    The hooks are removed at the end of the block, also when it fails.

    Raises:
        UsageError: when a layer does not exist; it lists the top-level layers that do.
    """

    def __init__(self, model: nn.Module, layers: list[str]) -> None:
        modules = dict(model.named_modules())
        for layer in layers:
            if layer not in modules:
                check_name(layer, [name for name, _ in model.named_children()], "layer")
        self._modules = {layer: modules[layer] for layer in layers}
        self._found: dict[str, Tensor] = {}
        self._hooks: list = []

    def __enter__(self) -> "Taps":
        for name, module in self._modules.items():
            self._hooks.append(module.register_forward_hook(self._keep(name)))
        return self

    def _keep(self, name: str):
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            self._found[name] = output

        return hook

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def __getitem__(self, layer: str) -> Tensor:
        return self._found[layer]


class Adapter(nn.Module):
    """A 1x1 convolution from the student's width to the teacher's, after pooling to the teacher's grid.

    FitNets' regressor (arXiv 1412.6550). It is trained with the student and thrown away afterwards, so it costs
    nothing at inference.

    Shape: (B, student, h, w) to (B, teacher, H, W) with the H, W of the teacher's map.
    """

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(student_channels, teacher_channels, 1)

    def forward(self, features: Tensor, teacher_features: Tensor) -> Tensor:
        return self.project(match_size(features, teacher_features))


def match_size(features: Tensor, reference: Tensor) -> Tensor:
    """Bring (B, C, h, w) to the height and width of ``reference``: area average down, bilinear up."""
    size = (reference.shape[-2], reference.shape[-1])
    if features.shape[-2:] == size:
        return features
    if features.shape[-2] > size[0]:
        return nn.functional.adaptive_avg_pool2d(features, size)
    return nn.functional.interpolate(features, size, mode="bilinear", align_corners=False)
