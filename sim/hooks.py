"""Everything that can be made to go wrong with a simulated table: plain attributes that a fault sets and clears.

Setting an attribute takes effect within the same 10 ms frame; setting it back to its default heals the table, and the
physics goes on from where it then stands. A hook that is not set costs nothing: each group notes that it was
touched (`touched`), and whether any of its hooks is off its default (`active`), and only then is it looked at.

| group | where | what |
|---|---|---|
| `PlantHooks` | `table.plant.hooks` | drive, brake, obstacle, mains and battery |
| `AngleHooks` | `table.sensors.angle_a`, `.angle_b` | one angle sensor each |
| `SensorHooks` | `table.sensors.hooks` | contacts of straps and e-stop, cam, end switches, current, converter |
| `PanelHooks` | `table.panel.hooks` | buttons, the patient's circuit, everybody gone |
| `LinkHooks` | `table.link` | frames, commands, the host itself |

A table that boots at an angle is `sim.table.build(…, start_deg=…)`.
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar


class Hooks:
    """A group of fault attributes that notes when it is touched."""

    DEFAULTS: ClassVar[dict[str, Any]] = {}

    touched: bool
    active: bool

    def __init__(self) -> None:
        for name, value in self.DEFAULTS.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "touched", True)
        object.__setattr__(self, "active", False)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set one hook, and note it; an unknown name is refused, since a fault that does nothing is no fault."""
        if name == "touched":
            object.__setattr__(self, name, value)
            return
        if name not in self.DEFAULTS:
            raise AttributeError(f"{type(self).__name__} has no hook {name}; it has {', '.join(self.DEFAULTS)}")
        object.__setattr__(self, name, value)
        object.__setattr__(self, "touched", True)
        object.__setattr__(self, "active", any(getattr(self, key) != default for key, default in self.DEFAULTS.items()))

    def clear(self) -> None:
        """Put every hook of this group back to its default."""
        for name, value in self.DEFAULTS.items():
            setattr(self, name, value)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something in the table's way: a stiff stop at an angle, in one direction.

    `angle_deg` is where contact begins; `blocks` is +1 for motion head-up, −1 for motion head-down.
    `stiffness_nm_rad` about the pivot: 20,000 Nm/rad is 57 N/mm at 1 m from it, a chair's frame or a wall bracket; the
    drive's 480 Nm press 1.4° into it. `damping_nm_s_rad` keeps it from ringing.
    """

    angle_deg: float
    blocks: int
    stiffness_nm_rad: float = 20_000.0
    damping_nm_s_rad: float = 400.0


class PlantHooks(Hooks):
    """What can go wrong with drive, brake, way and supply.

    - `drive_dead`: no torque and no current, whatever is commanded.
    - `drive_gain`: speed followed = gain × set-point (1.6 overspeeds, 0.5 is weak).
    - `drive_reversed`: turns the other way.
    - `drive_runaway_deg_s`: while powered the drive follows this velocity and nothing else; None: it does not.
    - `drive_hot`: the drive's thermal duty is used up: its fault line is raised and its torque folded back.
    - `driver_fault`: the fault line alone is raised.
    - `brake_grip`: the brake's holding torque × this (0 slips freely).
    - `brake_never_sets`: the brake stays open though commanded to set; `brake_never_releases`: it stays shut.
    - `obstacle`: an `Obstacle`, or None.
    - `mains_off`, `battery_absent`, `battery_empty`: the supply.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "drive_dead": False,
        "drive_gain": 1.0,
        "drive_reversed": False,
        "drive_runaway_deg_s": None,
        "drive_hot": False,
        "driver_fault": False,
        "brake_grip": 1.0,
        "brake_never_sets": False,
        "brake_never_releases": False,
        "obstacle": None,
        "mains_off": False,
        "battery_absent": False,
        "battery_empty": False,
    }

    drive_dead: bool
    drive_gain: float
    drive_reversed: bool
    drive_runaway_deg_s: float | None
    drive_hot: bool
    driver_fault: bool
    brake_grip: float
    brake_never_sets: bool
    brake_never_releases: bool
    obstacle: Obstacle | None
    mains_off: bool
    battery_absent: bool
    battery_empty: bool


class AngleHooks(Hooks):
    """What can go wrong with one angle sensor.

    - `lost`: nothing is read (None).
    - `reading_cdeg`: this value is read, whatever it is (20,000 is out of any range).
    - `stuck`: the last value read stays.
    - `drift_deg_s`: the reading wanders at this rate, from when it was set, until it is off by `drift_most_deg`;
      `offset_deg`: it is off by this much at once.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "lost": False,
        "reading_cdeg": None,
        "stuck": False,
        "drift_deg_s": 0.0,
        "drift_most_deg": math.inf,
        "offset_deg": 0.0,
    }

    lost: bool
    reading_cdeg: int | None
    stuck: bool
    drift_deg_s: float
    drift_most_deg: float
    offset_deg: float


class SensorHooks(Hooks):
    """What can go wrong with contacts, cam and current sensor; None or absent: nothing does.

    - `strap_left`, `strap_right`, `estop`: a pair (first contact, second contact), each None, `"open"` or `"closed"`.
      A contact of the e-stop that is forced open opens the wired chain too; one that is forced closed is welded.
    - `level_switch`: the cam's switch is stuck at this (True says "below", as a broken wire does).
    - `end_down`, `end_up`: the end switch is stuck at this, in the readings and in the wired chain alike.
    - `current_ma`: the current sensor is stuck at this; `current_lost`: it says nothing.
    - `shared_word`: both angle channels convert this word (0…4095) instead of their own voltage.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "strap_left": (None, None),
        "strap_right": (None, None),
        "estop": (None, None),
        "level_switch": None,
        "end_down": None,
        "end_up": None,
        "current_ma": None,
        "current_lost": False,
        "shared_word": None,
    }

    strap_left: tuple[str | None, str | None]
    strap_right: tuple[str | None, str | None]
    estop: tuple[str | None, str | None]
    level_switch: bool | None
    end_down: bool | None
    end_up: bool | None
    current_ma: int | None
    current_lost: bool
    shared_word: int | None


class PanelHooks(Hooks):
    """What can go wrong with the buttons.

    - `stuck_held`, `stuck_open`: bits of `safety.signals.BUTTONS` that read held, or never do.
    - `patient_circuit`: `"open"` (a broken wire reads as pressed), `"closed"` (welded: never reads pressed) or None.
    - `deserted`: everybody but the patient has gone; every panel button reads released, and nobody works straps,
      crank or the pulling of the e-stop.
    """

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "stuck_held": 0,
        "stuck_open": 0,
        "patient_circuit": None,
        "deserted": False,
    }

    stuck_held: int
    stuck_open: int
    patient_circuit: str | None
    deserted: bool


@dataclass(slots=True)
class LinkHooks:
    """What can go wrong between host and table; read once a call, so plain attributes do.

    - `frames_stop`: no frame arrives; the last one ages.
    - `frames_repeat`: frames arrive, and each is the last one again, with its number.
    - `frames_altered`: values that replace the frame's own, by name (`{"sequence": 7}`), after everything else.
    - `commands_lost`: nothing that is written arrives, so that the lease runs out.
    - `pause_ms`: the next read takes this much longer (the host hangs meanwhile); it is then 0 again.
    - `host_altered`: values that replace the host's own facts, by name (`{"clock_ok": False}`).
    """

    frames_stop: bool = False
    frames_repeat: bool = False
    frames_altered: dict[str, Any] = field(default_factory=dict)
    commands_lost: bool = False
    pause_ms: int = 0
    host_altered: dict[str, Any] = field(default_factory=dict)
