"""A terminal that may go away (a window that is closed, a line that is cut): nothing that is written fails or waits.

Textual writes in a thread of its own, which an error would end; whoever wrote afterwards would wait for it for ever,
and nobody would be left to bring the patient back.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from controller.voice import silence


class Steadfast:
    """A stream whose `write` and `flush` do not fail; everything else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        """Stand before a stream."""
        self._stream = stream

    def write(self, text: str) -> int:
        """Write; what nobody takes any more is dropped, now and from then on."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            silence(self._stream)
            return len(text)

    def flush(self) -> None:
        """Hand over what is written, as far as somebody takes it."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            silence(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def steadfast() -> Iterator[None]:
    """While entered, what Textual draws on is steadfast."""
    stream = sys.__stderr__
    assert stream is not None
    sys.__stderr__ = Steadfast(stream)  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        sys.__stderr__ = stream  # type: ignore[misc]
