"""What a run leaves on disk while it goes on, so that it can be stopped or killed at any moment: its newest state."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from kdsharp.checks import UsageError, atomic_path, make_folder


@dataclass
class Progress:
    """How far a run is, and its history: the part of its state that is not a tensor."""

    step: int = 0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    since: list[dict[str, float]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


def start(out: Path, resume: bool, accelerator: Accelerator, setup: dict[str, Any]) -> None:
    """Load the newest state when resuming; otherwise clear what an earlier run left."""
    make_folder(out)
    states = sorted(out.glob("state-*"))
    if resume and states:
        found = json.loads((out / "config.json").read_text(encoding="utf-8"))
        differ = sorted(key for key in found.keys() | setup.keys() if found.get(key) != setup.get(key))
        if differ:
            raise UsageError(f"{out} was trained with another {', '.join(differ)}; resume with the same, or start anew")
        accelerator.load_state(str(states[-1]))
        return
    accelerator.wait_for_everyone()  # all have looked for states
    if accelerator.is_main_process:
        for state in states:
            shutil.rmtree(state)
        with atomic_path(out / "config.json") as temporary:
            temporary.write_text(json.dumps(setup, indent=1), encoding="utf-8")


def save_state(out: Path, accelerator: Accelerator, done: Progress) -> None:
    """Write a state beside the old one, then make it the newest by rename, then remove the old one.

    Every process adds the state of its random generator; what all share is written by the main process.
    """
    temporary, final = out / "unfinished", out / f"state-{done.step:08d}"
    if accelerator.is_main_process:
        shutil.rmtree(temporary, ignore_errors=True)
    accelerator.wait_for_everyone()
    accelerator.save_state(str(temporary))
    accelerator.wait_for_everyone()
    if not accelerator.is_main_process:
        return
    temporary.rename(final)
    for state in out.glob("state-*"):
        if state != final:
            shutil.rmtree(state)
    with atomic_path(out / "history.json") as file:
        file.write_text(json.dumps(done.rows), encoding="utf-8")
