"""Same size, same format, same quality, same facts: what a photo is written back with, kind by format."""

import importlib.util
import io

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps, JpegImagePlugin, PngImagePlugin

from kdsharp import images
from kdsharp.checks import UsageError
from kdsharp.datasets import photos
from kdsharp.images import beside, writing

PHOTO = photos("train")[0].pixels[:208, :304]
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
DATE, PLACE = "2026:08:01 10:20:30", (47.0, 22.0, 11.0)
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "tif": "TIFF", "avif": "AVIF", "heic": "HEIF"}
HOLDS = {
    "exif": ("jpg", "png", "webp", "tif", "avif", "heic"),
    "icc_profile": ("jpg", "png", "webp", "tif", "avif", "heic"),
    "xmp": ("jpg", "png", "webp", "tif", "avif", "heic"),
    "dpi": ("jpg", "png", "tif", "bmp"),
}
"""Which format holds which fact; a cell that is not here is no promise of that format's."""


def exif(orientation=1):
    made = Image.Exif()
    made[ExifTags.Base.Make], made[ExifTags.Base.Orientation] = "Camera & Co", orientation
    made[ExifTags.Base.DateTime] = DATE
    made[ExifTags.IFD.Exif] = {
        ExifTags.Base.DateTimeOriginal: DATE,
        ExifTags.Base.ColorSpace: 65535,  # "uncalibrated": Adobe RGB, which the next block names
        ExifTags.Base.MakerNote: b"secret of the maker",
    }
    made[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: PLACE}
    return made


def xmp_of(image):
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if found is None and image.format == "TIFF":
        found = image.tag_v2.get(700)
    return found.encode() if isinstance(found, str) else found


def with_facts(path, orientation=1, pixels=PHOTO):
    """A file of a format with every fact that it holds."""
    suffix = path.suffix[1:]
    options = {"exif": exif(orientation), "icc_profile": PROFILE, "dpi": (300, 300), "xmp": XMP}
    options = {name: value for name, value in options.items() if suffix in HOLDS[name]}
    if suffix == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options.pop("xmp").decode())
        options["pnginfo"].add_text("Title", "A cat")
    if suffix == "tif":
        options["exif"][700] = options.pop("xmp")
        options["exif"] = options["exif"].tobytes()
    Image.fromarray(pixels).save(path, **options)
    return path


def back(path, name=None):
    """The file that is written back, pixels as they came."""
    pixels, kept = images.open_photo(path)
    return images.write(path.with_name(name or f"back{path.suffix}"), pixels, kept), kept


def decibels(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


@pytest.mark.parametrize("suffix", HOLDS["exif"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_date_place_camera_and_colours_stay_and_the_orientation_is_one(tmp_path, suffix, orientation):
    path, kept = back(with_facts(tmp_path / f"photo.{suffix}", orientation))
    with Image.open(path) as image:
        found = image.getexif()
        assert found[ExifTags.Base.Make] == "Camera & Co"
        assert found.get(ExifTags.Base.Orientation, 1) == 1
        inner = found.get_ifd(ExifTags.IFD.Exif)
        assert inner[ExifTags.Base.DateTimeOriginal] == DATE
        assert inner[ExifTags.Base.ColorSpace] == 65535
        assert inner[ExifTags.Base.MakerNote] == b"secret of the maker"
        assert tuple(map(float, found.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude])) == PLACE
    assert kept.left_out == ()


@pytest.mark.parametrize("suffix", HOLDS["icc_profile"])
def test_the_colour_profile_stays(tmp_path, suffix):
    with Image.open(back(with_facts(tmp_path / f"photo.{suffix}"))[0]) as image:
        assert image.info["icc_profile"] == PROFILE


@pytest.mark.parametrize("suffix", HOLDS["xmp"])
def test_xmp_stays(tmp_path, suffix):
    with Image.open(back(with_facts(tmp_path / f"photo.{suffix}"))[0]) as image:
        assert xmp_of(image) == XMP


@pytest.mark.parametrize("suffix", HOLDS["dpi"])
def test_the_resolution_stays(tmp_path, suffix):
    with Image.open(back(with_facts(tmp_path / f"photo.{suffix}"))[0]) as image:
        assert tuple(round(value) for value in image.info["dpi"]) == (300, 300)


def test_a_pngs_texts_stay_also_where_they_are_long_or_foreign(tmp_path):
    made = PngImagePlugin.PngInfo()
    for name, text in (("Title", "A cat"), ("Author", "Zoë"), ("Comment", "x" * 3_000_000)):
        made.add_itxt(name, text, zip=True)
    Image.fromarray(PHOTO).save(tmp_path / "photo.png", pnginfo=made)
    with Image.open(back(tmp_path / "photo.png")[0]) as image:
        assert (image.text["Title"], image.text["Author"], len(image.text["Comment"])) == ("A cat", "Zoë", 3_000_000)


QUALITY = [
    ("jpg", {"quality": 60}, 45),
    ("jpg", {"quality": 85, "subsampling": 2}, 45),
    ("jpg", {"quality": 95, "subsampling": 0}, 45),
    ("jpg", {"quality": 85, "progressive": True}, 45),
    ("jpg", {"quality": 90, "subsampling": 1}, 45),
    ("webp", {"quality": 80}, 44),
    ("webp", {"lossless": True}, np.inf),
    ("avif", {"quality": 75}, 44),
    ("heic", {"quality": 50}, 44),
    ("heic", {"quality": 90, "chroma": 444}, 44),
    ("tif", {"compression": "tiff_lzw"}, np.inf),
    ("tif", {"compression": "tiff_deflate"}, np.inf),
    ("tif", {}, np.inf),
    ("tif", {"compression": "jpeg", "quality": 80}, np.inf),
    ("png", {}, np.inf),
    ("bmp", {}, np.inf),
    ("ppm", {}, np.inf),
    ("jp2", {}, np.inf),
    ("jp2", {"irreversible": True, "quality_mode": "dB", "quality_layers": [40]}, np.inf),
]


@pytest.mark.parametrize(("suffix", "options", "least"), QUALITY, ids=lambda value: str(value)[:40])
def test_pixels_come_back_as_well_as_the_format_allows(tmp_path, suffix, options, least):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(PHOTO).save(path, **options)
    before = images.read(path)
    written, _ = back(path)
    assert decibels(images.read(written), before) >= least
    with Image.open(path) as one, Image.open(written) as other:
        assert one.format == other.format
        if options.get("compression") != "jpeg":
            assert one.info.get("compression") == other.info.get("compression")
        if suffix == "jpg":
            assert one.quantization == other.quantization
            assert JpegImagePlugin.get_sampling(one) == JpegImagePlugin.get_sampling(other)
            assert one.info.get("progressive") == other.info.get("progressive")
    if suffix in ("jpg", "png", "tif"):
        assert written.stat().st_size < 1.3 * path.stat().st_size or options.get("compression") == "jpeg"


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_a_turned_photo_is_upright_and_as_good(tmp_path, suffix, orientation):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(PHOTO[:200, :299]).save(
        path, exif=exif(orientation), **({"quality": 85} if suffix == "jpg" else {})
    )
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(images.read(path), expected)
    assert decibels(images.read(back(path)[0]), expected) > 40


def test_an_old_thumbnail_is_dropped(tmp_path):
    small = io.BytesIO()
    Image.fromarray(PHOTO[:40, :60]).save(small, format="jpeg")
    made = exif()
    made[513], made[514] = 8, len(small.getvalue())
    path = tmp_path / "photo.jpg"
    one = made.tobytes()
    Image.fromarray(PHOTO).save(path, exif=one + small.getvalue())
    assert small.getvalue()[:200] in path.read_bytes()
    assert small.getvalue()[:200] not in back(path)[0].read_bytes()


@pytest.mark.parametrize(
    "block",
    [b"Exif\0\0junk", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"],
    ids=["junk", "too long a list", "cut"],
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_broken_exif_block_costs_the_block_and_never_the_picture(tmp_path, suffix, block):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(PHOTO).save(path, exif=block)
    written, _ = back(path)
    assert decibels(images.read(written), images.read(path)) >= 44


def test_one_broken_tag_is_dropped_by_name_and_the_others_stay(tmp_path, monkeypatch):
    path = with_facts(tmp_path / "photo.jpg")
    whole = Image.Exif.tobytes

    def fails(self, *given):
        if ExifTags.Base.DateTime in self:
            raise TypeError("a tag that holds what its kind cannot hold")
        return whole(self, *given)

    monkeypatch.setattr(Image.Exif, "tobytes", fails)
    _, kept = images.open_photo(path)
    monkeypatch.undo()
    assert kept.left_out == ("EXIF tag 306, which is broken",)
    with Image.open(images.write(tmp_path / "back.jpg", PHOTO, kept)) as image:
        assert image.getexif()[ExifTags.Base.Make] == "Camera & Co"


def save_all(path, **options):
    frames = [Image.fromarray(np.roll(PHOTO, 20 * index, 1)) for index in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "avif", "heic"])
def test_an_animation_or_pages_are_refused_with_their_number(tmp_path, suffix):
    path = save_all(tmp_path / f"many.{suffix}")
    with pytest.raises(UsageError, match="holds 3 pictures"):
        images.open_photo(path)


def test_a_cameras_mpo_becomes_a_jpeg_and_says_what_stays_behind(tmp_path):
    path = save_all(tmp_path / "camera.jpg", format="MPO")
    written, kept = back(path)
    assert kept.left_out == ("2 more pictures behind the first (a camera's preview or second view)",)
    with Image.open(written) as image:
        assert image.format == "JPEG"


def test_without_the_extra_a_heic_photo_is_refused_with_the_command_that_installs_it(tmp_path, monkeypatch):
    path = with_facts(tmp_path / "photo.heic")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pillow_heif" else find(name))
    for action in (images.open_photo, images.kind, lambda path: images.write(path, PHOTO)):
        with pytest.raises(UsageError, match=r"pip install 'kdsharp\[heic\]'"):
            action(path)
    assert images.list_images(tmp_path) == [path]  # and never passed over in silence


def test_a_transparent_colour_is_no_plain_rgb(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "photo.png", transparency=(0, 0, 0))
    with pytest.raises(UsageError, match="RGB with a transparent colour"):
        images.open_photo(tmp_path / "photo.png")
    assert images.read(tmp_path / "photo.png", convert=True).shape == PHOTO.shape


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}], ids=["reduced picture", "DNG"])
def test_a_cameras_raw_file_is_refused_for_its_first_picture_is_a_preview(tmp_path, tags):
    path = tmp_path / "photo.dng"
    Image.fromarray(PHOTO).save(path, format="TIFF", tiffinfo=tags)
    with pytest.raises(UsageError, match="a camera's raw file, whose first picture is a preview of 304x208"):
        images.open_photo(path)


def test_a_format_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "photo.gif")
    with pytest.raises(UsageError, match="GIF file, which is read and not written"):
        images.open_photo(tmp_path / "photo.gif", convert=True)
    assert images.read(tmp_path / "photo.gif", convert=True).shape == PHOTO.shape


# Other kinds on request


def test_floats_have_their_white_at_one_and_deep_integers_at_their_largest(tmp_path):
    ramp = np.linspace(0, 1, 40 * 32).reshape(32, 40)
    expected = np.repeat((ramp * 255 + 0.5).astype(np.uint8)[..., None], 3, 2)
    Image.fromarray(ramp.astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray((ramp * 65535).astype(np.uint16)).save(tmp_path / "sixteen.tif")
    Image.fromarray((ramp * (2**31 - 1)).astype(np.int32)).save(tmp_path / "thirty-two.tif")
    tifffile.imwrite(tmp_path / "unsigned.tif", (ramp * (2**32 - 1)).astype(np.uint32))
    tifffile.imwrite(tmp_path / "signed.tif", (ramp * 32767).astype(np.int16))
    tifffile.imwrite(tmp_path / "negative.tif", (65535 - ramp * 65535).astype(np.uint16), photometric="miniswhite")
    for name in ("float", "sixteen", "thirty-two", "unsigned", "signed", "negative"):
        with pytest.raises(UsageError, match="--convert"):
            images.read(tmp_path / f"{name}.tif")
        found = images.read(tmp_path / f"{name}.tif", convert=True).astype(int)
        assert np.abs(found - expected).max() <= 1, name


def test_floats_with_another_white_and_deep_colours_in_planes_are_refused_and_not_read_wrongly(tmp_path):
    tifffile.imwrite(tmp_path / "bytes.tif", np.linspace(0, 255, 40 * 32, dtype=np.float32).reshape(32, 40))
    with pytest.raises(UsageError, match=r"bytes.tif are above 1, which is white \(the largest is 255\)"):
        images.read(tmp_path / "bytes.tif", convert=True)
    planes = np.zeros((3, 32, 40), np.uint16)
    tifffile.imwrite(tmp_path / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    with pytest.raises(UsageError, match="16-bit colours in planes of their own"):
        images.read(tmp_path / "planes.tif", convert=True)


# What Pillow passes over


def with_segments(path, *found):
    """A JPEG with further segments behind its first two bytes."""
    Image.fromarray(PHOTO).save(path, quality=95)
    content = path.read_bytes()
    parts = [mark + (len(body) + 2).to_bytes(2, "big") + body for mark, body in found]
    path.write_bytes(content[:2] + b"".join(parts) + content[2:])
    return path


def test_captions_and_the_second_part_of_a_long_xmp_stay(tmp_path):
    caption = b"8BIM\x04\x04\0\0\0\0\0\x0b\x1c\x02\x78\0\x06A lake\0"
    further = b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + b"\0\0\0\x04\0\0\0\0<a/>"
    path = with_segments(tmp_path / "a.jpg", (b"\xff\xed", b"Photoshop 3.0\0" + caption), (b"\xff\xe1", further))
    after = back(path)[0]
    with Image.open(after) as image:
        assert image.info["photoshop"][0x0404].endswith(b"A lake")
        assert ("APP1", further) in image.applist


@pytest.mark.parametrize("name", ["Motion photo", "Samsung's"])
def test_the_clip_of_a_motion_photo_is_named_as_left_out_and_no_longer_promised(tmp_path, name):
    xmp = XMP.replace(b"<rdf:RDF", b'<rdf:RDF GCamera:MotionPhoto="1" GCamera:MotionPhotoVersion="1"')
    path = tmp_path / "a.jpg"
    Image.fromarray(PHOTO).save(path, **({"xmp": xmp} if name == "Motion photo" else {}))
    path.write_bytes(path.read_bytes() + (b"" if name == "Motion photo" else b"MotionPhoto_Data") + b"ftypmp42")
    _, kept = images.open_photo(path)
    assert kept.left_out == ("the clip behind it (a motion photo)",)
    if name == "Motion photo":
        assert b'MotionPhoto="0" GCamera:MotionPhotoVersion="1"' in kept.options["xmp"]


def test_what_a_pngs_numbers_mean_stays(tmp_path):
    chunks = {b"cICP": bytes([12, 13, 0, 1]), b"gAMA": (45455).to_bytes(4, "big"), b"cHRM": bytes(32)}
    told = PngImagePlugin.PngInfo()
    for name, content in chunks.items():
        told.add(name, content)
    Image.fromarray(PHOTO).save(tmp_path / "a.png", pnginfo=told)
    assert dict(beside.colours(back(tmp_path / "a.png")[0])) == chunks


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_a_turned_photo_says_nowhere_that_it_lies_on_its_side(tmp_path, suffix):
    made = exif(6)
    made[ExifTags.IFD.Exif] |= {40962: PHOTO.shape[1], 40963: PHOTO.shape[0]}
    xmp = XMP.replace(b"<rdf:RDF", b'<rdf:RDF tiff:Orientation="6"')
    path = tmp_path / f"a.{suffix}"
    options = {"exif": made, "xmp": xmp}
    if suffix == "png":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options.pop("xmp").decode())
    if suffix == "tif":
        made[700] = options.pop("xmp")
        options["exif"] = made.tobytes()
    Image.fromarray(PHOTO).save(path, **options)
    with Image.open(back(path)[0]) as image:
        inner = image.getexif().get_ifd(ExifTags.IFD.Exif)
        assert (inner[40962], inner[40963]) == image.size == (PHOTO.shape[0], PHOTO.shape[1])
        assert b'tiff:Orientation="1"' in bytes(xmp_of(image))


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_no_resolution_is_invented(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    made = Image.Exif()
    made[ExifTags.Base.Make] = "Camera"
    Image.fromarray(PHOTO).save(path, exif=made)
    assert "dpi" not in images.open_photo(path)[1].options
    with Image.open(back(path)[0]) as image:
        assert 282 not in image.getexif()


def test_white_noise_at_the_best_quality_has_room_in_memory(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg", quality=100, subsampling=0)
    after = back(tmp_path / "a.jpg")[0]
    assert 2.5 < after.stat().st_size / (256 * 256) < writing.JPEG_BYTES / 2
    assert ImageFile.MAXBLOCK < 1 << 17  # others' files are read in small blocks, as before


def test_cmyk_without_a_profile_is_converted_and_a_profile_of_another_kind_is_no_traceback(tmp_path):
    cmyk = Image.fromarray(PHOTO).convert("CMYK")
    cmyk.save(tmp_path / "plain.tif")
    cmyk.save(tmp_path / "odd.tif", icc_profile=PROFILE)
    for name in ("plain", "odd"):
        pixels, kept = images.open_photo(tmp_path / f"{name}.tif", convert=True)
        np.testing.assert_array_equal(pixels, np.asarray(cmyk.convert("RGB")))
        assert "icc_profile" not in kept.options


def test_cmyk_goes_through_its_profile(tmp_path, monkeypatch):
    """No CMYK profile is free to ship: what is asked of the library is looked at."""
    asked = []

    def transform(image, own, target, outputMode):  # noqa: N803
        asked.append((image.mode, own.tobytes(), outputMode))
        return Image.new("RGB", image.size, "red")

    monkeypatch.setattr(ImageCms, "profileToProfile", transform)
    Image.fromarray(PHOTO).convert("CMYK").save(tmp_path / "photo.jpg", icc_profile=PROFILE)
    pixels, kept = images.open_photo(tmp_path / "photo.jpg", convert=True)
    assert asked[0][0] == "CMYK"
    assert asked[0][2] == "RGB"
    assert (pixels == (255, 0, 0)).all()
    assert "icc_profile" not in kept.options


def test_a_grey_photo_becomes_rgb_without_its_grey_profile(tmp_path):
    Image.fromarray(PHOTO[..., 0]).save(tmp_path / "grey.png", icc_profile=b"a profile for grey")
    _, kept = images.open_photo(tmp_path / "grey.png", convert=True)
    assert "icc_profile" not in kept.options
    assert kept.left_out == ("its colour profile, which speaks of L and not of RGB",)


def test_under_another_name_the_facts_stay_that_its_format_holds(tmp_path):
    pixels, kept = images.open_photo(with_facts(tmp_path / "photo.jpg"))
    assert kept.under(tmp_path / "other.jpeg") is kept
    for suffix in ("png", "webp", "tif"):
        with Image.open(images.write(tmp_path / f"other.{suffix}", pixels, kept.under(f"other.{suffix}"))) as image:
            assert image.format == FORMATS[suffix]
            assert image.getexif()[ExifTags.Base.Make] == "Camera & Co"
            assert image.info["icc_profile"] == PROFILE
    assert images.write(tmp_path / "other.ppm", pixels, kept.under("other.ppm")).is_file()
