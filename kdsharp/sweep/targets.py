"""What a sweep can run: a lesson with papermill, or one stage of a recipe's training."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

import nbformat
import papermill

from kdsharp import checkpoints
from kdsharp.checks import UsageError, check_name, check_positive, check_range
from kdsharp.course import find_lesson, lessons
from kdsharp.distill import WEIGHTINGS
from kdsharp.losses import mixture
from kdsharp.models import MODELS
from kdsharp.recipes import RECIPES, STAGES, Recipe, Stage, train_stage
from kdsharp.recipes.rates import tuned_rate
from kdsharp.runs import check_parameters, run_lesson
from kdsharp.train import TrainConfig


class Target(Protocol):
    """What is run at every point. It travels to the workers, so that it is data: names and paths, nothing loaded."""

    main: ClassVar[tuple[str, ...]]
    """The results worth a column on the terminal; all when empty."""

    @property
    def label(self) -> str:
        """What it is called in records."""

    @property
    def seeded(self) -> bool:
        """Whether another seed is another run."""

    def names(self) -> list[str]:
        """The parameters that a grid may set."""

    def settle(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as the run takes them; raises :class:`UsageError` for values that it would refuse."""

    def digest(self) -> str:
        """A hash of whatever decides the results besides parameters, seed and profile: it changes when they may."""

    def run(self, parameters: dict[str, Any], seed: int, profile: str, folder: Path) -> dict[str, Any]:
        """Run in ``folder``, leave the artefacts there, return the results."""


@dataclass(frozen=True)
class Lesson:
    """A lesson by name, or a notebook of one's own by path, whose parameters stand in a cell tagged ``parameters``."""

    notebook: str
    main: ClassVar[tuple[str, ...]] = ()

    @property
    def path(self) -> Path:
        return Path(self.notebook) if self.notebook.endswith(".ipynb") else find_lesson(self.notebook)

    @property
    def label(self) -> str:
        return self.path.stem

    @property
    def seeded(self) -> bool:
        return "SEED" in papermill.inspect_notebook(str(self.path))

    def names(self) -> list[str]:
        return [name for name in papermill.inspect_notebook(str(self.path)) if name not in ("PROFILE", "SEED")]

    def settle(self, parameters: dict[str, Any]) -> dict[str, Any]:
        check_parameters(self.path, parameters)
        return parameters

    def digest(self) -> str:
        cells = nbformat.read(self.path, as_version=4).cells
        return _hash(*(cell.source for cell in cells if cell.cell_type == "code"))

    def run(self, parameters: dict[str, Any], seed: int, profile: str, folder: Path) -> dict[str, Any]:
        known = papermill.inspect_notebook(str(self.path))
        own = {name: value for name, value in (("PROFILE", profile), ("SEED", seed)) if name in known}
        done = run_lesson(self.path, folder / self.path.name, own | parameters, progress=False)
        if not done.ok:
            raise RuntimeError(done.error)
        return done.results


@dataclass(frozen=True)
class Training:
    """One stage of a recipe, as ``kdsharp train RECIPE --stage STAGE --teacher TEACHER`` trains it."""

    recipe: str
    stage: str = "student"
    teacher: str | None = None
    main: ClassVar[tuple[str, ...]] = ("psnr", "psnr_input", "ssim_to_teacher", "hours")
    seeded: ClassVar[bool] = True

    @property
    def label(self) -> str:
        return f"{self.recipe} {self.stage}"

    @property
    def _plan(self) -> Stage:
        found = getattr(RECIPES[self.recipe], self.stage)
        if not isinstance(found, Stage):
            raise UsageError(f"recipe {self.recipe!r} takes its teacher {found!r} as it is; sweep over the student")
        return found

    def names(self) -> list[str]:
        """Fields of :class:`TrainConfig` and :class:`Stage` that hold one number or name and act in every profile."""
        fixed = {"seed", "checkpoint", "lab", "lab_crop", "resize", "trained"}
        if self.stage == "teacher":
            fixed |= {"alpha", "temperature", "weighting", "pull"}
        return [each.name for each in _fields() if each.name not in fixed]

    def settle(self, parameters: dict[str, Any]) -> dict[str, Any]:
        settled = {}
        for name, value in parameters.items():
            if (name, value) == ("learning_rate", "tuned"):
                value = tuned_rate(parameters.get("optimizer", self._plan.config.optimizer))
            kind = next(each.type for each in _fields() if each.name == name)
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                value = float(value)
            if type(value) is not kind:
                assert isinstance(kind, type)
                raise UsageError(f"{name} is {value!r}, but it must be of type {kind.__name__}")
            settled[name] = value
        for name, check in _CHECKS.items():
            if name in settled:
                check(settled[name])
        TrainConfig(**{name: settled[name] for name in settled if hasattr(self._plan.config, name)})
        if self.stage == "student" and settled.get("alpha", self._plan.alpha) != 1 and self._teacher_file() is None:
            raise UsageError(
                f"{self.label} needs a teacher; make it with `kdsharp train {self.recipe} --stage teacher` and give "
                "its checkpoint with --teacher FILE"
            )
        return settled

    def digest(self) -> str:
        recipe: Recipe = RECIPES[self.recipe]
        file = self._teacher_file() if self.stage == "student" else None
        weights = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
        return _hash(recipe.protocol, repr(recipe.training), repr(self._plan), weights)

    def run(self, parameters: dict[str, Any], seed: int, profile: str, folder: Path) -> dict[str, Any]:
        """Train, going on from the newest state when a worker died over this point before.

        The checkpoint's path is relative to the folder of the sweep, which may lie elsewhere on another machine.
        """
        path = train_stage(
            RECIPES[self.recipe],
            self.stage,
            profile,
            folder,
            resume=True,
            progress=False,
            teacher=self.teacher,
            seed=seed,
            **parameters,
        )
        for state in (folder / self.stage).glob("state-*"):
            shutil.rmtree(state)  # good for nothing but going on
        meta = checkpoints.read_meta(path)
        numbers = {name: meta[name] for name in (*self.main, "steps", "precision") if name in meta}
        return numbers | {"checkpoint": path.relative_to(folder.parents[1]).as_posix()}

    def _teacher_file(self) -> Path | None:
        own = RECIPES[self.recipe].teacher
        name = self.teacher or (own if isinstance(own, str) else own.checkpoint)
        path = checkpoints.bundled().get(name, Path(name))
        return path if path.is_file() else None


def find_target(name: str, stage: str | None = None, teacher: str | None = None) -> Target:
    """The target of a name: a recipe, a lesson (number or name), or the path of a notebook.

    Raises:
        UsageError: for an unknown name, stage or teacher, or a stage or teacher of a lesson.
    """
    if name in RECIPES:
        if teacher is not None:
            teacher = str(Path(teacher).resolve()) if Path(teacher).is_file() else teacher
            checkpoints.load(teacher)  # a wrong one is refused here, not by every worker
        found = Training(name, check_name(stage or "student", STAGES, "stage"), teacher)
        found.digest()  # a teacher that is taken as it is has no stage to train
        return found
    if stage or teacher:
        raise UsageError(f"--stage and --teacher belong to recipes ({', '.join(RECIPES)}), but {name} is none")
    if name.endswith(".ipynb"):
        return _own_notebook(Path(name))
    known = lessons()
    if name not in known and not (name.isdigit() and any(each[:2] == name.zfill(2) for each in known)):
        check_name(name, [*RECIPES, *known], "lesson or recipe")
    return Lesson(find_lesson(name).stem)


def _own_notebook(path: Path) -> Lesson:
    if not path.is_file():
        raise UsageError(f"notebook {path} does not exist; give a lesson, a recipe, or the path of a notebook")
    try:
        known = papermill.inspect_notebook(str(path))
    except Exception as error:  # nbformat and papermill have a dozen of their own
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UsageError(f"{path} cannot be run ({reason}); save it again in JupyterLab") from None
    if not known:
        raise UsageError(f"{path} has no parameters; give the cell that sets them the tag `parameters`")
    return Lesson(str(path.resolve()))


_CHECKS: dict[str, Callable[[Any], object]] = {
    "alpha": lambda value: check_range(value, 0, 1, "alpha"),
    "temperature": lambda value: check_positive(value, "temperature"),
    "weighting": lambda value: check_name(value, WEIGHTINGS, "weighting"),
    "pull": lambda value: check_positive(value, "pull"),
    "architecture": lambda value: check_name(value, MODELS, "architecture"),
    "loss": mixture,
    "batch": lambda value: check_positive(value, "batch"),
    "crop": lambda value: check_positive(value, "crop"),
    "margin": lambda value: check_range(value, 0, float("inf"), "margin"),
    "labels": lambda value: check_range(value, 0, float("inf"), "labels"),
    "unlabelled": lambda value: check_range(value, 0, float("inf"), "unlabelled"),
    "leaves": lambda value: check_range(value, 0, float("inf"), "leaves"),
    "weaves": lambda value: check_range(value, 0, float("inf"), "weaves"),
    "altered": lambda value: check_range(value, 0, 1, "altered"),
    "wholly": lambda value: check_range(value, 0, 1, "wholly"),
}
"""What training would refuse only once it runs."""


def _fields() -> list[Any]:
    return [each for kind in (Stage, TrainConfig) for each in fields(kind) if each.type in (int, float, str, bool)]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
