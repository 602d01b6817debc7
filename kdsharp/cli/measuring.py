"""``kdsharp evaluate``, ``tune`` and ``models``: measuring what there is."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from kdsharp.checks import UsageError, atomic_path, check_name, make_folder
from kdsharp.cli.shared import PlainTable, console, say, say_weights
from kdsharp.filters import FILTERS, ORACLES


def evaluate(
    model: Annotated[
        list[str] | None, typer.Option(help="A network or checkpoint file; repeat it for several.")
    ] = None,
    more: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Further models.")] = None,
    filter: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A classical filter, tuned on the training photos: {', '.join(FILTERS)}; or, where the protocol "
            f"knows its PSF, what could be done with it: {', '.join(ORACLES)}. Repeat it for several."
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="How blurred pairs are made; `shake`, or `gopro` with --pairs.")
    ] = None,
    photos: Annotated[
        Path | None, typer.Option(help="A folder of sharp photos; the held-out bundled ones by default.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="A folder of real pairs: GoPro's layout, or input/ and target/.")
    ] = None,
    blur: Annotated[str, typer.Option(help="GoPro's blurred folder: `blur` or `blur_gamma`.")] = "blur",
    jpeg: Annotated[
        int | None, typer.Option(min=1, max=100, help="Put the blurred images through JPEG of this quality first.")
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(
            help="A further measure as a column: `haarpsi`, `vif` (more is better), `gmsd` (less is). Repeat it."
        ),
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Say on which image each did worst, and on how many it lost.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the rows to a JSON file too.")
    ] = None,
) -> None:
    """Score networks and filters beside the input itself and a tuned unsharp mask.

    Example: `kdsharp evaluate --model small --filter polyblur --filter wiener --protocol shake`
    """
    from kdsharp import datasets, degrade
    from kdsharp import evaluate as scoring

    models, filters = [*(model or []), *(more or [])], filter or []
    for wanted in filters:
        check_name(wanted, [*FILTERS, *ORACLES], "filter")
    if not models and not filters:
        raise UsageError("there is nothing to compare; give a --model, a --filter, or both")
    if photos and pairs:
        raise UsageError("--photos and --pairs exclude each other; give one of them")
    name = check_name(protocol or ("gopro" if pairs else "shake"), degrade.PROTOCOLS, "protocol")
    if pairs is not None:
        if name != "gopro":
            raise UsageError(
                f"--pairs measures real pairs, protocol 'gopro'; {name!r} blurs sharp photos: use --photos"
            )
        found: Any = scoring.real_pairs(datasets.PairedFolder(pairs, blur=blur))
        count = 0
    else:
        degradation = degrade.protocol(name)
        chosen, left_out = datasets.folder_photos(photos) if photos else (datasets.photos("test"), [])
        if left_out:
            say(f"left out, not 8-bit RGB: {', '.join(left_out)}")
        found = datasets.synthetic_pairs(degradation, chosen)
        count = len(chosen)
    told = scoring.oracles([wanted for wanted in filters if wanted in ORACLES], name, count)
    say_weights(*models)
    functions = scoring.contestants(models, name, [wanted for wanted in filters if wanted in FILTERS]) | told
    if jpeg is not None:
        found = scoring.compressed(found, jpeg)
    if json_file is not None:
        make_folder(json_file.parent)
        if json_file.is_dir():
            raise UsageError(f"--json is a file, and {json_file} is a folder; give a name in it")
    measured = name if jpeg is None else f"{name}, JPEG {jpeg}"
    rows = scoring.evaluate(functions, found, measured, progress=True, measures=measure or ())
    table = PlainTable("model", title=f"protocol {measured}, {rows[0].images} images")
    for heading in ("PSNR (dB)", "SSIM", "SSIM volumetric", *rows[0].measures, "parameters", "ms/megapixel"):
        table.add_column(heading, justify="right")
    for row in rows:
        alike = (row.ssim, row.ssim_volumetric, *row.measures.values())
        numbers = (f"{row.psnr:.2f}", *(f"{value:.4f}" for value in alike), f"{row.parameters:,}")
        cost = f"{row.ms_per_megapixel:.0f}" if math.isfinite(row.ms_per_megapixel) else "-"
        table.add_row(row.model, *numbers, cost)
    console.print(table)
    if each:
        for row in (row for row in rows if row.model != "input"):
            lost = "none below its input" if not row.below else f"{row.below} of {row.images} below their input"
            say(f"{row.model}: worst on {row.worst}, {row.worst_gain:+.2f} dB against the input; {lost}")
    if json_file is not None:
        with atomic_path(json_file) as temporary:
            temporary.write_text(json.dumps([_finite(row.as_dict()) for row in rows], indent=1), encoding="utf-8")


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def models() -> None:
    """List what `--model` takes."""
    from kdsharp import checkpoints

    table = PlainTable("name", "trained for")
    for heading in ("parameters", "MACs/pixel", "PSNR (dB)", "input (dB)"):
        table.add_column(heading, justify="right")
    for name, path in checkpoints.bundled().items():
        meta = checkpoints.read_meta(path)
        size = (f"{meta['parameters']:,}", f"{meta['macs_per_pixel']:,}")
        table.add_row(name, meta["protocol"], *size, f"{meta['psnr']:.2f}", f"{meta['psnr_input']:.2f}")
    console.print(table)
    say(
        "PSNR on the held-out bundled photos. `--model` also takes the path of a .safetensors or .onnx file, or of an "
        "official .pth file of Restormer or NAFNet (data/README.md)."
    )


def tune(
    protocol: Annotated[
        list[str] | None, typer.Argument(help="Protocols; all synthetic ones when none is given.")
    ] = None,
    filter: Annotated[
        list[str] | None, typer.Option(help="A filter; repeat it for several. All when none is given.")
    ] = None,
    optimizers: Annotated[
        bool, typer.Option("--optimizers", help="Find each optimizer's learning rate for report A instead.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="File of the settings, `data/filters.toml` or `data/rates.toml`; what else is in it stays."),
    ] = None,
) -> None:
    """Find each filter's best settings on the training photos: the baselines of every table."""
    from tqdm.auto import tqdm

    from kdsharp import degrade, tune

    if optimizers:
        from kdsharp.recipes import RECIPES
        from kdsharp.recipes.rates import tune_rates, write_rates

        if protocol or filter:
            raise UsageError("--optimizers takes neither protocols nor filters")
        for name, scores in write_rates(
            out or Path("data/rates.toml"), tune_rates(RECIPES["report-a"], progress=True)
        ).items():
            say(f"{name}: rate {scores['rate']}, {scores['psnr']} dB on the validation photos")
        return
    out = out or Path("data/filters.toml")
    protocols = {
        name: degrade.protocol(name)
        for name in protocol or [name for name, found in degrade.PROTOCOLS.items() if found is not None]
    }
    names = [check_name(name, tune.GRIDS, "filter") for name in filter or tune.GRIDS]
    tasks = [(each, name) for each in protocols for name in names if name in FILTERS or tune.knows_psf(each)]
    if not tasks:
        raise UsageError(f"{', '.join(names)} needs the true PSF, which {', '.join(protocols)} does not have")
    for each, name in (bar := tqdm(tasks, unit="filter")):
        best, score = tune.tune(name, protocols[each], progress=True)
        tune.write(out, {each: {name: best | {"psnr": round(score, 2)}}})
        shown = ", ".join(f"{key} {value}" for key, value in best.items())
        bar.write(f"{each}: {name} with {shown}: {score:.2f} dB on the training photos")
