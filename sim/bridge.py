"""The bridge straight onto the simulated plant, in virtual time, without a wire; with or without the second judge."""

import msgspec

from firmware_bridge.bridge import Bridge
from safety.signals import Command, Guard, GuardState, Host, Readings, Signals
from sim.actuation import Actuation
from sim.clock import VirtualClock
from sim.guarded import NO_SIGNALS, GuardedActuation
from sim.hooks import LinkHooks
from sim.panel import Panel
from sim.plant import Plant
from sim.sensors import Sensors

FRAME_MS = 10
_NO_GUARD = Guard(GuardState.ABSENT)


class InProcessBridge(Bridge):
    """One simulated table, as the control loop sees it. Reading it is what makes its time pass.

    Attributes:
        hooks: what can be made to go wrong between host and table.
        command, signals: what was written last, whether it arrived or not.
    """

    def __init__(
        self,
        clock: VirtualClock,
        plant: Plant,
        sensors: Sensors,
        panel: Panel,
        actuation: Actuation | GuardedActuation,
    ) -> None:
        self._clock = clock
        self._plant = plant
        self._sensors = sensors
        self._panel = panel
        self._actuation = actuation
        self._guarded = actuation if isinstance(actuation, GuardedActuation) else None
        self.hooks = LinkHooks()
        self.command = Command()
        self.signals = NO_SIGNALS
        self._shown, self._shown_ms = NO_SIGNALS, clock.ms
        if isinstance(actuation, Actuation):
            self._lease_ms = actuation.lease_ms
            panel.lights = self._lights
        self._next_frame_ms = clock.ms + FRAME_MS
        self._read_ms = clock.ms
        self._frame_ms = clock.ms
        self._sequence = 0
        self._last = Readings(0)
        self._closed = False

    def read(self, deadline_ms: int, host: Host) -> Readings:
        """Let time pass to the next frame or to the deadline, whichever is first, and return what the table says."""
        clock, hooks = self._clock, self.hooks
        end_ms = self._next_frame_ms if self._next_frame_ms < deadline_ms and not hooks.frames_stop else deadline_ms
        if hooks.pause_ms:
            end_ms = max(end_ms, clock.ms) + hooks.pause_ms
            hooks.pause_ms = 0
        arrived = False
        while clock.ms < end_ms:
            arrived |= self._advance(end_ms)
        now_ms = clock.ms
        elapsed_ms = now_ms - self._read_ms
        self._read_ms = now_ms
        if hooks.host_altered:
            host = msgspec.structs.replace(host, **hooks.host_altered)
        if arrived:
            self._last = frame = self._frame(elapsed_ms, host)
        else:
            age_ms = 0 if hooks.frames_repeat else now_ms - self._frame_ms
            frame = msgspec.structs.replace(
                self._last, elapsed_ms=elapsed_ms, age_ms=age_ms, slow_age_ms=age_ms, host=host
            )
        if hooks.frames_altered:
            frame = msgspec.structs.replace(frame, **hooks.frames_altered)
        return frame

    def write(self, command: Command, signals: Signals) -> None:
        """Pass on a command, and the lamps and tone that go with it."""
        self.command = command
        self.signals = signals
        if command.send and not self.hooks.commands_lost and not self._closed:
            self._actuation.accept(command)
            self._show(signals)

    def close(self) -> None:
        """Leave the table at rest and its panel dark; nothing written afterwards arrives."""
        if not self._closed:
            self._actuation.accept(Command())
            self._show(NO_SIGNALS)
            self._closed = True

    def pass_alone(self, duration_ms: int) -> None:
        """Let time pass for the table alone: its frames find no reader, and no command comes."""
        clock = self._clock
        end_ms = clock.ms + duration_ms
        while clock.ms < end_ms:
            self._advance(end_ms)

    def _show(self, signals: Signals) -> None:
        if self._guarded is not None:
            self._guarded.show(signals)
        else:
            self._shown, self._shown_ms = signals, self._clock.ms

    def _lights(self) -> tuple[int, int]:
        """Return what a panel without a second judge shows and sounds: the host's signals, while its lease holds."""
        if self._clock.ms - self._shown_ms > self._lease_ms:
            return 0, 0
        return self._shown.lamps, self._shown.buzzer_hz

    def _advance(self, end_ms: int) -> bool:
        """Let time pass to the next frame, at most to `end_ms`; return whether a new frame arrived."""
        clock = self._clock
        frame_ms = self._next_frame_ms
        at_ms = frame_ms if frame_ms < end_ms else end_ms
        elapsed_ms = at_ms - clock.ms
        actuation, plant = self._actuation, self._plant
        # Most of a visit is rest: what has not been touched is not looked at.
        if not actuation.settled or plant.estop_open:
            actuation.step(elapsed_ms)
        plant.advance(elapsed_ms)
        clock.ms = at_ms
        if at_ms != frame_ms:
            return False
        self._next_frame_ms = frame_ms + FRAME_MS
        panel, sensors = self._panel, self._sensors
        if panel.moving or panel.hooks.touched or sensors.hooks.touched:
            panel.settle()
            sensors.switch()
            plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        elif not sensors.calm_low_rad <= plant.motion.angle_rad < sensors.calm_high_rad:
            sensors.switch()
            plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        sensors.sample(at_ms)
        if self.hooks.frames_stop or self.hooks.frames_repeat:
            return False
        self._sequence += 1
        self._frame_ms = at_ms
        if self._guarded is not None:
            self._guarded.sent(self._sequence)
        return True

    def _frame(self, elapsed_ms: int, host: Host) -> Readings:
        """Make one frame of what was sampled last; by position, since naming 23 fields would double the tick."""
        plant, sensors, panel = self._plant, self._sensors, self._panel
        age_ms = self._clock.ms - self._frame_ms
        guarded = self._guarded
        return Readings(
            elapsed_ms,
            self._sequence,
            age_ms,
            age_ms,
            sensors.a_cdeg,
            sensors.b_cdeg,
            self._actuation.applied_cdeg_s,
            panel.strap_left,
            panel.strap_right,
            panel.estop_contacts,
            panel.buttons,
            panel.patient_open,
            sensors.level_switch,
            sensors.end_down,
            sensors.end_up,
            plant.mains_ok,
            plant.battery_ok,
            sensors.current_ma,
            plant.fault_line,
            plant.brake_commanded if guarded is None else not guarded.brake_released,
            plant.powered if guarded is None else guarded.drive_power,
            _NO_GUARD if guarded is None else guarded.told,
            host,
        )
