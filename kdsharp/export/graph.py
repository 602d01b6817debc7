"""ONNX files: any photo size, as float images or as uint8 pixels."""

import logging
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from kdsharp.checks import UsageError, atomic_path
from kdsharp.export.fold import Core, FoldedCore, core
from kdsharp.export.quantize import quantize

LEVEL = np.float32(1 / 255)


def export(
    model: nn.Module,
    path: str | Path,
    fold: bool = True,
    pixels: bool = False,
    calibration: Iterable[np.ndarray] | None = None,
) -> Path:
    """Write a network as an ONNX file for photos of any size.

    Args:
        model: from (1, 3, H, W) in [0, 1] to the same shape.
        path: the file, which appears whole or not at all.
        fold: see :func:`kdsharp.export.core`.
        pixels: the file takes and gives ``pixels``, uint8 (1, H, W, 3), as videos and cameras have them; otherwise
            ``image``, float32 (1, 3, H, W) in [0, 1], not clamped.
        calibration: images for :func:`kdsharp.export.quantize`, where the convolutions are to compute in 8 bits.

    Raises:
        UsageError: for a network whose operations have no ONNX form.
    """
    return write(trace(core(model, fold)), path, pixels, calibration)


def write(
    found: onnx.ModelProto, path: str | Path, pixels: bool = False, calibration: Iterable[np.ndarray] | None = None
) -> Path:
    """Write a traced core as a file; tracing takes seconds, so one trace serves all forms. Arguments as in `export`."""
    if calibration is not None:
        found = quantize(found, calibration)
    with atomic_path(path) as temporary:
        onnx.save(wrap(found, pixels), temporary)
    return Path(path)


def trace(inner: Core | FoldedCore) -> onnx.ModelProto:
    """The core as ONNX: input ``image``, output ``answer``, sides any multiple of ``multiple``."""
    multiple = inner.multiple
    high = {axis: multiple * torch.export.Dim(name, min=2, max=4096) for axis, name in ((2, "rows"), (3, "columns"))}
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)  # it warns of torchvision operators, which no network here has
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of onnxscript's and torch's own deprecations
            program = torch.onnx.export(
                inner,
                (torch.zeros(1, 3, 6 * multiple, 8 * multiple),),
                dynamo=True,
                verbose=False,
                input_names=["image"],
                output_names=["answer"],
                dynamic_shapes=(high,),
            )
    except (torch.onnx.OnnxExporterError, torch._dynamo.exc.UserError) as error:
        kind = type(inner.model).__name__
        raise UsageError(f"{kind} has no ONNX form ({str(error).splitlines()[0]}); export a U-Net student") from None
    finally:
        logger.setLevel(level)
    assert program is not None
    found = program.model_proto
    for node in found.graph.node:
        del node.metadata_props[:]  # the stack at which each was traced: half of a small file
        node.doc_string = ""
    del found.graph.value_info[:]
    found.metadata_props.add(key="kdsharp_multiple", value=str(multiple))
    if hasattr(inner.model, "whole"):
        found.metadata_props.add(key="kdsharp_whole", value=str(inner.model.whole))
    found.metadata_props.add(key="kdsharp_residual", value=str(int(inner.residual)))
    return found


def wrap(found: onnx.ModelProto, pixels: bool) -> onnx.ModelProto:
    """Put padding and cropping around a traced core, and the change between uint8 pixels and float images.

    Pixels are padded, transposed and added to as bytes: at Full HD a float image has 25 MB, and each pass over one
    costs as much as a small convolution. ``QLinearAdd`` is ONNX Runtime's addition of quantised tensors; with one
    scale of 1/255 for both it is a saturating addition of the residual, rounded to whole levels, to the pixels. A
    residual beyond 128 levels is cut there.
    """
    facts = {entry.key: int(entry.value) for entry in found.metadata_props if entry.key.startswith("kdsharp_")}
    multiple, residual = facts["kdsharp_multiple"], bool(facts["kdsharp_residual"])
    channels = found.graph.output[0].type.tensor_type.shape.dim[1].dim_value
    before, after = (_pixel_ends if pixels else _float_ends)(residual)
    axes = (1, 2) if pixels else (2, 3)
    name, kind = ("pixels", TensorProto.UINT8) if pixels else ("image", TensorProto.FLOAT)
    shape: list[str | int | None] = [1, "height", "width", 3] if pixels else [1, 3, "height", "width"]
    body = [_renamed(node) for node in found.graph.node]
    constants: dict[str, np.ndarray] = {
        "axes": np.array(axes, np.int64),
        "zeros": np.zeros(2, np.int64),
        "multiple": np.array([multiple, multiple], np.int64),
        "level": np.array(LEVEL),
        "none": np.array(0, np.uint8),
        "middle": np.array(128, np.uint8),
        "three_rows": np.array([3, -1], np.int64),
        "rows": np.array([channels, -1], np.int64),
    }
    nodes = [*_pad(name, axes), *before, *body, *after, _node("Slice", ["whole", "zeros", "size", "axes"], "sharpened")]
    used = {each for node in nodes for each in node.input}
    graph = helper.make_graph(
        nodes,
        "kdsharp",
        [helper.make_tensor_value_info(name, kind, shape)],
        [helper.make_tensor_value_info("sharpened", kind, shape)],
        [
            *(_renamed_tensor(tensor) for tensor in found.graph.initializer),
            *(numpy_helper.from_array(value, key) for key, value in constants.items() if key in used),
        ],
    )
    domains = {each.domain: each.version for each in found.opset_import} | {"com.microsoft": 1}
    opsets = [helper.make_opsetid(domain, version) for domain, version in domains.items()]
    whole = helper.make_model(graph, opset_imports=opsets, ir_version=found.ir_version)
    whole.metadata_props.extend(entry for entry in found.metadata_props if entry.key == "kdsharp_whole")
    onnx.checker.check_model(whole)
    return whole


def _node(kind: str, inputs: list[str], output: str, domain: str = "", **attributes) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], domain=domain, **attributes)


def _pad(name: str, axes: tuple[int, int]) -> list[onnx.NodeProto]:
    """Reflect right and bottom until both sides divide: -size mod multiple, as ``images.pad_to_multiple`` does it."""
    return [
        _node("Shape", [name], "size", start=axes[0], end=axes[1] + 1),
        _node("Neg", ["size"], "negative"),
        _node("Mod", ["negative", "multiple"], "missing"),
        _node("Concat", ["zeros", "missing"], "pads", axis=0),
        _node("Pad", [name, "pads", "", "axes"], "padded", mode="reflect"),
    ]


def _float_ends(residual: bool) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto]]:
    before = [_node("Identity", ["padded"], "core_image")]
    if not residual:
        return before, [_node("Identity", ["core_answer"], "whole")]
    return before, [_node("Add", ["padded", "core_answer"], "whole")]


def _pixel_ends(residual: bool) -> tuple[list[onnx.NodeProto], list[onnx.NodeProto]]:
    before = [
        _node("Transpose", ["padded"], "planes", perm=[0, 3, 1, 2]),
        _node("DequantizeLinear", ["planes", "level", "none"], "core_image"),
    ]
    if not residual:
        return before, [
            _node("QuantizeLinear", ["core_answer", "level", "none"], "answer_planes"),
            _node("Transpose", ["answer_planes"], "whole", perm=[0, 2, 3, 1]),
        ]
    scales = ["level", "none"]
    return before, [
        # flat, so that ONNX Runtime does not move the transposition across the addition, which is then far slower
        _node("QuantizeLinear", ["core_answer", "level", "middle"], "residual"),
        _node("Reshape", ["planes", "three_rows"], "flat_planes"),
        _node("Reshape", ["residual", "rows"], "flat_residual"),
        _node(
            "QLinearAdd",
            ["flat_planes", *scales, "flat_residual", "level", "middle", *scales],
            "flat_sum",
            domain="com.microsoft",
        ),
        _node("Shape", ["planes"], "planes_size"),
        _node("Reshape", ["flat_sum", "planes_size"], "sum"),
        _node("Transpose", ["sum"], "whole", perm=[0, 2, 3, 1]),
    ]


def _renamed(node: onnx.NodeProto) -> onnx.NodeProto:
    """A node of the core, with names that none of the wrapper's can meet."""
    copied = onnx.NodeProto()
    copied.CopyFrom(node)
    del copied.input[:], copied.output[:]
    copied.input.extend(f"core_{name}" if name else "" for name in node.input)
    copied.output.extend(f"core_{name}" for name in node.output)
    return copied


def _renamed_tensor(tensor: onnx.TensorProto) -> onnx.TensorProto:
    copied = onnx.TensorProto()
    copied.CopyFrom(tensor)
    copied.name = f"core_{tensor.name}"
    return copied
