"""Networks as ONNX files, folded and in 8 bits, and running them (floor 5; lessons 08 and 14).

ONNX is what browsers, phones and other languages run. Needs the extra ``kdsharp[export]``.
"""

from kdsharp.checks import check_installed

check_installed(("onnx", "onnxruntime", "onnxscript"), "export")

from kdsharp.export.fold import core, fold_stem  # noqa: E402
from kdsharp.export.graph import export, trace, write  # noqa: E402
from kdsharp.export.quantize import quantize  # noqa: E402
from kdsharp.export.session import Session, load  # noqa: E402

__all__ = ["Session", "core", "export", "fold_stem", "load", "quantize", "trace", "write"]
