"""The five reports' systems as data (lesson 15), named as in the book's bibliography: report A to report E.

Where a report's text and code disagree, the code is followed and the note names the text's value. Where a system
cannot work as written, it stands here twice: as written, and repaired.
"""

from dataclasses import replace

from kdsharp.degrade import PROTOCOLS, Shake
from kdsharp.recipes.plan import Recipe, Stage
from kdsharp.train import TrainConfig

_PLAIN = TrainConfig(steps=1, learning_rate=1e-3, schedule="constant", warmup=0, average=0.0, clip=1e9)
"""What the reports have in common: Adam without schedule, warm-up, average or limit on the gradient."""

_STAND_IN = (
    "The bundled `teacher` (a U-Net trained for camera shake) stands in for the official Restormer, whose weights do "
    "not come with kdsharp; `--teacher motion_deblurring.pth` takes them."
)
_SHAKE_FOR_GOPRO = "Trained on GoPro with `--pairs`; without, on photos blurred by `shake`, and scored under `shake`."


def _plan(steps: int, **options: object) -> TrainConfig:
    return replace(_PLAIN, steps=steps, save_every=max(1, steps // 10), **options)  # type: ignore[arg-type]


A = Recipe(
    name="report-a",
    protocol="shake",
    training=Shake(),
    teacher=Stage(
        "report-a-teacher",
        "report-a-teacher",
        _plan(8_750),
        lab=500,
        batch=2,
        crop=128,
        leaves=0,
        resize=128,
        loss="mse",
    ),
    student=Stage(
        "report-a",
        "report-a-student",
        _plan(8_750),
        lab=1_000,
        batch=2,
        crop=128,
        leaves=0,
        resize=128,
        loss="mse",
        alpha=0.5,
        terms=(("hint", 1.0),),
        taps=("3", "3"),
    ),
    claim="GoPro at 256x256: RMSprop 29.00 dB, Adam 28.0, Adagrad 25.31, Adadelta 13.89",
    notes=(
        _SHAKE_FOR_GOPRO,
        "50 epochs of 350 pictures in batches of 2. Alpha has no value in the report; 0.5 is taken.",
        "Layers are not listed, only widths (64 and 32) and 'encoder-decoder': two convolutions in, two out.",
        "The feature term is described as inner maps and, once, as output against output; inner maps are taken.",
        "The other optimizers: `--optimizer rmsprop`, at the report's rate or with `--learning-rate tuned`.",
    ),
)

_B_TEACHER = Stage(
    "report-b-teacher",
    "report-b-teacher",
    _plan(56_000, learning_rate=1e-4, schedule="plateau", log_every=700),
    lab=200,
    batch=4,
    crop=256,
    lab_crop=80,
    margin=0,
    leaves=0,
    loss="l1 + 0.5 ssim-without-gradient",
)
_B_STUDENT = replace(
    _B_TEACHER,
    checkpoint="report-b",
    architecture="report-b-student",
    lab=400,
    loss="mse",
    alpha=0.5,
    terms=(("output-mse", 1.0),),
    taps=("middle", "middle"),
)
B = Recipe(
    name="report-b",
    protocol="gaussian-256",
    training=PROTOCOLS["gaussian-256"],  # type: ignore[arg-type]  # only ``gopro`` is None
    teacher=_B_TEACHER,
    student=_B_STUDENT,
    claim="PSNR 31.61 dB, SSIM 0.9325 (0.9408 in the abstract); teacher 31.83, 0.948; input 24.98, 0.7622",
    notes=(
        "The SSIM term of the teacher is computed on detached arrays, as in the code: it has no gradient. The "
        "code's own call reads the batch as a height and fails at batch 4; here it is computed per picture. "
        "See report-b-repaired.",
        "80 epochs of 2,800 pictures in batches of 4, as in the code; the text says 10 epochs.",
        "The code only blurs (radius 1.5); the text adds a reduction and enlargement (protocol `gaussian-256-down`).",
        "'Fewer residual blocks' of the student: one is taken. Its loss mixes truth and teacher; 0.5 is taken.",
    ),
)
B_REPAIRED = replace(
    B,
    name="report-b-repaired",
    teacher=replace(_B_TEACHER, checkpoint="report-b-repaired-teacher", loss="l1 + 0.5 ssim"),
    student=replace(_B_STUDENT, checkpoint="report-b-repaired"),
    notes=("Report B with an SSIM term that has a gradient; all else as in report-b.",),
)

_C_STUDENT = Stage(
    "report-c",
    "report-c-student",
    _plan(25_000, learning_rate=1e-4),
    lab=500,
    batch=8,
    crop=256,
    lab_crop=80,
    leaves=0,
    loss="l1 + 0.1 vgg + 0.1 edge",
    alpha=0.5,
    terms=(("output", 1.0), ("hint", 0.1)),
    taps=("3", "encoders.1"),
)
C = Recipe(
    name="report-c",
    protocol="shake",
    training=Shake(),
    teacher="teacher",
    student=_C_STUDENT,
    claim="SSIM 0.87, 0.88 and 0.89 in three places, of the first picture of each training batch",
    notes=(
        _SHAKE_FOR_GOPRO,
        _STAND_IN,
        "100 epochs of 2,000 pictures in batches of 8; the results are those of 10 epochs.",
        "Two convolutions in and two out, as the network is described; another place says 5 to 6 with batch norm.",
        "The weights of the VGG, feature and edge terms are not given; 0.1 is taken. Colour jitter is left out.",
    ),
)
C_ADAPTIVE = replace(
    C,
    name="report-c-adaptive",
    student=replace(_C_STUDENT, checkpoint="report-c-adaptive", weighting="uncertainty"),
    notes=("Report C with the adaptive loss weights that it wishes for: learned uncertainties.", *C.notes),
)

D = Recipe(
    name="report-d",
    protocol="bilinear-60",
    training=PROTOCOLS["bilinear-60"],  # type: ignore[arg-type]  # only ``gopro`` is None
    teacher="teacher",
    student=Stage(
        "report-d",
        "report-d-student",
        _plan(6_500),
        lab=1_000,
        batch=8,
        crop=128,
        margin=0,
        leaves=0,
        loss="l1 + ssim",
        alpha=0.5,
        terms=(("output-vgg", 1.0), ("output-vgg-deep", 1.0)),
        taps=("middle", "encoders.1"),
    ),
    claim="SSIM 0.9023 on 200 validation photos; teacher 0.8838 on the training set",
    notes=(
        _STAND_IN,
        "10 epochs of 5,200 crops. Rate, batch and weights of the terms are not given: Adam 1e-3, 8 and 1 are taken.",
        "The teacher undoes motion; the pictures were made smaller and larger again. As in the report.",
    ),
)

_E_STUDENT = Stage(
    "report-e",
    "report-e-student",
    _plan(1_250),
    lab=600,
    batch=8,
    crop=128,
    margin=0,
    leaves=0,
    loss="mse",
    alpha=0.0,
    terms=(("output-mse", 1.0),),
    taps=("1", "3"),
)
E = Recipe(
    name="report-e",
    protocol="bicubic-4x",
    training=PROTOCOLS["bicubic-4x"],  # type: ignore[arg-type]  # only ``gopro`` is None
    teacher=Stage("report-e-teacher", "report-e-teacher", _plan(1_250), leaves=0, trained=False),
    student=_E_STUDENT,
    claim="SSIM 0.9931 (student to teacher); teacher 0.9730, input 0.4513",
    notes=(
        "The teacher is neither trained nor loaded, as in the code: random weights. See report-e-repaired.",
        "The loss is the squared distance to that teacher; the text adds SSIM. The truth is never seen (alpha 0).",
        "10 epochs in batches of 8; the number of photos is not given, 1,000 are taken. Whole 1920x1080 pictures "
        "there, crops here, because the bundled photos are smaller.",
    ),
)
E_REPAIRED = replace(
    E,
    name="report-e-repaired",
    teacher=Stage(
        "report-e-repaired-teacher", "report-e-teacher", _plan(1_250), lab=400, crop=128, margin=0, leaves=0, loss="mse"
    ),
    student=replace(_E_STUDENT, checkpoint="report-e-repaired", alpha=0.5),
    notes=("Report E with a teacher trained on the truth, and a student that sees it too; all else as in report-e.",),
)

REPORTS = {recipe.name: recipe for recipe in (A, B, B_REPAIRED, C, C_ADAPTIVE, D, E, E_REPAIRED)}
"""The reports' recipes by name."""
