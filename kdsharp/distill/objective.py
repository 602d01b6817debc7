"""The training step of a student with a teacher."""

import torch
from torch import Tensor, nn

from kdsharp.checks import check_name, check_positive, check_range
from kdsharp.devices import device_of
from kdsharp.digits import in_float32
from kdsharp.distill import terms as formulas
from kdsharp.features import Adapter, Taps
from kdsharp.losses import LOSSES, lowest, mixture, reconstruction

FEATURE_TERMS = ("hint", "channel", "attention", "affinity", "uncertainty")
"""Terms that compare inner maps."""

ADAPTED = {"hint": 0, "channel": 0, "uncertainty": 1}
"""Feature terms whose student map first passes an adapter, and how many channels it gives beyond the teacher's."""

TERMS = ("output", *FEATURE_TERMS, "bounded", "contrast", "confident", *(f"output-{loss}" for loss in LOSSES))
"""Distillation terms by name. ``output`` is L1; ``output-NAME`` is any reconstruction loss, student against teacher."""


WEIGHTINGS = ("fixed", "uncertainty", "pull")

MEASURED_EVERY = 50
"""Steps between two measurements of each term's pull."""


class Distillation(nn.Module):
    """The training step of a student with a teacher: named loss terms, adapters, a frozen teacher.

    Args:
        student, teacher: networks from (B, 3, H, W) to the same shape.
        alpha: weight of the reconstruction, in [0, 1]; the terms of the teacher share ``1 - alpha``.
        temperature: of the channel-wise term, in spreads of the teacher's maps, above 0.
        terms: weight of each distillation term, by name (see ``TERMS``).
        taps: the layer of the student and of the teacher whose features the feature terms compare.
        loss: the reconstruction loss, one name or a weighted sum (``"l1 + 0.5 ssim"``).
        seed: of the adapters' first weights.
        weighting: ``fixed`` uses alpha and the weights; ``uncertainty`` learns them: ``sum exp(-s_i) L_i + s_i`` over
            every term, with one s for each, 0 at the start (Kendall et al., CVPR 2018). Weights and alpha then
            only say which terms take part. ``pull`` keeps the pull of each term of the teacher, which is the norm of
            its gradient at the student's weights, at its weight times ``pull`` times that of the reconstruction,
            before alpha: measured at the first step and every 50, so that what a term weighs does not hang on its
            unit (one line of GradNorm, Chen et al., ICML 2018).
        pull: of the weighting of that name, above 0.

    Attributes:
        scales: what each term is multiplied by besides its weight, in the order of ``terms``; 1 unless weighted by
            pull. Part of the state that a resumed training goes on from.
        frozen: the teacher, which lies where the student lies when the step is called; ``fit`` moves both.
        lowest: what each named term cannot fall below; ``fit`` ends a training in which one does.

    The teacher stays in evaluation mode, takes no gradient and is not among ``parameters()``; the student, the
    adapters and the learned s are, so that one optimizer trains all.

    Raises:
        UsageError: for alpha outside [0, 1], a temperature at or below 0, an unknown term, layer or weighting.
    """

    scales: Tensor
    steps: Tensor

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        alpha: float = 0.5,
        temperature: float = 1.0,
        terms: dict[str, float] | None = None,
        taps: tuple[str, str] = ("body", "encoders.1"),
        loss: str = "charbonnier",
        seed: int = 0,
        weighting: str = "fixed",
        pull: float = 1.0,
    ) -> None:
        super().__init__()
        self.alpha = check_range(alpha, 0.0, 1.0, "alpha")
        self.temperature = check_positive(temperature, "temperature")
        self.terms = {"output": 1.0} if terms is None else dict(terms)
        for name in self.terms:
            check_name(name, TERMS, "distillation term")
        self.student_tap, self.teacher_tap = taps
        self.loss, self.parts = loss, mixture(loss)
        self.lowest = {"reconstruction": lowest(loss)} | {name: _lowest(name) for name in self.terms}
        self.student = student
        self.frozen = (teacher.eval().requires_grad_(False),)  # a tuple keeps it out of parameters() and state_dict()
        self.adapters = nn.ModuleDict()
        if self._uses_features():
            student_channels, teacher_channels = self._tap_widths()
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                for name in self.terms:
                    if name in ADAPTED:
                        self.adapters[name] = Adapter(student_channels, teacher_channels + ADAPTED[name])
        self.weighting = check_name(weighting, WEIGHTINGS, "weighting")
        self.pull = check_positive(pull, "pull")
        self.register_buffer("scales", torch.ones(len(self.terms)))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        count = len(self.parts) + len(self.terms)
        self.log_variances = nn.Parameter(torch.zeros(count)) if weighting == "uncertainty" else None

    def _uses_features(self) -> bool:
        return any(name in FEATURE_TERMS for name in self.terms)

    def _tap_widths(self) -> tuple[int, int]:
        probe = torch.zeros(1, 3, 32, 32)
        widths = []
        for network, layer in ((self.student, self.student_tap), (self.frozen[0], self.teacher_tap)):
            with torch.no_grad(), Taps(network, [layer]) as taps:
                network(probe.to(device_of(network)))
            widths.append(taps[layer].shape[1])
        return widths[0], widths[1]

    def forward(self, blurred: Tensor, sharp: Tensor) -> dict[str, Tensor]:
        """Named terms of one batch (B, 3, H, W): ``loss`` (to minimise), ``reconstruction`` and each term used.

        ``sharp`` may have fewer images than ``blurred``: what the truth judges is then the first images alone, while
        the teacher, who needs no label, judges all.
        """
        labels = len(sharp)
        student, (teacher,) = self.student, self.frozen
        layers = ([self.student_tap], [self.teacher_tap]) if self._uses_features() else ([], [])
        with Taps(student, layers[0]) as student_taps, Taps(teacher, layers[1]) as teacher_taps:
            prediction = student(blurred)
            with torch.no_grad():
                target = teacher(blurred)
        parts = {name: weight * reconstruction(name, prediction[:labels], sharp) for name, weight in self.parts.items()}
        named = {"reconstruction": torch.stack(list(parts.values())).sum()}
        for name in self.terms:
            if name in FEATURE_TERMS:
                named[name] = self._compare(name, student_taps[self.student_tap], teacher_taps[self.teacher_tap])
            elif name == "bounded":
                named[name] = formulas.bounded_term(prediction[:labels], target[:labels], sharp)
            elif name == "contrast":
                named[name] = formulas.contrast_term(prediction, target, formulas.degraded_again(blurred))
            elif name == "confident":
                named[name] = formulas.confident_term(prediction[:labels], target[:labels], sharp)
            elif name == "output":
                named[name] = formulas.output_term(prediction, target)
            else:
                named[name] = reconstruction(name.removeprefix("output-"), prediction, target)
        if self.log_variances is None:
            if self.weighting == "pull" and self.training and torch.is_grad_enabled():
                if self.steps % MEASURED_EVERY == 0:
                    self.scales.copy_(self._scales(named))
                self.steps += 1
            weights = zip(self.terms.items(), self.scales, strict=True)
            distilled = sum(weight * scale * named[name] for (name, weight), scale in weights)
            return {"loss": self.alpha * named["reconstruction"] + (1 - self.alpha) * distilled} | named
        every = torch.stack([*parts.values(), *(named[name] for name in self.terms)])
        return {"loss": ((-self.log_variances).exp() * every + self.log_variances).sum()} | named

    def _scales(self, named: dict[str, Tensor]) -> Tensor:
        """What brings each term to its pull; a term without any is left as it is."""
        moved = [weight for weight in self.student.parameters() if weight.requires_grad]

        def norm(name: str) -> Tensor:
            pulls = torch.autograd.grad(named[name], moved, retain_graph=True, allow_unused=True)
            return torch.stack([each.float().square().sum() for each in pulls if each is not None]).sum().sqrt()

        wanted = self.pull * norm("reconstruction")
        found = torch.stack([norm(name) for name in self.terms])
        return torch.where(found > 0, wanted / found.clamp_min(1e-30), torch.ones_like(found))

    def _compare(self, name: str, student: Tensor, teacher: Tensor) -> Tensor:
        """One feature term of the student's map and the teacher's."""
        if name in ADAPTED:
            student = in_float32(self.adapters[name].forward)(student, teacher)
        if name == "hint":
            return formulas.hint_term(student, teacher)
        if name == "channel":
            return formulas.channel_term(student, teacher, self.temperature)
        if name == "attention":
            return formulas.attention_term(student, teacher)
        if name == "affinity":
            return formulas.affinity_term(student, teacher)
        return formulas.uncertainty_term(student, teacher)


def _lowest(name: str) -> float:
    """What a distillation term cannot fall below."""
    if name == "uncertainty":
        return formulas.LOWEST_UNCERTAINTY
    return lowest(name.removeprefix("output-")) if name.startswith("output-") else 0.0
