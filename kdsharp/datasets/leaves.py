"""Dead leaves: pictures with the statistics of photos, as many as one likes (lesson 03)."""

import numpy as np


def dead_leaves(
    size: int, rng: np.random.Generator, palette: np.ndarray | None = None, radius_min: float = 3
) -> np.ndarray:
    """A dead-leaves picture: opaque textured disks that fall on each other until nothing is uncovered.

    Radii follow ``p(r) ~ r^-3``, which gives the picture the scale statistics of photos; each leaf carries a
    texture with a 1/f^s spectrum; the picture is rendered twice as large and averaged down, so that its edges are
    anti-aliased as a camera's are. Lee, Mumford and Huang 2001; Achddou, Gousseau and Ladjal, SSVM 2021.

    Args:
        size: side in pixels.
        rng: the caller's random generator.
        palette: colours to draw from, uint8 (N, 3); random ones when None.
        radius_min: smallest radius in pixels of the picture.

    Returns:
        uint8 (size, size, 3).
    """
    side = 2 * size
    colours = rng.integers(0, 256, (4096, 3)) if palette is None else palette
    textures = [_texture(side, rng.uniform(0.5, 2.5), rng) for _ in range(3)]
    canvas = np.zeros((side, side, 3), np.float32)
    free = np.ones((side, side), bool)
    low, high = 2 * radius_min, side / 2
    bare = free.size
    for _ in range(6000):
        radius = (low**-2 - rng.random() * (low**-2 - high**-2)) ** -0.5
        bare -= _drop_leaf(canvas, free, radius, colours[rng.integers(len(colours))], textures[rng.integers(3)], rng)
        if bare / free.size < 0.002:
            break
    canvas[free] = colours[rng.integers(len(colours))]
    reduced = canvas.reshape(size, 2, size, 2, 3).mean((1, 3))
    return (reduced + 0.5).clip(0, 255).astype(np.uint8)


def _drop_leaf(
    canvas: np.ndarray,
    free: np.ndarray,
    radius: float,
    colour: np.ndarray,
    texture: np.ndarray,
    rng: np.random.Generator,
) -> int:
    """Paint one ellipse where the canvas is still free: front to back, each pixel once; gives their number."""
    side = len(free)
    y, x = rng.uniform(0, side, 2)
    stretch, angle = rng.uniform(0.4, 1), rng.uniform(0, np.pi)
    top, left = max(0, int(y - radius)), max(0, int(x - radius))
    box = (slice(top, int(y + radius) + 2), slice(left, int(x + radius) + 2))
    ys, xs = np.nonzero(free[box])  # few, after the first leaves
    if not len(ys):
        return 0
    rows, columns = ys + top - y, xs + left - x
    along, across = columns * np.cos(angle) + rows * np.sin(angle), rows * np.cos(angle) - columns * np.sin(angle)
    inside = along**2 + (across / stretch) ** 2 <= radius**2
    ys, xs = ys[inside] + top, xs[inside] + left
    canvas[ys, xs] = colour + (texture[ys, xs] * rng.uniform(0, 45))[:, None]
    free[ys, xs] = False
    return len(ys)


def _texture(side: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise with the amplitude spectrum 1/f^slope, mean 0, standard deviation 1, (side, side)."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) / frequency**slope
    noise = np.fft.irfft2(spectrum, (side, side)).astype(np.float32)
    return (noise - noise.mean()) / noise.std()
