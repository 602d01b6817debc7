"""A function on photos over every frame of a video (floor 3; lesson 14).

Each frame is done alone: what a frame hides and its neighbours show is not used, and a sharpener that answers two
nearly equal frames differently makes the video flicker. Nothing here measures that.
"""

import mimetypes
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from kdsharp.checks import UsageError, atomic_path
from kdsharp.video import reading, writing
from kdsharp.video.writing import FORMATS

OTHERS = (".3gp", ".m2ts", ".mts", ".ts", ".wmv", ".flv")
"""Kinds that cameras make and this package does not take; not every system knows that they are videos."""


def is_video(path: str | Path) -> bool:
    """Whether the name of a file says that it is a video, of a kind that is taken or not."""
    path = Path(path)
    return path.suffix.lower() in (*FORMATS, *OTHERS) or (mimetypes.guess_type(path.name)[0] or "").startswith("video/")


def neighbours(source: str | Path, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Up to ``count`` pairs of neighbouring frames, uint8 (H, W, 3), from places spread evenly over a video.

    Each place is sought, not played to, so that a long film takes no longer than a short one.

    Raises:
        UsageError: when it is no video that :func:`sharpen_video` would take.
    """
    source = Path(source)
    reading.first_frame(source)
    with reading.opened(source) as film:
        picture = reading.picture(film, source)
        begin, length = film.start_time or 0, film.duration or 0
        known: set[int | None] = set()
        for place in range(count):
            wanted = begin + int(length * place / count)
            film.seek(wanted)  # to the key frame before it
            later = (each for each in film.decode(picture) if (each.time or 0) * 1e6 >= wanted - 1)
            pair = list(islice(later, 2))
            if len(pair) == 2 and pair[0].pts not in known:
                known.add(pair[0].pts)
                one, other = (each.to_ndarray(format="rgb24") for each in pair)
                yield one, other


def sharpen_video(
    function: Callable[[np.ndarray], np.ndarray],
    source: str | Path,
    target: str | Path,
    progress: bool = False,
    progressive: bool = False,
) -> list[str]:
    """Write ``source`` to ``target`` with ``function`` applied to every frame.

    Frames pass one by one, so memory does not grow with the length. The file appears under its name when it is whole.

    What stays: size, time and duration of each frame, rotation, pixel aspect, colour tags and layout (4:2:0, 4:2:2 or
    4:4:4), all sound and subtitles (their packets are copied, never encoded again), chapters, titles and languages.
    What changes: the picture is encoded anew, as VP9 in .webm and as H.264 elsewhere, whatever it was. H.264 in 4:2:0
    has even sides only: a video with an odd one is written in 4:4:4, which keeps its size but not every player shows.

    Args:
        function: uint8 (H, W, 3) RGB to the same, e.g. :func:`kdsharp.inference.sharpen` with a network.
        source: a video, 8 bits per channel, not interlaced, without transparency; .mp4, .m4v, .mov, .mkv or .webm.
        target: the file to write; its suffix names the container.
        progress: show a bar over the frames.
        progressive: take frames that are flagged as interlaced for whole ones.

    Returns:
        what could not be kept, in words, one entry each: data tracks (time code, GPS), cover and further pictures, and
        sound or subtitles that the container or PyAV does not know.

    Raises:
        UsageError: when ``source`` is no such video, is cut off by more than half a second, or is damaged where its
            decoder notices (a changed byte that decodes to another picture goes unseen); nothing is written then.
    """
    source, target = Path(source), Path(target)
    for path in (source, target):
        if path.suffix.lower() not in FORMATS:
            raise UsageError(
                f"{path} is not a kind of video that is read and written; allowed are {', '.join(FORMATS)} "
                f"(ffmpeg -i {path.name} {path.stem}.mp4 makes one)"
            )
    first = reading.first_frame(source, progressive)
    with reading.opened(source) as film, atomic_path(target) as temporary:
        import av

        picture = reading.picture(film, source)
        with writing.opened(temporary, target) as out:
            encoded = writing.add_picture(out, picture, first, target)
            copies, lost = writing.add_copies(out, film, picture)
            out.metadata.update(film.metadata)
            out.set_chapters(film.chapters())
            total = reading.expected_frames(film, picture)
            with tqdm(desc=source.name, total=total, unit="frame", disable=not progress, leave=False) as bar:
                last = None
                for each in reading.frames_and_packets(film, source, picture, progressive):
                    if isinstance(each, av.VideoFrame):
                        done = writing.apply(function, each, first, encoded)
                        if last is not None and done.pts is not None and done.pts <= last:
                            done.pts = last + 1  # two frames of one time: no container takes them
                        last = done.pts
                        out.mux(encoded.encode(done))
                        bar.update()
                    elif each.stream.index in copies:
                        each.stream = copies[each.stream.index]
                        out.mux(each)
            out.mux(encoded.encode(None))
    return lost
