"""The clock of a control loop on a real line."""

import time


class MonotonicClock:
    """This machine's monotonic clock; whatever is done to the date changes nothing."""

    def now_ms(self) -> int:
        """Milliseconds since some moment that does not change."""
        return time.monotonic_ns() // 1_000_000

    def wait_until_ms(self, at_ms: int) -> None:
        """Return at that moment; at once when it is over."""
        left_ns = at_ms * 1_000_000 - time.monotonic_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)
