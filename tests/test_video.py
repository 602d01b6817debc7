"""A video comes back sharper and otherwise the same, or not at all."""

import os
import resource
import signal
import subprocess
import sys
import time
from fractions import Fraction
from types import SimpleNamespace

import av
import numpy as np
import pytest
import skimage.data
from av.codec.context import Flags
from av.stream import Disposition
from PIL import Image
from typer.testing import CliRunner

from kdsharp import checkpoints, checks, inference, video
from kdsharp.checks import UsageError
from kdsharp.cli import app
from kdsharp.filters import unsharp_mask
from kdsharp.video import writing

TICK = Fraction(1, 12800)
TAGS = (1, 1, 1, 1)
"""Limited range; matrix, primaries and transfer of BT.709."""
QUICK_VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "10", "b": "2M"}
KINDS = {
    ".mp4": {},
    ".m4v": {"codec": "mpeg4", "tick": Fraction(1, 25)},
    ".mov": {"codec": "mjpeg", "layout": "yuvj420p", "tags": (2, 5, 2, 2), "sound": "pcm_s16le"},
    ".mkv": {"codec": "libx265", "options": {"preset": "ultrafast", "x265-params": "log-level=none:bframes=0"}},
    ".webm": {"codec": "libvpx-vp9", "sound": "libopus", "options": QUICK_VP9},
}


def same(pixels):
    return pixels


def unsharp(pixels):
    return inference.sharpen(unsharp_mask, pixels)


def texture(count, height, width):
    """A window that moves over a photo."""
    photo = skimage.data.coffee()
    for number in range(count):
        top, left = 60 + number % 60, 100 + 2 * (number % 60)
        yield np.ascontiguousarray(photo[top : top + height, left : left + width])


def clip(
    path,
    count=50,
    size=(120, 160),
    codec="libx264",
    layout="yuv420p",
    sound="aac",
    voices=1,
    times=None,
    tick=TICK,
    matrix=None,
    tags=TAGS,
    aspect=None,
    options=None,
    flags=0,
    faststart=False,
    interval=Fraction(1, 25),
):
    """A clip with moving texture and a sine for sound, 25 frames a second unless ``times`` are given in ticks."""
    container = writing.FORMATS.get(path.suffix, ("mp4",))[0]
    start = {"movie_timescale": "12800"} | ({"movflags": "faststart"} if faststart else {})
    start = start if container in ("mp4", "mov") else {}
    with av.open(str(path), "w", format=container, container_options=start) as out:
        picture = out.add_stream(
            codec, rate=25, options={"bf": "0", **(options or {})} if codec == "libx264" else options
        )
        picture.height, picture.width = size
        picture.pix_fmt, picture.codec_context.time_base = layout, tick
        picture.codec_context.flags |= flags | Flags.frame_duration
        picture.color_range, picture.colorspace, picture.color_primaries, picture.color_trc = tags
        if aspect:
            picture.codec_context.sample_aspect_ratio = aspect
        if matrix:
            picture.set_display_matrix(matrix)
        tracks = [out.add_stream(sound, rate=48000) for _ in range(voices if sound else 0)]
        for number, pixels in enumerate(texture(count, *size)):
            frame = av.VideoFrame.from_ndarray(pixels)
            frame = frame.reformat(format=layout, dst_colorspace=tags[1], dst_color_range=tags[0])
            frame.pts = times[number] if times else round(number * interval / tick)
            frame.time_base, frame.duration = tick, round(interval / tick)
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        for voice, track in enumerate(tracks):
            wave = 0.3 * np.sin(2 * np.pi * 440 * (voice + 1) * np.arange(1920 * count) / 48000)
            for begin in range(0, len(wave), 960):
                both = np.stack([wave[begin : begin + 960]] * 2).astype(np.float32)
                chunk = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
                chunk.sample_rate, chunk.pts, chunk.time_base = 48000, begin, Fraction(1, 48000)
                out.mux(track.encode(chunk))
            out.mux(track.encode(None))
    return path


def test_a_frame_with_facts_that_pyav_has_no_name_for_is_a_frame(tmp_path):
    facts = Image.Exif()
    facts[271] = "Camera"
    Image.fromarray(next(texture(1, 120, 160))).save(tmp_path / "clip.mp4", format="jpeg", exif=facts)
    assert video.sharpen_video(lambda frame: frame, tmp_path / "clip.mp4", tmp_path / "out.mp4") == []
    assert look(tmp_path / "out.mp4").pixels[0].shape == (120, 160, 3)


def look(path):
    """Everything about a video that must stay, and its pixels."""
    found = SimpleNamespace(pixels=[], times=[], durations=[])
    with av.open(str(path)) as film:
        picture = next(each for each in film.streams.video if not each.disposition & Disposition.attached_pic)
        for frame in film.decode(picture):
            found.pixels.append(frame.to_ndarray(format="rgb24", interpolation=writing.EXACT))
            found.times.append(frame.pts * picture.time_base)
            found.durations.append(frame.duration * picture.time_base)
            found.tags = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
            found.matrix = [list(np.frombuffer(e, np.int32)) for e in frame.side_data if e.type.name == "DISPLAYMATRIX"]
        found.codec, found.layout, found.rate = picture.name, picture.pix_fmt, picture.average_rate
        found.size, found.aspect = (picture.height, picture.width), picture.sample_aspect_ratio
        found.duration, found.chapters, found.metadata = film.duration, film.chapters(), film.metadata
        found.tracks = [(each.type, each.name, each.metadata.get("language")) for each in film.streams]
        found.container = film.format.name
    with av.open(str(path)) as film:
        found.packets = {each.index: [] for each in film.streams if each.type in ("audio", "subtitle")}
        for packet in film.demux():
            if packet.dts is not None and packet.stream.index in found.packets:
                found.packets[packet.stream.index].append((packet.pts * packet.time_base, bytes(packet)))
    return found


def _cover():
    """A JPEG, as music and films carry it."""
    cover = av.CodecContext.create("mjpeg", "w")
    cover.width, cover.height, cover.pix_fmt, cover.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
    return bytes(cover.encode(av.VideoFrame(64, 48, "yuvj420p"))[0])


def decibels(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


def refusal(source, target, function=same):
    """The sentence, and nothing is written."""
    with pytest.raises(UsageError) as found:
        video.sharpen_video(function, source, target)
    assert not target.exists()
    assert not list(target.parent.glob(".part-*"))
    assert "\n" not in str(found.value)
    return str(found.value)


@pytest.mark.parametrize("suffix", video.FORMATS)
def test_frames_are_sharpened_and_all_else_stays(tmp_path, suffix):
    source = clip(tmp_path / f"clip{suffix}", **KINDS[suffix])
    assert video.sharpen_video(unsharp, source, tmp_path / f"sharp{suffix}") == []
    before, after = look(source), look(tmp_path / f"sharp{suffix}")
    assert len(after.times) == 50
    assert (after.times, after.durations, after.rate) == (before.times, before.durations, before.rate)
    assert (after.size, after.layout, after.tags) == (before.size, before.layout, before.tags)
    assert (after.container, after.tracks[1:]) == (before.container, before.tracks[1:])
    assert after.packets == before.packets
    assert len(after.packets[1]) > 90
    assert after.duration == pytest.approx(before.duration, abs=6000)  # microseconds
    assert min(decibels(unsharp(one), other) for one, other in zip(before.pixels, after.pixels, strict=True)) > 35
    assert min(decibels(one, other) for one, other in zip(before.pixels, after.pixels, strict=True)) < 32


def test_with_the_bundled_student(tmp_path):
    student = checkpoints.load("small").model
    source = clip(tmp_path / "clip.mp4", count=8)
    video.sharpen_video(lambda pixels: inference.sharpen(student, pixels, 0.5), source, tmp_path / "sharp.mp4")
    for before, after in zip(look(source).pixels, look(tmp_path / "sharp.mp4").pixels, strict=True):
        assert decibels(inference.sharpen(student, before, 0.5), after) > 35


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_turned_phone_stays_turned(tmp_path, suffix, quarter):
    """The frames are stored as the sensor saw them; the container says how to turn them."""
    cosine, sine = [(0, 65536), (-65536, 0), (0, -65536)][quarter - 1]
    matrix = [cosine, sine, 0, -sine, cosine, 0, 0, 0, 1 << 30]
    source = clip(tmp_path / f"clip{suffix}", count=3, matrix=matrix)
    video.sharpen_video(same, source, tmp_path / f"sharp{suffix}")
    before, after = look(source), look(tmp_path / f"sharp{suffix}")
    assert after.matrix == before.matrix
    assert np.array_equal(np.sign(before.matrix[0][:5]), np.sign(matrix[:5]))
    assert after.size == before.size == (120, 160)


def test_a_mirrored_video_stays_mirrored(tmp_path):
    source = clip(tmp_path / "clip.mp4", count=3, matrix=[-65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30])
    video.sharpen_video(same, source, tmp_path / "sharp.mp4")
    assert look(tmp_path / "sharp.mp4").matrix == look(source).matrix
    assert look(source).matrix[0][:5] == [-65536, 0, 0, 0, 65536]


@pytest.mark.parametrize("size", [(121, 160), (120, 161), (121, 161)])
def test_odd_sizes_stay(tmp_path, size):
    """In H.264 by 4:4:4, because 4:2:0 has even sides only; VP9 has odd ones."""
    for suffix, layout in ((".m4v", "yuv444p"), (".webm", "yuv420p")):
        source = clip(tmp_path / f"clip{suffix}", count=5, size=size, **KINDS[suffix])
        video.sharpen_video(same, source, tmp_path / f"sharp{suffix}")
        before, after = look(source), look(tmp_path / f"sharp{suffix}")
        assert after.size == before.size == size
        assert after.layout == layout
        assert min(decibels(one, other) for one, other in zip(before.pixels, after.pixels, strict=True)) > 36


@pytest.mark.parametrize("suffix", video.FORMATS)
def test_frames_at_uneven_times(tmp_path, suffix):
    """The last frame is shown as long as it was, and a late picture starts late."""
    times = (3200 + np.cumsum(np.random.default_rng(0).integers(200, 3000, 30))).tolist()
    kind = {"codec": "libvpx-vp9", "sound": "libopus", "options": QUICK_VP9} if suffix == ".webm" else {}
    source = clip(tmp_path / f"clip{suffix}", count=30, times=times, interval=Fraction(1, 8), **kind)
    video.sharpen_video(same, source, tmp_path / f"sharp{suffix}")
    before, after = look(source), look(tmp_path / f"sharp{suffix}")
    assert after.times == before.times
    assert after.durations == before.durations
    assert float(before.times[0]) > 0.25
    if suffix not in (".mkv", ".webm"):  # they count in thousandths of a second
        assert after.times == [each * TICK for each in times]
        assert after.durations[-1] == Fraction(1, 8)


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("tags", [TAGS, (2, 1, 1, 1), (1, 5, 5, 6), (1, 6, 6, 6), (0, 2, 2, 2)], ids=str)
def test_colours_stay(tmp_path, layout, tags):
    """The tags, and what they mean for the pixels: FFmpeg's default way to RGB and back darkens by one level."""
    source = clip(tmp_path / "clip.mp4", count=4, layout=layout, tags=tags, options={"crf": "4"})
    video.sharpen_video(same, source, tmp_path / "sharp.mp4")
    before, after = look(source), look(tmp_path / "sharp.mp4")
    assert (after.tags, after.layout) == (before.tags, before.layout)
    assert after.tags == tags
    change = np.abs(np.mean(before.pixels, (0, 1, 2)) - np.mean(after.pixels, (0, 1, 2))).max()
    assert change < (1.1 if tags[0] == 2 else 0.4)  # in full range swscale rounds colours, not brightness, down


def test_one_frame_to_rgb_and_back_is_nearly_exact():
    """Before any encoder: 54 dB, against 51 with FFmpeg's default for the way back alone."""
    frame = av.VideoFrame.from_ndarray(next(texture(1, 240, 320))).reformat(format="yuv420p")
    frame.time_base = TICK
    back = writing.apply(same, frame, frame, SimpleNamespace(pix_fmt="yuv420p"))
    rgb = [each.to_ndarray(format="rgb24", interpolation=writing.EXACT) for each in (frame, back)]
    assert decibels(*rgb) > 52.5


def test_rgb_video_becomes_full_resolution_colour(tmp_path):
    source = clip(tmp_path / "clip.mov", count=4, codec="png", layout="rgb24", tags=(0, 2, 2, 2))
    video.sharpen_video(same, source, tmp_path / "sharp.mov")
    before, after = look(source), look(tmp_path / "sharp.mov")
    assert (after.layout, after.tags[:2]) == ("yuv444p", (1, 1))
    assert min(decibels(one, other) for one, other in zip(before.pixels, after.pixels, strict=True)) > 36


def test_pixels_that_are_not_square(tmp_path):
    source = clip(tmp_path / "clip.mp4", count=3, aspect=Fraction(4, 3))
    video.sharpen_video(same, source, tmp_path / "sharp.mp4")
    assert look(tmp_path / "sharp.mp4").aspect == look(source).aspect == Fraction(4, 3)


def test_further_tracks_are_copied_or_named(tmp_path):
    """Two voices, subtitles, a font, chapters and titles stay; a cover picture is left out, and said so."""
    plain, source = clip(tmp_path / "plain.mkv", voices=2), tmp_path / "clip.mkv"
    with av.open(str(plain)) as film, av.open(str(source), "w") as out:
        copies = [out.add_stream_from_template(each, opaque=True) for each in film.streams]
        copies[1].metadata["language"], copies[2].metadata["language"] = "deu", "eng"
        subtitles = out.add_mux_stream("subrip")
        out.add_attachment("font.ttf", "font/ttf", b"not really")
        out.add_attachment("cover.jpg", "image/jpeg", _cover())
        out.metadata["title"] = "Moving coffee"
        out.set_chapters(
            [{"id": 1, "start": 0, "end": 900, "time_base": Fraction(1, 1000), "metadata": {"title": "cup"}}]
        )
        for second in (0, 1):
            text = av.Packet(f"line {second}".encode())
            text.stream, text.time_base = subtitles, Fraction(1, 1000)
            text.pts = text.dts = 1000 * second
            text.duration = 800
            out.mux(text)
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                out.mux(packet)
    lost = video.sharpen_video(same, source, tmp_path / "sharp.mkv")
    before, after = look(source), look(tmp_path / "sharp.mkv")
    assert [each[0] for each in before.tracks] == ["video", "audio", "audio", "subtitle", "attachment", "video"]
    assert after.tracks[1:] == before.tracks[1:-1]
    assert after.packets == before.packets
    assert after.packets[1] != after.packets[2]
    assert [text for _, text in after.packets[3]] == [b"line 0", b"line 1"]
    assert after.tracks[1][2] == "deu"
    assert after.chapters[0]["metadata"] == {"title": "cup"}
    assert after.metadata["title"] == "Moving coffee"
    assert lost == ["track 5 (video, mjpeg) is left out"]


def test_sound_that_the_container_cannot_hold_is_named(tmp_path):
    source = clip(tmp_path / "clip.mp4", count=4)
    assert video.sharpen_video(same, source, tmp_path / "sharp.webm") == ["track 1 (audio, aac) is left out"]
    assert look(tmp_path / "sharp.webm").codec == "vp9"


MEMORY = """
import sys
import psutil
from kdsharp import video
for source, target in zip(sys.argv[1::2], sys.argv[2::2]):
    held = []
    def function(pixels):
        held.append(psutil.Process().memory_info().rss)
        return pixels // 8
    video.sharpen_video(function, source, target)
    print(max(held))
"""


def test_memory_does_not_grow_with_the_length(tmp_path):
    """190 more frames of 0.36 MB each: 68 MB, if they were kept as pixels; half of that as they are decoded."""
    kind = {"size": (300, 400), "codec": "mjpeg", "layout": "yuvj420p", "tags": (2, 5, 2, 2), "sound": None}
    paths = [clip(tmp_path / f"{count}.mov", count=count, **kind) for count in (10, 200)]
    arguments = [str(each) for path in paths for each in (path, tmp_path / f"sharp-{path.name}")]
    done = subprocess.run([sys.executable, "-c", MEMORY, *arguments], capture_output=True, text=True, check=True)
    short, long = map(int, done.stdout.split())
    with av.open(str(tmp_path / "sharp-200.mov")) as film:
        assert film.streams.video[0].frames == 200
    assert long - short < 25_000_000


KILLED = """
import os, signal, sys
from kdsharp import video
seen = []
def function(pixels):
    seen.append(1)
    if len(seen) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return pixels
video.sharpen_video(function, sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("frame", [1, 50])
def test_killed_at_a_frame_it_leaves_the_old_file(tmp_path, frame):
    source, target = clip(tmp_path / "clip.mp4"), tmp_path / "sharp.mp4"
    target.write_bytes(b"what was there")
    done = subprocess.run([sys.executable, "-c", KILLED, source, target, str(frame)], capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"what was there"


def test_a_killed_command_leaves_no_output(tmp_path):
    source, out = clip(tmp_path / "clip.mp4", count=99), tmp_path / "out"
    command = [sys.executable, "-m", "kdsharp", "sharpen", str(source), "--out", str(out), "--filter", "polyblur"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 60
        while not list(out.glob(".part-*")) and time.monotonic() < until:
            time.sleep(0.02)
        running.kill()
    assert running.returncode == -signal.SIGKILL
    (left,) = out.iterdir()
    assert left.name.startswith(".part-")
    other = left.with_name(left.name.replace(f"-{running.pid}-", f"-{os.getpid()}-"))
    other.touch()  # of a run that goes on
    checks.clear_parts(out)
    assert list(out.iterdir()) == [other]


def test_stopped_in_the_middle_it_cleans_up(tmp_path):
    seen = []

    def stop(pixels):
        seen.append(pixels)
        if len(seen) == 20:
            raise KeyboardInterrupt
        return pixels

    source, target = clip(tmp_path / "clip.mp4"), tmp_path / "out" / "sharp.mp4"
    with pytest.raises(KeyboardInterrupt):
        video.sharpen_video(stop, source, target)
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_is_one_sentence(tmp_path):
    source = clip(tmp_path / "clip.mp4")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        told = refusal(source, tmp_path / "sharp.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot write" in told
    assert "sharp.mp4" in told


@pytest.mark.parametrize("suffix", video.FORMATS)
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_video_that_is_cut_off_is_refused_at_once(tmp_path, suffix, share):
    source = clip(tmp_path / f"clip{suffix}", count=10, **KINDS[suffix])
    data = source.read_bytes()
    source.write_bytes(data[: round(share * len(data))])
    told = refusal(source, tmp_path / f"sharp{suffix}", function=None)
    assert f"{source} is cut off: {source.stat().st_size:,} of at least" in told
    assert share < 0.9 or f"{len(data):,} bytes are there" in told  # before its index, .mp4 is known only in part


@pytest.mark.parametrize("behind", [b"\0" * 90, b"\xff" * 90, b"insv-and-what-follows" * 9, b"GPS " * 40])
def test_bytes_behind_the_last_box_are_no_damage(tmp_path, behind):
    source = clip(tmp_path / "clip.mp4", count=5)
    source.write_bytes(source.read_bytes() + behind)
    video.sharpen_video(same, source, tmp_path / "sharp.mp4")
    assert len(look(tmp_path / "sharp.mp4").times) == 5


def test_two_frames_of_one_time_are_both_kept(tmp_path):
    source = clip(tmp_path / "clip.mkv", count=4, times=[0, 512, 512, 1024], tick=TICK, sound=None)
    video.sharpen_video(same, source, tmp_path / "sharp.mkv")
    after = look(tmp_path / "sharp.mkv")
    assert len(after.times) == len(look(source).times)
    assert sorted(set(after.times)) == after.times


def test_whole_frames_that_say_they_are_interlaced_are_done_on_request(tmp_path):
    source = clip(tmp_path / "clip.mp4", count=3, flags=Flags.interlaced_dct)
    video.sharpen_video(same, source, tmp_path / "sharp.mp4", progressive=True)
    assert len(look(tmp_path / "sharp.mp4").times) == 3


def test_a_phones_date_place_and_maker_stay(tmp_path):
    plain, source = clip(tmp_path / "plain.mov", count=3), tmp_path / "clip.mov"
    facts = {
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.location.ISO6709": "+47.3690+008.5380/",
        "com.apple.quicktime.creationdate": "2026-08-01T10:20:30+0200",
    }
    with (
        av.open(str(plain)) as film,
        av.open(str(source), "w", container_options={"movflags": "use_metadata_tags"}) as out,
    ):
        track = out.add_stream_from_template(film.streams.video[0], opaque=True)
        out.metadata.update(facts)
        for packet in film.demux(video=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    assert look(source).metadata.items() >= facts.items()
    video.sharpen_video(same, source, tmp_path / "sharp.mov")
    assert look(tmp_path / "sharp.mov").metadata.items() >= facts.items()


@pytest.mark.parametrize(("places", "words"), [(0, "is cut off after 30 of 50 frames"), (9, "after frame 30;")])
def test_cut_off_where_only_the_index_tells(tmp_path, places, words):
    """The last box may say "to the end of the file", wherever that is: between two frames or within one."""
    source = clip(tmp_path / "clip.mp4", sound=None, faststart=True)
    with av.open(str(source)) as film:
        begin = [packet.pos for packet in film.demux() if packet.pos is not None][30]
    data = bytearray(source.read_bytes()[: begin + places])
    box = data.index(b"mdat") - 4
    data[box : box + 4] = bytes(4)
    source.write_bytes(data)
    assert words in refusal(source, tmp_path / "sharp.mp4")


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_a_container_that_breaks_in_the_middle(tmp_path, suffix):
    source = clip(tmp_path / f"clip{suffix}", **KINDS[suffix])
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2].ljust(len(data), b"\0"))
    told = refusal(source, tmp_path / f"sharp{suffix}")
    assert "cut off after frame 2" in told
    assert "of 2.0 seconds" in told


def test_a_live_recording_does_not_know_its_length(tmp_path):
    source = clip(tmp_path / "clip.mkv", count=10)
    data = bytearray(source.read_bytes())
    segment = data.index(bytes.fromhex("18538067"))
    data[segment + 4 : segment + 12] = b"\x01" + b"\xff" * 7
    source.write_bytes(data)
    video.sharpen_video(same, source, tmp_path / "sharp.mkv")
    assert look(tmp_path / "sharp.mkv").times == look(source).times


@pytest.mark.parametrize(
    ("codec", "share"), [("libx264", 0), ("libx265", 0), ("mpeg4", 0), ("libvpx-vp9", 0), ("mpeg4", 0.5)]
)
def test_a_damaged_frame_is_named(tmp_path, codec, share):
    """Wholly gone, every decoder notices; half gone, only MPEG-4 surely does: it repairs the frame and marks it."""
    kind = KINDS[{"libx265": ".mkv", "mpeg4": ".m4v"}.get(codec, ".mp4")]
    source = clip(tmp_path / "clip.mp4", **kind | {"codec": codec, "sound": None})
    with av.open(str(source)) as film:
        broken = [packet for packet in film.demux() if packet.pos is not None][30]
    data, begin = bytearray(source.read_bytes()), broken.pos + round(share * broken.size)
    for place in range(begin, broken.pos + broken.size):
        data[place] = data[place] ^ 0x5A if share else 0
    source.write_bytes(data)
    assert f"{source} is damaged at frame 31" in refusal(source, tmp_path / "sharp.mp4")


def _bad_videos(folder):
    """Videos that cannot be done, by name."""
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("not a video\n" * 99)
    (folder / "folder.mp4").mkdir()
    (folder / "clip.avi").write_bytes(b"RIFF")
    clip(folder / "deep.mp4", count=3, layout="yuv420p10le")
    clip(folder / "hdr.mp4", count=3, layout="yuv420p10le", tags=(1, 9, 9, 18))
    clip(folder / "clear.mov", count=3, codec="png", layout="rgba", tags=(0, 2, 2, 2))
    clip(folder / "tiny.mp4", count=3, size=(12, 40))
    clip(folder / "fields.mp4", count=3, flags=Flags.interlaced_dct)
    with av.open(str(clip(folder / "both.mp4", count=3))) as film, av.open(str(folder / "sound.mkv"), "w") as out:
        track = out.add_stream_from_template(film.streams.audio[0])
        out.add_attachment("cover.jpg", "image/jpeg", _cover())
        for packet in film.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                out.mux(packet)
    parts = [clip(folder / f"{side}.mov", 3, (side, 64), **KINDS[".mov"]) for side in (48, 64)]
    with av.open(str(folder / "grows.mov"), "w") as out:
        for number, part in enumerate(parts):
            with av.open(str(part)) as film:
                track = track if number else out.add_stream_from_template(film.streams.video[0], opaque=True)
                for packet in film.demux(video=0):
                    if packet.dts is not None:
                        packet.pts = packet.dts = packet.dts + number * 3 * packet.duration
                        packet.stream = track
                        out.mux(packet)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.mp4", ("is missing", "give the path of a video file")),
        ("folder.mp4", ("is a folder",)),
        ("empty.mp4", ("is empty (0 bytes)",)),
        ("text.mp4", ("is not a video",)),
        ("clip.avi", ("allowed are .mp4, .m4v, .mov, .mkv, .webm",)),
        ("sound.mkv", ("holds no moving picture, only audio, a cover;",)),
        ("deep.mp4", ("has 10 bits per channel", "8 are needed")),
        ("hdr.mp4", ("is HDR (HLG, 10 bits per channel)", "SDR")),
        ("clear.mov", ("transparency",)),
        ("tiny.mp4", ("40x12", "at least 16")),
        ("fields.mp4", ("interlaced", "deinterlace it first, or pass --progressive")),
        ("grows.mov", ("changes its size at frame 4",)),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(tmp_path, name, words):
    _bad_videos(tmp_path)
    told = refusal(tmp_path / name, tmp_path / "out" / name)
    assert all(word in told for word in (*words, name)), told


def test_without_pyav_the_extra_is_named(tmp_path, monkeypatch):
    source = clip(tmp_path / "clip.mp4", count=3)
    monkeypatch.setitem(sys.modules, "av", None)
    assert "pip install 'kdsharp[video]'" in refusal(source, tmp_path / "sharp.mp4")


@pytest.mark.parametrize("function", [lambda pixels: pixels[:-2], lambda pixels: pixels / 255])
def test_a_function_that_changes_the_form_is_refused(tmp_path, function):
    told = refusal(clip(tmp_path / "clip.mp4", count=3), tmp_path / "sharp.mp4", function)
    assert "uint8 (120, 160, 3)" in told


def test_a_colon_in_the_name_is_no_protocol(tmp_path, monkeypatch):
    (tmp_path / "take1:2").mkdir()
    clip(tmp_path / "take1:2" / "clip.mp4", count=3)
    monkeypatch.chdir(tmp_path)
    video.sharpen_video(same, "take1:2/clip.mp4", "take1:2/sharp.mp4")
    assert len(look(tmp_path / "take1:2" / "sharp.mp4").times) == 3


def test_the_bar_counts_frames(tmp_path, capsys):
    for suffix in (".mp4", ".mkv"):  # its number is in the one; the other tells only its duration
        source = clip(tmp_path / f"clip{suffix}", sound=None)
        video.sharpen_video(same, source, tmp_path / f"sharp{suffix}", progress=True)
        told = capsys.readouterr().err
        assert f"clip{suffix}:   0%" in told
        assert "/50 " in told
    video.sharpen_video(same, source, tmp_path / "sharp.mkv")
    assert capsys.readouterr().err == ""


def test_the_command_takes_photos_and_videos_together(kdsharp, tmp_path, photo):
    source, silent = clip(tmp_path / "clip.mp4", count=6), clip(tmp_path / "silent.mp4", count=5, sound=None)
    files = (photo, source, silent)
    done = kdsharp("sharpen", *files, "--out", tmp_path / "out", "--model", "bilinear-60", "--strength", 0.3)
    assert done.returncode == 0, done.stderr
    assert "3 sharpened into" in done.stdout
    assert "/6 " in done.stderr
    assert "left out" not in done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clip.mp4", "photo.png", "silent.mp4"]
    assert [each[0] for each in look(tmp_path / "out" / "silent.mp4").tracks] == ["video"]
    assert len(look(tmp_path / "out" / "silent.mp4").times) == 5
    before, after = look(source), look(tmp_path / "out" / "clip.mp4")
    assert [each[:2] for each in after.tracks] == [("video", "h264"), ("audio", "aac")]
    assert (after.packets, after.times) == (before.packets, before.times)
    student = checkpoints.load("bilinear-60").model  # changes even a clear clip
    wanted, other = (inference.sharpen(student, before.pixels[3], strength) for strength in (0.3, 1))
    assert decibels(wanted, after.pixels[3]) > max(35, 1 + decibels(other, after.pixels[3]))


def test_the_command_refuses_a_video_in_one_sentence(kdsharp, tmp_path):
    source = clip(tmp_path / "clip.mp4", count=3)
    source.write_bytes(source.read_bytes()[:-9])
    done = kdsharp("sharpen", source, "--out", tmp_path / "out", "--filter", "unsharp")
    assert done.returncode == 2
    assert "is cut off" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_a_video_is_known_by_its_name():
    """Kinds that are not written here too, so that the sentence is about videos, not about photos."""
    assert all(video.is_video(f"a{suffix}") for suffix in (*video.FORMATS, ".MP4", ".avi", ".mpg"))
    assert not any(video.is_video(name) for name in ("a.jpg", "a.gif", "a", "a.mp4.png", "a.wav"))


def test_the_help_names_the_videos():
    shown = CliRunner().invoke(app, ["sharpen", "--help"], env={"COLUMNS": "160"}).stdout
    text = " ".join(shown.replace("│", " ").split())
    assert ", ".join(video.FORMATS) in text
    assert "keeps its sound" in text
