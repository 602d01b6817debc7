"""torchvision, also where its compiled library does not fit (floor 0). Import it from here: ``from kdsharp.vision
import torchvision``.

The Linux wheel of torchvision is built against CUDA. Beside a CPU build of torch its library does not load, and the
import stops at ``operator torchvision::nms does not exist``. Everything of torchvision that is pure Python works once
the two missing operator schemas are declared, which this module does then, and only then.
"""

import importlib
import sys
from types import ModuleType

import torch

_declared: list[torch.library.Library] = []  # a library withdraws its schemas when it is collected


def _load() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    schemas = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        schemas.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(schemas)
    return importlib.import_module("torchvision")


torchvision = _load()
