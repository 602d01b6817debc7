"""The study in one table and one figure."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from kdsharp.plots import COLOURS, WIDTH
from kdsharp.plots import figure as empty
from kdsharp.plots.narrow import NARROW, wide_and_narrow
from kdsharp.study.arms import REGIMES
from kdsharp.study.distillation import Study
from kdsharp.study.lines import Line


def markdown(lines: Sequence[Line], study: Study, command: str, learns: str = "") -> str:
    """The table with what it was measured on, for a README or a page. ``learns`` names the teacher, if there is one."""
    return (
        f"`{command}`: student `{study.student}`{learns}, protocol `{study.protocol}`, "
        f"{study.steps:,} steps of {study.batch} crops of {study.crop} pixels, {study.seeds} seeds, {study.precision}. "
        "Gains over the baseline are paired by seed, with 95 % intervals (Student's t); an interval that contains 0 is "
        f"no gain.\n\n"
        f"{table(lines)}"
    )


def table(lines: Sequence[Line]) -> str:
    """One Markdown row a line."""
    head = "| regime | arm | dB | gain, dB | verdict | seconds a run |\n|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {line.regime} | {line.arm} | {line.psnr:.2f} | {gain(line)} | {line.verdict} | {line.seconds:.0f} |\n"
        for line in lines
    )


def gain(line: Line) -> str:
    """Mean and half-width of a line's gain in dB; nothing for the baseline."""
    return "" if line.verdict == "the baseline" else f"{line.gain:+.3f} ± {line.half_width:.3f}"


def figure(lines: Sequence[Line]) -> Figure:
    """Gain over the student alone (the dashed line) in dB, one panel a regime on one scale, with 95 % intervals.

    On a phone one panel stands below the other.
    """
    shown = [line for line in lines if line.verdict != "the baseline"]
    arms = list(dict.fromkeys(line.arm for line in shown))

    def drawn(wide: bool) -> Figure:
        panels = (1, len(REGIMES)) if wide else (len(REGIMES), 1)
        made = empty(WIDTH if wide else NARROW, (70 + 26 * len(arms)) * panels[0])
        for index, regime in enumerate(REGIMES):
            axes = made.add_subplot(*panels, index + 1, sharex=made.axes[0] if made.axes else None)
            for line in (line for line in shown if line.regime == regime):
                axes.errorbar(
                    line.gain, arms.index(line.arm), xerr=line.half_width, fmt="o", capsize=4, color=COLOURS[index]
                )
            axes.axvline(0, linestyle="--", color=COLOURS[4])
            axes.set_yticks(range(len(arms)), arms if index == 0 or not wide else [""] * len(arms))
            axes.set(title=regime, xlabel="gain over the student alone (dB)", ylim=(len(arms) - 0.5, -0.5))
            axes.grid(axis="x", alpha=0.3)
        made.tight_layout()
        return made

    return wide_and_narrow(drawn)
