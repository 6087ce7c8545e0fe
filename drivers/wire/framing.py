"""Where a frame ends: the framings shared by many instruments."""

from __future__ import annotations

from collections.abc import Callable

Framing = Callable[[bytes], int | None]
"""``framing(buffer)`` is the length of the first complete frame in ``buffer``, None while it is incomplete."""


def fixed(length: int) -> Framing:
    """Frames of exactly `length` bytes."""

    def framing(buffer: bytes) -> int | None:
        return length if len(buffer) >= length else None

    return framing


def until(terminator: bytes) -> Framing:
    """Frames that end with `terminator`, which belongs to the frame."""

    def framing(buffer: bytes) -> int | None:
        at = buffer.find(terminator)
        return None if at < 0 else at + len(terminator)

    return framing


def split(buffer: bytes, framing: Framing) -> tuple[list[bytes], bytes]:
    """All complete frames at the start of `buffer`, and the rest."""
    frames = []
    while buffer and (length := framing(buffer)) is not None:
        frames.append(buffer[:length])
        buffer = buffer[length:]
    return frames, buffer
