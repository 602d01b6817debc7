"""Every loss and term keeps its digits in the precision that training uses: against float64, on the same inputs.

A student nears its teacher and the truth; what is left between them is a grey level, or some hundredths of a map's
spread. bfloat16, in which a CPU's autocast leaves softmax, convolutions and matrix products, has steps as wide.
"""

import math

import pytest
import torch
from torch.nn import functional as F

from kdsharp.checks import UsageError
from kdsharp.datasets import photos
from kdsharp.digits import in_float32
from kdsharp.distill import DeepLoss, Distillation
from kdsharp.distill import terms as formulas
from kdsharp.distill.objective import FEATURE_TERMS, TERMS
from kdsharp.features import Adapter, Taps
from kdsharp.images import to_tensor
from kdsharp.losses import LOSSES, VGGFeatures, lowest
from kdsharp.models import build
from kdsharp.train import Supervised, TrainConfig, fit
from kdsharp.vision import torchvision

CROP = to_tensor(photos("train")[0].pixels)[..., 64:128, 64:160]
BATCH = torch.cat([CROP, CROP.flip(-1), torch.full_like(CROP, 0.5)])
"""Two crops of a photo and a flat one, on which nothing but the error itself has any structure."""
GREY = 1 / 255
TEACHER = (BATCH + 0.6 * GREY).bfloat16()
IMAGE_TERMS = {name: loss for name, loss in LOSSES.items() if name != "ssim-without-gradient"}
IMAGE_TERMS |= {"output": formulas.output_term}
IMAGE_TERMS |= {"contrast": lambda s, t: formulas.contrast_term(s, t, formulas.degraded_again(t))}
IMAGE_TERMS |= {"confident": lambda s, t: formulas.confident_term(s, TEACHER.to(s.dtype), t)}
IMAGE_TERMS |= {"bounded": lambda s, t: formulas.bounded_term(s, TEACHER.to(s.dtype), t)}
TEMPERATURES = [1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0, 16.0]
MAP_TERMS = {f"channel at {tau:g} spreads": ("channel", tau) for tau in TEMPERATURES}
MAP_TERMS |= {name: (name, 1.0) for name in FEATURE_TERMS if name != "channel"}


@pytest.fixture(scope="module", autouse=True)
def vgg(tmp_path_factory):
    """VGG16 with random weights: digits are lost in it as in the trained one."""
    torch.manual_seed(0)
    network = VGGFeatures(torchvision.models.vgg16(weights=None).state_dict())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kdsharp.losses.pretrained_vgg", lambda: network)
        yield


def near_the_end(name="unet-tiny"):
    """A network whose last layer is no longer zero: its answers differ from its input by about a grey level."""
    network = build(name)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.Conv2d) and not layer.weight.any():
                torch.nn.init.normal_(layer.weight, std=2e-3, generator=torch.Generator().manual_seed(1))
    return network


def near(image, kind):
    """The same image, one grey level away: up and down at random, or brighter everywhere."""
    if kind == "brighter":
        return image + GREY
    return image + GREY * torch.randint(-1, 2, image.shape, generator=torch.Generator().manual_seed(2))


def gradients(network, value):
    network.zero_grad()
    value.backward()
    return torch.cat([p.grad.flatten().double() for p in network.parameters() if p.grad is not None])


def cosine(a, b):
    return F.cosine_similarity(a, b, dim=0).item()


@pytest.mark.parametrize("kind", ["random", "brighter"])
@pytest.mark.parametrize("name", IMAGE_TERMS)
def test_a_loss_of_images_one_grey_level_apart(name, kind):
    network, term = near_the_end(), IMAGE_TERMS[name]
    with torch.autocast("cpu", torch.bfloat16):
        answer = network(BATCH)
        truth = near(answer.detach(), kind)
        found = term(answer, truth)
    mine = gradients(network, found)
    with torch.autocast("cpu", torch.bfloat16):
        answer = network(BATCH)
    wide = torch.float32 if "vgg" in name else torch.float64  # VGG16's weights are float32
    expected = term(answer.to(wide), truth.to(wide))
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=0.01)
    if (name, kind) != ("edge", "brighter"):  # a picture that is brighter everywhere has the same edges
        assert cosine(mine, gradients(network, expected)) > 0.99


@pytest.mark.parametrize("name", IMAGE_TERMS)
def test_a_loss_of_bf16_images_one_grey_level_apart(name):
    answer, truth = BATCH.bfloat16(), near(BATCH, "random").bfloat16()
    term = IMAGE_TERMS[name]
    with torch.autocast("cpu", torch.bfloat16):
        found = term(answer, truth)
    wide = torch.float32 if "vgg" in name else torch.float64
    expected = term(answer.to(wide), truth.to(wide))
    assert found.item() == pytest.approx(expected.item(), rel=0.01)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_stands_at_its_floor_where_nothing_is_left_to_mend(name):
    with torch.autocast("cpu", torch.bfloat16):
        found = LOSSES[name](BATCH, BATCH.clone())
    assert found.item() == pytest.approx(lowest(name), abs=1e-9)
    assert lowest(name) == pytest.approx(
        {"charbonnier": 1e-3, "edge": 1e-3, "psnr": -6.0, "psnr-40": -4.0, "psnr-tiles": -6.0}.get(name, 0.0)
    )


def maps(distance, dtype=torch.bfloat16):
    """The adapted map of a student, with the networks that made it, and a teacher's map some hundredths away."""
    student, adapter = near_the_end("unet-small"), Adapter(32, 64)
    torch.manual_seed(3)
    both = torch.nn.ModuleList([student, adapter])

    def forward():
        like = torch.zeros(1, 1, 16, 16)
        with torch.autocast("cpu", torch.bfloat16), Taps(student, ["bottom"]) as taps:
            student(BATCH)
            return adapter(taps["bottom"], like)

    own = forward().detach()
    spread = own.float().std((-2, -1), keepdim=True)
    noise = torch.randn(own.shape, generator=torch.Generator().manual_seed(4))
    return both, forward, (own.float() + distance * spread * noise).to(dtype)


def compare(name, student, teacher, temperature):
    if name == "channel":
        return formulas.channel_term(student, teacher, temperature)
    if name == "uncertainty":
        return formulas.uncertainty_term(torch.cat([student, student.mean(1, keepdim=True)], 1), teacher)
    return {
        "hint": formulas.hint_term,
        "attention": formulas.attention_term,
        "affinity": formulas.affinity_term,
    }[name](student, teacher)


@pytest.mark.parametrize("distance", [0.3, 0.03])
@pytest.mark.parametrize("case", MAP_TERMS)
def test_a_term_of_maps_as_near_as_a_trained_students(case, distance):
    name, spreads = MAP_TERMS[case]
    both, forward, teacher = maps(distance)
    student = forward()
    with torch.autocast("cpu", torch.bfloat16):
        found = compare(name, student, teacher, spreads)
    mine = gradients(both, found)
    expected = compare(name, forward().double(), teacher.double(), spreads)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=0.01)
    assert cosine(mine, gradients(both, expected)) > 0.99


@pytest.mark.parametrize("case", MAP_TERMS)
def test_a_term_is_not_negative_and_nothing_at_equality(case):
    name, spreads = MAP_TERMS[case]
    *_, teacher = maps(0.03)
    tiny = (teacher.float() * (1 + 1e-6)).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        at_equality = compare(name, teacher, teacher.clone(), spreads)
        beside = compare(name, tiny, teacher, spreads)
    if name == "uncertainty":  # a density may be above 1: its logarithm has a floor, not a zero
        assert at_equality.item() >= math.log(2) - 6
        return
    assert 0 <= at_equality.item() < 1e-10
    assert beside.item() >= 0


def test_a_divergence_of_wild_maps_is_finite_and_so_is_its_gradient():
    """Sixty spreads apart and a low temperature: exp would overflow; a fresh adapter can stand there."""
    generator = torch.Generator().manual_seed(0)
    teacher, student = torch.randn(2, 2, 3, 16, 16, generator=generator) * torch.tensor(60.0)
    student.requires_grad_()
    found = formulas.channel_term(student, teacher, 0.25)
    found.backward()
    expected = formulas.channel_term(student.detach().double(), teacher.double(), 0.25)
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)
    assert torch.isfinite(student.grad).all()


def test_attention_over_positions_is_finer_than_the_steps_of_bf16():
    features = torch.linspace(0, 0.01, 256).view(1, 1, 16, 16).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = formulas.attention_over_positions(features, 1.0)
    expected = formulas.attention_over_positions(features.double(), 1.0)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)


def test_deep_features_are_compared_in_float32():
    network = DeepLoss(near_the_end("unet-small"), ["encoders.0"])
    truth = near(BATCH, "random")
    with torch.autocast("cpu", torch.bfloat16):
        found = network(BATCH, truth)
    assert found.item() == network(BATCH, truth).item()


@pytest.mark.parametrize("name", sorted(set(TERMS) - {"output-vgg", "output-vgg-deep"}))
def test_a_step_under_autocast_gives_what_it_gives_in_float64_terms(name):
    """The whole step, as ``fit`` runs it, for every name that a recipe may write."""
    student, teacher = near_the_end("unet-small"), near_the_end("unet-base")
    step = Distillation(student, teacher, 0.5, 0.5, {name: 1.0}, ("bottom", "encoders.0"), "mse")
    truth = near(BATCH, "random")
    with torch.autocast("cpu", torch.bfloat16):
        found = step(BATCH, truth)[name]
    assert found.dtype == torch.float32
    assert found.item() >= step.lowest[name]


def test_only_half_precision_is_widened_and_autocast_is_off():
    seen = {}

    @in_float32
    def term(a, b, label=None):
        seen.update(a=a.dtype, b=b.dtype, label=label, product=(a.float() @ b.float()).dtype)
        return a

    with torch.autocast("cpu", torch.bfloat16):
        term(torch.ones(2, 2, dtype=torch.bfloat16), b=torch.ones(2, 2, dtype=torch.float64), label="x")
    assert seen == {"a": torch.float32, "b": torch.float64, "label": "x", "product": torch.float32}


class Says(torch.nn.Module):
    """A step whose term takes the values that a test wants it to take."""

    def __init__(self, **values):
        super().__init__()
        self.student, self.values, self.lowest = torch.nn.Conv2d(3, 3, 1), values, {"channel": 0.0}

    def forward(self, blurred, sharp):
        loss = (self.student(blurred) - sharp).square().mean()
        return {"loss": loss} | {name: loss.detach() * 0 + value for name, value in self.values.items()}


def three_steps(step):
    return fit(step, [(CROP, CROP)] * 3, TrainConfig(steps=3, log_every=1), progress=False, label="lesson")


def test_a_term_below_what_its_formula_allows_ends_the_training_by_name():
    with pytest.raises(UsageError, match=r"lesson stopped: at step 1 the term 'channel' is -0\.66.*nothing below 0"):
        three_steps(Says(channel=-0.66))
    assert len(three_steps(Says(channel=0.0))) == 3


def test_a_term_that_is_no_number_is_named_too():
    with pytest.raises(UsageError, match=r"diverged: at step 1 the term 'channel' is nan"):
        three_steps(Says(channel=math.nan))


def test_every_step_says_what_its_terms_cannot_fall_below():
    assert Supervised(build("unshuffle-mini"), "200 mse + psnr").lowest == {"loss": pytest.approx(-6)}
    assert lowest("mse + -0.1 ssim") == -math.inf
    terms = {"channel": 1.0, "uncertainty": 1.0, "output-psnr": 1.0}
    step = Distillation(build("unet-small"), build("unet-base"), terms=terms, taps=("bottom", "encoders.0"))
    expected = {"reconstruction": 1e-3, "channel": 0.0, "uncertainty": math.log(2) - 6, "output-psnr": -6.0}
    assert step.lowest == pytest.approx(expected)
