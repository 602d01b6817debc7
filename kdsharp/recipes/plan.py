"""What a recipe consists of: a teacher, a student, a protocol, as data."""

from dataclasses import dataclass, replace

from kdsharp.checks import check_name
from kdsharp.degrade import Degradation
from kdsharp.train import TrainConfig

PROFILES = ("smoke", "lab", "full")
STAGES = ("teacher", "student")


@dataclass(frozen=True)
class Stage:
    """One network's training.

    Args:
        checkpoint: the name that ``--model`` takes afterwards.
        architecture: a name in ``kdsharp.models.MODELS``.
        config: the full profile's run.
        lab: steps of the lab profile.
        batch, crop: crops a batch, and their side in pixels.
        lab_crop: their side in the lab profile.
        margin: pixels around a crop while it is blurred (see ``Crops``); 0 where a system blurred its crops themselves.
        whole: blur whole pictures once and cut the crops from them: for protocols without chance, whose pictures have
            one size, so that their borders (or the grid of a rescaling) belong to what is learned.
        grid: where pictures are blurred whole, crops begin at multiples of this (see ``PairCrops``).
        leaves, weaves: dead-leaves pictures, and woven ones, beside the photos.
        contrast, softness, altered, wholly: flatter and softer scenes than the photos' own, in a share of the crops
            (see ``Crops``).
        choices: crops drawn for each that is taken, the one with the most detail (see ``Crops``).
        unlabelled: crops a batch that have no label, beside those that have one; only a teacher can judge them.
        labels: where there are unlabelled crops, how many pairs the labelled ones come from; 0 draws each afresh.
        resize: real pairs are reduced to this side before they are cropped; None leaves them as they are.
        loss: reconstruction loss, one name or a weighted sum (``"l1 + 0.5 ssim"``).
        alpha, temperature, terms, taps, weighting, pull: the distillation (students only; see ``Distillation``).
        branches: train every 3x3 convolution as three branches, which the checkpoint holds folded into one (lesson 08).
        trained: False leaves the network at its random weights, as report E's code leaves its teacher.
    """

    checkpoint: str
    architecture: str
    config: TrainConfig
    lab: int = 300
    batch: int = 8
    crop: int = 96
    lab_crop: int = 96
    margin: int = 12
    whole: bool = False
    grid: int = 1
    leaves: int = 20
    weaves: int = 0
    contrast: float = 1.0
    softness: float = 0.0
    altered: float = 0.5
    wholly: float = 0.0
    choices: int = 1
    unlabelled: int = 0
    labels: int = 0
    resize: int | None = None
    loss: str = "charbonnier"
    alpha: float = 1.0
    temperature: float = 1.0
    terms: tuple[tuple[str, float], ...] = ()
    taps: tuple[str, str] = ("body", "encoders.1")
    weighting: str = "fixed"
    pull: float = 1.0
    branches: bool = False
    trained: bool = True

    def at(self, profile: str) -> "Stage":
        """The same stage, shortened for a profile: minutes in ``lab``, seconds in ``smoke``."""
        check_name(profile, PROFILES, "profile")
        if profile == "full":
            return self
        steps = self.lab if profile == "lab" else 6
        config = self.config
        short = replace(
            config,
            steps=steps,
            warmup=min(config.warmup, 20, steps // 4),
            average=min(config.average, 0.98),
            save_every=max(3, steps // 3),
        )
        if profile == "lab":
            return replace(
                self, config=short, crop=self.lab_crop, leaves=min(self.leaves, 8), weaves=min(self.weaves, 8)
            )
        return replace(self, config=short, batch=2, unlabelled=min(self.unlabelled, 2), crop=48, leaves=0, weaves=0)


@dataclass(frozen=True)
class Recipe:
    """A teacher, a student, and the protocol that both are scored under.

    Args:
        name: what ``kdsharp train`` takes.
        protocol: of the scores.
        training: what blurs the training photos.
        teacher: how the teacher is trained, or the name of a checkpoint that is taken as it is (``--teacher`` takes
            another).
        student: how the student is trained.
        claim: what the source reports, as it reports it.
        notes: where text and code disagree, what was not given, what stands in for what cannot be had here.
    """

    name: str
    protocol: str
    training: Degradation
    teacher: Stage | str
    student: Stage
    claim: str = ""
    notes: tuple[str, ...] = ()
