"""The guard's host build as Python sees it: the C of the microcontroller, run for some milliseconds by one call.

What the guard takes and gives are the structs of `firmware/guard.h`, what the panel shows and sounds those of
`firmware/panel_lights.h`; their layout is read from these files.
"""

import re
from functools import cache
from typing import Any, Final

import cffi
import msgspec

from config.errors import DeviceMissingError
from config.limits import Limits
from firmware_bridge.guard_build import FIRMWARE, NO_COMPILER, guard_library
from firmware_bridge.protocol import TableConstants
from safety.signals import Contacts

NO_ANGLE: Final = -(2**15)
NO_CURRENT: Final = 2**16 - 1
MOST_MS: Final = 1000
"""The longest run in one call."""

# Bits of `switches`, as in firmware/host.c; the contacts of straps and e-stop take two each.
PATIENT_OPEN: Final = 0x040
LEVEL_SWITCH_BELOW: Final = 0x080
END_DOWN: Final = 0x100
END_UP: Final = 0x200
MAINS: Final = 0x400
BATTERY: Final = 0x800
DRIVE_FAULT: Final = 0x1000
SUPPLY_GONE: Final = 0x2000

_HOST = """
void *guard_host_new(void);
void guard_host_free(void *);
guard_command_t *guard_host_command(void *);
guard_request_t *guard_host_request(void *);
guard_out_t *guard_host_out(void *);
int16_t *guard_host_applied(void *);
panel_signals_t *guard_host_panel(void *);
panel_lights_t *guard_host_lights(void *);
void *guard_host_state(void *);
uint32_t guard_host_size(void);
void guard_host_boot(void *, int32_t, int32_t, int32_t, uint32_t, uint32_t);
bool guard_host_restore(void *, const guard_config_t *);
void guard_host_sent(void *, uint32_t);
bool guard_host_run(void *, int32_t, int32_t, int32_t, int32_t, uint32_t, uint32_t);
void *wire_new(void);
void wire_free(void *);
uint32_t wire_size(void);
uint32_t wire_now(const void *);
uint8_t wire_rejected(const void *);
void wire_boot(void *, int32_t, int32_t, int32_t, uint32_t, uint32_t, uint8_t, uint16_t);
void wire_hear(void *, const uint8_t *, uint32_t);
uint32_t wire_run(void *, int32_t, int32_t, int32_t, uint32_t, uint32_t, uint8_t *, bool *);
"""


def declarations() -> str:
    """Return what of guard.h and panel_lights.h a caller sees, without comments and directives."""
    text = (FIRMWARE / "guard.h").read_text(encoding="utf-8")
    text = text[: text.index("/* What the guard remembers")]
    lights = (FIRMWARE / "panel_lights.h").read_text(encoding="utf-8")
    text += lights[lights.index("/* The host's lamps") : lights.index("/* Begin")]
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))


@cache
def _loaded() -> tuple[Any, Any]:
    """Return the foreign functions and the library."""
    path = guard_library()
    if path is None:
        raise DeviceMissingError(NO_COMPILER)
    ffi = cffi.FFI()
    ffi.cdef(declarations() + _HOST)
    return ffi, ffi.dlopen(str(path))


def switches(
    strap_left: Contacts = Contacts.CLOSED,
    strap_right: Contacts = Contacts.CLOSED,
    estop: Contacts = Contacts.CLOSED,
    *,
    patient_open: bool = False,
    level_switch_below: bool = False,
    end_down: bool = False,
    end_up: bool = False,
    mains: bool = True,
    battery: bool = True,
    drive_fault: bool = False,
    supply_gone: bool = False,
) -> int:
    """Return the word that stands for these switches in `Guard.step`."""
    word = int(strap_left) | int(strap_right) << 2 | int(estop) << 4
    for bit, on in (
        (PATIENT_OPEN, patient_open),
        (LEVEL_SWITCH_BELOW, level_switch_below),
        (END_DOWN, end_down),
        (END_UP, end_up),
        (MAINS, mains),
        (BATTERY, battery),
        (DRIVE_FAULT, drive_fault),
        (SUPPLY_GONE, supply_gone),
    ):
        if on:
            word |= bit
    return word


def config_fields(limits: Limits, *, brake_on_motor_side: bool) -> dict[str, int | bool]:
    """Return what CONFIGURE carries of one table's limits and its check sum, by the names of `guard_config_t`.

    Args:
        limits: the table's.
        brake_on_motor_side: whether the brake grips before the gear.
    """
    constants = TableConstants.of(limits, brake_on_motor_side=brake_on_motor_side)
    return msgspec.structs.asdict(constants) | {"hash": constants.hash}


class Guard:
    """One guard, from its boot on. Everything is integers; times are milliseconds, angles centidegrees.

    Args:
        angle_a_cdeg, angle_b_cdeg: what the sensors say at boot, `NO_ANGLE` where nothing.
        current_ma: the motor's, `NO_CURRENT` where nobody measured it.
        buttons: bits as in `safety.signals`.
        switches: see the function of that name.

    Attributes:
        out: what the guard said last, a `guard_out_t`: the same object for ever, its fields change.
        applied: the set-point of each millisecond of the last run.
        command, request: what arrives in the first millisecond of the next run: `guard_command_t` with `fresh` set,
            `guard_request_t` with `arm`, `disarm` or `configure` set.
        panel: the host's lamps and sounds, a `panel_signals_t`: they hold until they are changed, or the lease is gone.
        lights: what the panel shows and sounds now, a `panel_lights_t`.

    Raises:
        DeviceMissingError: there is no C compiler, and no library built before.
    """

    __slots__ = ("_ffi", "_host", "_lib", "_run", "_sent", "applied", "command", "lights", "out", "panel", "request")

    def __init__(
        self,
        angle_a_cdeg: int = 0,
        angle_b_cdeg: int = 0,
        current_ma: int = 0,
        buttons: int = 0,
        switches: int = MAINS | BATTERY,
    ) -> None:
        self._ffi, self._lib = _loaded()
        lib = self._lib
        self._host = self._made()
        self._run = lib.guard_host_run
        self._sent = lib.guard_host_sent
        self.out: Any = lib.guard_host_out(self._host)
        self.command: Any = lib.guard_host_command(self._host)
        self.request: Any = lib.guard_host_request(self._host)
        self.applied: Any = lib.guard_host_applied(self._host)
        self.panel: Any = lib.guard_host_panel(self._host)
        self.lights: Any = lib.guard_host_lights(self._host)
        self.boot(angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches)

    def _made(self) -> Any:
        """Return the memory of a new guard, which frees itself."""
        return self._ffi.gc(self._lib.guard_host_new(), self._lib.guard_host_free)

    def boot(self, angle_a_cdeg: int, angle_b_cdeg: int, current_ma: int, buttons: int, switches: int) -> None:
        """Begin anew, as after a reset of the microcontroller: nothing is armed, no constants are known."""
        self._lib.guard_host_boot(self._host, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches)

    def restore(self, fields: dict[str, int | bool]) -> bool:
        """Take over constants kept from before a reset (`config_fields`); False if they are beyond a ceiling."""
        return bool(self._lib.guard_host_restore(self._host, self._ffi.new("guard_config_t *", fields)))

    def step(self, ms: int, angle_a_cdeg: int, angle_b_cdeg: int, current_ma: int, buttons: int, switches: int) -> bool:
        """Run for 1…1000 ms on pins that do not change; return whether an edge asks for telemetry at once."""
        return self._run(  # type: ignore[no-any-return]
            self._host, ms, angle_a_cdeg, angle_b_cdeg, current_ma, buttons, switches
        )

    def sent(self, sequence: int) -> None:
        """Note that telemetry with this sequence number (0…65535) is on its way; a command may echo it for 150 ms."""
        self._sent(self._host, sequence)

    def tell(
        self,
        session_id: int,
        echo: int,
        velocity_cdeg_s: int = 0,
        demand: int = 0,
        stop_cause: int = 0,
        plan_return: bool = False,
        presence_fresh: bool = True,
    ) -> None:
        """Let a command arrive in the first millisecond of the next run."""
        command = self.command
        command.session_id = session_id
        command.echo = echo
        command.velocity_cdeg_s = velocity_cdeg_s
        command.demand = demand
        command.stop_cause = stop_cause
        command.plan_return = plan_return
        command.presence_fresh = presence_fresh
        command.fresh = True

    def arm(self, **fields: int | bool) -> None:
        """Let ARM arrive in the next run; the names are those of `guard_arm_t`, what is left out is 0."""
        self.request.arming = fields
        self.request.arm = True

    def disarm(self, session_id: int) -> None:
        """Let DISARM arrive in the next run."""
        self.request.disarm_session_id = session_id
        self.request.disarm = True

    def configure(self, fields: dict[str, int | bool]) -> None:
        """Let CONFIGURE arrive in the next run; see `config_fields`."""
        self.request.config = fields
        self.request.configure = True

    def __deepcopy__(self, _memo: dict[int, Any]) -> "Guard":
        """Return a second guard that goes on from this moment by itself."""
        twin, buffer, lib = Guard(), self._ffi.buffer, self._lib
        size = lib.guard_host_size()
        buffer(lib.guard_host_state(twin._host), size)[:] = self.memory
        for name in ("out", "command", "request", "panel", "lights"):
            buffer(getattr(twin, name))[:] = buffer(getattr(self, name))[:]
        return twin

    @property
    def memory(self) -> bytes:
        """All that the guard remembers; equal bytes go on equally."""
        return bytes(self._ffi.buffer(self._lib.guard_host_state(self._host), self._lib.guard_host_size()))
