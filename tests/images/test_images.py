"""Images at the file boundary: every bad file gives one sentence, and nothing is half-written."""

import struct
import zlib

import numpy as np
import pytest
import skimage.color
import torch
from PIL import Image, features

from kdsharp import images
from kdsharp.checks import UsageError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (20, 24, 3), dtype=np.uint8)


def save(path, mode="RGB", **options):
    image = Image.fromarray(PIXELS)
    made = image.quantize(16) if mode == "P" else image.convert(mode)
    made.save(path, **options)
    return path


def write_png(path, width, height, depth, colour, rows):
    """A PNG by hand: Pillow writes no 16-bit RGB, and no header without its pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def sixteen_bit(path, channels):
    values = np.linspace(0, 65535, 20 * 24 * channels).round().astype(np.uint16).reshape(20, 24 * channels)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    write_png(path, 24, 20, 16, 2 if channels == 3 else 0, rows)
    return values.reshape(20, 24, channels)


def refusal(path, **options):
    """The one sentence with which a file is refused; it names the file."""
    with pytest.raises(UsageError) as caught:
        images.open_photo(path, **options)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_the_formats_are_those_of_ordinary_photos():
    always = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".bmp", ".tif", ".tiff", ".webp"}
    always |= {".ppm", ".pgm", ".pbm", ".heic", ".heif", ".hif"}
    codecs = {suffix for suffix, codec in ((".jp2", "jpg_2000"), (".avif", "avif")) if features.check(codec)}
    assert set(images.SUFFIXES) == always | codecs


LOSSY = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".avif", ".heic", ".heif", ".hif"}


@pytest.mark.parametrize("suffix", sorted(set(images.SUFFIXES) - LOSSY))
def test_lossless_formats_come_back_as_they_were_written(tmp_path, suffix):
    path = images.write(tmp_path / f"photo{suffix}", PIXELS)
    np.testing.assert_array_equal(images.read(path), PIXELS)


@pytest.mark.parametrize("suffix", sorted(LOSSY & set(images.SUFFIXES)))
def test_lossy_formats_come_back_nearly(tmp_path, suffix):
    smooth = np.broadcast_to(np.arange(0, 240, 10, dtype=np.uint8)[None, :, None], (20, 24, 3))
    path = images.write(tmp_path / f"photo{suffix}", np.ascontiguousarray(smooth))
    assert np.abs(images.read(path).astype(int) - smooth).max() < 10


def test_a_photo_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn by 90 degrees clockwise
    Image.fromarray(PIXELS).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(images.read(tmp_path / "photo.png"), np.rot90(PIXELS, -1))


def test_missing(tmp_path):
    assert "is missing" in refusal(tmp_path / "nowhere.png")


def test_folder(tmp_path):
    assert "is a folder" in refusal(tmp_path)


def test_empty(tmp_path):
    (tmp_path / "photo.png").touch()
    assert "is empty" in refusal(tmp_path / "photo.png")


def test_text_under_an_image_name(tmp_path):
    (tmp_path / "photo.png").write_text("not an image")
    assert "is not an image" in refusal(tmp_path / "photo.png")


@pytest.mark.parametrize("suffix", images.SUFFIXES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_at_any_place(tmp_path, suffix, share):
    path = save(tmp_path / f"photo{suffix}")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    message = refusal(path)
    assert "is damaged" in message or "is not an image" in message


def test_a_flipped_byte_in_a_png_is_damage(tmp_path):
    path = save(tmp_path / "photo.png")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    assert "is damaged" in refusal(path)


@pytest.mark.parametrize(
    ("mode", "suffix", "words"),
    [
        ("L", ".png", "greyscale"),
        ("1", ".png", "black-and-white"),
        ("P", ".png", "palette"),
        ("LA", ".png", "greyscale with alpha"),
        ("RGBA", ".png", "RGBA"),
        ("CMYK", ".jpg", "CMYK"),
    ],
)
def test_other_kinds_are_named_and_converted_on_request(tmp_path, mode, suffix, words):
    path = save(tmp_path / f"photo{suffix}", mode)
    message = refusal(path)
    assert f"is a {words}" in message
    assert "--convert" in message
    pixels = images.read(path, convert=True)
    assert (pixels.shape, pixels.dtype) == (PIXELS.shape, np.uint8)
    with Image.open(path) as image:
        np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bit_png_is_named_and_scaled_on_request(tmp_path, channels):
    values = sixteen_bit(tmp_path / "photo.png", channels)
    assert "is a 16-bit image" in refusal(tmp_path / "photo.png")
    pixels = images.read(tmp_path / "photo.png", convert=True)
    expected = np.broadcast_to(values / 257, PIXELS.shape)
    assert np.abs(pixels - expected).max() < 1


@pytest.mark.parametrize(("largest", "words"), [(255, ""), (1023, "10-bit"), (65535, "16-bit")])
def test_a_deep_ppm_is_named(tmp_path, largest, words):
    path = tmp_path / "photo.ppm"
    size = PIXELS.size * (1 if largest < 256 else 2)
    path.write_bytes(b"P6 # width and height\n24 20\n%d\n" % largest + bytes(size))
    assert images.kind(path) == (words or "RGB")


@pytest.mark.skipif(".jp2" not in images.SUFFIXES, reason="this Pillow has no JPEG 2000")
@pytest.mark.parametrize(("depth", "words"), [(8, "RGB"), (12, "12-bit"), (16, "16-bit")])
def test_a_deep_jpeg_2000_is_named(tmp_path, depth, words):
    """Pillow writes 8 bits only: the header's depth of each channel is changed, which the kind alone looks at."""
    path = save(tmp_path / "photo.jp2")
    data = bytearray(path.read_bytes())
    siz = data.find(b"\xff\x4f\xff\x51")
    for channel in range(3):
        data[siz + 42 + 3 * channel] = depth - 1
    path.write_bytes(data)
    assert images.kind(path) == words


def test_transparent_pixels_turn_white(tmp_path):
    layer = np.dstack([PIXELS, np.zeros((20, 24), np.uint8)])
    Image.fromarray(layer).save(tmp_path / "photo.png")
    assert images.read(tmp_path / "photo.png", convert=True).min() == 255


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "photo.png")
    assert "1x1 pixels; each side needs at least 16" in refusal(tmp_path / "photo.png", convert=True)


def test_the_smallest_and_the_next_smaller_side(tmp_path):
    for side in (images.MIN_SIDE, images.MIN_SIDE - 1):
        Image.new("RGB", (side, 40)).save(tmp_path / f"{side}.png")
    assert images.read(tmp_path / "16.png").shape == (40, 16, 3)
    assert "15x40" in refusal(tmp_path / "15.png")


def test_a_huge_header_is_refused_before_any_pixel_is_decoded(tmp_path):
    path = write_png(tmp_path / "photo.png", 20_000, 20_000, 8, 2, b"")
    assert "20000x20000 = 400 megapixels; the limit is 256" in refusal(path, convert=True)


def test_the_limit_counts_pixels(tmp_path, monkeypatch):
    path = save(tmp_path / "photo.png")
    monkeypatch.setattr(images.formats, "MAX_PIXELS", 20 * 24)
    assert images.read(path).shape == (20, 24, 3)
    monkeypatch.setattr(images.formats, "MAX_PIXELS", 20 * 24 - 1)
    assert "24x20" in refusal(path)


def test_write_refuses_an_unknown_suffix_and_leaves_nothing(tmp_path):
    with pytest.raises(UsageError, match=r"suffix must be one of \.png"):
        images.write(tmp_path / "photo.xyz", PIXELS)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        images.write(tmp_path / "photo.png", PIXELS.astype(np.complex128))
    assert list(tmp_path.iterdir()) == []


def test_list_images_is_sorted_and_takes_images_only(tmp_path):
    for name in ("b.PNG", "a.jpg", "c.txt", "._a.jpg", ".hidden.png"):
        (tmp_path / name).touch()
    assert [path.name for path in images.list_images(tmp_path)] == ["a.jpg", "b.PNG"]


def test_list_images_says_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match="is not a folder"):
        images.list_images(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="holds no image"):
        images.list_images(tmp_path)


def test_to_tensor_and_back_is_exact_for_every_grey_level():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = np.dstack([levels, levels.T, 255 - levels])
    batch = images.to_tensor(pixels)
    assert (batch.shape, batch.dtype) == ((1, 3, 16, 16), torch.float32)
    assert batch[0, 1, 0, 1].item() == pytest.approx(pixels[0, 1, 1] / 255)
    np.testing.assert_array_equal(images.to_array(batch), pixels)


def test_to_tensor_takes_a_grey_picture_that_pillow_gave():
    torch.set_warn_always(True)  # torch gives this warning once a process
    try:
        assert images.to_tensor(np.asarray(Image.fromarray(PIXELS).convert("L"))).shape == (1, 1, 20, 24)
    finally:
        torch.set_warn_always(False)


@pytest.mark.parametrize("wrong", [PIXELS / 255.0, PIXELS[None], PIXELS[0, 0]])
def test_to_tensor_refuses_other_arrays(wrong):
    with pytest.raises(UsageError, match="expected uint8"):
        images.to_tensor(wrong)


def test_to_array_clamps_and_rounds():
    values = torch.tensor([-1.0, 0.499 / 255, 0.501 / 255, 2.0]).view(1, 1, 2, 2).expand(1, 3, 2, 2)
    np.testing.assert_array_equal(images.to_array(values)[..., 0], [[0, 0], [1, 255]])


def test_quantize_gives_what_a_file_holds():
    batch = torch.rand(1, 3, 16, 16) * 1.4 - 0.2
    torch.testing.assert_close(images.quantize(batch), images.to_tensor(images.to_array(batch)), rtol=0, atol=1e-7)


def test_linear_light_agrees_with_scikit_image():
    rgb = RNG.random((8, 9, 3))
    srgb_from_xyz = np.array(
        [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
    )
    linear = images.to_linear(torch.from_numpy(rgb)).numpy()
    np.testing.assert_allclose(linear @ srgb_from_xyz.T, skimage.color.rgb2xyz(rgb), atol=1e-9)


def test_srgb_round_trip():
    levels = torch.arange(256, dtype=torch.float64) / 255
    torch.testing.assert_close(images.to_srgb(images.to_linear(levels)), levels, rtol=0, atol=1e-7)
    assert images.to_linear(torch.tensor(0.5)).item() == pytest.approx(0.2140, abs=1e-4)


def test_srgb_has_a_finite_slope_everywhere():
    linear = torch.linspace(0, 1, 101, dtype=torch.float64, requires_grad=True)
    images.to_srgb(linear).sum().backward()
    assert torch.isfinite(linear.grad).all()


def test_luma_agrees_with_pillow():
    with_pillow = np.asarray(Image.fromarray(PIXELS).convert("L"))
    ours = images.luma(images.to_tensor(PIXELS))[0, 0].numpy() * 255
    assert np.abs(ours - with_pillow).max() < 1


@pytest.mark.parametrize(("height", "width", "padded"), [(16, 16, (16, 16)), (17, 23, (24, 24)), (2, 9, (8, 16))])
def test_pad_to_multiple_keeps_the_picture_at_the_top_left(height, width, padded):
    batch = torch.rand(1, 3, height, width)
    out = images.pad_to_multiple(batch, 8)
    assert out.shape[-2:] == padded
    torch.testing.assert_close(out[..., :height, :width], batch)


def test_pad_to_multiple_reflects():
    row = torch.arange(6.0).view(1, 1, 1, 6).expand(1, 1, 6, 6)
    assert images.pad_to_multiple(row, 8)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 4, 3]
