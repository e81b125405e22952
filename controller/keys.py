"""A terminal's keyboard as hands at the panel of a simulated table: one key a button, hold to run.

A terminal never says that a key was let go of. It sends a key once when it is pressed, again after 250–660 ms, and
then every 30–100 ms as long as it is down. So a hold ends by itself: `FIRST_S` after a press, in which the first
repetition must have come, and `REPEAT_S` after a repetition. The button may be held that much longer than the finger;
it is let go of surely, also when the line to the terminal stalls, because nothing but a key that comes prolongs it.

Those two times are the finger's, in real time: at ten times real time a button is held ten times longer for the table,
as the finger did. Taps are the table's own time (`TAP_MS`, `ACK_MS`, `RESET_MS`), so that they are long enough for a
contact at any speed, and an ACK never becomes a RESET because a session is shown faster.

A terminal repeats the last key only. So a new key lets go of the one before; PRESENCE and the patient's own button do
not, and after PRESENCE the held key has `FIRST_S` since it last came to come again.
"""

import enum
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from firmware_bridge.hands import PATIENT, Hands
from safety.signals import Contacts, Snapshot

FIRST_S: Final = 0.75
REPEAT_S: Final = 0.25
# A key that comes again sooner than this is one that is held down: nobody taps as quickly.
ONE_FINGER_S: Final = 0.15
TAP_MS: Final = 150
ACK_MS: Final = 700
RESET_MS: Final = 2200
# More than so many different keys between two looks are no finger's: something was pasted, or the line had stalled.
MOST_AT_ONCE: Final = 8
NEVER_MS: Final = 1 << 60
CRANK: Final = "CRANK"
PRESENCE: Final = "PRESENCE"


class Kind(enum.Enum):
    """How a key works its button."""

    HOLD = enum.auto()
    """Held as long as the key is."""

    TAP = enum.auto()
    """Pressed for a moment, once a press."""

    STEP = enum.auto()
    """Pressed for a moment, again when the key comes again, but for a key that is held down."""

    TOGGLE = enum.auto()
    """Changed once a press."""


class Run(enum.Enum):
    """What the last arrival of a key was, as far as a terminal lets anybody know."""

    PRESSED = enum.auto()
    """A press."""

    AGAIN = enum.auto()
    """A second press, or the first repetition of a key that is held down."""

    REPEATED = enum.auto()
    """A repetition: the key is held down."""


class Key(NamedTuple):
    """What a key does: to which button, strap or stop, how, and for how long at least in the table's time."""

    does: str
    kind: Kind
    least_ms: int = TAP_MS


KEYS: Final[dict[str, Key]] = {
    "t": Key("TILT", Kind.HOLD),
    "u": Key("RAISE", Kind.HOLD),
    "r": Key("RETURN", Kind.HOLD),
    "s": Key("STOP", Kind.TAP),
    " ": Key(PRESENCE, Kind.STEP),
    "a": Key("ACK", Kind.HOLD, ACK_MS),
    "A": Key("ACK", Kind.TAP, RESET_MS),
    "c": Key("CONFIRM", Kind.TAP),
    "+": Key("PLAN_UP", Kind.STEP),
    "-": Key("PLAN_DOWN", Kind.STEP),
    "p": Key(PATIENT, Kind.HOLD),
    "m": Key(CRANK, Kind.HOLD),
    "e": Key("estop", Kind.TOGGLE),
    "1": Key("left", Kind.TOGGLE),
    "2": Key("right", Kind.TOGGLE),
}
# Enter, and what is on the same key as + and − without and with Shift.
ALSO: Final = {"\n": "c", "\r": "c", "=": "+", "_": "-"}
BESIDE_ALL: Final = (PRESENCE, PATIENT)
URGENT: Final = {"STOP", "estop"}


class Reader(Protocol):
    """Where keys come from; `controller.keyboard.Keyboard` on a terminal."""

    gone: bool

    def read(self) -> str:
        """Return the keys since the last time; never waits."""
        ...


@dataclass(slots=True)
class Grip:
    """One button held until both times are over, the finger's (0: a tap has none) and the table's.

    `last_s` is when its key came last, `least_ms` how long it is held at least.
    """

    until_s: float
    until_ms: int
    last_s: float
    least_ms: int


class Keys:
    """Works a simulated table's switches by what is typed.

    Args:
        reader: where keys come from.
        hands: the table's switches.
        take_over: called once, before the first key does anything: whoever worked the panel stands aside.
        now: a monotonic clock in seconds, the finger's.

    Attributes:
        in_charge: whether somebody at the keyboard works the panel.
    """

    def __init__(
        self,
        reader: Reader,
        hands: Hands,
        take_over: Callable[[], None],
        now: Callable[[], float] = time.monotonic,
        *,
        in_charge: bool = False,
    ) -> None:
        """Begin with nothing held."""
        self.in_charge = in_charge
        self._reader, self._hands = reader, hands
        self._take_over, self._now = take_over, now
        self._grips: dict[str, Grip] = {}
        self._last: Key | None = None
        self._last_s = 0.0
        self._looked_s = 0.0
        self._run = Run.PRESSED
        self._typed: list[Key] = []
        self._due_ms = NEVER_MS
        self._pulled: dict[str, bool] = {}

    @property
    def held(self) -> frozenset[str]:
        """What is held now: names of buttons, `PATIENT`, `CRANK`."""
        return frozenset(self._grips)

    def take_charge(self) -> None:
        """Work the panel from now on; whoever did so stands aside first."""
        if not self.in_charge:
            self.in_charge = True
            self._take_over()

    def look(self, snapshot: Snapshot) -> None:
        """Take what was typed since the last look, and let go of what nobody holds any more; about 20 times a second.

        What `snapshot` says of straps and emergency stop is what a toggle turns round when it is used first.
        """
        now_s = self._now()
        typed = self._reader.read()
        self._typed += [key for character in typed if (key := _key_of(character)) is not None]
        heap = len(typed) > MOST_AT_ONCE and len(set(typed)) > 1
        if heap or URGENT & {key.does for key in self._typed}:
            self._typed = [key for key in self._typed if key.does in URGENT]
        while self._typed and not self._must_wait(self._typed[0], snapshot.t_ms):
            self._take(self._typed.pop(0), now_s, snapshot)
        if self._reader.gone:
            self.let_go()
        for button, grip in list(self._grips.items()):
            if now_s >= grip.until_s and snapshot.t_ms >= grip.until_ms:
                self._release(button)
        self._looked_s = now_s
        self._note_due()

    def observe(self, snapshot: Snapshot) -> None:
        """See one tick: what was only tapped is let go of in the table's time."""
        if snapshot.t_ms >= self._due_ms:
            for button, grip in list(self._grips.items()):
                if not grip.until_s and snapshot.t_ms >= grip.until_ms:
                    self._release(button)
            self._note_due()

    def let_go(self) -> None:
        """Let go of everything at once; straps and emergency stop stay as they are."""
        self._typed.clear()
        for button in list(self._grips):
            self._release(button)
        self._due_ms = NEVER_MS

    def _must_wait(self, key: Key, t_ms: int) -> bool:
        """Whether a key would cut another's tap short before the table sees it; STOP and e-stop wait for nothing."""
        if key.does in URGENT or key.does in BESIDE_ALL:
            return False
        return any(
            not grip.until_s and grip.least_ms == TAP_MS and t_ms < grip.until_ms
            for button, grip in self._grips.items()
            if button != key.does and button not in BESIDE_ALL
        )

    def _take(self, key: Key, now_s: float, snapshot: Snapshot) -> None:
        """Do what one key asks for."""
        self.take_charge()
        # Only the key that came last can have come again by itself.
        since_s = now_s - self._last_s if key is self._last else math.inf
        self._last, self._last_s = key, now_s
        # It came since the look before: a program that looks late must not take a key that is held for a new press.
        self._run = run = self._run_with(since_s - (now_s - self._looked_s))
        if key.does not in BESIDE_ALL:
            for other in [button for button in self._grips if button != key.does and button not in BESIDE_ALL]:
                self._release(other)
        if key.kind is Kind.HOLD:
            self._hold(key, now_s, since_s, snapshot.t_ms)
        elif run is Run.PRESSED or (key.kind is Kind.STEP and since_s >= ONE_FINGER_S):
            if key.kind is Kind.TOGGLE:
                self._toggle(key.does, snapshot)
            else:
                self._press(key.does, Grip(0.0, snapshot.t_ms + key.least_ms, now_s, key.least_ms))
        if key.does == PRESENCE:
            for grip in self._grips.values():
                if grip.until_s:
                    grip.until_s = grip.last_s + FIRST_S

    def _run_with(self, since_s: float) -> Run:
        """Return what a key is that came again after `since_s`: a new press, or what a key that is held down sends."""
        if since_s < ONE_FINGER_S:
            return Run.REPEATED
        # A key that comes as slowly a second time was let go of between: held down, it would come more quickly now.
        if since_s < FIRST_S and self._run is not Run.AGAIN:
            return Run.AGAIN if self._run is Run.PRESSED else Run.REPEATED
        return Run.PRESSED

    def _hold(self, key: Key, now_s: float, since_s: float, t_ms: int) -> None:
        grip = self._grips.get(key.does)
        repeated = since_s < ONE_FINGER_S
        if grip is None or not repeated:
            # A tap of ACK is over in the table's time; only where its key comes again is it held.
            first_s = 0.0 if key.least_ms > TAP_MS and grip is None else now_s + FIRST_S
            until_s = now_s + REPEAT_S if repeated else first_s
            self._press(key.does, Grip(until_s, t_ms + key.least_ms, now_s, key.least_ms))
        else:
            grip.until_s, grip.last_s = now_s + REPEAT_S, now_s

    def _press(self, button: str, grip: Grip) -> None:
        held = button in self._grips
        self._grips[button] = grip
        if button == CRANK and not held:
            self._hands.crank(True)
        elif not held:
            self._hands.press(button)

    def _release(self, button: str) -> None:
        del self._grips[button]
        if button == CRANK:
            self._hands.crank(False)
        else:
            self._hands.release(button)

    def _toggle(self, what: str, snapshot: Snapshot) -> None:
        """Turn a strap or the emergency stop round: from what was last done here, at first from what the table says."""
        said = snapshot.readings
        if what == "estop":
            pressed = not self._pulled.get(what, said.estop is not Contacts.CLOSED)
            self._pulled[what] = pressed
            self._hands.estop(pressed)
        else:
            contacts = said.strap_left if what == "left" else said.strap_right
            closed = not self._pulled.get(what, contacts is Contacts.CLOSED)
            self._pulled[what] = closed
            self._hands.strap(what, closed)

    def _note_due(self) -> None:
        self._due_ms = min((grip.until_ms for grip in self._grips.values() if not grip.until_s), default=NEVER_MS)


def _key_of(character: str) -> Key | None:
    """Return what a character stands for; a capital is the same key, unless it has a meaning of its own."""
    return KEYS.get(character) or KEYS.get(ALSO.get(character, character.lower()))
