"""Small clips as arrays: what a lesson or a test makes and looks at (lesson 14).

For a user's video there is :func:`kdsharp.video.sharpen_video`, which keeps sound, times and colours and never holds
more than one frame.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kdsharp.checks import UsageError, check_installed, check_positive
from kdsharp.video import reading, writing


def pan(photo: np.ndarray, size: tuple[int, int], count: int) -> Iterator[np.ndarray]:
    """What a camera sees that glides over a photo along its diagonal: ``count`` crops, uint8 (height, width, 3).

    Args:
        photo: uint8 (H, W, 3), at least as large as a crop.
        size: (height, width) of a crop.
        count: number of crops, at least 2; the path is rounded to whole pixels, so no crop is blurred by it.
    """
    check_positive(count, "count")
    rows, columns = (there - wanted for there, wanted in zip(photo.shape[:2], size, strict=True))
    if min(rows, columns) < 0:
        raise UsageError(f"a crop of {size} does not fit into a photo of {photo.shape[:2]}; make it smaller")
    for step in np.linspace(0, 1, count):
        top, left = round(step * rows), round(step * columns)
        yield np.ascontiguousarray(photo[top : top + size[0], left : left + size[1]])


def filmed(
    photo: np.ndarray, size: tuple[int, int], count: int, step: tuple[int, int]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What a camera sees that flies over a photo with its shutter open: blurred frames, and sharp ones of mid-exposure.

    A blurred frame is the mean of the stored values along its whole step, as REDS and GoPro make theirs (g = 1).

    Args:
        photo: uint8 (H, W, 3).
        size: (height, width) of a frame.
        count: of frames.
        step: (x, y) in whole pixels from frame to frame.

    Raises:
        UsageError: when the flight leaves the photo.
    """
    blurred, sharp = [], []
    samples = max(abs(step[0]), abs(step[1]), 1)
    room = (
        photo.shape[0] - size[0] - abs(step[1]) * (count + 1),
        photo.shape[1] - size[1] - abs(step[0]) * (count + 1),
    )
    if min(room) < 0:
        raise UsageError(
            f"{count} steps of {step} pixels leave a photo of {photo.shape[:2]}; take fewer or shorter ones"
        )
    start = np.array([0 if each >= 0 else -each * (count + 1) for each in step]) + np.array(room[::-1]) // 2
    for number in range(count):
        middle = start + np.array(step) * (number + 1)
        shots = []
        for time in (np.arange(samples) - (samples - 1) / 2) / samples:
            left, top = np.rint(middle + time * np.array(step)).astype(int)
            shots.append(photo[top : top + size[0], left : left + size[1]])
        blurred.append(np.rint(np.mean(shots, 0)).astype(np.uint8))
        left, top = middle
        sharp.append(np.ascontiguousarray(photo[top : top + size[0], left : left + size[1]]))
    return blurred, sharp


def write(frames: Iterable[np.ndarray], path: str | Path, rate: int = 25, crf: int | None = None) -> Path:
    """Write uint8 (H, W, 3) frames with even sides as H.264, without sound; a page can play it while it still loads.

    Args:
        frames: the pictures.
        path: of the file.
        rate: frames a second.
        crf: how coarsely the encoder may round, from 0 (not at all) to 51; as finely as :func:`sharpen_video` for None.
    """
    check_installed(("av",), "video")
    import av

    encoder, options = writing.H264
    coarser = {} if crf is None else {"crf": str(crf)}
    with av.open(str(path), "w", options={"movflags": "faststart"}) as out:
        stream: Any = None
        for pixels in frames:
            if stream is None:
                stream = out.add_stream(encoder, rate=rate, options=options | coarser)
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        out.mux(stream.encode(None))
    return Path(path)


def read(path: str | Path) -> list[np.ndarray]:
    """All frames of a short video, uint8 (H, W, 3) RGB."""
    check_installed(("av",), "video")
    import av

    with reading.opened(Path(path)) as film:
        found = reading.frames_and_packets(film, Path(path), reading.picture(film, Path(path)))
        shown = (each for each in found if isinstance(each, av.VideoFrame))
        return [each.to_ndarray(format="rgb24", interpolation=writing.EXACT) for each in shown]


def flicker(frames: Iterable[np.ndarray]) -> float:
    """How much a still scene moves: the mean over pixels of the standard deviation over time, in grey levels of 255."""
    return float(np.stack(list(frames)).astype(np.float32).std(0).mean())
