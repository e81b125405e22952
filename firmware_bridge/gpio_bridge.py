"""The bridge to a table that is wired to the Raspberry Pi's own pins.

There is no second judge and no microcontroller here: reading is what samples, drives and looks after the lease, every
2 ms, and whoever stops reading and writing has the safety relay drop drive and brake by itself. Every 10 ms a frame is
made of what was sampled. Unknown stays None: a converter or an expander that does not answer is nobody's guess.
"""

import atexit
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, Self

from config.gpio import Gpio
from config.profile import Profile
from firmware_bridge.bridge import Bridge
from firmware_bridge.gpio_angle import AngleSensor
from firmware_bridge.gpio_board import (
    ALL_BUTTONS,
    END_DOWN,
    END_UP,
    ESTOP,
    ESTOP_1,
    ESTOP_2,
    FAULT,
    LEVEL,
    NO_BATTERY,
    NO_MAINS,
    PATIENT,
    STRAP_LEFT_1,
    STRAP_LEFT_2,
    STRAP_RIGHT_1,
    STRAP_RIGHT_2,
    Board,
    pair_of,
)
from firmware_bridge.gpio_converter import AngleScale, CurrentMeter
from firmware_bridge.gpio_debounce import Debounce
from firmware_bridge.gpio_drive import Drive, Figures, Seen
from firmware_bridge.gpio_factory import open_factory
from firmware_bridge.gpio_velocity import SAMPLE_MS, velocity_of
from safety.signals import Command, Guard, GuardState, Host, Readings, Signals

FRAME_MS: Final = 10
_NO_GUARD: Final = Guard(GuardState.ABSENT)
# After so long without a sample a frame begins anew, and after so long a slope: what was before is another moment's.
_GAP_MS: Final = 10
_HOLE_MS: Final = 50


class WaitingClock(Protocol):
    """A monotonic clock that can be waited on."""

    def now_ms(self) -> int:
        """Milliseconds since some moment that does not change."""
        ...

    def wait_until_ms(self, at_ms: int) -> None:
        """Return at that moment; at once when it is over."""
        ...


class GpioBridge(Bridge):
    """One table on the Pi's own pins; `open` makes one on real pins.

    Args:
        profile: a profile with a table of pins.
        clock: the loop's; waiting on it is what makes its time pass.
        factory: gpiozero's pin factory.
        let_go: called once when everything is off and closed.

    Attributes:
        drive: where drive and brake stand.
        samples, overruns: how many samples were taken, and how many not, since this computer had something else to do.

    Raises:
        DeviceMissingError: something cannot be opened; every output is off then.
    """

    def __init__(
        self, profile: Profile, clock: WaitingClock, factory: Any, let_go: Callable[[], None] | None = None
    ) -> None:
        gpio = profile.gpio
        if gpio is None:
            raise ValueError(f"the profile {profile.name} has no table [gpio]")
        self._clock = clock
        self._has_battery = profile.battery.fitted
        self._brake_ms = profile.brake.set_ms
        self._lease_ms = profile.limits_table.lease_ms
        self._silence_ms = 0
        self.samples = self.overruns = 0
        self._board = Board(profile, factory, clock.now_ms, let_go)
        self._closed = False
        atexit.register(self.close)
        with self._off_on_error():
            self._begin(profile, gpio, clock.now_ms())

    def _begin(self, profile: Profile, gpio: Gpio, now_ms: int) -> None:
        """Make what drives and samples the pins that are open, and look at the switches for the first time."""
        board = self._board
        figures = Figures(
            lease_ms=self._lease_ms,
            brake_ms=profile.brake.set_ms,
            brake_on_motor_side=profile.brake.side == "motor",
            idle_ma=profile.drive.idle_ma,
            friction_ma=profile.drive.stall_ma * (gpio.drive.start_percent or 0) // 100,
            top_cdeg_s=profile.drive.top_speed_cdeg_s,
        )
        self.drive = Drive(board.stage, board.switches, figures)
        converter = gpio.converter
        self._a = AngleSensor(board.converter.convert, converter.angle_a, AngleScale(gpio.angle_a))
        self._b = AngleSensor(board.converter.convert, converter.angle_b, AngleScale(gpio.angle_b))
        self._current_channel = converter.current
        self._meter = CurrentMeter(gpio.current)
        # What takes drive and brake by wire: the e-stop's chain, and mains without a battery behind them.
        self._wired_off = ESTOP if self._has_battery else ESTOP | NO_MAINS
        self._even = False
        self._currents: list[int] = []
        self._current_ma: int | None = None
        self._switches = Debounce(board.sample())
        self._sampled_ms = self._read_ms = self._frame_ms = now_ms
        self._next_frame_ms = now_ms + FRAME_MS
        self._sequence = 0
        self._last = Readings(0)

    @classmethod
    def open(cls, profile: Profile, clock: WaitingClock, folder: Path, factory: Any = None) -> Self:
        """Open a table on real pins, or on those of a factory that is given; `folder` is where lgpio leaves its pipe.

        Raises:
            DeviceMissingError: a library, a pin or SPI is not there; it names what brings it.
            UsageError: the environment asks for other pins, or nothing can be written to `folder`.
        """
        if factory is not None:
            return cls(profile, clock, factory)
        own = open_factory(folder)
        return cls(profile, clock, own, own.close)

    def read(self, deadline_ms: int, host: Host) -> Readings:
        """Sample and drive until the next frame, or to the deadline; return what the table says."""
        clock = self._clock
        with self._off_on_error():
            while True:
                due_ms = self._sampled_ms + SAMPLE_MS
                if due_ms > deadline_ms:
                    clock.wait_until_ms(deadline_ms)
                    now_ms = clock.now_ms()
                    if now_ms < due_ms:
                        return self._aged(now_ms, host)
                else:
                    clock.wait_until_ms(due_ms)
                    now_ms = clock.now_ms()
                # On its own beat, unless it was late by a whole sample: then time begins anew.
                self._sample(due_ms if now_ms - due_ms < SAMPLE_MS else now_ms)
                if now_ms >= self._next_frame_ms:
                    # After a pause the next frame is one period away, not all those that were missed.
                    self._next_frame_ms = max(self._next_frame_ms + FRAME_MS, now_ms + 1)
                    return self._frame(now_ms, host)

    def write(self, command: Command, signals: Signals) -> None:
        """Take over a command, put out lamps and buzzer, and keep the safety relay closed for a little longer.

        Nothing is taken over from a command that is not to be sent: the one before grows old.
        """
        if self._closed:
            return
        with self._off_on_error():
            if command.send:
                self.drive.accept(command)
            self._silence_ms = 0
            self._board.show(signals.lamps, signals.buzzer_hz)
            self._board.beat()

    def close(self) -> None:
        """Set the brake, short the motor until it grips, and leave every output off. Doing so twice is allowed."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        board = self._board
        try:
            if board.switches.enabled:
                board.switches.set_brake(True)
                board.stage.short()
                self._clock.wait_until_ms(self._clock.now_ms() + self._brake_ms)
        finally:
            board.close()

    @contextlib.contextmanager
    def _off_on_error(self) -> Any:
        """Leave every output off when anything is raised; the bridge is closed then."""
        try:
            yield
        except BaseException:
            self._closed = True
            atexit.unregister(self.close)
            self._board.close()
            raise

    # One sample: every 2 ms.

    def _sample(self, now_ms: int) -> None:
        elapsed_ms = now_ms - self._sampled_ms
        self._sampled_ms = now_ms
        self.samples += 1
        missed = 0
        if elapsed_ms > SAMPLE_MS:
            missed = elapsed_ms // SAMPLE_MS - 1
            self.overruns += missed
            if elapsed_ms > _GAP_MS:
                # A whole frame at once, and all of it of this side of the gap: one sample alone is noise.
                self._next_frame_ms = now_ms
                self._a.begin_frame(FRAME_MS // SAMPLE_MS - 1)
                self._b.begin_frame(FRAME_MS // SAMPLE_MS - 1)
            if elapsed_ms > _HOLE_MS:
                missed = 0
                self._a.forget()
                self._b.forget()
        self._silence_ms += elapsed_ms
        if self._silence_ms > self._lease_ms:
            # What a lamp says is the host's word as much as a velocity is.
            self._board.show(0, 0)
        seen_a = self._a.sample(missed)
        seen_b = self._b.sample(missed)
        # Turn about, so that no sample has to wait for everything: contacts bounce for longer than this, and a current
        # that rises in 4 ms is the driver's business.
        self._even = not self._even
        if self._even:
            self._look(now_ms)
        elif seen_a or seen_b:
            # A converter of which neither angle is one says nothing of the current either.
            counts = self._board.converter.convert(self._current_channel)
            if counts is not None:
                self._currents.append(counts)
        word = self._switches.stable
        velocity = velocity_of(self._a.velocity_cdeg_s, self._b.velocity_cdeg_s)
        self.drive.step(
            Seen(
                now_ms,
                elapsed_ms,
                velocity,
                self._current_ma,
                bool(word & END_DOWN),
                bool(word & END_UP),
                bool(word & self._wired_off),
            )
        )

    def _look(self, now_ms: int) -> None:
        """Sample every switch. The e-stop opens at once, everything else when it has settled."""
        raw = self._board.sample()
        switches = self._switches
        word = switches.step(raw, now_ms)
        opening = raw & ESTOP & ~word
        if opening:
            switches.follow(raw, opening)

    # One frame: every 10 ms.

    def _frame(self, now_ms: int, host: Host) -> Readings:
        """Make one frame of what was sampled; by position, since naming 23 fields costs more than half of it."""
        board, drive = self._board, self.drive
        word, lost = self._switches.stable, board.lost
        currents = self._currents
        self._current_ma = self._meter.ma(sum(currents) / len(currents)) if currents else None
        self._currents = []
        self._sequence += 1
        self._frame_ms = now_ms
        elapsed_ms, self._read_ms = now_ms - self._read_ms, now_ms
        estop_open = bool(word & ESTOP)
        readings = Readings(
            elapsed_ms,
            self._sequence,
            0,
            0,
            self._a.frame(),
            self._b.frame(),
            drive.applied_cdeg_s,
            pair_of(word, STRAP_LEFT_1, STRAP_LEFT_2),
            pair_of(word, STRAP_RIGHT_1, STRAP_RIGHT_2),
            pair_of(word, ESTOP_1, ESTOP_2),
            word & ALL_BUTTONS,
            bool(word & PATIENT),
            bool(word & LEVEL),
            bool(word & END_DOWN),
            bool(word & END_UP),
            not word & NO_MAINS,
            None if lost & NO_BATTERY else self._has_battery and not word & NO_BATTERY,
            self._current_ma,
            None if lost & FAULT else bool(word & FAULT),
            board.switches.brake_set or estop_open,
            board.switches.enabled and not estop_open,
            _NO_GUARD,
            host,
        )
        self._last = readings
        return readings

    def _aged(self, now_ms: int, host: Host) -> Readings:
        """Return the last frame, as old as it is."""
        elapsed_ms, self._read_ms = now_ms - self._read_ms, now_ms
        age_ms = now_ms - self._frame_ms
        last = self._last
        return Readings(
            elapsed_ms,
            last.sequence,
            age_ms,
            age_ms,
            last.angle_a_cdeg,
            last.angle_b_cdeg,
            last.applied_cdeg_s,
            last.strap_left,
            last.strap_right,
            last.estop,
            last.buttons,
            last.patient_button,
            last.level_switch,
            last.end_down,
            last.end_up,
            last.mains,
            last.battery,
            last.current_ma,
            last.drive_fault,
            last.brake_set,
            last.drive_power,
            last.guard,
            host,
        )
