"""A video as it comes: its picture's frames, its other tracks' packets, and one sentence for each way to be broken."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from kdsharp.checks import UsageError, check_installed, check_readable
from kdsharp.images import MIN_SIDE

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer

BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"moof", b"mfra", b"meta", b"styp", b"sidx"}
"""Boxes at the top of an .mp4 or .mov."""
HDR = {16: "PQ", 18: "HLG"}
"""Transfer curves of HDR, by their number in ITU-T H.273."""
MISSING = 0.5
"""Seconds that may be missing at the end before a video counts as cut off: containers round their duration."""


@contextmanager
def opened(path: Path) -> "Iterator[InputContainer]":
    """The container at ``path``, open for reading."""
    check_installed(("av",), "video")
    import av

    check_readable(path)
    if not path.is_file():
        raise UsageError(f"{path} is {'a folder' if path.is_dir() else 'missing'}; give the path of a video file")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty (0 bytes); copy or download it again")
    _check_length(path)
    try:
        film = av.open(f"file:{path}", metadata_errors="replace")  # with "file:", a colon in the name is only that
    except av.FFmpegError as error:
        raise UsageError(f"{path} is not a video ({error.strerror}); give one, or download it again") from None
    with film:
        yield film


def _check_length(path: Path) -> None:
    """Containers say how long they are: better to know now that the end is missing than after an hour of frames.

    .mp4 and .mov are boxes, each with its size before its name (ISO/IEC 14496-12); .mkv and .webm are one segment
    behind a header, and their numbers begin with a zero bit for each byte that follows (RFC 8794).
    """
    there, promised = path.stat().st_size, 0
    with path.open("rb") as file:
        head = file.read(64)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            known: set[bytes] = set()
            while promised < there:
                file.seek(promised)
                box = file.read(16)
                if box[4:8] not in BOXES and {b"moov", b"mdat"} <= known:
                    break  # 360-degree and dash cameras write their own behind the last box
                known.add(box[4:8])
                size = int.from_bytes(box[:4])
                size = int.from_bytes(box[8:]) if size == 1 else size
                promised = promised + size if size >= 8 else there  # 0: the last box goes to the end of the file
        elif head[:4] == bytes.fromhex("1a45dfa3"):
            try:
                header, begin = _number(head, 4)
                length, promised = _number(head, begin + (header or 0) + 4)
            except IndexError:
                raise UsageError(f"{path} is damaged at its beginning; copy or download it again") from None
            promised += length or 0  # a live stream does not know how long it becomes
    if there < promised:
        found = f"{there:,} of at least {promised:,} bytes are there"
        raise UsageError(f"{path} is cut off: {found}; copy or download it again")


def _number(data: bytes, at: int) -> tuple[int | None, int]:
    """Matroska's number at a place, None where it says "unknown", and the place behind it."""
    length = 9 - data[at].bit_length()
    most = (1 << 7 * length) - 1
    value = int.from_bytes(data[at : at + length]) & most
    return None if value == most else value, at + length


def picture(film: "InputContainer", path: Path) -> "VideoStream":
    """The first video track that is not a cover: for a container, those are video too."""
    from av.stream import Disposition

    for stream in film.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            if stream.codec_context is None:
                raise UsageError(f"{path} is encoded in a way that PyAV cannot decode; convert it to H.264 first")
            return stream
    tracks = ", ".join("a cover" if each.type == "video" else each.type for each in film.streams) or "nothing"
    raise UsageError(f"{path} holds no moving picture, only {tracks}; give a video")


def first_frame(path: Path, progressive: bool = False) -> "VideoFrame":
    """The first frame: it tells what the container's header does not, and whether the video can be done at all."""
    with opened(path) as film:
        import av

        stream = picture(film, path)
        for frame in frames_and_packets(film, path, stream, progressive):
            if isinstance(frame, av.VideoFrame):
                break
        else:
            raise UsageError(f"{path} holds no frame that can be decoded; copy or download it again")
        alpha = stream.metadata.get("alpha_mode") == "1"
    bits = max(part.bits for part in frame.format.components)
    if frame.color_trc in HDR:
        raise UsageError(
            f"{path} is HDR ({HDR[frame.color_trc]}, {bits} bits per channel); convert it to 8-bit SDR first"
        )
    if bits > 8:
        raise UsageError(f"{path} has {bits} bits per channel, but 8 are needed; convert it to 8-bit first")
    if alpha or any(part.is_alpha for part in frame.format.components):
        raise UsageError(f"{path} has transparency, which would be lost; convert it to a video without it first")
    if min(frame.width, frame.height) < MIN_SIDE:
        found = f"{frame.width}x{frame.height}"
        raise UsageError(f"{path} has {found} pixels; each side needs at least {MIN_SIDE}; use a larger video")
    return frame


def frames_and_packets(
    film: "InputContainer", path: Path, picture: "VideoStream", progressive: bool = False
) -> "Iterator[VideoFrame | Packet]":
    """Decoded frames of ``picture`` and packets of all other tracks, in the file's order, one in memory at a time.

    Decoders hide damage where they can and go on; here it ends the reading with a sentence that names the frame.
    """
    import av

    frames = packets = 0
    end, size = 0.0, None
    try:
        for packet in film.demux():
            if packet.is_corrupt:
                raise UsageError(f"{path} is cut off or damaged after frame {frames}; copy or download it again")
            if packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream.index != picture.index:
                if packet.dts is not None:  # the last packet of each track has none and is empty: it flushes a decoder
                    yield packet
                continue
            packets += packet.size > 0
            for frame in cast("list[VideoFrame]", packet.decode()):
                frames += 1
                if frame.is_corrupt:
                    raise UsageError(f"{path} is damaged at frame {frames}; copy or download it again")
                if frame.interlaced_frame and not progressive:
                    raise UsageError(
                        f"{path} is interlaced: a frame holds two moments; deinterlace it first, or pass --progressive "
                        "where its frames are whole and only say so"
                    )
                if (frame.width, frame.height) != (size := size or (frame.width, frame.height)):
                    raise UsageError(f"{path} changes its size at frame {frames}; cut it there into two videos")
                yield frame
    except av.FFmpegError as error:
        where = f"{path} is damaged at frame {frames + 1} ({error.strerror})"
        raise UsageError(f"{where}; copy or download it again") from None
    listed = len(picture.index_entries)
    if packets < listed:
        raise UsageError(f"{path} is cut off after {packets} of {listed} frames; copy or download it again")
    promised = ((film.start_time or 0) + (film.duration or 0)) / av.time_base
    if end < promised - MISSING:
        raise UsageError(
            f"{path} is cut off after frame {frames}, at {end:.1f} of {promised:.1f} seconds; copy or download it again"
        )


def expected_frames(film: "InputContainer", picture: "VideoStream") -> int | None:
    """How many frames there will be, where the container tells: by their number, or by its duration."""
    import av

    if picture.frames or not (film.duration and picture.average_rate):
        return picture.frames or None
    return round(film.duration / av.time_base * picture.average_rate)
