"""How simulated people are: where they board, how quick they are, what they do in trouble, and their fingers."""

import enum
from dataclasses import dataclass

from config.errors import UsageError
from firmware_bridge.hands import Hands

LOOK_MS = 100
TAP_MS = 200
NEVER_MS = 1 << 60


class Policy(enum.StrEnum):
    """What the supervisor does once the table is in trouble."""

    HELP = "help"
    """Work whatever brings the patient back, then reset and end the session."""

    WATCH = "watch"
    """Stay and show presence, but press nothing that moves the table."""

    LEAVE = "leave"
    """Let go of everything and walk away."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How these people are: where they board, how quick they are, what they do in trouble.

    `boards_at_deg` is the angle at which the patient steps on, `reaction_ms` passes between seeing something
    and acting on it, `presence_every_s` between two shows of presence. `plan` is chosen at the panel, by name; empty:
    the one that is shown. The patient asks for less `less_after_s` into a hold, once; 0: never.

    Raises:
        UsageError: a value that no person has.
    """

    boards_at_deg: float = 20.0
    reaction_ms: int = 600
    presence_every_s: float = 15.0
    in_trouble: Policy = Policy.HELP
    plan: str = ""
    less_after_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse people who are none."""
        if not 0 <= self.boards_at_deg <= 85:
            raise UsageError(f"boards_at_deg = {self.boards_at_deg} lies outside 0 … 85")
        if not 0 <= self.reaction_ms <= 60_000:
            raise UsageError(f"reaction_ms = {self.reaction_ms} lies outside 0 … 60000")
        if not 1 <= self.presence_every_s <= 3600:
            raise UsageError(f"presence_every_s = {self.presence_every_s} lies outside 1 … 3600")
        if not 0 <= self.less_after_s <= 300:
            raise UsageError(f"less_after_s = {self.less_after_s} lies outside 0 … 300")


class Fingers:
    """The hands of one person: one button held on purpose, and one tapped, which is let go of by itself."""

    def __init__(self, hands: Hands) -> None:
        """Begin with nothing held."""
        self._hands = hands
        self.held = ""
        self.held_ms = 0
        self.tapped = ""
        self.due_ms = NEVER_MS

    def tap(self, button: str, now_ms: int, for_ms: int = TAP_MS) -> None:
        """Press a button and let go of it after `for_ms`; while one is tapped no other is."""
        if not self.tapped:
            self.tapped = button
            self.due_ms = now_ms + for_ms
            self._hands.press(button)

    def hold(self, button: str, now_ms: int) -> None:
        """Hold this button and no other; said again as long as it is to be held, since a press is only leased."""
        if self.held != button:
            self.let_go()
            self.held = button
            self.held_ms = now_ms
        self._hands.press(button)

    def let_go(self) -> None:
        """Let go of what is held on purpose."""
        if self.held:
            self._hands.release(self.held)
            self.held = ""

    def advance(self, now_ms: int) -> None:
        """Let go of what was tapped, when it is time."""
        if now_ms >= self.due_ms:
            self._untap()

    def drop_all(self) -> None:
        """Let go of everything at once."""
        self.let_go()
        if self.tapped:
            self._untap()

    def _untap(self) -> None:
        self._hands.release(self.tapped)
        self.tapped = ""
        self.due_ms = NEVER_MS
