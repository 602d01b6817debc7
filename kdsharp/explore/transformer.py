"""What lesson 07 looks at: attention between channels that one can see, and what tiles do to a network (floor 7)."""

from collections.abc import Callable, Mapping, Sequence

import torch
from matplotlib import colormaps
from matplotlib.figure import Figure
from torch import Tensor, nn

from kdsharp import plots
from kdsharp.checks import UsageError, check_images
from kdsharp.evaluate import mean_interval
from kdsharp.explore.tiles import tiled, work_factor
from kdsharp.features import Taps
from kdsharp.filters.spatial import SOBEL, blur, stencil
from kdsharp.images import luma, to_array
from kdsharp.models.restormer import channel_attention
from kdsharp.plots.narrow import NARROW, wide_and_narrow

CHANNELS = ("left-right", "right-left", "top-down", "diagonal", "fine", "coarse", "colour")
"""Names of the channels of :func:`hand_made_channels`."""


def hand_made_channels(image: Tensor) -> Tensor:
    """Seven channels of a photo that a first layer could have learned; lesson 07 lets them attend to each other.

    Brightness rising from left to right, the same negated, rising from top to bottom, along the diagonal; fine detail
    (luma less its blur of radius 1), coarse detail (blur 1 less blur 3), and how red outweighs green in fine detail.

    Shape: (1, 3, H, W) in [0, 1] to (1, 7, H, W), named by ``CHANNELS``; values may be negative.
    """
    check_images(image, channels=3)
    grey = luma(image)
    across, down = stencil(grey, SOBEL), stencil(grey, SOBEL.T)
    once, colour = blur(grey, 1.0), image[:, :1] - image[:, 1:2]
    diagonal = (across + down) / 2**0.5
    made = [across, -across, down, diagonal, grey - once, once - blur(grey, 3.0), colour - blur(colour, 1.0)]
    return torch.cat(made, 1)


def shares(channels: Tensor, temperature: float) -> Tensor:
    """How much each channel of (1, C, H, W) takes from each other, where it is its own query and key: (C, C)."""
    flat = channels.flatten(2).unsqueeze(1)
    return channel_attention(flat, flat, torch.full((1, 1, 1), float(temperature)))[0, 0]


def mix(channels: Tensor, table: Tensor) -> Tensor:
    """Each channel as the sum of all channels by its row of shares: (1, C, H, W) and (C, C) to (1, C, H, W)."""
    return torch.einsum("ij,bjhw->bihw", table, channels)


def attention_tables(network: nn.Module, block: str, image: Tensor) -> Tensor:
    """The shares in one transformer block of a Restormer for one image.

    Args:
        network: a :class:`kdsharp.models.restormer.Restormer`.
        block: its name, as ``latent.0``.
        image: (1, 3, H, W) in [0, 1].

    Returns:
        (heads, C, C), C channels of a head; each row adds up to 1.
    """
    layer = f"{block}.attn.qkv_dwconv"
    with torch.no_grad(), Taps(network, [layer]) as taps:
        network(image)
    temperature = network.get_submodule(f"{block}.attn").get_parameter("temperature").detach()
    queries, keys, _ = (each.flatten(2).unflatten(1, (len(temperature), -1)) for each in taps[layer].chunk(3, dim=1))
    return channel_attention(queries, keys, temperature)[0]


def largest_map(network: nn.Module, side: int = 64) -> float:
    """Values per photo pixel in the largest map that any layer puts out: 4 bytes each in float32.

    A lower bound of the memory that a photo takes: other maps are alive at the same time. On the ``meta`` device
    nothing is computed and nothing allocated, so that a network of any size can be asked.
    """
    sizes: list[int] = []
    layers = [layer for layer in network.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(lambda module, given, out: sizes.append(out.numel())) for layer in layers]
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, side, side, device=next(network.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return max(sizes) / side**2


def table_figure(tables: Mapping[str, Tensor], names: Sequence[str], signed: bool = False) -> Figure:
    """Square tables of numbers side by side, each cell with its value: shares, or cosines where ``signed``.

    Args:
        tables: title to (C, C); rows are queries, columns keys.
        names: of the C channels.
        signed: colours from -1 to 1 instead of 0 to 1.
    """
    room, top, labels, gap = 84, 26, 62, 10

    def drawn(wide: bool) -> Figure:
        beside = len(tables) if wide else 1
        box = min(((plots.WIDTH if wide else NARROW) - room - gap * beside) // beside, 330)
        step = top + box + labels
        height = step * (len(tables) // beside)
        made = plots.figure(room + beside * (box + gap), height)
        for index, (title, table) in enumerate(tables.items()):
            row, column = divmod(index, beside)
            place = (room + column * (box + gap), height - (row + 1) * step + labels, box, box)
            _draw_table(made, place, table, names if column == 0 else (), names, signed, title)
        return made

    return wide_and_narrow(drawn)


def _draw_table(
    made: Figure,
    place: tuple[float, float, float, float],
    table: Tensor,
    rows: Sequence[str],
    columns: Sequence[str],
    signed: bool,
    title: str,
) -> None:
    """One table at (left, bottom, width, height) in pixels of the figure."""
    left, bottom, width, height = place
    wide, high = made.get_figwidth() * plots.DPI, made.get_figheight() * plots.DPI
    axes = made.add_axes((left / wide, bottom / high, width / wide, height / high))
    low, scale = (-1.0, "PuOr_r") if signed else (0.0, "cividis")
    axes.imshow(table.numpy(), vmin=low, vmax=1.0, cmap=colormaps[scale])
    axes.set_title(title, fontsize=9)
    axes.set_xticks(range(len(columns)), columns, rotation=50, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    if width / len(table) < 27:  # numbers would be too small to be read
        return
    for i, line in enumerate(table.tolist()):
        for j, value in enumerate(line):
            colour = "w" if (abs(value) > 0.6 if signed else value < 0.55) else "k"
            text = f"{round(value, 2) + 0.0:.2f}"  # the sum turns -0.0 into 0.0
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color=colour)


def render_attention(
    image: Tensor, temperature: float, at: tuple[int, int] = (0, 0), name: str = "photo"
) -> plots.Picture:
    """Who takes how much from whom in a photo, and one channel before and after; a frame of the explorer.

    Args:
        image: (1, 3, H, W) in [0, 1], at least 64 pixels high and wide.
        temperature: the cosines are multiplied by it; 0 or more.
        at: (top, left) of the 64x64 pixels that are shown at 2:1.
        name: of the photo, for the texts.
    """
    side, zoom = 64, 2
    channels = hand_made_channels(image)
    table = shares(channels, temperature)
    mixed, row = mix(channels, table), CHANNELS.index("diagonal")
    spread = 4 * channels[:, row : row + 1].std().clamp_min(1e-6)
    shown = {f"{name}, {side}x{side} pixels at {zoom}:1": image} | {
        f"its channel 'diagonal', {when}": (0.5 + every[:, row : row + 1] / spread).expand(-1, 3, -1, -1)
        for when, every in (("before", channels), ("after", mixed))
    }
    box = side * zoom

    def drawn(wide: bool) -> Figure:
        width, high, table_side = (plots.WIDTH, 500, 340) if wide else (NARROW, 380 + 3 * (box + 30), 256)
        made = plots.figure(width, high)
        place = (84, high - 40 - table_side, table_side, table_side)
        _draw_table(made, place, table, CHANNELS, CHANNELS, False, f"shares at temperature {temperature:g}")
        for index, (title, picture) in enumerate(shown.items()):
            left, bottom = 480 if wide else (width - box) // 2, (2 - index) * (box + 30) + (26 if wide else 0)
            axes = made.add_axes((left / width, bottom / high, box / width, box / high))
            pixels = to_array(plots.crop(picture, *at, side))
            axes.imshow(pixels.repeat(zoom, 0).repeat(zoom, 1), interpolation="none")
            axes.set_axis_off()
            axes.set_title(title, y=1.0, fontsize=9)
        return made

    own, others = table.diagonal().mean().item(), table - table.diagonal().diag()
    alt = f"{name}, temperature {temperature:g}: a channel keeps {own:.0%} of itself on average; the largest share "
    alt += f"that one takes from another is {others.max().item():.0%}."
    return plots.Picture(wide_and_narrow(drawn), alt)


def seam_error(function: Callable[[Tensor], Tensor], image: Tensor, tile: int, overlap: int) -> Tensor:
    """What tiling changes, (1, 1, H, W): the mean over colours of ``abs(tiled - whole)``, in grey levels of 255."""
    with torch.inference_mode():
        whole = function(image)
    return 255 * (tiled(function, image, tile, overlap) - whole).abs().mean(1, keepdim=True)


def render_tiles(
    functions: Mapping[str, Callable[[Tensor], Tensor]], image: Tensor, tile: int, overlap: int, full: float = 2.0
) -> plots.Picture:
    """Where tiles change the answers of up to three networks: one map each, the explorer's frame.

    Args:
        functions: title to network.
        image: (1, 3, H, W) in [0, 1], at most 220 pixels wide.
        tile, overlap: in pixels, as in :func:`tiled`.
        full: the error in grey levels that is drawn brightest.
    """
    if len(functions) > 3 or image.shape[-1] > 220:
        raise UsageError(f"expected up to 3 networks and 220 pixels, found {len(functions)} and {image.shape[-1]}")
    rows, columns = image.shape[-2:]
    errors = {name: seam_error(function, image, tile, overlap) for name, function in functions.items()}
    note = f"tile {tile}, overlap {overlap}: {work_factor(tile, overlap):.1f} times the work; "
    note += f"brightest = {full:g} grey levels of 255"

    def drawn(wide: bool) -> Figure:
        beside, width = (len(errors), plots.WIDTH) if wide else (1, NARROW)
        step, high = width // beside, rows + 54
        told = note if wide else note.replace("; ", ";\n")
        height = high * (len(errors) // beside) + (24 if wide else 38)
        made = plots.figure(width, height)
        for index, (name, error) in enumerate(errors.items()):
            top = height - index // beside * high
            x = index % beside * step + (step - columns) // 2
            axes = made.add_axes((x / width, (top - 54 - rows) / height, columns / width, rows / height))
            axes.imshow(colormaps["cividis"]((error[0, 0] / full).clamp(0, 1).numpy()), interpolation="none")
            axes.set_axis_off()
            text = f"{name}\nmean {error.mean().item():.3f}, largest {error.max().item():.2f}"
            made.text((x + columns / 2) / width, (top - 6) / height, text, ha="center", va="top", fontsize=9)
        made.text(0.5, 4 / height, told, ha="center", va="bottom", fontsize=8, color="#444444")
        return made

    means = ", ".join(f"{name} {error.mean().item():.3f}" for name, error in errors.items())
    figure = wide_and_narrow(drawn)
    return plots.Picture(figure, f"Tiles of {tile} pixels with overlap {overlap}: mean change in grey levels: {means}.")


def race_sentence(ends: Mapping[str, Sequence[float]], floor: float, mask: float) -> str:
    """How the first network of a race did against each other one, and where all stand beside what costs nothing.

    Args:
        ends: PSNR in dB of each network, one for each seed, by name; seeds are paired.
        floor, mask: PSNR of the input and of the tuned unsharp mask.
    """
    first, *others = ends
    told = []
    for other in others:
        mean, half = mean_interval([a - b for a, b in zip(ends[first], ends[other], strict=True)])
        verdict = "no difference shown" if abs(mean) <= half else f"{first if mean > 0 else other} is ahead"
        told.append(f"{first} minus {other} **{mean:+.2f} ± {half:.2f} dB**: **{verdict}**.")
    places = []
    for name, scores in ends.items():
        score = sum(scores) / len(scores)
        where = "above the mask" if score > mask else "below the mask" if score > floor else "below the input"
        places.append(f"{name} is **{where}** ({score:.2f} dB)")
    told.append(f"The input has {floor:.2f} dB, the tuned unsharp mask {mask:.2f} dB; {'; '.join(places)}.")
    return " ".join(told)
