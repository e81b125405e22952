"""Keys and mouse at the terminal panel: the switches of a simulated table, or the little that a real one takes.

A mouse says when its button is let go of, a terminal's key does not: keys are held as `controller.keys` tells. One
finger at a time: a new press, by key or mouse, lets go of the one before, but for PRESENCE and the patient's button.
"""

import time
from collections.abc import Callable
from typing import Final

from controller.keys import ALSO, BESIDE_ALL, CRANK, KEYS, Key, Keys, Kind
from controller.messages import Answer
from controller.tui.control import Control, Link
from firmware_bridge.hands import HandsClient, HandsGoneError
from safety.signals import Snapshot

FROM_HERE: Final = "the terminal panel"
ASKED: Final[dict[str, Callable[[Control], Answer]]] = {
    "s": lambda control: control.stop(FROM_HERE),
    "r": lambda control: control.bring_back(FROM_HERE),
    "a": lambda control: control.acknowledge(),
}
# A key that is held down comes again within this time, and asks once.
ONCE_S: Final = 0.75
NO_HANDS: Final = "From here only STOP, RETURN and a pause of the sound: this table has buttons of its own."


class Typed:
    """What was typed and not yet read."""

    gone = False

    def __init__(self) -> None:
        """Begin with nothing typed."""
        self._typed = ""

    def put(self, character: str) -> None:
        """Take one key."""
        self._typed += character

    def read(self) -> str:
        """Return the keys since the last time."""
        typed, self._typed = self._typed, ""
        return typed


class SimulatedHands:
    """Works a simulated table's switches.

    Args:
        path: of its hands socket.
        take_over: called before anything is worked first.
        now: a monotonic clock in seconds.

    Raises:
        HandsGoneError: nobody is there.
    """

    def __init__(self, path: str, take_over: Callable[[], None], now: Callable[[], float] = time.monotonic) -> None:
        self._hands = HandsClient(path, now)
        self._typed = Typed()
        self._keys = Keys(self._typed, self._hands, take_over, now)
        self._mouse: Key | None = None
        self._since_ms = 0
        self._let_go = False

    @property
    def in_charge(self) -> bool:
        """Whether somebody here works the table."""
        return self._keys.in_charge

    @property
    def trouble(self) -> str:
        """What is wrong with the way to the switches; empty while nothing is."""
        return self._hands.trouble

    def key(self, character: str) -> None:
        """Take one key."""
        known = KEYS.get(character) or KEYS.get(ALSO.get(character, character.lower()))
        if known is not None and known.does not in BESIDE_ALL:
            self._release()
        self._typed.put(character)

    def mouse_down(self, character: str, snapshot: Snapshot) -> None:
        """Press the mouse on the word of a key."""
        key = KEYS[character]
        if key.kind is not Kind.HOLD:
            self.key(character)
            return
        self._release()
        self._keys.let_go()
        self._keys.take_charge()
        self._mouse, self._since_ms, self._let_go = key, snapshot.t_ms, False
        if key.does == CRANK:
            self._hands.crank(True)
        else:
            self._hands.press(key.does)

    def mouse_up(self) -> None:
        """Let go of what the mouse holds, as soon as the table can have seen it."""
        self._let_go = True

    def look(self, snapshot: Snapshot) -> None:
        """Do what is due; 20 times a second."""
        held = self._mouse
        if held is not None and self._let_go and snapshot.t_ms - self._since_ms >= held.least_ms:
            self._release()
        self._keys.look(snapshot)
        self._keys.observe(snapshot)
        self._hands.renew()

    def renew(self) -> None:
        """Say again what is held; at least every 100 ms."""
        self._hands.renew()

    def let_go(self) -> None:
        """Let go of everything at once."""
        self._release()
        self._keys.let_go()

    def close(self) -> None:
        """Let go of everything, and of the table."""
        self.let_go()
        self._hands.close()

    def _release(self) -> None:
        held, self._mouse = self._mouse, None
        if held is None:
            return
        if held.does == CRANK:
            self._hands.crank(False)
        else:
            self._hands.release(held.does)


class Asking:
    """The keys of a real table's panel: STOP, RETURN and audio pause over the socket, and nothing else."""

    def __init__(self, link: Link, say: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        """Ask over `link`; what is not done is told by `say`."""
        self._link, self._say, self._now = link, say, now
        self._last: tuple[str, float] = "", 0.0

    def key(self, character: str) -> None:
        """Take one key; held down it asks once."""
        character = character.lower()
        last, last_s = self._last
        self._last = character, self._now()
        if character == last and self._now() - last_s < ONCE_S:
            return
        asked = ASKED.get(character)
        if asked is not None:
            why = self._link.ask(asked)
            if why:
                self._say(f"Not done: {why}")
        elif character in KEYS or character in ALSO:
            self._say(NO_HANDS)


__all__ = ["Asking", "HandsGoneError", "SimulatedHands"]
