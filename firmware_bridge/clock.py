"""The clock of a control loop on a real line."""

import time


class MonotonicClock:
    """This machine's monotonic clock; whatever is done to the date changes nothing."""

    def now_ms(self) -> int:
        """Milliseconds since some moment that does not change."""
        return time.monotonic_ns() // 1_000_000
