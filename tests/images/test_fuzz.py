"""Files with bytes changed, cut, doubled or zeroed by a seeded hand: each is read, or refused in one sentence."""

import io

import numpy as np
import pytest
from PIL import Image
from shared import mutated

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.datasets import photos

PHOTO = Image.fromarray(photos("train")[0].pixels[:48, :64])
SUFFIXES = sorted(set(images.SUFFIXES) - {".jpeg", ".jfif", ".tiff", ".heif"})


def whole(suffix):
    exif, packed = Image.Exif(), io.BytesIO()
    exif[271], exif[0x0112] = "Camera", 6
    kind = Image.registered_extensions()[suffix]
    PHOTO.save(packed, format=kind, **({} if kind in ("BMP", "PPM", "JPEG2000") else {"exif": exif.tobytes()}))
    return packed.getvalue()


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
