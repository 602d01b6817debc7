"""Ctrl-C that waits for a good moment (floor 0)."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_flag() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a flag that a loop reads between two steps; the second one stops at once."""
    pressed = False

    def note(number: int, frame: object) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not in the main thread: leave Ctrl-C as it is
        yield lambda: False
        return
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def whole() -> Iterator[None]:
    """Let the block come to its end before Ctrl-C is answered; the second one stops at once.

    For other people's code that must not be cut off in the middle: a database reports its interrupted farewell.
    """
    with stop_flag() as stopped:
        yield
    if stopped():
        raise KeyboardInterrupt
