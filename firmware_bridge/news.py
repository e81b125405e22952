"""What people must be told of a serial line while a session goes on: each thing once, when it changes."""

from config.errors import InversionTableError
from firmware_bridge.serial_bridge import SerialBridge

BACK = "the line to the table is back; nothing resumes by itself"


class LineNews:
    """Tells what is new about a line; `take` is to be called now and then."""

    def __init__(self, bridge: SerialBridge) -> None:
        """Begin with nothing told."""
        self._bridge = bridge
        self._trouble: InversionTableError | None = None
        self._notes: tuple[str, ...] = ()

    def take(self) -> list[str]:
        """Return what is new, in sentences: trouble, its end, and what could not be set."""
        bridge = self._bridge
        news = [note for note in bridge.notes if note not in self._notes]
        self._notes = bridge.notes
        before, self._trouble = self._trouble, bridge.trouble
        # The same trouble with more bytes or milliseconds in it is no news.
        if type(before) is not type(self._trouble):
            news.append(BACK if self._trouble is None else str(self._trouble))
        return news
