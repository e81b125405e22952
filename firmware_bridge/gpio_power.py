"""The pins that move the table: H-bridge or two relays, brake and enable; off at first, off at last.

Both stages know the same three words: `put` a voltage on the motor, `short` it, and how fast it now goes (`applied`).
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from config.gpio import DrivePins

# lgpio takes duties in whole percents and cuts off the rest: a hair above, so that 29 % is not 28.
_HAIR: Final = 1e-4


class Stage(Protocol):
    """What puts a voltage on the motor."""

    def put(self, output_cdeg_s: float, set_cdeg_s: float, now_ms: int) -> None:
        """Put on what the loop asks for, at this set-point."""
        ...

    def short(self) -> None:
        """Put both legs low at once."""
        ...

    def applied(self, set_cdeg_s: float) -> int:
        """Return the speed in cdeg/s that the drive follows at this set-point."""
        ...


class HBridge:
    """PWM and direction.

    Args:
        pwm: gpiozero's PWM output.
        direction: its output for the direction, high for head-up.
        top_cdeg_s: the speed at full voltage without a load.
        start_percent: the duty at which the loaded drive just begins to turn.
    """

    def __init__(self, pwm: Any, direction: Any, top_cdeg_s: int, start_percent: int) -> None:
        self._pwm = pwm
        self._direction = direction
        self._per_cdeg_s = 100.0 / top_cdeg_s
        self._start = float(start_percent)
        self._up = False
        self._percent = 0
        self._rest = 0.0

    def put(self, output_cdeg_s: float, set_cdeg_s: float, now_ms: int) -> None:
        """Put the duty on; a change of direction passes through a sample in which both legs are low."""
        wanted = output_cdeg_s * self._per_cdeg_s
        if set_cdeg_s:
            # What the motor needs before it turns at all, the way that it is to turn.
            wanted += self._start if set_cdeg_s > 0.0 else -self._start
        up = wanted > 0.0
        if up is not self._up:
            if self._percent:
                self.short()
                return
            if wanted:
                self._up = up
                self._direction.value = up
        # Whole percents, since that is what lgpio has; what is cut off is put on in the next samples.
        size = min(abs(wanted), 100.0) + self._rest
        percent = int(size)
        self._rest = min(size - percent, 1.0)
        self._set(min(percent, 100))

    def short(self) -> None:
        """Put both legs low."""
        self._rest = 0.0
        self._set(0)

    def applied(self, set_cdeg_s: float) -> int:
        """Return the set-point: any speed can be had."""
        return round(set_cdeg_s)

    def _set(self, percent: int) -> None:
        if percent != self._percent:
            self._percent = percent
            self._pwm.value = percent / 100.0 + _HAIR if 0 < percent < 100 else percent / 100.0


class TwoRelays:
    """One relay a way, never both, and the one speed that they give.

    They pull at 60 % of that speed and let go at 40 %, so that a set-point near the middle does not make them chatter.

    Args:
        down, up: gpiozero's outputs.
        speed_cdeg_s: how fast the drive turns.
        dead_time_ms: from one letting go until the other may pull.
        now_ms: what time it is; they may have to let go after a pause in which nobody put anything.
    """

    def __init__(self, down: Any, up: Any, speed_cdeg_s: int, dead_time_ms: int, now_ms: Callable[[], int]) -> None:
        self._relays = {-1: down, 1: up}
        self._speed = speed_cdeg_s
        self._dead_time_ms = dead_time_ms
        self._way = 0
        self._last_way = 0
        self._now_ms = now_ms
        self._let_go_ms = 0

    def put(self, output_cdeg_s: float, set_cdeg_s: float, now_ms: int) -> None:
        """Pull or let go; the loop's output is nothing to a relay, the set-point is."""
        size = 10 * abs(set_cdeg_s)
        way = 1 if set_cdeg_s > 0.0 else -1
        if self._way:
            if way != self._way or size < 4 * self._speed:
                self.short()
        elif size >= 6 * self._speed and (way == self._last_way or now_ms - self._let_go_ms >= self._dead_time_ms):
            self._way = self._last_way = way
            self._relays[way].on()

    def short(self) -> None:
        """Let both go."""
        if self._way:
            self._way = 0
            self._let_go_ms = self._now_ms()
        for relay in self._relays.values():
            relay.off()

    def applied(self, set_cdeg_s: float) -> int:
        """Return the one speed, or none."""
        return self._way * self._speed


class Switches:
    """Brake and enable: what they are told, and nothing else."""

    def __init__(self, brake: Any, enable: Any) -> None:
        self._brake = brake
        self._enable = enable
        self.brake_set = True
        self.enabled = False

    def set_brake(self, set_: bool) -> None:
        """Set the brake (its coil gets no current), or open it."""
        if set_ is not self.brake_set:
            self.brake_set = set_
            self._brake.value = not set_

    def power(self, on: bool) -> None:
        """Power the drive, or not."""
        if on is not self.enabled:
            self.enabled = on
            self._enable.value = on


def stage_of(
    pins: DrivePins,
    top_cdeg_s: int,
    output: Callable[[int], Any],
    pwm: Callable[[int, int], Any],
    now_ms: Callable[[], int],
) -> Stage:
    """Return the stage that a profile asks for; `output` and `pwm` open pins, off; `now_ms` is the clock."""
    if pins.kind == "two-relay":
        # The profile was refused without them.
        assert pins.relay_down is not None and pins.relay_up is not None
        assert pins.relay_cdeg_s is not None and pins.dead_time_ms is not None
        down, up = output(pins.relay_down), output(pins.relay_up)
        return TwoRelays(down, up, pins.relay_cdeg_s, pins.dead_time_ms, now_ms)
    assert pins.pwm is not None and pins.direction is not None
    assert pins.pwm_hz is not None and pins.start_percent is not None
    return HBridge(pwm(pins.pwm, pins.pwm_hz), output(pins.direction), top_cdeg_s, pins.start_percent)
