"""A bench for the alarm engine: ticks of uneven length, whatever causes a test wants, and what was lit and heard."""

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import Any, NamedTuple

import msgspec

from controller.alarms import Alarms
from safety.signals import (
    Alarm,
    Arm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Issuer,
    Permit,
    Readings,
    Region,
    Signals,
    Wish,
)

# Divisors of nothing, as frames and deadlines come.
UNEVEN_MS = (3, 10, 13)


def cause(code: str, demand: Demand, alarm: Alarm, by: str = "host", where: str = "") -> Cause:
    """A cause of which only code, demand and alarm matter here."""
    return Cause(code, demand, alarm, 1, 0, "", by, where=where)


H04 = cause("H04", Demand.RETURN, Alarm.HIGH)
H08 = cause("H08", Demand.RETURN, Alarm.HIGH)
H15 = cause("H15", Demand.HOLD, Alarm.HIGH)
H21 = cause("H21", Demand.RETURN, Alarm.MEDIUM)
H22 = cause("H22", Demand.RETURN, Alarm.MEDIUM)
H26 = cause("H26", Demand.STOP, Alarm.LOW)
H27 = cause("H27", Demand.NO_DEEPENING, Alarm.LOW)


ARM = Arm(1, "", -2000, 60, 80, 1, 60, 200, 10_000, 0, Permit("", "p", 1, 0, 0, -2000, 60, None, None, Issuer.CLINIC))


class Span(NamedTuple):
    """A stretch in which a lamp was lit or a pitch sounded, as the ticks showed it."""

    begin_ms: int
    end_ms: int
    pitch_hz: int = 0

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.begin_ms


def near(measured_ms: int, wanted_ms: int) -> bool:
    """Within one tick at either edge."""
    return abs(measured_ms - wanted_ms) < max(UNEVEN_MS)


class Bench:
    """An engine and what it gets; every tick is kept."""

    def __init__(self, ticks_ms: Sequence[int] = UNEVEN_MS) -> None:
        self.alarms = Alarms()
        self.t_ms = 0
        self.ticks: list[tuple[int, Signals]] = []
        self.readings = Readings(
            10, buttons=0, strap_left=Contacts.CLOSED, strap_right=Contacts.CLOSED, estop=Contacts.CLOSED
        )
        self.wish = Wish()
        self.decision = Decision(Command(), region=Region.LEVEL)
        self._lengths: Iterator[int] = cycle(ticks_ms)

    def now(self) -> Signals:
        return self.ticks[-1][1]

    def is_paused(self) -> bool:
        return self.alarms.state.paused

    def is_escalated(self) -> bool:
        return self.alarms.state.escalated

    def causes(self, *causes: Cause, **more: Any) -> None:
        """From the next tick on these causes are in force, with the worst demand and alarm among them."""
        more.setdefault("demand", max([one.demand for one in causes], default=Demand.ALLOW))
        more.setdefault("alarm", max([one.alarm for one in causes], default=Alarm.NONE))
        self.decision = msgspec.structs.replace(self.decision, causes=causes, **more)

    def read(self, **what: Any) -> None:
        self.readings = msgspec.structs.replace(self.readings, **what)

    def wishes(self, **what: Any) -> None:
        self.wish = msgspec.structs.replace(self.wish, **what)

    def tick(self, **once: Any) -> Signals:
        """One tick; `once` is said by the wish or the decision in this tick only."""
        elapsed_ms = next(self._lengths)
        self.t_ms += elapsed_ms
        wish, decision = self.wish, self.decision
        if "acknowledge" in once:
            wish = msgspec.structs.replace(wish, **once)
        elif once:
            decision = msgspec.structs.replace(decision, **once)
        readings = msgspec.structs.replace(self.readings, elapsed_ms=elapsed_ms)
        signals = self.alarms.signals(readings, wish, decision)
        self.ticks.append((self.t_ms, signals))
        return signals

    def run(self, ms: int) -> None:
        """Let time pass."""
        end_ms = self.t_ms + ms
        while self.t_ms < end_ms:
            self.tick()

    def spans(self, of: Callable[[Signals], int], since_ms: int = 0) -> list[Span]:
        """Where `of` was not 0: each stretch with its value; one that is cut at the end is left out."""
        found: list[Span] = []
        begin_ms, value = 0, 0
        for t_ms, signals in self.ticks:
            now = of(signals) if t_ms >= since_ms else 0
            if now != value:
                if value:
                    found.append(Span(begin_ms, t_ms, value))
                begin_ms, value = t_ms, now
        return found

    def heard(self, since_ms: int = 0) -> list[Span]:
        """Every pulse of the buzzer, whole."""
        return self.spans(lambda signals: signals.buzzer_hz, since_ms)

    def lit(self, lamp: int, since_ms: int = 0) -> list[Span]:
        """Every whole flash of a lamp."""
        return self.spans(lambda signals: signals.lamps & lamp, since_ms)

    def longest_silence_ms(self, since_ms: int = 0) -> int:
        """The longest time without any sound, up to now."""
        longest_ms, last_ms = 0, since_ms
        for t_ms, signals in self.ticks:
            if t_ms >= since_ms:
                longest_ms = max(longest_ms, t_ms - last_ms)
                if signals.buzzer_hz:
                    last_ms = t_ms
        return longest_ms
