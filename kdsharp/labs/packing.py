"""Questions and answers as bytes: a safetensors file with JSON in its description, and arrays.

No pickle, no compression, so neither code nor a bomb: what is unpacked is never larger than what was packed. This file
imports nothing of kdsharp, because the kernel of a submission loads it by its path.
"""

import json
import sys
from typing import Any

import numpy as np
import safetensors.numpy

ARRAY, TENSOR = "$array", "$tensor"
DEEPEST = 20
"""How many lists and dicts may lie in each other."""


def pack(value: Any) -> bytes:
    """An array, a tensor, a number, a text, None, or lists and dicts of them, as bytes.

    Raises:
        TypeError: for anything else.
    """
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(_plain(value, arrays, 0))
    return safetensors.numpy.save(arrays, metadata={"value": text})


def unpack(content: bytes, tensors: bool = False) -> Any:
    """What :func:`pack` was given; tuples are lists then, and tensors are arrays unless they are asked for.

    The bytes may be a stranger's.

    Raises:
        ValueError: when they are something else, or lie deeper than :data:`DEEPEST`.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        if not 2 <= length <= len(content) - 8:
            raise ValueError("not an answer file")
        text = json.loads(content[8 : 8 + length])["__metadata__"]["value"]
        return _rich(json.loads(text), safetensors.numpy.load(content), tensors, 0)
    except RecursionError:
        raise ValueError("lists and dicts lie too deep in each other") from None
    except Exception as error:  # the library has several of its own
        raise ValueError(f"cannot be read ({type(error).__name__}: {str(error)[:200]})") from None


def _plain(value: Any, arrays: dict[str, np.ndarray], depth: int) -> Any:
    if depth > DEEPEST:
        raise TypeError("lists and dicts lie too deep in each other")
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = value.float() if value.dtype in (torch.bfloat16, torch.float16) else value
        return {TENSOR: _keep(value.numpy(), arrays)}
    if isinstance(value, np.ndarray):
        return {ARRAY: _keep(value, arrays)}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, dict):
        return {str(key): _plain(each, arrays, depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, arrays, depth + 1) for each in value]
    raise TypeError(f"a {type(value).__name__} cannot be an answer")


def _keep(array: np.ndarray, arrays: dict[str, np.ndarray]) -> str:
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an array of {array.dtype} cannot be an answer")
    if array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    name = str(len(arrays))
    arrays[name] = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="), copy=False)).reshape(array.shape)
    return name


def _rich(value: Any, arrays: dict[str, np.ndarray], tensors: bool, depth: int) -> Any:
    if depth > DEEPEST:
        raise ValueError("lists and dicts lie too deep in each other")
    if isinstance(value, list):
        return [_rich(each, arrays, tensors, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {ARRAY}:
        return arrays[value[ARRAY]]
    if set(value) == {TENSOR}:
        array = arrays[value[TENSOR]]
        return sys.modules["torch"].from_numpy(array.copy()) if tensors else array
    return {key: _rich(each, arrays, tensors, depth + 1) for key, each in value.items()}
