"""Virtual time: it passes when the simulated table is read, and at no other moment."""


class VirtualClock:
    """A monotonic clock that somebody turns.

    `ms` is the time now in whole milliseconds since the table was built. The bridge turns it; everybody else reads it.
    """

    __slots__ = ("ms",)

    def __init__(self, start_ms: int = 0) -> None:
        self.ms = start_ms

    def now_ms(self) -> int:
        """Return the time now, in milliseconds since the table was built."""
        return self.ms
