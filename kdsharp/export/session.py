"""Running an ONNX file on photos."""

import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from kdsharp import checkpoints
from kdsharp.checks import UsageError, check_readable
from kdsharp.export.graph import export
from kdsharp.images import to_array, to_tensor


def load(name: str | Path, threads: int = 0) -> "Session":
    """An ONNX file, or a checkpoint by name or file, exported on the way (which takes a few seconds)."""
    if Path(name).suffix == ".onnx":
        check_readable(name)
        if not Path(name).is_file():
            raise UsageError(f"{name} does not exist; write it with: kdsharp export MODEL {name}")
        return Session(name, threads)
    with tempfile.TemporaryDirectory() as folder:
        return Session(export(checkpoints.load(name).model, Path(folder) / "model.onnx", pixels=True), threads)


class Session:
    """An exported network as a function of images, for everything that takes a network or a filter.

    Args:
        model: an ONNX file of :func:`kdsharp.export.export`, or its bytes.
        threads: of ONNX Runtime; 0 takes one for each core.

    Raises:
        UsageError: for a file that is damaged or was not written by kdsharp.
    """

    def __init__(self, model: str | Path | bytes, threads: int = 0) -> None:
        shown = "the exported network" if isinstance(model, bytes) else str(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        except Exception:  # ONNX Runtime's own errors share no base class
            raise UsageError(f"{shown} is damaged or no ONNX file that runs here; export it again") from None
        facts = self._session.get_modelmeta().custom_metadata_map
        if "kdsharp_whole" in facts:  # the largest piece that it may see (see kdsharp.inference)
            self.whole = int(facts["kdsharp_whole"])
        self._form = self._session.get_inputs()[0].name
        outputs = [each.name for each in self._session.get_outputs()]
        if self._form not in ("image", "pixels") or outputs != ["sharpened"]:
            found = f"it takes {self._form!r} and gives {outputs}"
            raise UsageError(f"{shown} was not written by `kdsharp export`: {found}")

    def __call__(self, image: Tensor) -> Tensor:
        """(1, 3, H, W) in [0, 1] to the same; with a file of the ``pixels`` form through 8 bits on both sides."""
        if self._form == "image":
            given = np.ascontiguousarray(image.numpy())
            return torch.from_numpy(self._run(given, rows_axis=2))
        return to_tensor(self._run(to_array(image)[None], rows_axis=1)[0])

    def pixels(self, photo: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) to the same, without a float image on the way where the file has the ``pixels`` form."""
        if self._form == "pixels":
            return self._run(np.ascontiguousarray(photo)[None], rows_axis=1)[0]
        return to_array(self(to_tensor(photo)))

    def _run(self, given: np.ndarray, rows_axis: int) -> np.ndarray:
        """Images of under 16 pixels a side are continued by repetition first: reflection has nothing to reflect."""
        height, width = given.shape[rows_axis : rows_axis + 2]
        missing = [(0, 0)] * 4
        missing[rows_axis], missing[rows_axis + 1] = (0, max(0, 16 - height)), (0, max(0, 16 - width))
        if min(height, width) < 16:
            given = np.pad(given, missing, mode="edge")
        (answer,) = self._session.run(None, {self._form: given})
        keep = [slice(None)] * 4
        keep[rows_axis], keep[rows_axis + 1] = slice(height), slice(width)
        return answer[tuple(keep)]
