"""A table made of arithmetic around the real guard: the angle follows the set-point, people work the switches.

What a test does not spoil is whole: sensors agree, the drive turns as it is told, the host sends a command a tick.
"""

from typing import Any, Self

from config.limits import Limits
from safety.signals import ACK, CONFIRM, RAISE, RETURN, TILT, Contacts, Demand, GuardState
from sim.guard import NO_ANGLE, Guard, config_fields, switches

TICK_MS = 10
LIMITS = Limits()
CONFIG_HASH = 0xC0FFEE
SESSION = 7
ARM: dict[str, int | bool] = {
    "session_id": SESSION,
    "config_hash": CONFIG_HASH,
    "cap_cdeg": -4500,
    "set_limit_s": 300,
    "travel_limit_s": 60,
    "hold_today_s": 180,
    "speed_cdeg_s": 200,
    "sets": 3,
    "held_tilt": True,
}
STATES = tuple(GuardState)[1:]
"""The guard's states in the order of `guard_state_name`."""
STOP_BIT = 99
RUNNING_MA = 3000


def usual_config(limits: Limits = LIMITS) -> dict[str, int | bool]:
    """Return a table's constants, under the name that `ARM` gives."""
    return config_fields(limits, brake_on_motor_side=True) | {"hash": CONFIG_HASH}


def codes(causes: int) -> set[str]:
    """Return the codes of a word of causes."""
    names = {f"H{number:02d}" for number in range(1, 40) if causes >> number & 1}
    return names | {"STOP"} if causes & 1 else names


class Bench:
    """One guard, its table, its people and its host, in ticks of 10 ms.

    Attributes:
        angle: where the table is, centidegrees; `speed` how fast it turned in the last tick, centidegrees a second.
        gain: how much of the set-point the table follows; `slip` is added to it, centidegrees a second.
        carried: whether the drive has supply, None where mains or a good battery say so.
        offset_a, offset_b: what a sensor reads too much; `word_a`, `word_b`: what it reads instead, None to follow.
        send: whether the host lives; the rest of `host_*` is what it says.
    """

    def __init__(
        self, angle_cdeg: float = 0, *, limits: Limits = LIMITS, configured: bool = True, **state: Any
    ) -> None:
        self.limits = limits
        self.angle = float(angle_cdeg)
        self.speed = 0.0
        self.gain, self.slip = 1.0, 0.0
        self.offset_a = self.offset_b = 0
        self.word_a: int | None = None
        self.word_b: int | None = None
        self.level_switch: bool | None = None
        self.current_ma: int | None = None
        self.buttons = 0
        self.left = self.right = Contacts.OPEN
        self.estop = Contacts.CLOSED
        self.patient_open = False
        self.end_down = self.end_up = False
        self.mains = self.battery = True
        self.carried: bool | None = None
        self.drive_fault = False
        self.send = True
        self.host_session = 0
        self.host_echo: int | None = None
        self.host_velocity = 0
        self.host_demand = Demand.ALLOW
        self.host_cause = 0
        self.host_plan_return = False
        self.host_presence = True
        self.sequence = 0
        self.t_ms = 0
        self.edges = 0
        self.seen: set[str] = set()
        self.put(**state)
        self.guard = Guard(*self.pins())
        self.out = self.guard.out
        if configured:
            assert self.guard.restore(usual_config(limits))

    def put(self, **changes: Any) -> Self:
        """Change attributes; `straps` is both sides."""
        for name, value in changes.items():
            if name == "straps":
                self.left = self.right = value
            else:
                assert hasattr(self, name), name
                setattr(self, name, value)
        return self

    def pins(self) -> tuple[int, int, int, int, int]:
        """Return what the pins say now."""
        here = round(self.angle)
        a = here + self.offset_a if self.word_a is None else self.word_a
        b = here + self.offset_b if self.word_b is None else self.word_b
        current = self.current_ma
        if current is None:
            current = RUNNING_MA if getattr(self, "out", None) is not None and self.out.drive_power else 0
        level = here < -50 if self.level_switch is None else self.level_switch
        word = switches(
            self.left,
            self.right,
            self.estop,
            patient_open=self.patient_open,
            level_switch_below=level,
            end_down=self.end_down,
            end_up=self.end_up,
            mains=self.mains,
            battery=self.battery,
            drive_fault=self.drive_fault,
            supply_gone=not self.supplied,
        )
        return a, b, current, self.buttons, word

    @property
    def supplied(self) -> bool:
        """Whether anything carries the drive."""
        if self.carried is not None:
            return self.carried
        return self.mains or (self.battery and self.limits.has_battery)

    # Time -----------------------------------------------------------------------------------------------------------

    def tick(self) -> Self:
        """Let 10 ms pass."""
        guard, out = self.guard, self.out
        if self.send:
            guard.tell(
                self.host_session,
                self.sequence if self.host_echo is None else self.host_echo,
                self.host_velocity,
                self.host_demand,
                self.host_cause,
                self.host_plan_return,
                self.host_presence,
            )
        edge = guard.step(TICK_MS, *self.pins())
        self.edges += edge
        self.t_ms += TICK_MS
        turned = sum(guard.applied[0:TICK_MS]) / 1000
        moved = (turned * self.gain if out.drive_power and out.brake_released else 0.0) + self.slip * TICK_MS / 1000
        self.speed = moved * 1000 / TICK_MS
        self.angle += moved
        self.sequence = (self.sequence + 1) & 0xFFFF
        guard.sent(self.sequence)
        if edge:
            self.seen |= codes(out.causes)
        return self

    def ms(self) -> Self:
        """Let 1 ms pass, with a command and telemetry in it; the table stands."""
        self.guard.tell(self.host_session, self.sequence, self.host_velocity, self.host_demand)
        self.guard.step(1, *self.pins())
        self.t_ms += 1
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.guard.sent(self.sequence)
        return self

    def run(self, seconds: float, **changes: Any) -> Self:
        """Change attributes, then let some seconds pass."""
        self.put(**changes)
        for _ in range(round(seconds * 1000 / TICK_MS)):
            self.tick()
        return self

    def drift(self, to_cdeg: int, cdeg_a_tick: int = 1, ticks: int = 1) -> Self:
        """Let both sensors read more and more wrongly, until they say `to_cdeg`."""
        way = 1 if to_cdeg > self.pins()[0] else -1
        while way * (to_cdeg - self.pins()[0]) > 0:
            step = way * min(cdeg_a_tick, abs(to_cdeg - self.pins()[0]))
            self.offset_a += step
            self.offset_b += step
            for _ in range(ticks):
                self.tick()
        self.word_a = self.word_b = to_cdeg
        return self

    def until(self, what: Any, most_s: float = 120, **changes: Any) -> float:
        """Let time pass until `what(bench)` holds, and return how many seconds it took."""
        self.put(**changes)
        began_ms = self.t_ms
        while not what(self):
            assert self.t_ms - began_ms < most_s * 1000, f"it never came, {self.told}"
            self.tick()
        return (self.t_ms - began_ms) / 1000

    # What it says ---------------------------------------------------------------------------------------------------

    @property
    def demand(self) -> Demand:
        return Demand(self.out.demand)

    @property
    def state(self) -> GuardState:
        state: GuardState = STATES[self.out.state]
        return state

    @property
    def causes(self) -> set[str]:
        return codes(self.out.causes)

    @property
    def first(self) -> str:
        number = int(self.out.first_cause)
        return "" if not number else "STOP" if number == STOP_BIT else f"H{number:02d}"

    @property
    def applied(self) -> int:
        return int(self.out.applied_cdeg_s)

    @property
    def refused(self) -> set[str]:
        return codes(self.out.refusals_low | self.out.refusals_high << 32)

    @property
    def told(self) -> str:
        return (
            f"{self.t_ms} ms: {self.angle:.0f} cdeg, applied {self.applied}, {self.demand.name}, {self.state},"
            f" {self.first} of {self.causes}, phase {self.out.phase}, returning {self.out.returning}"
        )

    # What people and host do ----------------------------------------------------------------------------------------

    def press(self, button: int, seconds: float = 0.1) -> Self:
        """Press a button and let it go."""
        self.run(seconds, buttons=self.buttons | button)
        return self.run(0.05, buttons=self.buttons & ~button)

    def prove(self) -> Self:
        """Close the straps and prove them and the patient's button, as a visit begins."""
        self.run(1.1, straps=Contacts.OPEN)
        self.run(2.1, straps=Contacts.CLOSED)
        self.run(3.1)
        self.press(CONFIRM)
        self.run(0.1, patient_open=True)
        return self.run(0.6, patient_open=False)

    def ask_arm(self, **changes: int | bool) -> Self:
        """Send ARM, and its session's commands if it was accepted."""
        self.guard.arm(**(ARM | changes))
        self.tick()
        if self.out.session_id:
            self.host_session = self.out.session_id
        return self.run(0.02)

    def ask_disarm(self, session: int = SESSION) -> Self:
        """Send DISARM."""
        self.guard.disarm(session)
        self.tick()
        self.host_session = self.out.session_id
        return self.run(0.02)

    def armed(self, **changes: int | bool) -> Self:
        """Go through everything that leads to ARM."""
        self.prove().ask_arm(**changes)
        assert not self.refused, self.refused
        assert self.out.session_id == (changes.get("session_id") or SESSION)
        return self

    def tilt(self, to_cdeg: int, speed: int = 200) -> Self:
        """Hold TILT after 5 s of rest until the table is there, then let go and come to rest."""
        self.run(5.2, host_velocity=0)
        self.put(buttons=self.buttons | TILT)
        self.until(lambda b: b.angle <= to_cdeg + speed / 2.6, host_velocity=-speed)
        return self.run(2.5, host_velocity=0, buttons=self.buttons & ~TILT)

    def at(self, angle_cdeg: int, **changes: int | bool) -> Self:
        """Arm and tilt."""
        return self.armed(**changes).tilt(angle_cdeg)

    def plan_back(self) -> Self:
        """Let the host bring the table back as planned."""
        self.until(lambda b: b.angle > -60, host_velocity=200, host_plan_return=True)
        return self.run(2.5, host_velocity=0, host_plan_return=False)

    def reset(self) -> Self:
        """Hold ACK for RESET."""
        return self.press(ACK, 2.2)

    def level(self) -> bool:
        """Say whether the table is at level and at rest."""
        return -100 <= self.angle <= 100 and not self.applied


__all__ = ["ACK", "NO_ANGLE", "RAISE", "RETURN", "TILT", "Bench"]
