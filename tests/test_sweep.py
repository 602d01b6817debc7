"""Sweeps: grids and points, records and their table, and real workers that are killed, stopped, or not there."""

import contextlib
import dataclasses
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import distributed
import nbformat
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from kdsharp import checkpoints, cli
from kdsharp import sweep as sweeps
from kdsharp.checks import UsageError
from kdsharp.datasets import Photo
from kdsharp.recipes import rates, training
from kdsharp.sweep import (
    find_target,
    grid_points,
    parse_grid,
    read_records,
    run_point,
    summary,
    sweep,
    table,
)
from kdsharp.sweep import run as running

OFFLINE = Path(__file__).parent / "offline"

PARAMETERS = 'A = 0\nSEED = 0\nLOG = ""\nHOLD = -1'
WORK = """
import os, time
from pathlib import Path
from kdsharp.course import RESULT
from IPython.display import display
with open(LOG, "a") as log:
    log.write(f"{A} {HOLD} {os.getppid()} {os.getpid()}\\n")
if A == HOLD and not Path(LOG + ".go").exists():
    time.sleep(300)
display({RESULT: {"total": A + SEED, "A": -A, "name": f"run {A}"}}, raw=True)
"""
"""A lesson without kdsharp's own imports costs a second, not ten: it notes its worker, waits where it is told to."""


def notebook(path, work=WORK, parameters=PARAMETERS):
    cells = [nbformat.v4.new_code_cell(parameters), nbformat.v4.new_code_cell(work)]
    cells[0].metadata.tags = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


@dataclass(frozen=True)
class Sums:
    """A target that adds; ``trouble`` names the sum that it fails on while the file ``broken`` is in ``folder``."""

    folder: str
    trouble: float = math.inf
    main: ClassVar[tuple[str, ...]] = ("total",)
    label: ClassVar[str] = "sums"
    seeded: ClassVar[bool] = True

    def names(self):
        return ["A", "B"]

    def settle(self, parameters):
        return parameters

    def digest(self):
        return "one"

    def run(self, parameters, seed, profile, folder):
        total = sum(parameters.values()) + seed
        with open(Path(self.folder) / "log", "a") as log:
            log.write(f"{total:g}\n")
        if total == self.trouble and (Path(self.folder) / "broken").exists():
            raise ValueError("cannot add\n  this")
        (folder / "total.txt").write_text(str(total))
        return {"total": total, "profile": "taken"}


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler in this process, with one worker thread."""
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options, protocol="tcp", host="127.0.0.1") as cluster:
        yield cluster.scheduler_address


def log(path):
    return sorted(Path(path).read_text().split())


# Grids and points


@pytest.mark.parametrize(
    ("texts", "grid"),
    [
        ([], {}),
        (["ALPHA=0,0.25,1", "TEMPERATURE=1"], {"ALPHA": [0, 0.25, 1], "TEMPERATURE": [1]}),
        (["OPTIMIZER=adam, sgd"], {"OPTIMIZER": ["adam", "sgd"]}),
        (["LEARNING_RATE=tuned,1e-3"], {"LEARNING_RATE": ["tuned", 1e-3]}),
        (['MODELS=["small"],["small","teacher"]'], {"MODELS": [["small"], ["small", "teacher"]]}),
        (["loss=l1 + 0.5 ssim,mse"], {"loss": ["l1 + 0.5 ssim", "mse"]}),
    ],
)
def test_a_grid_is_read(texts, grid):
    assert parse_grid(texts) == grid


@pytest.mark.parametrize("text", ["ALPHA", "ALPHA=", "=1", "ALPHA= "])
def test_a_grid_without_name_or_values(text):
    with pytest.raises(UsageError, match="must be NAME=VALUE,VALUE,... such as ALPHA=0,0.5,1"):
        parse_grid([text])


def test_other_mistakes_in_a_grid():
    with pytest.raises(UsageError, match="names alpha twice"):
        parse_grid(["ALPHA=0", "alpha=1"])
    with pytest.raises(UsageError, match="nothing between two commas"):
        parse_grid(["OPTIMIZER=adam,,sgd"])


def test_every_combination_with_every_seed_once():
    points = grid_points(Sums(""), {"a": [0, 1, 1.0], "B": [5, 6]}, 3, "smoke")
    assert [(*dict(point.parameters).values(), point.seed) for point in points] == [
        (a, b, seed) for a in (0, 1) for b in (5, 6) for seed in range(3)
    ]
    assert {point.profile for point in points} == {"smoke"}
    assert len({point.identity for point in points}) == 12


def test_the_identity_of_a_point_says_what_decides_its_results():
    point = grid_points(Sums(""), {"A": [1], "B": [2]})[0]
    assert len(point.identity) == 16
    assert int(point.identity, 16)
    assert grid_points(Sums("elsewhere"), {"B": [2.0], "A": [1.0]})[0].identity == point.identity
    others = [{"seed": 1}, {"profile": "full"}, {"content": "two"}, {"parameters": (("A", 1), ("B", 3))}]
    found = {dataclasses.replace(point, **change).identity for change in others}
    assert len(found | {point.identity}) == 5


def test_an_edit_of_the_code_makes_other_points_an_edit_of_the_prose_does_not(tmp_path):
    path = notebook(tmp_path / "a.ipynb")
    before = find_target(str(path)).digest()
    book = nbformat.read(path, as_version=4)
    book.cells.append(nbformat.v4.new_markdown_cell("Read this."))
    nbformat.write(book, path)
    assert find_target(str(path)).digest() == before
    notebook(path, WORK + "\n1 + 1")
    assert find_target(str(path)).digest() != before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"C": [1]},), "unknown parameter of sums 'C'; choose one of: A, B"),
        (({"SEED": [1, 2]},), "--grid cannot hold SEED; use --seeds N"),
        (({"profile": ["lab"]},), "--grid cannot hold profile; use --profile"),
        (({"A": [1]}, 0), "--seeds is 0"),
        (({"A": [1]}, 1, "quick"), "unknown profile 'quick'"),
    ],
)
def test_impossible_points(arguments, message):
    with pytest.raises(UsageError, match=message):
        grid_points(Sums(""), *arguments)


# Targets


def test_a_lesson_takes_its_own_parameters_in_any_case():
    lesson = find_target("9")
    assert (lesson.label, lesson.names()) == ("09_distillation", ["ALPHA", "TEMPERATURE", "LABELS"])
    assert grid_points(lesson, {"alpha": [0.5]})[0].parameters == (("ALPHA", 0.5),)
    with pytest.raises(
        UsageError, match=r"'ALPHAA' \(did you mean 'ALPHA'\?\); choose one of: ALPHA, TEMPERATURE, LABELS"
    ):
        grid_points(lesson, {"ALPHAA": [0.5]})
    with pytest.raises(UsageError, match="ALPHA is 2, but it must be a number between 0 and 1"):
        grid_points(lesson, {"ALPHA": [0.5, 2]})


def test_a_recipe_takes_the_fields_of_its_training():
    names = find_target("shake").names()
    assert {"alpha", "temperature", "learning_rate", "optimizer", "steps", "loss", "batch"} <= set(names)
    assert not {"seed", "taps", "terms", "config", "checkpoint", "lab"} & set(names)
    assert not {"alpha", "temperature"} & set(find_target("shake", "teacher").names())
    points = grid_points(find_target("shake"), {"ALPHA": [1], "OPTIMIZER": ["adam", "sgd"], "LEARNING_RATE": ["tuned"]})
    found = [dict(point.parameters) for point in points]
    assert [row["learning_rate"] for row in found] == [rates.tuned_rate("adam"), rates.tuned_rate("sgd")]
    assert isinstance(found[0]["alpha"], float)


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (
            {"ALPHAA": [1]},
            r"shake student 'alphaa' \(did you mean 'alpha'\?\); choose one of: .*temperature",
        ),
        ({"ALPHA": [1.5]}, "alpha is 1.5, but it must be a number between 0 and 1"),
        ({"ALPHA": ["half"]}, "alpha is 'half', but it must be of type float"),
        ({"STEPS": [2.5]}, "steps is 2.5, but it must be of type int"),
        ({"STEPS": [True]}, "steps is True, but it must be of type int"),
        ({"LEARNING_RATE": [-1]}, "learning_rate is -1"),
        ({"OPTIMIZER": ["adm"]}, "unknown optimizer 'adm'"),
        ({"LOSS": ["l3"]}, "unknown"),
        ({"ARCHITECTURE": ["unett"]}, "unknown architecture 'unett'"),
    ],
)
def test_a_recipe_refuses_before_anything_runs(grid, message):
    with pytest.raises(UsageError, match=message):
        grid_points(find_target("shake"), grid)


def test_a_student_whose_teacher_is_not_there():
    with pytest.raises(UsageError, match="report-e student needs a teacher; make it with `kdsharp train report-e"):
        grid_points(find_target("report-e"), {"ALPHA": [1, 0.5]})
    assert grid_points(find_target("report-e"), {"ALPHA": [1]})
    assert grid_points(find_target("report-e", teacher="teacher"), {"ALPHA": [0.5]})


def test_another_teacher_makes_other_points(tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoints.bundled()["teacher"].read_bytes())
    one, same, other = (find_target("shake", teacher=each) for each in (None, str(copy), "small"))
    assert one.digest() == same.digest() != other.digest()
    assert one.digest() != find_target("report-d").digest()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shook",), r"unknown lesson or recipe 'shook' \(did you mean 'shake'\?\); .*09_distillation"),
        (("99",), "unknown lesson or recipe '99'"),
        (("9", "teacher"), "belong to recipes .* but 9 is none"),
        (("shake", "pupil"), "unknown stage 'pupil'"),
        (("report-d", "teacher"), "takes its teacher 'teacher' as it is; sweep over the student"),
        (("shake", None, "nobody"), "unknown model 'nobody'"),
        (("nowhere.ipynb",), "nowhere.ipynb does not exist"),
    ],
)
def test_impossible_targets(arguments, message):
    with pytest.raises(UsageError, match=message):
        find_target(*arguments)


def test_a_notebook_that_cannot_be_swept(tmp_path):
    (tmp_path / "a.ipynb").write_text("no notebook")
    with pytest.raises(UsageError, match="cannot be run"):
        find_target(str(tmp_path / "a.ipynb"))
    with pytest.raises(UsageError, match="give the cell that sets them the tag `parameters`"):
        find_target(str(notebook(tmp_path / "b.ipynb", parameters="")))
    seedless = find_target(str(notebook(tmp_path / "c.ipynb", parameters="A = 0")))
    assert len(grid_points(seedless, {"A": [1, 2]})) == 2
    with pytest.raises(UsageError, match="c has no parameter SEED: --seeds 3 would repeat one run"):
        grid_points(seedless, {"A": [1, 2]}, 3)


def test_a_point_of_a_recipe_is_trained(tmp_path, monkeypatch):
    """In smoke profile on one small photo; the state that only resuming needs is gone afterwards."""
    pixels = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    monkeypatch.setattr(training, "photos", lambda split: [Photo("a", pixels)])
    monkeypatch.setattr("kdsharp.recipes.batches.training_pictures", lambda *options, **more: [pixels])
    target = find_target("report-e", teacher="teacher")
    point = grid_points(target, {"ALPHA": [0.25], "STEPS": [4], "CROP": [40], "MARGIN": [4]}, 2, "smoke")[1]
    record = run_point(point, tmp_path)
    assert (record["status"], record["error"]) == ("done", None)
    results = record["results"]
    assert list(results) == ["psnr", "psnr_input", "ssim_to_teacher", "hours", "steps", "precision", "checkpoint"]
    assert results["checkpoint"] == f"points/{point.identity}/report-e.safetensors"
    meta = checkpoints.read_meta(tmp_path / results["checkpoint"])
    assert (meta["alpha"], meta["seed"], meta["steps"], meta["teacher"]) == (0.25, 1, 4, "teacher")
    assert meta["psnr"] == results["psnr"]
    assert not list((tmp_path / "points" / point.identity).rglob("state-*"))
    assert (tmp_path / "points" / point.identity / "student" / "history.json").is_file()


# Records and the table


def make_record(**changes):
    point = grid_points(Sums(""), {"A": [1], "B": [2]})[0]
    return running._record(point, running.datetime.now(running.UTC), 1.5, "tcp://w:1", {"total": 3}) | changes


def test_the_table_has_parameters_results_and_provenance_with_types():
    rows = [
        make_record(parameters={"A": 1, "B": 2.5}, results={"total": 3, "name": "x", "seed": 7, "fine": True}),
        make_record(
            parameters={"A": 2, "B": 1, "C": [1, 2]}, results={"total": 3.5, "A": 0.5}, status="failed", error="no"
        ),
    ]
    found = table(rows)
    assert found.column_names == [
        *("id", "target", "A", "B", "C", "seed", "profile"),
        *("total", "name", "result_seed", "fine", "result_A", "seconds"),
        *("status", "error", "worker", "host", "commit", "versions", "content", "started", "finished"),
    ]
    types = {field.name: field.type for field in found.schema}
    assert (types["A"], types["B"], types["C"], types["seed"]) == (pa.int64(), pa.float64(), pa.string(), pa.int64())
    assert (types["total"], types["name"], types["fine"]) == (pa.float64(), pa.string(), pa.bool_())
    assert (types["seconds"], types["error"]) == (pa.float64(), pa.string())
    assert types["started"] == types["finished"] == pa.timestamp("us", tz="UTC")
    assert found["C"].to_pylist() == [None, "[1, 2]"]
    assert found["error"].to_pylist() == [None, "no"]
    assert "torch" in json.loads(found["versions"][0].as_py())
    assert found["started"][0].as_py().isoformat() == rows[0]["started"]


def test_an_empty_table_can_be_written_and_read(tmp_path):
    pyarrow.parquet.write_table(table([]), tmp_path / "a.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == 0


def test_means_over_the_seeds_with_their_interval():
    points = grid_points(Sums(""), {"A": [1, 2]}, 3)
    values = iter([1.0, 2.0, 3.0, 5.0])
    records = {
        point.identity: make_record(id=point.identity, results={"total": next(values), "name": "x"})
        for point in points[:4]
    }
    records[points[4].identity] = make_record(id=points[4].identity, results={"total": 99.0}, status="failed")
    first, second = summary(points, records)
    assert (first["parameters"], first["done"], first["seeds"]) == ({"A": 1}, 3, 3)
    assert first["results"] == {"total": pytest.approx((2.0, 4.303 / math.sqrt(3)), rel=1e-3)}
    assert second["results"] == {"total": (5.0, math.inf)}
    assert second["done"] == 1


def test_what_is_no_record_is_named(tmp_path):
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "a.json").write_text("{")
    with pytest.raises(UsageError, match=r"a.json is not the record of a point; remove it"):
        read_records(tmp_path)


# The sweep


def test_a_failed_point_is_recorded_the_rest_goes_on_and_the_next_call_tries_it_alone(tmp_path, scheduler):
    target, out = Sums(str(tmp_path), trouble=12), tmp_path / "out"
    (tmp_path / "broken").touch()
    points = grid_points(target, {"A": [1, 2], "B": [10, 20]})
    records = sweep(points, out, scheduler=scheduler, progress=False)
    assert log(tmp_path / "log") == ["11", "12", "21", "22"]
    failed = [record for record in records.values() if record["status"] == "failed"]
    assert [(record["error"], record["results"]) for record in failed] == [("ValueError: cannot add this", {})]
    found = pyarrow.parquet.read_table(out / "results.parquet").to_pylist()
    assert len(found) == 4
    assert all(row["worker"].startswith(("tcp://127.0.0.1", "inproc")) and row["host"] for row in found)
    (tmp_path / "broken").unlink()
    records = sweep(points, out, scheduler=scheduler, progress=False)
    assert log(tmp_path / "log") == ["11", "12", "12", "21", "22"]
    assert {record["status"] for record in records.values()} == {"done"}
    more = grid_points(target, {"A": [1, 2, 3], "B": [10, 20]})
    sweep(more, out, scheduler=scheduler, progress=False)
    assert log(tmp_path / "log") == ["11", "12", "12", "13", "21", "22", "23"]
    rows = pyarrow.parquet.read_table(out / "results.parquet").to_pylist()
    assert sorted(row["total"] for row in rows) == [11, 12, 13, 21, 22, 23]
    assert {row["result_profile"] for row in rows} == {"taken"}
    assert (out / "points" / more[0].identity / "total.txt").read_text() == "11"


def test_when_all_is_done_no_worker_is_needed(tmp_path, monkeypatch):
    points = grid_points(Sums(str(tmp_path)), {"A": [1]})
    (tmp_path / "points").mkdir()
    record = run_point(points[0], tmp_path)
    (tmp_path / "points" / "a.json").write_text(json.dumps(record))
    monkeypatch.setattr(running, "local_workers", None)
    assert sweep(points, tmp_path, workers=1) == {points[0].identity: record}
    assert pyarrow.parquet.read_table(tmp_path / "results.parquet").num_rows == 1


def test_a_worker_with_another_version_of_the_target_fails_its_points(tmp_path):
    point = dataclasses.replace(grid_points(Sums(str(tmp_path)), {"A": [1]})[0], content="older")
    record = run_point(point, tmp_path)
    assert record["status"] == "failed"
    assert "has another version of sums than the sweep; update it there" in record["error"]


def test_a_point_whose_workers_all_died_has_failed(scheduler):
    point = grid_points(Sums(""), {"A": [1]})[0]

    class Dead:
        def result(self):
            raise distributed.KilledWorker("point", None, 3)

    record = running._outcome(Dead(), point)
    assert (record["status"], record["worker"]) == ("failed", None)
    assert record["error"] == "its worker died 4 times, perhaps for want of memory"
    assert table([record]).num_rows == 1


def test_a_scheduler_that_goes_away_is_one_sentence():
    class Cancelled:
        def result(self):
            raise distributed.CancelledError("point")

    with pytest.raises(UsageError, match="the Dask scheduler is gone; what is done is kept"):
        running._outcome(Cancelled(), grid_points(Sums(""), {})[0])


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "pyarrow" else object())
    with pytest.raises(UsageError, match=r"pyarrow is not installed; this needs: pip install 'kdsharp\[sweep\]'"):
        running.sweep([], "nowhere")


# The command, with real workers


def start(folder, *arguments, **environment):
    """The command in a session of its own, with every connection beyond this machine refused."""
    paths = os.pathsep.join([str(OFFLINE), str(OFFLINE.parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "kdsharp", "sweep", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": paths, "COLUMNS": "160"} | environment
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **pipes)


def runs(path):
    """(A, HOLD, worker, kernel) of every run that the notebook has noted."""
    return [tuple(map(int, line.split())) for line in path.read_text().splitlines()] if path.exists() else []


def wait_for(condition, process):
    deadline = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def busy_dashboard():
    """Another program on the port that Dask's dashboard asks for."""
    with socket.socket() as server:
        with contextlib.suppress(OSError):  # taken already: as good
            server.bind(("", 8787))
            server.listen()
        yield


def test_a_killed_worker_costs_its_own_point_and_ctrl_c_only_what_was_running(tmp_path, busy_dashboard):
    """Two workers, a grid of four: SIGKILL to one worker, Ctrl-C, and the same command again."""
    path, noted = notebook(tmp_path / "sum.ipynb"), tmp_path / "log"
    grid = ("--grid", "A=1,2", "--grid", "HOLD=-1,2", "--grid", f"LOG={noted}")
    process = start(tmp_path, path, *grid, "--workers", 2, "--out", "out")
    records = tmp_path / "out" / "points"
    wait_for(lambda: len(runs(noted)) == 4 and len(list(records.glob("[!.]*.json"))) == 3, process)
    held = next(run for run in runs(noted) if run[:2] == (2, 2))
    os.kill(held[2], signal.SIGKILL)
    wait_for(lambda: len(runs(noted)) == 5, process)
    again = runs(noted)[4]
    assert again[:2] == (2, 2)
    assert again[2] != held[2]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all its processes
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, output + errors
    assert "stopped; 3 of 4 points are kept, and the same command goes on" in errors
    for word in ("Traceback", "distributed", "WARNING", "KeyboardInterrupt"):
        assert word not in errors, errors
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert sorted((row["A"], row["HOLD"], row["total"], row["result_A"]) for row in rows) == [
        (1, -1, 1, -1),
        (1, 2, 1, -1),
        (2, -1, 2, -2),
    ]
    deadline = time.monotonic() + 60
    while any(is_alive(pid) for _, _, *pids in runs(noted) for pid in pids):
        assert time.monotonic() < deadline, "a worker or a kernel lives on"
        time.sleep(0.1)
    (tmp_path / "log.go").touch()
    process = start(tmp_path, path, *grid, "--workers", 2, "--out", "out")
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, output + errors
    assert "4 points, 3 of them finished before" in output
    assert "results.parquet" in output
    assert len(runs(noted)) == 6
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["done"] * 4
    assert len({row["worker"] for row in rows}) >= 2


@pytest.fixture
def command(monkeypatch, capsys):
    """The command in this process, which has torch and Dask already; returns status, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kdsharp", "sweep", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code, *capsys.readouterr()

    return call


def test_a_scheduler_that_does_not_answer(tmp_path, command):
    path, before = notebook(tmp_path / "sum.ipynb"), time.monotonic()
    status, _, errors = command(path, "--grid", "A=1", "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path / "out")
    assert time.monotonic() - before < 12
    assert status == 2
    assert errors.splitlines()[-1].startswith("kdsharp: no Dask scheduler answers at tcp://127.0.0.1:9")


def test_a_point_that_fails_ends_with_status_1_and_its_error(tmp_path, scheduler, command, monkeypatch):
    (tmp_path / "broken").touch()
    monkeypatch.setattr(sweeps, "find_target", lambda *options: Sums(str(tmp_path), trouble=12))
    options = ("--grid", "A=1,2", "--grid", "B=10", "--seeds", 2, "--scheduler", scheduler, "--out", tmp_path / "out")
    status, output, _ = command("sums", *options)
    assert status == 1
    assert "4 points, 0 of them finished before" in output
    assert output.count("FAILED") == 2
    assert "FAILED A 1, B 10, seed 1: ValueError: cannot add this" in output
    (tmp_path / "broken").unlink()
    status, output, _ = command("sums", *options)
    assert status == 0
    assert "4 points, 2 of them finished before" in output
    assert "11.5 ± 6.4" in output
    assert "results.parquet" in output


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("9", "--grid", "ALPHAA=1"), "did you mean 'ALPHA'"),
        (("9", "--grid", "ALPHA=1", "--workers", 0), "--workers is 0"),
        (("shake", "--grid", "ALPHA=1", "--workers", 2, "--scheduler", "tcp://a:1"), "exclude each other"),
    ],
)
def test_mistakes_are_one_sentence(command, tmp_path, monkeypatch, arguments, word):
    monkeypatch.chdir(tmp_path)
    status, _, errors = command(*arguments)
    assert status == 2
    assert word in errors
    assert errors.count("\n") == 1
