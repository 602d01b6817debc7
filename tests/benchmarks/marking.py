"""Mark many submissions of a lab: seconds each, memory, processes left over, disk before and after.

python tests/benchmarks/marking.py --lab lab1 --count 100
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import psutil

from kdsharp.labs import find_lab, source

parser = argparse.ArgumentParser()
parser.add_argument("--lab", default="lab1")
parser.add_argument("--count", type=int, default=100)
parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
parser.add_argument("--quick", action="store_true", help="two submissions")
given = parser.parse_args()
count = 2 if given.quick else given.count

lab = find_lab(given.lab)
me = psutil.Process()
with tempfile.TemporaryDirectory() as place:
    with zipfile.ZipFile(f"{place}/all.zip", "w") as archive:
        for number in range(count):
            archive.write(source(lab), f"Person {number}_{1000 + number}_assignsubmission_file_/{lab.name}.ipynb")
    call = [sys.executable, "-m", "kdsharp", "labs"]
    subprocess.run([*call, "collect", lab.name, "all.zip"], cwd=place, check=True, stdout=subprocess.DEVNULL)
    before, start = shutil.disk_usage("/").used, time.monotonic()
    command = [*call, "mark", lab.name, "--workers", str(given.workers)]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peaks: list[float] = []
    while process.poll() is None:
        try:
            peaks.append(psutil.Process(process.pid).memory_info().rss / 2**20)
        except psutil.Error:
            break
        time.sleep(1)
    seconds = time.monotonic() - start
    results = list(Path(place, "my-class", "results", lab.name).glob("*.json"))
    kept = sum(path.stat().st_size for path in Path(place, "my-class").rglob("*") if path.is_file()) / 2**20
    tenth = max(1, len(peaks) // 10)
    print(f"{len(results)} of {count} marked, exit status {process.returncode}, {given.workers} side by side")
    print(f"{seconds / count:.1f} s a submission, {seconds:.0f} s in all")
    print(f"memory of the marking: {max(peaks[: 2 * tenth]):.0f} MB at first, {max(peaks[-tenth:]):.0f} MB at the end")
    print(f"processes left over: {len(me.children(recursive=True))}")
    print(
        f"class folder: {kept:.0f} MB; disk beside it: {(shutil.disk_usage('/').used - before) / 2**20 - kept:+.0f} MB"
    )
