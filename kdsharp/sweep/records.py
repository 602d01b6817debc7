"""Records: what each finished point leaves, and the one table made of them."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kdsharp.checks import UsageError, atomic_path
from kdsharp.evaluate import mean_interval
from kdsharp.sweep.points import Point

if TYPE_CHECKING:
    import pyarrow

Record = dict[str, Any]

TEXTS = ("status", "error", "worker", "host", "commit", "versions", "content")
FIXED = ("id", "target", "seed", "profile", "seconds", *TEXTS, "started", "finished")
"""Columns that every table has, besides parameters and results."""


def point_folder(out: Path, identity: str) -> Path:
    """Where the artefacts of a point are: its executed notebook, or its checkpoint and card."""
    return out / "points" / identity


def write_record(out: Path, record: Record) -> None:
    """Write one record, whole or not at all."""
    with atomic_path(point_folder(out, record["id"]).with_suffix(".json")) as file:
        file.write_text(json.dumps(record, indent=1), encoding="utf-8")


def read_records(out: Path) -> dict[str, Record]:
    """All records in the folder of a sweep, by the identity of their points.

    Raises:
        UsageError: for a file that is no record.
    """
    found = {}
    for path in sorted((out / "points").glob("*.json")):
        if path.name.startswith("."):
            continue  # a write that was cut short
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            found[record["id"]] = record
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path} is not the record of a point; remove it, and the point is run again") from None
    return found


def table(records: Iterable[Record]) -> "pyarrow.Table":
    """One row a point: target, parameters, seed, profile, results, seconds, status, and where the numbers come from.

    A parameter that a point does not have is null. A result called like a parameter or another column becomes
    ``result_NAME``. Times are UTC, ``versions`` is JSON.
    """
    import pyarrow as pa

    rows = list(records)
    parameters = sorted({name for row in rows for name in row["parameters"]})
    results = list(dict.fromkeys(name for row in rows for name in row["results"]))
    columns = {"id": pa.array([row["id"] for row in rows], pa.string())}
    columns["target"] = pa.array([row["target"] for row in rows], pa.string())
    for name in parameters:
        columns[name] = _column([row["parameters"].get(name) for row in rows])
    columns["seed"] = pa.array([row["seed"] for row in rows], pa.int64())
    columns["profile"] = pa.array([row["profile"] for row in rows], pa.string())
    for name in results:
        taken = name in parameters or name in FIXED
        columns[f"result_{name}" if taken else name] = _column([row["results"].get(name) for row in rows])
    columns["seconds"] = pa.array([row["seconds"] for row in rows], pa.float64())
    for name in TEXTS:
        columns[name] = pa.array([_text(row[name]) for row in rows], pa.string())
    for name in ("started", "finished"):
        times = [datetime.fromisoformat(row[name]) for row in rows]
        columns[name] = pa.array(times, pa.timestamp("us", tz="UTC"))
    return pa.table(columns)


def write_table(out: Path, records: Iterable[Record]) -> Path:
    """Write ``results.parquet``, whole or not at all; the newest points last."""
    import pyarrow.parquet

    path = out / "results.parquet"
    with atomic_path(path) as file:
        pyarrow.parquet.write_table(table(sorted(records, key=lambda row: row["finished"])), file)
    return path


def _column(values: list[Any]) -> "pyarrow.Array":
    """Integers, numbers, truth values or text, whichever holds all values; lists become JSON text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    for kind, allowed in ((pa.bool_(), {bool}), (pa.int64(), {int}), (pa.float64(), {int, float})):
        if kinds and kinds <= allowed:
            return pa.array(values, kind)
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


def summary(points: Sequence[Point], records: dict[str, Record]) -> list[dict[str, Any]]:
    """Means over the seeds, one row for each combination of parameters, in the grid's order.

    Each row holds ``parameters``, ``done`` and ``seeds`` (how many are finished, of how many), and ``results``: for
    each number its mean and the half-width of its 95 % interval, which is infinite for a single seed.
    """
    groups: dict[tuple, list[Point]] = {}
    for point in points:
        groups.setdefault(tuple((name, json.dumps(value)) for name, value in point.parameters), []).append(point)
    rows = []
    for members in groups.values():
        found = [records[point.identity] for point in members if is_done(records.get(point.identity))]
        names = dict.fromkeys(name for record in found for name in record["results"])
        results = {}
        for name in names:
            values = [record["results"].get(name) for record in found]
            numbers = [value for value in values if isinstance(value, (int, float)) and math.isfinite(value)]
            if numbers:
                results[name] = mean_interval(numbers)
        rows.append(
            {
                "parameters": dict(members[0].parameters),
                "done": len(found),
                "seeds": len(members),
                "results": results,
            }
        )
    return rows


def is_done(record: Record | None) -> bool:
    """Whether a point with this record needs no run; a failed one is tried again."""
    return record is not None and record["status"] == "done"
