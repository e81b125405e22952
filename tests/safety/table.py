"""A table made of readings: set them, let time pass, look at what the judge decided.

With `obeys` the table turns as it is told, through the ramp of a real drive; without, it stands where it is put.
"""

import copy
from functools import cache
from typing import Any, Self

import msgspec

from config.limits import Limits
from firmware_bridge.ramp import Ramp
from safety.angle import NONE, Angles
from safety.judge import in_full, step
from safety.judged import INITIAL, Judged
from safety.signals import (
    BUTTONS,
    Arm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guard,
    GuardState,
    Host,
    Issuer,
    Permit,
    Readings,
    Wish,
)

TICK_MS = 10
LIMITS = Limits()
PERMIT = Permit("plan", "P-1", 1, 2000, 0, -6000, 300, -6000, 300, Issuer.SIMULATED)
ARM = Arm(
    session_id=7,
    plan_hash="plan",
    cap_cdeg=-4500,
    hold_s=60,
    set_limit_s=300,
    sets=3,
    rest_s=60,
    speed_cdeg_s=200,
    travel_limit_ms=40_000,
    used_today_s=0,
    permit=PERMIT,
)
HOST = Host(clock_ok=True, config_ok=True, started_table=True, wall_s=1000, records_ok=True)
WHOLE: dict[str, Any] = {
    "age_ms": 0,
    "slow_age_ms": 0,
    "angle_a_cdeg": 0,
    "angle_b_cdeg": 0,
    "applied_cdeg_s": 0,
    "strap_left": Contacts.OPEN,
    "strap_right": Contacts.OPEN,
    "estop": Contacts.CLOSED,
    "buttons": 0,
    "patient_button": False,
    "level_switch": False,
    "end_down": False,
    "end_up": False,
    "mains": True,
    "battery": True,
    "current_ma": 0,
    "drive_fault": False,
    "brake_set": True,
    "drive_power": False,
    "guard": Guard(GuardState.ABSENT),
    "host": HOST,
}
WISHES = frozenset(Wish.__struct_fields__)
ONCE = ("arm", "disarm")
RUNNING_MA = 3000


def both_ways(was: Judged, readings: Readings, wish: Wish, limits: Limits) -> tuple[Judged, Decision]:
    """Step the judge; where it took the short way, every check must have led to the same."""
    judged, decision = step(was, readings, wish, limits)
    if was.calm is not None:
        long, said = in_full(was, readings, wish, limits)
        assert decision == said
        assert msgspec.structs.replace(judged, calm=None) == msgspec.structs.replace(long, calm=None)
    return judged, decision


class Bench:
    """One judge and the table that it believes to see, in ticks of 10 ms."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        """Begin before the first frame: level, straps open, everything whole."""
        self.limits = limits
        self.judged: Judged = INITIAL
        self.decision = Decision(Command())
        self.t_ms = 0
        self.obeys = False
        self.sequence = 0
        self.commands: list[int] = []
        self._fields = dict(WHOLE)
        self._wish: dict[str, Any] = {}
        self.wish = Wish()
        self._angle = 0.0
        self._speed = 0
        self._ramp = Ramp()

    def copy(self) -> Self:
        """Return another bench in the same moment."""
        other = copy.copy(self)
        other._fields, other._wish = dict(self._fields), dict(self._wish)
        other._ramp, other.commands = copy.copy(self._ramp), []
        return other

    # Readings and wishes ----------------------------------------------------------------------------------------

    def put(self, **changes: Any) -> Self:
        """Change fields of `Readings` and `Wish` from the next tick on.

        `angle_cdeg` sets both sensors and the level switch, `straps` both sides; `angle_a_cdeg` and the rest one thing.
        """
        for name, value in changes.items():
            if name == "angle_cdeg":
                self._angle = float(value)
                self._read_angle()
            elif name == "straps":
                self._fields["strap_left"] = self._fields["strap_right"] = value
            elif name in WISHES:
                self._wish[name] = value
                self.wish = Wish(**self._wish)
            else:
                assert name in self._fields, name
                self._fields[name] = value
        return self

    def _read_angle(self) -> None:
        angle = round(self._angle)
        self._fields["angle_a_cdeg"] = self._fields["angle_b_cdeg"] = angle
        self._fields["level_switch"] = angle < -50

    @property
    def readings(self) -> Readings:
        """What the table says in the next tick."""
        return Readings(TICK_MS, self.sequence, **self._fields)

    # Time -------------------------------------------------------------------------------------------------------

    def tick(self, elapsed_ms: int = TICK_MS, news: bool = True) -> Decision:
        """Let one tick pass, with a new frame or without."""
        if news:
            self.sequence += 1
        fields = self._fields
        if self._speed and not self.obeys:
            self._angle += self._speed * elapsed_ms / 1000
            self._read_angle()
        readings = Readings(elapsed_ms, self.sequence, **fields)
        self.judged, self.decision = both_ways(self.judged, readings, self.wish, self.limits)
        if self.wish.arm is not None or self.wish.disarm:
            for name in ONCE:
                self._wish.pop(name, None)
            self.wish = Wish(**self._wish)
        self.t_ms += elapsed_ms
        command = self.decision.command
        self.commands.append(command.velocity_cdeg_s)
        if self.obeys:
            self._obey(command, elapsed_ms)
        return self.decision

    def _obey(self, command: Command, elapsed_ms: int) -> None:
        target = command.velocity_cdeg_s if command.send else 0
        if command.demand == Demand.CUT:
            self._ramp.cut()
        applied = self._ramp.step(target, elapsed_ms)
        if applied or target:
            self._angle += applied * elapsed_ms / 1000
            self._read_angle()
        moving = bool(applied or target)
        self._fields.update(
            applied_cdeg_s=round(applied),
            brake_set=not moving,
            drive_power=moving or command.demand == Demand.HOLD,
            current_ma=RUNNING_MA if moving else 0,
        )

    def run(self, ms: int, **changes: Any) -> Decision:
        """Change what is given, then let `ms` pass."""
        self.put(**changes)
        for _ in range(ms // TICK_MS):
            self.tick()
        return self.decision

    def wait(self, seconds: float, **changes: Any) -> Decision:
        """Let a long time pass in ticks of 50 ms, the longest that are not late."""
        self.put(**changes)
        for _ in range(round(seconds * 20)):
            self.tick(50)
        return self.decision

    def glide(self, angle_cdeg: int, cdeg_s: int = 100) -> Self:
        """Turn a table that does not obey to an angle, as driven at `cdeg_s`, and stop it there."""
        sign = 1 if angle_cdeg > self._angle else -1
        self.put(applied_cdeg_s=sign * cdeg_s, current_ma=RUNNING_MA, brake_set=False, drive_power=True)
        self._speed = sign * cdeg_s
        while sign * (angle_cdeg - self._angle) > cdeg_s * TICK_MS / 1000:
            self.tick()
        self._speed = 0
        self.put(angle_cdeg=angle_cdeg)
        self.tick()
        self.run(TICK_MS, applied_cdeg_s=0, current_ma=0, brake_set=True, drive_power=False)
        return self

    def silence(self, ms: int) -> Decision:
        """Let `ms` pass without any frame: what was last read grows old."""
        for _ in range(ms // TICK_MS):
            self._fields["age_ms"] += TICK_MS
            self._fields["slow_age_ms"] += TICK_MS
            self.tick(news=False)
        self._fields["age_ms"] = self._fields["slow_age_ms"] = 0
        return self.decision

    def turn(self, cdeg_s: int, ms: int, **changes: Any) -> Decision:
        """Let the table turn at `cdeg_s` for `ms`, whatever it is told; the set-point is not touched."""
        self._speed = cdeg_s
        self.run(ms, **changes)
        self._speed = 0
        return self.decision

    def ms_until(self, code: str, at_most_ms: int = 5000, **changes: Any) -> int | None:
        """Let time pass until a cause appears, and say after how long; None when it does not."""
        start = self.t_ms
        self.put(**changes)
        while self.t_ms - start < at_most_ms:
            self.tick()
            if code in self.codes:
                return self.t_ms - start
        return None

    # Hands ------------------------------------------------------------------------------------------------------

    def hold(self, *names: str) -> Self:
        """Hold down these buttons as well."""
        for name in names:
            self._fields["buttons"] |= BUTTONS[name]
        return self

    def let_go(self, *names: str) -> Self:
        """Let go of these buttons, or of all."""
        for name in names or BUTTONS:
            self._fields["buttons"] &= ~BUTTONS[name]
        return self

    def press(self, name: str, ms: int = 100) -> Decision:
        """Press a button for `ms`, and let one tick pass after it."""
        self.hold(name).run(ms)
        return self.let_go(name).run(TICK_MS)

    # What was decided -------------------------------------------------------------------------------------------

    @property
    def angle_cdeg(self) -> int:
        """Where the table really is."""
        return round(self._angle)

    @property
    def codes(self) -> Any:
        """The causes in force, first cause first: a tuple, typed so that a checker does not take it to stand still."""
        return tuple(cause.code for cause in self.decision.causes)

    @property
    def demand(self) -> int:
        """The demand in force, to be compared with those of `Demand`."""
        return self.decision.demand

    def proved(self, name: str) -> bool:
        """Whether one of the proofs stands."""
        return bool(getattr(self.decision.proofs, name))

    @property
    def velocity(self) -> int:
        """What is commanded now (centidegrees a second)."""
        return self.decision.command.velocity_cdeg_s

    @property
    def refused(self) -> Any:
        """The codes of this tick's refusals."""
        return tuple(cause.code for cause in self.decision.refusals)

    def cause(self, code: str) -> Cause:
        """One of the causes in force."""
        found = [cause for cause in self.decision.causes if cause.code == code]
        assert len(found) == 1, (code, self.decision.causes)
        return found[0]


# Benches in a certain moment; each is worked out once, by what people do, and copied.


def arm_with(**changes: Any) -> Arm:
    """Return the ordinary ARM with some fields changed; `permit` fields are reached through `permit_with`."""
    return msgspec.structs.replace(ARM, **changes)


def permit_with(**changes: Any) -> Arm:
    """Return the ordinary ARM with some fields of its permit changed."""
    return msgspec.structs.replace(ARM, permit=msgspec.structs.replace(PERMIT, **changes))


@cache
def _ready(limits: Limits) -> Bench:
    bench = Bench(limits)
    bench.run(1100)
    bench.run(2100, straps=Contacts.CLOSED)
    bench.run(3000)
    bench.press("CONFIRM")
    bench.run(500, patient_button=True)
    bench.run(1000, patient_button=False)
    bench.press("CONFIRM")
    return bench


def ready(limits: Limits = LIMITS) -> Bench:
    """A patient strapped in at level, everything proven: only ARM is missing."""
    return _ready(limits).copy()


@cache
def _armed(arm: Arm, limits: Limits) -> Bench:
    bench = ready(limits)
    bench.run(TICK_MS, arm=arm)
    assert bench.decision.armed is arm, bench.decision.refusals
    bench.run(5500)
    return bench


def armed(arm: Arm = ARM, limits: Limits = LIMITS) -> Bench:
    """Armed, at level, still for more than 5 s."""
    return _armed(arm, limits).copy()


@cache
def _tilted(angle_cdeg: int, arm: Arm, limits: Limits) -> Bench:
    bench = armed(arm, limits)
    bench.obeys = True
    bench.hold("TILT").put(velocity_cdeg_s=-200)
    for _ in range(6000):
        if bench.t_ms % 10_000 == 0:
            bench.hold("PRESENCE")
        left = bench.angle_cdeg - angle_cdeg
        bench.put(velocity_cdeg_s=-min(200, max(left, 10)) if left > 0 else 0)
        bench.tick()
        bench.let_go("PRESENCE")
        if left <= 0 and not bench.readings.applied_cdeg_s:
            break
    bench.let_go("TILT").run(100)
    bench.press("PRESENCE")
    bench.run(1000)
    assert bench.demand == Demand.ALLOW, bench.decision.causes
    assert -30 <= bench.angle_cdeg - angle_cdeg <= 30, bench.angle_cdeg
    return bench


def tilted(angle_cdeg: int = -3000, arm: Arm = ARM, limits: Limits = LIMITS, *, obeys: bool = True) -> Bench:
    """Armed, tilted to `angle_cdeg` by a held TILT, standing still there; from here on it obeys or stands."""
    bench = _tilted(angle_cdeg, arm, limits).copy()
    bench.put(velocity_cdeg_s=0)
    bench.obeys = obeys
    return bench


# A drive that is told one thing while the table does another.

RUNNING = {"current_ma": 3000, "brake_set": False, "drive_power": True}
BELIEVED = Angles(0, 0, NONE, 0, False, 0, 0)


def driven(bench: Bench, applied_cdeg_s: int, turns_cdeg_s: int, ms: int, **changes: object) -> Bench:
    """Let the set-point say one thing and the table do another."""
    bench.turn(turns_cdeg_s, ms, applied_cdeg_s=applied_cdeg_s, **{**RUNNING, **changes})
    return bench


def at_depth(angle_cdeg: int = -3000) -> Bench:
    """Tilted, and from here on the table goes where the test turns it."""
    return tilted(angle_cdeg, obeys=False)
