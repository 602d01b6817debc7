"""Files with bytes changed, cut, doubled or zeroed by a seeded hand: each is read, or refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.datasets import photos

PHOTO = Image.fromarray(photos("train")[0].pixels[:48, :64])
SUFFIXES = sorted(set(images.SUFFIXES) - {".jpeg", ".jfif", ".tiff", ".heif"})


def whole(suffix):
    exif, packed = Image.Exif(), io.BytesIO()
    exif[271], exif[0x0112] = "Camera", 6
    kind = {".jpg": "jpeg", ".tif": "tiff", ".jp2": "jpeg2000", ".heic": "heif"}.get(suffix, suffix[1:])
    PHOTO.save(packed, format=kind, **({} if suffix in (".bmp", ".ppm", ".jp2") else {"exif": exif.tobytes()}))
    return packed.getvalue()


def mutated(content, rng):
    """Some bytes changed, most of them near the beginning, where the description stands; or a piece lost or doubled."""
    data, how = bytearray(content), rng.integers(5)
    if how == 0:
        return bytes(data[: rng.integers(1, len(data))])
    start = int(len(data) * rng.random() ** 3)
    length = int(rng.integers(1, 40))
    if how == 1:
        return bytes(data[:start] + data[start + length :])
    if how == 2:
        return bytes(data[: start + length] + data[start:])
    if how == 3:
        data[start : start + length] = bytes(len(data[start : start + length]))
        return bytes(data)
    for place in (len(data) * rng.random(int(rng.integers(1, 12))) ** 3).astype(int):
        data[place] = rng.integers(256)
    return bytes(data)


def raw_errors(suffix, folder, count, seed=0):
    """What came out that was neither a photo nor one sentence."""
    rng, content, found = np.random.default_rng(seed), whole(suffix), []
    path = folder / f"photo{suffix}"
    for number in range(count):
        path.write_bytes(mutated(content, rng))
        try:
            pixels, kept = images.open_photo(path, convert=True)
            assert pixels.dtype == np.uint8
            images.write(folder / f"back{suffix}", pixels, kept)
        except UsageError as error:
            if "\n" in str(error) or str(path) not in str(error):
                found.append((number, str(error)))
        except Exception as error:  # noqa: BLE001
            found.append((number, f"{type(error).__name__}: {error}"))
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_forty_mutations_of_a_format(suffix, tmp_path):
    assert raw_errors(suffix, tmp_path, 40) == []


@pytest.mark.long
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_thousand_mutations_of_a_format(suffix, tmp_path):
    assert raw_errors(suffix, tmp_path, 1000, seed=1) == []
