"""A video's new picture with every tag of the old one, and copies of all other tracks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kdsharp.checks import UsageError

if TYPE_CHECKING:
    from av import VideoFrame, VideoStream
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

H264 = ("libx264", {"crf": "14", "preset": "medium", "rc-lookahead": "10", "bf": "0"})
VP9 = ("libvpx-vp9", {"crf": "20", "cpu-used": "4", "row-mt": "1", "lag-in-frames": "10"})
"""Encoder and settings: finer than usual (crf 17 to 23), or it takes away again what was sharpened; few frames held
back, for each costs memory; and none that refers to a later one (B-frames), because .mp4 then loses the duration of
frames that come at uneven times."""
FORMATS = {".mp4": ("mp4", H264), ".m4v": ("mp4", H264), ".mov": ("mov", H264)}
FORMATS |= {".mkv": ("matroska", H264), ".webm": ("webm", VP9)}
"""Suffix to the container's name and the encoder. FFmpeg's own guess for .m4v is a stream without a container."""
LAYOUTS = ("yuv420p", "yuv422p", "yuv444p")
"""Colour at a quarter of the pixels, at half of them, at each. The input's stays; any other becomes the first."""
EXACT = 0x4 | 0x2000 | 0x40000
"""How swscale turns colours into RGB and back: bicubic, full chroma, exact rounding (SWS_BICUBIC, SWS_FULL_CHR_H_INT,
SWS_ACCURATE_RND). Its default takes a third of the time and makes every frame one level darker. In full range even this
rounds colour, not brightness, down by half a level."""


@contextmanager
def opened(temporary: Path, target: Path) -> "Iterator[OutputContainer]":
    """A container at ``temporary`` of the kind that ``target`` names; what goes wrong in writing is one sentence."""
    import av

    container = FORMATS[target.suffix.lower()][0]
    fine = {"movie_timescale": "90000"} if container in ("mp4", "mov") else {}  # else a late start is cut to 1/1000 s
    if container == "mov":  # a phone's date, place and maker have names of Apple's that no other way of writing keeps
        fine["movflags"] = "use_metadata_tags"
    try:
        with av.open(str(temporary), "w", format=container, container_options=fine) as out:
            yield out
    except av.FFmpegError as error:
        raise UsageError(f"cannot write {target} ({error.strerror}); choose another folder or container") from None


def add_picture(out: "OutputContainer", picture: "VideoStream", first: "VideoFrame", target: Path) -> "VideoStream":
    """The track to encode into: size, time base, rotation and colours of ``picture`` and its ``first`` frame."""
    from av.codec.context import Flags

    encoder, options = FORMATS[target.suffix.lower()][1]
    rate = picture.average_rate or picture.guessed_rate
    encoded: Any = out.add_stream(encoder, rate=rate, options=dict(options))
    encoded.width, encoded.height = first.width, first.height
    layout = first.format.name.replace("yuvj", "yuv")  # FFmpeg's older name for full range, which has a tag of its own
    if first.format.is_rgb or (encoder == "libx264" and (first.width % 2 or first.height % 2)):
        layout = "yuv444p"
    encoded.pix_fmt = layout if layout in LAYOUTS else "yuv420p"
    encoded.codec_context.time_base = encoded.time_base = picture.time_base
    encoded.codec_context.flags |= Flags.frame_duration  # else the last frame gets the average one
    encoded.color_range, encoded.colorspace = _colours(first)
    encoded.color_primaries, encoded.color_trc = first.color_primaries, first.color_trc
    if picture.sample_aspect_ratio:
        encoded.codec_context.sample_aspect_ratio = picture.sample_aspect_ratio
    with suppress(ValueError):  # PyAV has no name for some kinds of it, as a JPEG's EXIF, and lists none then
        side_data: Any = first.side_data
        for each in side_data:
            if each.type.name == "DISPLAYMATRIX":  # how a phone was held: players turn and mirror the frames by it
                encoded.set_display_matrix(np.frombuffer(each, np.int32))
    encoded.metadata.update(picture.metadata)
    return encoded


def _colours(frame: "VideoFrame") -> tuple[int, int]:
    """Range and matrix of the encoded frames: the input's, or limited BT.709 where that was RGB."""
    return (1, 1) if frame.format.is_rgb else (frame.color_range, frame.colorspace)


def add_copies(
    out: "OutputContainer", film: "InputContainer", picture: "VideoStream"
) -> "tuple[dict[int, Stream], list[str]]":
    """A track for each one to copy, by its number in the input; and in words those that must be left out."""
    copies: dict[int, Stream] = {}
    lost = []
    for stream in film.streams:
        if stream.index == picture.index:
            continue
        try:
            if stream.type not in ("audio", "subtitle", "attachment"):
                raise ValueError("a picture or data: not copied")
            copy: Any = out.add_stream_from_template(stream)  # type: ignore[type-var]
        except ValueError:
            lost.append(f"track {stream.index} ({stream.type}, {stream.name or 'of an unknown kind'}) is left out")
            continue
        copy.disposition = stream.disposition
        copy.metadata.update(stream.metadata)
        copies[stream.index] = copy
    return copies, lost


def apply(
    function: Callable[[np.ndarray], np.ndarray], frame: "VideoFrame", first: "VideoFrame", encoded: "VideoStream"
) -> "VideoFrame":
    """One frame through ``function``, with its time, in the layout and colours of ``encoded``."""
    import av

    before = frame.to_ndarray(format="rgb24", interpolation=EXACT)
    after = function(before)
    if after.shape != before.shape or after.dtype != np.uint8:
        raise UsageError(f"the function made {after.dtype} {after.shape} of uint8 {before.shape}; both must be equal")
    colour_range, space = _colours(first)
    done = av.VideoFrame.from_ndarray(np.ascontiguousarray(after)).reformat(
        format=encoded.pix_fmt, dst_colorspace=space, dst_color_range=colour_range, interpolation=EXACT
    )
    done.pts = frame.pts if frame.pts is not None else frame.dts
    done.time_base, done.duration = frame.time_base, frame.duration
    return done
