"""What the Pi's outputs switch on a simulated table: H-bridge or relays, brake, enable, and the safety relay.

Nothing here is software of the table: these are parts on a board, and they do what the pins say, also when the program
that set the pins is gone.
"""

from collections.abc import Callable
from typing import Final

from sim.clock import VirtualClock
from sim.plant import Plant

NEVER_MS: Final = 1 << 60
# A 24 V relay of 10 A with a diode across its coil, as data sheets have it: slower to let go than to pull.
RELAY_PULLS_MS: Final = 8
RELAY_LETS_GO_MS: Final = 12


class SafetyRelay:
    """A retriggerable monostable that keeps the drive's chain closed while its input keeps changing.

    Args:
        clock: when an edge comes.
        drop_ms: how long after the last edge it has dropped.

    Attributes:
        dropped: its contact in the chain is open.
        due_ms: when it will drop unless an edge comes before.
        edges: how many came.
        welded: its contact stays closed whatever happens.
    """

    def __init__(self, clock: VirtualClock, drop_ms: int) -> None:
        self._clock = clock
        self.drop_ms = drop_ms
        self.dropped = True
        self.due_ms = NEVER_MS
        self.edges = 0
        self.welded = False

    def edge(self) -> None:
        """Take an edge of its input."""
        self.edges += 1
        self.dropped = False
        self.due_ms = self._clock.ms + self.drop_ms

    def pass_to(self, now_ms: int) -> None:
        """Drop, if it is time to."""
        if now_ms >= self.due_ms:
            self.due_ms = NEVER_MS
            self.dropped = not self.welded


class Relay:
    """One relay of a pair that reverses the drive: its contact follows its coil after some milliseconds.

    Attributes:
        coil: whether its pin is high.
        closed: whether its contact is.
        due_ms: when the contact will follow.
        stuck: the contact stays so, welded or broken; None: it works.
    """

    def __init__(self) -> None:
        self.coil = False
        self.closed = False
        self.due_ms = NEVER_MS
        self.stuck: bool | None = None

    def switch(self, coil: bool, now_ms: int) -> None:
        """Put a level on the coil."""
        if coil != self.coil:
            self.coil = coil
            self.due_ms = now_ms + (RELAY_PULLS_MS if coil else RELAY_LETS_GO_MS)

    def pass_to(self, now_ms: int) -> None:
        """Let the contact follow, if it is time to."""
        if now_ms >= self.due_ms:
            self.due_ms = NEVER_MS
            self.closed = self.coil
        if self.stuck is not None:
            self.closed = self.stuck


class PowerStage:
    """Everything between the drive's pins and the motor.

    Args:
        plant: what is driven and braked.
        clock: the time.
        relay: the safety relay.

    Attributes:
        duty: what is on the PWM pin, 0…1; `up`, `enabled`, `brake_open`: direction, enable and brake are high.
        pair: the relays of the two-relay drive, down and up; None with an H-bridge.
        both_ms: for how many milliseconds both contacts, or both coils, were closed at once.
        changed: called after each change of a pin, for whoever keeps a log.
    """

    def __init__(self, plant: Plant, clock: VirtualClock, relay: SafetyRelay, *, relays: bool) -> None:
        self._plant = plant
        self._clock = clock
        self.safety = relay
        self.duty = 0.0
        self.up = self.enabled = self.brake_open = False
        self.pair = (Relay(), Relay()) if relays else None
        self.both_ms = 0
        self.changed: Callable[[], None] | None = None

    # What hangs on the pins; None is a pin that floats, and a resistor pulls it down. ---------------------------------

    def pwm(self, value: float | None) -> None:
        """Take the duty."""
        self.duty = value or 0.0
        self._act()

    def direction(self, value: float | None) -> None:
        """Take the direction: high is head-up."""
        self.up = bool(value)
        self._act()

    def enable(self, value: float | None) -> None:
        """Take the enable: high powers the drive."""
        self.enabled = bool(value)
        self._act()

    def brake(self, value: float | None) -> None:
        """Take the brake's coil: high opens it."""
        self.brake_open = bool(value)
        self._plant.brake(not self.brake_open)
        if self.changed is not None:
            self.changed()

    def toggle(self, _value: float | None) -> None:
        """Take an edge of the safety relay's pin."""
        self.safety.edge()

    def coil(self, which: int) -> Callable[[float | None], None]:
        """Return what hangs on a relay's pin: 0 is the one that drives down, 1 up."""
        assert self.pair is not None
        relay = self.pair[which]

        def switch(value: float | None) -> None:
            relay.switch(bool(value), self._clock.ms)
            self._act()

        return switch

    # What time does ---------------------------------------------------------------------------------------------------

    @property
    def due_ms(self) -> int:
        """When a contact moves next by itself."""
        due_ms = self.safety.due_ms
        if self.pair is not None:
            due_ms = min(due_ms, self.pair[0].due_ms, self.pair[1].due_ms)
        return due_ms

    def pass_to(self, now_ms: int, elapsed_ms: int) -> None:
        """Let contacts move that are due, `elapsed_ms` after the last time."""
        self.safety.pass_to(now_ms)
        if self.pair is not None:
            down, up = self.pair
            if (down.closed and up.closed) or (down.coil and up.coil):
                self.both_ms += elapsed_ms
            down.pass_to(now_ms)
            up.pass_to(now_ms)
            self._act()

    def _act(self) -> None:
        """Tell the plant."""
        plant = self._plant
        if not self.enabled:
            plant.power_off()
        elif self.pair is not None:
            down, up = self.pair
            # Both on the same pole, whichever, is a shorted motor.
            plant.feed(float(up.closed) - float(down.closed))
        else:
            plant.feed(self.duty if self.up else -self.duty)
        if self.changed is not None:
            self.changed()
