"""Lines at the bottom of a terminal that are drawn over what stood there, without ever wiping it first.

A picture that is wiped and then drawn flickers on every terminal that looks in between. Here each line is written over
the one before and only what is left of that is wiped; all of it goes out in one write. Colours are rich's business.
"""

from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.text import Text

# A terminal that knows it shows a picture only when it is whole; others leave it alone.
BEGIN_PICTURE, END_PICTURE = "\x1b[?2026h", "\x1b[?2026l"
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
WIPE_REST_OF_LINE, WIPE_BELOW = "\x1b[K", "\x1b[J"
WIPE_ALL = "\x1b[H\x1b[2J"


class InPlace:
    """Some lines of a terminal; the cursor rests, hidden, at the end of the last one.

    Args:
        stream: the terminal.
        console: what turns styles into the terminal's colours. Lines must fit its width.
    """

    def __init__(self, stream: TextIO, console: Console) -> None:
        self._stream, self._console = stream, console
        self._lines: list[Text] = []

    def draw(self, lines: Sequence[Text]) -> None:
        """Put these lines in place of those that stand there; lines that have not changed cost nothing."""
        if list(lines) != self._lines:
            self._put(self._over([]), lines)

    def above(self, words: str) -> None:
        """Put words above the lines, where they stay and go up with whatever comes after them."""
        said = self._console.render_lines(Text(words), pad=False)
        told = ["".join(segment.text for segment in line) for line in said]
        self._put(self._over(told), self._lines)

    def wipe(self) -> None:
        """Begin anew on an empty screen, wherever the lines stood."""
        self._lines = []
        self._stream.write(WIPE_ALL)

    def leave(self) -> None:
        """Take the lines away and show the cursor where they began."""
        self._stream.write(f"{self._over([])}{WIPE_BELOW}{SHOW_CURSOR}")
        self._stream.flush()
        self._lines = []

    def _over(self, told: Sequence[str]) -> str:
        """Return how the cursor gets to the first line, and words that are put there."""
        up = len(self._lines) - 1
        first = f"\x1b[{up}A" if up > 0 else ""
        return f"\r{first}" + "".join(f"{line}{WIPE_REST_OF_LINE}\r\n" for line in told)

    def _put(self, begin: str, lines: Sequence[Text]) -> None:
        with self._console.capture() as captured:
            for number, line in enumerate(lines):
                self._console.print(line, end="" if number == len(lines) - 1 else "\n", no_wrap=True, crop=True)
        drawn = captured.get().replace("\n", f"{WIPE_REST_OF_LINE}\r\n")
        self._lines = list(lines)
        self._stream.write(f"{BEGIN_PICTURE}{HIDE_CURSOR}{begin}{drawn}{WIPE_REST_OF_LINE}{WIPE_BELOW}{END_PICTURE}")
        self._stream.flush()
