"""``kdsharp export``: a network for other programs."""

from pathlib import Path
from typing import Annotated

import typer

from kdsharp.checks import UsageError
from kdsharp.cli.shared import PlainTable, console


def export(
    model: Annotated[str, typer.Argument(help="A network: see `kdsharp models`; or a checkpoint file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="The file to write.")],
    fold: Annotated[
        bool,
        typer.Option(
            help="Sum train-time branches into plain convolutions, and luma and PixelUnshuffle into the first."
        ),
    ] = True,
    int8: Annotated[bool, typer.Option("--int8", help="Convolutions in 8 bits; says what that costs in dB.")] = False,
    pixels: Annotated[
        bool,
        typer.Option("--pixels", help="Take and give uint8 (1, H, W, 3) instead of float32 (1, 3, H, W) in [0, 1]."),
    ] = False,
) -> None:
    """Write a network as an ONNX file for photos of any size, and check it against PyTorch.

    Example: `kdsharp export small small.onnx`, then `kdsharp sharpen photo.jpg --model small.onnx --out sharper`
    """
    if out.suffix != ".onnx":
        raise UsageError(f"{out} does not end in .onnx; name the file so that other programs know it")
    from kdsharp import checkpoints
    from kdsharp import export as onnx
    from kdsharp.degrade import PROTOCOLS
    from kdsharp.export import measure

    found = checkpoints.load(model)
    protocol = str(found.meta.get("protocol"))
    if PROTOCOLS.get(protocol) is None:  # real pairs, of which none come with kdsharp
        protocol = "shake"
    calibration = measure.calibration_images(protocol) if int8 else None
    with console.status("tracing the network"):
        onnx.export(found.model, out, fold, pixels, calibration)
    facts = measure.facts(found.model, out, protocol)
    table = PlainTable("", "PyTorch", "ONNX Runtime", title=str(out))
    table.add_row("largest difference", "", f"{facts.difference:.1e}" + (" (8 bits)" if int8 or pixels else ""))
    table.add_row("1920x1080, ms", f"{facts.torch_ms:.0f}", f"{facts.onnx_ms:.0f}")
    table.add_row(f"{protocol}, held-out photos, dB", f"{facts.torch_psnr:.2f}", f"{facts.onnx_psnr:.2f}")
    table.add_row("file, kB", "", f"{out.stat().st_size / 1e3:.0f}")
    console.print(table)
    if not (int8 or pixels) and facts.difference > 1e-4:
        raise UsageError(f"{out} differs from PyTorch by {facts.difference:.1e}, more than 1e-4; do not use it")
