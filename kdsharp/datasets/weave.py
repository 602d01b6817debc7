"""Regular patterns: photos have too few of them, and a network takes what it has not met for the trace of a motion
(`data/checkpoints/STUDY.md`).
"""

import numpy as np


def woven(size: int, rng: np.random.Generator, palette: np.ndarray | None = None) -> np.ndarray:
    """A picture of cloth, blinds, fences and brick walls: two to five patches, each of one or two waves.

    A wave is ``1/2 + tanh(h (sin(2 pi (x cos a + y sin a) / p + bend) - c)) / (2 tanh(h (1 + |c|)))``, from a soft
    swell (small h) to stripes with hard edges, of p = 3 to 24 pixels; two that cross make a weave or a grid. Each patch
    has two colours, light that changes over it, threads that bend, and grain. It is rendered twice as large and
    averaged down, as :func:`dead_leaves` is.

    Args:
        size: side in pixels.
        rng: the caller's random generator.
        palette: colours to draw from, uint8 (N, 3); random ones when None.

    Returns:
        uint8 (size, size, 3).
    """
    side = 2 * size
    colours = rng.integers(0, 256, (4096, 3)) if palette is None else palette
    y, x = np.mgrid[:side, :side].astype(np.float32)
    count = int(rng.integers(2, 6))
    centres = rng.uniform(0, side, (2, count))
    nearest = np.argmin([(x - left) ** 2 + (y - top) ** 2 for left, top in centres.T], 0)
    canvas = np.zeros((side, side, 3), np.float32)
    for patch in range(count):
        inside = nearest == patch
        if inside.any():
            canvas[inside] = _pattern(x, y, colours, rng)[inside]
    return (canvas.reshape(size, 2, size, 2, 3).mean((1, 3)) + 0.5).clip(0, 255).astype(np.uint8)


def _pattern(x: np.ndarray, y: np.ndarray, colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One pattern over the whole picture, (side, side, 3) in grey levels."""
    side = len(x)
    bend = 2 * np.pi * rng.uniform(0, 2.5) * _hills(side, rng)
    angle, waves = rng.uniform(0, np.pi), []
    for crossing in range(int(rng.integers(1, 3))):
        period = 2 * np.exp(rng.uniform(np.log(3), np.log(24)))  # twice as large as in the picture
        turned = angle + crossing * (np.pi / 2 if rng.random() < 0.6 else rng.uniform(0.4, 1.2))
        phase = 2 * np.pi * (x * np.cos(turned) + y * np.sin(turned)) / period + bend + rng.uniform(0, 2 * np.pi)
        hardness, threshold = np.exp(rng.uniform(np.log(0.5), np.log(8))), rng.uniform(-0.6, 0.6)
        reach = np.tanh(hardness * (1 + abs(threshold)))
        waves.append(0.5 + 0.5 * np.tanh(hardness * (np.sin(phase) - threshold)) / reach)
    wave = waves[0]
    if len(waves) == 2:
        wave = [wave * waves[1], np.maximum(wave, waves[1]), (wave + waves[1]) / 2][int(rng.integers(3))]
    dark, light = colours[rng.integers(len(colours), size=2)].astype(np.float32)
    shade = 1 + rng.uniform(0, 0.5) * _hills(side, rng)
    grain = rng.uniform(0, 10) * rng.standard_normal((side, side, 1))
    return (dark + (light - dark) * wave[..., None]) * shade[..., None] + grain


def _hills(side: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth hills and dales of about three to a side, in [-1, 1], (side, side)."""
    frequency = side * np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * np.exp(-((frequency / 3) ** 2))
    spectrum[0, 0] = 0
    hills = np.fft.irfft2(spectrum, (side, side))
    return (hills / np.abs(hills).max()).astype(np.float32)
