"""The model card that every training leaves beside its checkpoint."""

from typing import Any

from kdsharp.recipes.plan import Recipe, Stage

PHOTOS = {
    "bundled": (
        "bundled training photos (`data/photos.toml`)",
        "the photos are CC0, in the public domain or without known restrictions, so that the weights have kdsharp's",
    ),
    "photos": (
        "150 sharp photos of CID22 (`kdsharp data get photos`)",
        "the photos have CC BY-SA 4.0; as weights may count as made from them, these have it too: name CID22, pass "
        "changed weights on under the same licence",
    ),
    "own": (
        "photos given with `--photos`",
        "that of the photos is yours to know, and whether it lets you pass weights on that were made from them",
    ),
}
"""What a network was trained on, and which licence the photos have and what follows for the weights."""


def model_card(recipe: Recipe, plan: Stage, meta: dict[str, Any], history: list[dict[str, float]]) -> str:
    """A model card in Markdown: what the network is, how it was made, its curve; scores are added by hand below it."""
    command = f"kdsharp train {meta['recipe']} --stage {meta['stage']} --profile {meta['profile']}"
    if meta["photos"] == "photos":
        command += " --photos photos"
    if "pairs" in meta:
        command += " --pairs FOLDER"
    if "start" in meta:
        command += f" --start {meta['start']}"
    made = {"dead-leaves": plan.leaves, "woven": plan.weaves}
    leaves = "".join(f" and {count} {kind} pictures" for kind, count in made.items() if count)
    pairs = meta.get("pairs", 0)
    beside = f"{pairs} real pair{'s' * (pairs != 1)}, a quarter of each batch" if pairs else "nothing else"
    data = f"{PHOTOS.get(meta['photos'], ('', ''))[0]}{leaves}; {beside}"
    if plan.contrast < 1:
        data += f"; {plan.altered:.0%} of the crops flatter (contrast down to {plan.contrast:g})"
    if plan.softness > 0:
        data += f"; {plan.altered:.0%} partly out of focus (sigma up to {plan.softness:g} pixels)"
    if plan.softness > 0 and plan.wholly > 0:
        data += f", {plan.wholly:.0%} of these all over"
    if plan.choices > 1:
        data += f"; of {plan.choices} crops the one with the most detail"
    count = meta.get("processes", 1)
    crops = f"{plan.batch}" if count == 1 else f"{count} x {plan.batch}"
    rows = [
        (
            "architecture",
            f"`{plan.architecture}`, {meta['parameters']:,} parameters, {meta['macs_per_pixel']:,} MACs a pixel",
        ),
        ("recipe", f"`{command}`"),
        ("data", "real pairs given with `--pairs`" if meta["photos"] == "pairs" else data),
        ("protocol", f"`{meta['protocol']}`"),
        ("loss", plan.loss if not meta["teacher"] else _distillation(plan, meta["teacher"])),
        ("run", f"{meta['steps']:,} steps of {crops} crops, {plan.crop}x{plan.crop}; seed {meta['seed']}"),
        ("optimizer", f"{plan.config.optimizer}, rate {plan.config.learning_rate:g}, {plan.config.schedule}"),
        ("time", f"{meta['hours']} h on {meta['device']}, precision {plan.config.precision}"),
        ("commit, date", f"{meta['commit']}, {meta['date']}"),
        ("held-out photos", f"{meta['psnr']:.2f} dB; the input itself has {meta['psnr_input']:.2f} dB"),
    ]
    licence = [PHOTOS[meta["photos"]][1]] if meta["photos"] in PHOTOS else []
    if "pairs" in meta or meta["photos"] == "pairs":
        licence.append("that of the pairs is yours to know, and what it asks of weights that were made from them")
    rows.insert(3, ("licence", "; ".join(licence)))
    if plan.branches:
        rows.append(("branches", "each 3x3 convolution was trained as three, folded into one afterwards"))
    if "ssim_to_teacher" in meta:
        rows.append(("SSIM to the teacher", f"{meta['ssim_to_teacher']} (agreement, not sharpness)"))
    if recipe.claim:
        rows.append(("the report's own claim", recipe.claim))
    if meta["left_out"]:
        rows.append(("left out", f"{', '.join(meta['left_out'])}: the VGG16 weights are not on this machine"))
    table = "\n".join(f"| {name} | {value} |" for name, value in rows)
    points = [row for row in history if "validation" in row]
    curve = "\n".join(f"| {row['step']:,} | {row['validation']:.2f} |" for row in points)
    notes = "".join(f"- {note}\n" for note in recipe.notes)
    return (
        f"# Model card: {plan.checkpoint}\n\n| | |\n|---|---|\n{table}\n"
        + (f"\n## Notes\n\n{notes}" if notes else "")
        + "\n## Curve\n\nPSNR in dB on the validation "
        f"photos at each saved state.\n\n| step | dB |\n|---|---|\n{curve}\n"
    )


def _distillation(plan: Stage, teacher: str) -> str:
    terms = ", ".join(f"{weight:g} x {name}" for name, weight in plan.terms)
    if plan.weighting == "uncertainty":
        return f"{plan.loss} and {terms}, weights learned, teacher `{teacher}`"
    mix = f"{plan.alpha:g} x ({plan.loss}) + {1 - plan.alpha:g} x ({terms})"
    if plan.weighting == "pull":
        mix += f", each term of the teacher at {plan.pull:g} times the pull of the truth"
    tempered = f", temperature {plan.temperature:g} spreads" if any(name == "channel" for name, _ in plan.terms) else ""
    return f"{mix}, teacher `{teacher}`{tempered}"
