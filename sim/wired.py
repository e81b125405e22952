"""The simulated table as a serial line sees it: bytes in, bytes out, a millisecond at a time; no port, no real time.

All of the microcontroller's C runs here, guard and link together, on the pins of the simulated table: nothing comes in
but bytes, and nothing goes out but frames. Who turns its clock decides whether this is real time (`sim.wire`) or
virtual time (tests).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from config.profile import Profile
from sim.guard import Guard
from sim.guarded import GuardedActuation
from sim.hooks import LinkHooks
from sim.table import TableParts, build

SAMPLE_MS: Final = 10
# The receiver takes 11.52 bytes a millisecond at 115,200 baud; more waits, as in the buffer of a real port.
BYTES_A_MS: Final = 12
MOST_WAITING: Final = 4096
POWER_ON: Final = 1
_LARGEST_FRAME: Final = 58
_TELEMETRY: Final = 0x82


class WiredGuard(Guard):
    """Guard and link together. `incoming` holds bytes on their way in; `frame` is what left in the last millisecond."""

    __slots__ = ("_edge", "_wire", "frame", "incoming")

    def __init__(self, *pins: int) -> None:
        """Boot with these pins, as `Guard` takes them."""
        self.incoming = bytearray()
        self.frame = b""
        super().__init__(*pins)
        self._wire = self._ffi.new("uint8_t[]", _LARGEST_FRAME)
        self._edge = self._ffi.new("bool *")

    def _made(self) -> Any:
        return self._ffi.gc(self._lib.wire_new(), self._lib.wire_free)

    def boot(
        self,
        angle_a_cdeg: int,
        angle_b_cdeg: int,
        current_ma: int,
        buttons: int,
        switches: int,
        reset_cause: int = POWER_ON,
        boot_count: int = 1,
    ) -> None:
        """Begin anew, as after a reset of the microcontroller; `reset_cause` is as in HELLO_REPLY."""
        self.incoming.clear()
        self._lib.wire_boot(
            self._host, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches, reset_cause, boot_count
        )

    def step(self, ms: int, angle_a_cdeg: int, angle_b_cdeg: int, current_ma: int, buttons: int, switches: int) -> bool:
        """Run for one millisecond. Raises ValueError for more, since frames come and go in each."""
        if ms != 1:
            raise ValueError(f"a guard behind a wire runs a millisecond at a time, not {ms}")
        heard = bytes(self.incoming[:BYTES_A_MS])
        if heard:
            del self.incoming[:BYTES_A_MS]
            self._lib.wire_hear(self._host, heard, len(heard))
        length = self._lib.wire_run(
            self._host, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches, self._wire, self._edge
        )
        self.frame = self._ffi.buffer(self._wire, length)[:] if length else b""
        return bool(self._edge[0])

    def __deepcopy__(self, _memo: dict[int, Any]) -> "WiredGuard":
        """Return a second one that goes on from this moment by itself."""
        twin, buffer, lib = WiredGuard(0, 0, 0, 0, 0), self._ffi.buffer, self._lib
        size = lib.wire_size()
        buffer(self._ffi.cast("uint8_t *", twin._host), size)[:] = buffer(
            self._ffi.cast("uint8_t *", self._host), size
        )[:]
        twin.incoming[:] = self.incoming
        twin.frame = self.frame
        return twin

    @property
    def now_ms(self) -> int:
        """The sample clock."""
        return int(self._lib.wire_now(self._host))

    @property
    def rejected(self) -> int:
        """How many of the host's frames were refused since boot, modulo 256."""
        return int(self._lib.wire_rejected(self._host))


class WiredActuation(GuardedActuation):
    """The drive sequence whose guard hears its host over a line, and nobody else."""

    guard: WiredGuard

    def _booted(self, pins: tuple[int, int, int, int, int]) -> WiredGuard:
        return WiredGuard(*pins)

    def _configure(self, elapsed_ms: int) -> None:
        """Do nothing: the constants come over the line."""


@dataclass(slots=True, kw_only=True)
class WiredTable(TableParts):
    """One simulated table behind a line; `pass_ms` is what makes its time pass.

    `each_ms` are called in every millisecond with the time, before anything else: leases of hands, faults that end.
    """

    actuation: WiredActuation
    each_ms: list[Callable[[int], None]] = field(default_factory=list)
    last_telemetry: bytes = b""

    @property
    def guard(self) -> WiredGuard:
        """Guard and link."""
        return self.actuation.guard

    @property
    def room(self) -> int:
        """How many bytes may be handed to `hear` now; what a sender has beyond that waits with the sender."""
        return max(0, MOST_WAITING - len(self.guard.incoming))

    def hear(self, data: bytes) -> None:
        """Take in bytes from the line."""
        if not self.link.commands_lost:
            self.guard.incoming += data

    def pass_ms(self) -> bytes:
        """Let one millisecond pass, and return the frame that was sent in it, if any."""
        clock, plant, sensors, panel = self.clock, self.plant, self.sensors, self.panel
        clock.ms += 1
        for observe in self.each_ms:
            observe(clock.ms)
        if panel.moving or panel.hooks.touched or sensors.hooks.touched:
            panel.settle()
            sensors.switch()
            plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        elif not sensors.calm_low_rad <= plant.motion.angle_rad < sensors.calm_high_rad:
            sensors.switch()
            plant.wire(panel.chain_open, sensors.end_down, sensors.end_up)
        if clock.ms % SAMPLE_MS == 0:
            sensors.sample(clock.ms)
        self.actuation.step(1)
        plant.advance(1)
        return self._disturbed(self.guard.frame) if self.guard.frame else b""

    def _disturbed(self, frame: bytes) -> bytes:
        """Return a frame as it leaves, whatever is wrong with the transmitter."""
        link = self.link
        if link.frames_stop:
            return b""
        if link.frames_repeat:
            return self.last_telemetry
        if len(frame) > 1 and frame[1] == _TELEMETRY:
            self.last_telemetry = frame
        return frame


def build_wired(
    profile: Profile,
    *,
    seed: int = 0,
    mass_kg: float = 75.0,
    height_cm: float = 175.0,
    offset_cm: float = 3.0,
    start_deg: float = 0.0,
) -> WiredTable:
    """Build the simulated table of a profile behind a line, with one person on it; as `sim.table.build`.

    Raises:
        UsageError: the person or the angle is beyond what the plant was made for.
        DeviceMissingError: there is no C compiler.
    """
    parts = build(
        profile,
        seed=seed,
        mass_kg=mass_kg,
        height_cm=height_cm,
        offset_cm=offset_cm,
        start_deg=start_deg,
        guard=False,
    )
    actuation = WiredActuation(parts.plant, parts.sensors, parts.panel, profile.limits())
    return WiredTable(
        clock=parts.clock,
        plant=parts.plant,
        sensors=parts.sensors,
        panel=parts.panel,
        actuation=actuation,
        link=LinkHooks(),
    )
