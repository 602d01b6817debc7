"""Run a submission inside the sandbox: ``python runner.py JOB SCRATCH``.

``JOB`` is read-only: ``job.json`` (limits, names of the questions), ``notebook.ipynb``, a file for each question, and
matplotlib's list of fonts. What happens is written to standard output as it happens, in frames: a line of JSON, and
where it says ``length``, so many bytes after it. A submission that is stopped from outside has then said what it had
to say until there.
"""

import asyncio
import contextlib
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

# jsonschema, which nbformat imports, would build the grammar of web addresses: two seconds for each submission, for a
# check that the format of notebooks does not ask for. It does without where there is no such package.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import nbformat  # noqa: E402
import psutil  # noqa: E402
from jupyter_client.manager import AsyncKernelManager  # noqa: E402
from nbclient import NotebookClient  # noqa: E402
from nbclient.exceptions import CellExecutionError, DeadKernelError  # noqa: E402

HERE = Path(__file__).resolve().parent


class Client(NotebookClient):
    """An nbclient that forgets what a cell puts out beyond a limit: a gigabyte printed is not a gigabyte kept."""

    def __init__(self, *given: Any, most: int, **options: Any) -> None:
        super().__init__(*given, **options)
        self.most, self.count, self.counted = most, 0, -1

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        if cell_index != self.counted:
            self.count, self.counted = 0, cell_index
        if msg["msg_type"] in ("stream", "display_data", "execute_result", "update_display_data", "error"):
            self.count += len(json.dumps(msg["content"], default=str))
            if self.count > self.most:
                cell.metadata["cut"] = True
                return None
        if msg["msg_type"].startswith("comm"):
            return None
        return super().process_message(msg, cell, cell_index)


def say(frame: dict[str, Any], content: bytes = b"") -> None:
    """One frame to whoever waits outside."""
    if content:
        frame = frame | {"length": len(content)}
    sys.stdout.buffer.write(json.dumps(frame).encode() + b"\n" + content)
    sys.stdout.buffer.flush()


class Run:
    """One notebook in one kernel, or up to three: what ended one, a cell or a question, is left out of the next.

    Seconds are the processor's, so that a busy machine costs nobody a point; who only waits is stopped by the clock,
    after ``patience`` times as many.
    """

    def __init__(self, job: Path, scratch: Path) -> None:
        self.job, self.scratch = job, scratch
        self.limits = json.loads((job / "job.json").read_text(encoding="utf-8"))
        self.notebook = nbformat.read(job / "notebook.ipynb", as_version=4)
        Path(os.environ["MPLCONFIGDIR"]).mkdir(exist_ok=True)
        for fonts in job.glob("fontlist-*.json"):
            shutil.copyfile(fonts, Path(os.environ["MPLCONFIGDIR"], fonts.name))
        self.count = len(self.notebook.cells)
        self.left_out: set[int] = set()
        self.asked: set[str] = set()
        self.before = self.seen = 0.0

    async def start(self) -> None:
        """A fresh kernel, reached by files: the sandbox has no network."""
        self.before = self.seen
        manager = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=str(self.scratch / "kernel"))
        self.client: Any = Client(
            self.notebook,
            km=manager,
            most=self.limits["output"],
            timeout=None,
            startup_timeout=int(self.limits["cell"] * self.limits["patience"]),
            allow_errors=True,
            store_widget_state=False,
            record_timing=False,
        )
        self.client.reset_execution_trackers()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        await self.client.async_start_new_kernel(cwd=str(self.scratch), stdout=nowhere, stderr=nowhere)
        await self.client.async_start_new_kernel_client()

    def spent(self) -> float:
        """Processor seconds of the kernel, and of what it started and saw end."""
        with contextlib.suppress(psutil.Error, AttributeError):  # a kernel that has ended
            self.seen = self.before + sum(psutil.Process(self.client.km.provisioner.pid).cpu_times()[:4])
        return self.seen

    def left(self) -> float:
        return self.limits["seconds"] - self.spent()

    async def cells(self) -> int | None:
        """Run the cells, telling each; the place of one that ended the kernel, or None."""
        for place, cell in enumerate(self.notebook.cells[: self.count]):
            if cell.cell_type != "code" or place in self.left_out:
                continue
            left = self.left() - self.limits["reserve"]
            if left < 1:
                say({"cell": place, "trouble": "not run: the time of the whole notebook was used up"})
                continue
            started = self.spent()
            try:
                trouble = await self.execute(cell, place, min(left, self.limits["cell"]))
            except DeadKernelError:
                say({"cell": place, "trouble": "this cell ended the kernel"})
                return place
            if cell.metadata.pop("cut", False):
                trouble = trouble or "it put out more than is kept"
            said = {"cell": place, "outputs": cell.outputs, "seconds": round(self.spent() - started, 2)}
            say(said | ({"trouble": trouble} if trouble else {}))
        return None

    async def execute(self, cell: Any, place: int, limit: float) -> str:
        """Run one cell; what went wrong with its time. A kernel that does not stop when told to counts as ended."""
        cpu, clock = self.spent(), time.monotonic()
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, place))
        stopped = ""
        while not task.done():
            await asyncio.wait([task], timeout=0.2)
            waited = time.monotonic() - clock
            if task.done() or self.spent() - cpu < limit and waited < limit * self.limits["patience"]:
                continue
            if stopped:
                task.cancel()
                raise DeadKernelError("did not stop")
            stopped = f"stopped after {limit:.0f} seconds"
            await self.client.km.interrupt_kernel()
            cpu, clock, limit = self.spent(), time.monotonic(), self.limits["grace"]
        with contextlib.suppress(CellExecutionError):
            task.result()
        return stopped

    async def questions(self) -> str:
        """Ask each question and pass its answer on; the one at which the kernel ended, or ''."""
        for number, (name, seconds) in enumerate(self.limits["questions"]):
            if name in self.asked:
                continue
            self.asked.add(name)
            out = self.scratch / f"answer-{number}"
            asked = [str(self.job / f"question-{number}"), str(HERE.parent / "packing.py"), str(out)]
            code = f"__import__('runpy').run_path({str(HERE / 'answering.py')!r})['answer'](*{asked!r}, globals())"
            self.notebook.cells.append(cell := nbformat.v4.new_code_cell(code))
            left = self.left()
            if left < 1:
                say({"answer": name, "trouble": "not asked: the time of the whole notebook was used up"})
                continue
            try:
                late = await self.execute(cell, len(self.notebook.cells) - 1, min(left, seconds))
            except DeadKernelError:
                say({"answer": name, "trouble": "the kernel ended while it answered"})
                return name
            errors = [each for each in cell.outputs if each.output_type == "error"]
            if late or errors:
                said = late or f"{errors[0].ename}: {errors[0].evalue}"[:500]
                say({"answer": name, "trouble": said})
            elif out.is_file() and not out.is_symlink() and out.stat().st_size <= self.limits["answer"]:
                say({"answer": name}, out.read_bytes())
            else:
                say({"answer": name, "trouble": "no answer was written, or one that is too large"})
        return ""

    async def whole(self) -> None:
        for _ in range(3):
            await self.start()
            ended = await self.cells()
            if ended is not None:
                self.left_out.add(ended)
            elif not await self.questions():
                break
            with contextlib.suppress(Exception):  # what did not stop when it was told to
                await self.client.km.shutdown_kernel(now=True)
        say({"end": True})


if __name__ == "__main__":
    run = Run(Path(sys.argv[1]), Path(sys.argv[2]))
    asyncio.run(run.whole())
    os._exit(0)  # whatever still runs in the sandbox ends with it
