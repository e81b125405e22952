"""The live view of a session on a terminal: the panel, drawn in place at each look at which it has changed.

rich is imported only when this view is really shown. A terminal that goes away ends the view, never the session.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self, TextIO

from rich.console import Console, ConsoleDimensions
from rich.text import Text

from controller.in_place import InPlace
from controller.lamp_watch import LampWatch
from controller.panel_lamps import Worked
from controller.panel_small import small_panel
from controller.panel_view import COLUMNS, Visit, panel
from controller.progress import Heading
from controller.voice import PICTURE_COLUMNS, PICTURE_LINES
from safety.signals import Snapshot, Wish

CHART_EVERY_MS: Final = 200
# So many of the words that were said stand above the picture again after the terminal has changed its size.
WORDS_KEPT: Final = 3
WIDEST: Final = 130
# What the terminal echoes of Ctrl-C must not wrap, or the picture would be drawn one line too low.
ECHO_COLUMNS: Final = 4


class LiveView:
    """The picture; a context manager. `show` takes the snapshots since the last look.

    Args:
        stream: a terminal.
        heading: of the session as a whole; may be replaced.
        question: words for the question that the panel asks, from the wish that asks it.
        paused_ms: what is left of a pause of the alarm's sound.
        ascii_only: the terminal has no other characters.

    Attributes:
        worked: who works the table; whoever learns it sets it.
    """

    def __init__(
        self,
        stream: TextIO,
        heading: Heading,
        *,
        question: Callable[[Wish], str] = lambda _: "",
        paused_ms: Callable[[], int] = int,
        ascii_only: bool = False,
    ) -> None:
        self.heading = heading
        self.worked = Worked.PEOPLE
        self._question, self._paused_ms = question, paused_ms
        self._ascii = ascii_only
        self._console = Console(file=stream, highlight=False, emoji=False)
        self._stream = stream
        self._size = self._console.size = self._measured()
        self._place = InPlace(stream, self._console)
        self._curve: list[tuple[int, int]] = []
        self._lamps = LampWatch()
        self._alive = True
        self._said: deque[str] = deque(maxlen=WORDS_KEPT)

    def __enter__(self) -> Self:
        """Begin; the first picture comes with the first snapshot."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        self.pause()

    def pause(self) -> None:
        """Take the picture away; the next snapshot draws it again, below whatever stands on the terminal by then."""
        with self._unless_gone():
            self._place.leave()

    def show(self, snapshots: Sequence[Snapshot]) -> None:
        """Draw the newest snapshot; the others give the curve and the lamps."""
        self._lamps.see(snapshots)
        for snapshot in snapshots:
            angle = snapshot.decision.angle_cdeg
            due = not self._curve or snapshot.t_ms - self._curve[-1][0] >= CHART_EVERY_MS
            if due and angle is not None:
                self._curve.append((snapshot.t_ms, angle))
        if snapshots and self._alive:
            with self._unless_gone():
                self._fit()
                self._place.draw(self.picture(snapshots[-1]))

    def say(self, words: str) -> None:
        """Put a line above the picture, where it stays."""
        self._said.append(words)
        if self._alive:
            with self._unless_gone():
                self._place.above(words)

    def picture(self, snapshot: Snapshot) -> list[Text]:
        """Return everything that is shown of one snapshot, a line each."""
        wish = snapshot.wish
        question = self._question(wish) if wish.question else ""
        columns, lines = self._size
        if columns < PICTURE_COLUMNS or lines < PICTURE_LINES:
            room = max(columns - 1, 1), max(lines - 1, 1)
            return small_panel(snapshot, self.heading, self._lamps, question, room, self._ascii)
        visit = Visit(
            heading=self.heading,
            lamps=self._lamps,
            curve=self._curve,
            worked=self.worked,
            paused_ms=self._paused_ms(),
            question=question,
        )
        return panel(snapshot, visit, max(COLUMNS, min(columns - ECHO_COLUMNS, WIDEST)), lines, self._ascii)

    def _fit(self) -> None:
        """Begin anew on a terminal that has changed its size: nobody knows where the old picture stands on it now."""
        size = self._measured()
        if size == self._size:
            return
        self._size = self._console.size = size
        self._place.wipe()
        for words in self._said:
            self._place.above(words)

    def _measured(self) -> ConsoleDimensions:
        """Return columns and lines of this terminal; rich would ask the program's standard streams."""
        try:
            columns, lines = os.get_terminal_size(self._stream.fileno())
        except (OSError, ValueError):
            columns = lines = 0
        return ConsoleDimensions(columns or PICTURE_COLUMNS, lines or PICTURE_LINES)

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            self._alive = False
