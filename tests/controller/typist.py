"""Somebody at a keyboard, in virtual time: a finger, the terminal, and a supervisor who reads the screen."""

from config.loading import load_plan, load_profile
from controller.app import InProcess
from controller.keys import Keys
from controller.recording import Recorder
from controller.session import Session
from firmware_bridge.hands import Hands
from safety.signals import Contacts, Demand, Guide, Region, Snapshot, State

LOOK_MS = 50


class Finger:
    """What a terminal sends of keys that are pressed and let go of; time is set from outside.

    A key comes once when it is pressed, again after `first_ms`, then every `each_ms`; only the last key is repeated.
    """

    def __init__(self, first_ms: int = 500, each_ms: int = 33) -> None:
        self.gone = False
        self.now_ms = 0
        self._first_ms, self._each_ms = first_ms, each_ms
        self._down = ""
        self._next_ms = 0
        self._sent = ""

    def press(self, key: str) -> None:
        self._send_due()
        self._sent += key
        self._down, self._next_ms = key, self.now_ms + self._first_ms

    def let_go(self) -> None:
        self._send_due()
        self._down = ""

    def tap(self, keys: str) -> None:
        """Press keys one after the other, each let go of at once."""
        for key in keys:
            self.press(key)
            self.let_go()

    def read(self) -> str:
        self._send_due()
        sent, self._sent = self._sent, ""
        return sent

    def _send_due(self) -> None:
        while self._down and self._next_ms <= self.now_ms:
            self._sent += self._down
            self._next_ms += self._each_ms


class WatchedHands(Hands):
    """Hands that note what is done, with the time: `+TILT`, `-TILT`."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.done: list[tuple[int, str]] = []
        self.held: set[str] = set()

    def press(self, button: str) -> None:
        if button not in self.held:
            self.held.add(button)
            self._note(f"+{button}")

    def release(self, button: str) -> None:
        self.held.discard(button)
        self._note(f"-{button}")

    def strap(self, side: str, closed: bool) -> None:
        self._note(f"{side} {'closed' if closed else 'open'}")

    def estop(self, pressed: bool) -> None:
        self._note(f"e-stop {'pressed' if pressed else 'pulled'}")

    def crank(self, turning: bool) -> None:
        self._note(f"{'+' if turning else '-'}CRANK")

    def inject(self, fault: str) -> None:
        raise AssertionError(f"no key injects {fault}")

    def _note(self, what: str) -> None:
        self.done.append((self.now_ms, what))


class AtTheKeyboard:
    """A session on the simulated table at real time, worked by keys from the start or from when one is pressed."""

    def __init__(self, plan: str = "short", by_hand: bool = True) -> None:
        profile = load_profile("simulated")
        limits = profile.limits()
        chosen = load_plan(plan, limits)
        self.table = table = InProcess().open(profile, chosen, 0, {}, [])
        self.session = Session(table.bridge, table.clock, chosen, limits, table.permit, table.host)
        self.recorder = Recorder(table.truth)
        self.finger = Finger()
        assert table.hands is not None
        self.taken_over = by_hand
        if by_hand:
            table.stand_aside()
        self.keys = Keys(
            self.finger, table.hands, self._take_over, lambda: self.finger.now_ms / 1000, in_charge=by_hand
        )
        self.session.loop.observers += [self.keys.observe, self.recorder.observe, *table.observers]

    def _take_over(self) -> None:
        self.taken_over = True
        self.table.stand_aside()

    @property
    def last(self) -> Snapshot:
        return self.recorder.snapshots[-1]

    def is_under(self, demand: Demand) -> bool:
        return self.last.decision.demand is demand

    def look(self) -> Snapshot:
        """Let one look's time pass."""
        for _ in range(LOOK_MS // 10):
            self.session.tick()
        self.finger.now_ms = self.last.t_ms
        self.keys.look(self.last)
        return self.last

    def wait(self, milliseconds: int) -> None:
        until_ms = self.finger.now_ms + milliseconds
        while self.finger.now_ms < until_ms and not self.session.finished:
            self.look()

    def until(self, state: State, within_s: int = 200) -> None:
        """Let time pass until the session is in a state."""
        for _ in range(within_s * 1000 // LOOK_MS):
            if self.look().wish.state is state:
                return
        raise AssertionError(f"never {state}, still {self.last.wish.state}: {self.last.wish.guide}")

    def hold_until(self, key: str, state: State) -> None:
        self.finger.press(key)
        self.until(state)
        self.finger.let_go()

    def prepare(self) -> None:
        """Do what the panel asks for, up to `strapped`."""
        for _ in range(4000):
            snapshot = self.look()
            if snapshot.wish.state is State.STRAPPED:
                return
            self._follow(snapshot)
        raise AssertionError(f"never strapped: {self.last.wish.guide}")

    def _follow(self, snapshot: Snapshot) -> None:
        guide, left_ms = snapshot.wish.guide, snapshot.wish.left_ms
        said = snapshot.readings
        if guide is Guide.LEVEL:
            self.finger.press("t")
            while self.look().decision.region is Region.ABOVE:
                pass
            self.finger.let_go()
        elif guide is Guide.CLOSE_STRAPS and said.strap_left is said.strap_right is Contacts.OPEN:
            self.finger.tap("12")
            self.wait(500)
        elif guide is Guide.PATIENT_BUTTON and "PATIENT" not in self.keys.held:
            self.finger.tap("p")
        elif guide in (Guide.LAMP_TEST, Guide.CONFIRM_STRAPS, Guide.READ_BACK) and not left_ms:
            self.finger.tap("\n")
            self.wait(1000)
