"""Debounce in our own time: a switch counts when it has read the same for 8 ms, as on the microcontroller.

gpiozero's `bounce_time` differs from one pin factory to the next, and its mock ignores it; so pins are sampled, and the
rule is here. One word holds every switch, a bit each.
"""

from typing import Final

# Snap-action contacts bounce for 1 to 5 ms by their data sheets; the guard counts the same time.
DEBOUNCE_MS: Final = 8


class Debounce:
    """A word of switches, each of which follows what was sampled once that has lasted for `DEBOUNCE_MS`.

    Attributes:
        stable: the switches as they count.
    """

    __slots__ = ("_since", "stable")

    def __init__(self, word: int) -> None:
        """Begin with what was sampled first."""
        self.stable = word
        self._since: dict[int, int] = {}

    def step(self, raw: int, now_ms: int) -> int:
        """Take one sample of every switch, and return them as they count now."""
        differs = raw ^ self.stable
        since = self._since
        if not differs:
            if since:
                since.clear()
            return self.stable
        for bit in list(since):
            if not differs & bit:
                del since[bit]
        while differs:
            bit = differs & -differs
            differs ^= bit
            if now_ms - since.setdefault(bit, now_ms) >= DEBOUNCE_MS:
                self.stable ^= bit
                del since[bit]
        return self.stable

    def follow(self, raw: int, bits: int) -> None:
        """Let some switches follow at once."""
        self.stable = self.stable & ~bits | raw & bits
