"""Training batches: how fast beside a loader in the style of the reports, and whether memory grows with the data.

    python tests/benchmarks/loading.py

The reports' loaders open two image files an item with Pillow, resize both, and turn them into tensors. Aims: 3 times as
many crops a second; the same memory for 10 and for 10,000 pairs.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset

from kdsharp.datasets import Crops, PairCrops, PairedFolder, photos, training_pictures
from kdsharp.degrade import GaussianBlur, Shake

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
parser.add_argument("--pairs", type=int, default=10_000)
parser.add_argument("--quick", action="store_true", help="does it run?")
options = parser.parse_args()
seconds, many = (0.2, 20) if options.quick else (options.seconds, options.pairs)
torch.set_num_threads(1)
CROP, BATCH = 96, 8


class PerItem(Dataset):
    """One pair of files an item: opened, resized and made into tensors, each time it is asked for."""

    def __init__(self, folder: Path, side: int) -> None:
        self.names = sorted(path.name for path in (folder / "input").iterdir())
        self.folder, self.side = folder, side

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        pair = []
        for part in ("input", "target"):
            with Image.open(self.folder / part / self.names[index]) as image:
                pixels = np.array(image.convert("RGB").resize((self.side, self.side)))
            pair.append(torch.from_numpy(pixels).permute(2, 0, 1).float() / 255)
        return pair[0], pair[1]


def crops_a_second(batches) -> float:
    """Crops a second of an endless sequence of batches, after one that warms up."""
    iterator = iter(batches)
    next(iterator)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        count += len(next(iterator)[0])
    return count / (time.perf_counter() - start)


def endless(dataset):
    """Batches of a map-style dataset by number."""
    step = 0
    while True:
        yield dataset[step]
        step += 1


def again_and_again(loader):
    while True:
        yield from loader


def write_pairs(folder: Path, count: int) -> None:
    """``count`` pairs in the flat layout; after the first ones, links to them, so that the disk holds few pictures."""
    for part in ("input", "target"):
        (folder / part).mkdir(parents=True)
    rng, blur, originals = np.random.default_rng(0), GaussianBlur(), photos("train")
    for index, photo in enumerate(originals):
        sharp = blur.prepare(photo.pixels)
        Image.fromarray(sharp).save(folder / "target" / f"{index:05}.png")
        noisy = np.clip(sharp + rng.normal(0, 4, sharp.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / "input" / f"{index:05}.png")
    for index in range(len(originals), count):
        for part in ("input", "target"):
            os.link(folder / part / f"{index % len(originals):05}.png", folder / part / f"{index:05}.png")


def megabytes() -> float:
    return psutil.Process().memory_info().rss / 1e6


console = Console(width=110)
with tempfile.TemporaryDirectory() as temporary:
    few, lots = Path(temporary) / "few", Path(temporary) / "many"
    write_pairs(few, 10)
    write_pairs(lots, many)
    plain = crops_a_second(again_and_again(DataLoader(PerItem(few, CROP), BATCH, shuffle=True)))
    table = Table("batches of 8 crops of 96 pixels", "crops/s", "ratio", title="one process, one thread")
    table.add_row("a pair of files an item, as the reports load", f"{plain:.0f}", "1.0")
    pictures = training_pictures(Shake(), leaves=0)
    ready = [(str(index), each, each) for index, each in enumerate(pictures) if min(each.shape[:2]) >= CROP]
    for name, dataset in (
        ("PairCrops on a folder, four crops of each pair", PairCrops(PairedFolder(few), CROP, BATCH, each=4)),
        ("PairCrops on pairs in memory", PairCrops(ready, CROP, BATCH)),
        ("Crops, blurred by a trajectory of its own each", Crops(pictures, Shake(), CROP, BATCH)),
    ):
        rate = crops_a_second(endless(dataset))
        table.add_row(name, f"{rate:.0f}", f"{rate / plain:.1f}")
    console.print(table)
    table = Table("pairs in the folder", "MB before", "MB after opening", "MB after 200 batches")
    for folder, count in ((few, 10), (lots, many)):
        before = megabytes()
        dataset = PairCrops(PairedFolder(folder), CROP, BATCH, each=4)
        opened = megabytes()
        for step in range(4 if options.quick else 200):
            dataset[step]
        table.add_row(f"{count:,}", f"{before:.0f}", f"{opened:.0f}", f"{megabytes():.0f}")
    console.print(table)
