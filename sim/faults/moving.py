"""Faults of what moves and carries the table: drive, brake, its way, and the mains (H10 to H16, H21)."""

from sim.faults.effects import Effect, multiplied
from sim.faults.kinds import FaultKind, Parameter, Values
from sim.hooks import Obstacle
from sim.table import TableParts

Effects = tuple[Effect, ...]

LEVEL_DEG = 1.0
AHEAD = Parameter("ahead_deg", "how far ahead contact begins", 0.2, "deg", 0.0, 60.0)


def _drive_dead(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.plant.hooks, "drive_dead", True),)


def _drive_reversed(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.plant.hooks, "drive_reversed", True),)


def _brake_slips(table: TableParts, values: Values) -> Effects:
    return (Effect(table.plant.hooks, "brake_grip", float(values["hold_percent"]) / 100, multiplied),)


def _drive_overspeeds(table: TableParts, values: Values) -> Effects:
    return (Effect(table.plant.hooks, "drive_gain", float(values["gain_percent"]) / 100, multiplied),)


def _drive_runs_away(table: TableParts, values: Values) -> Effects:
    return (Effect(table.plant.hooks, "drive_runaway_deg_s", float(values["speed_deg_s"])),)


def _drive_hot(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.plant.hooks, "drive_hot", True),)


def _drive_fault(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.plant.hooks, "driver_fault", True),)


def _obstacle(table: TableParts, values: Values, outward: bool) -> Effects:
    """Something stands in the way, on the side that is outward, or homeward, of where the table is now."""
    here_deg = table.truth().angle_cdeg / 100
    above = here_deg > LEVEL_DEG
    blocks = 1 if above == outward else -1
    at_deg = here_deg + blocks * float(values["ahead_deg"])
    return (Effect(table.plant.hooks, "obstacle", Obstacle(at_deg, blocks)),)


def _obstruction(table: TableParts, values: Values) -> Effects:
    return _obstacle(table, values, outward=True)


def _obstruction_homeward(table: TableParts, values: Values) -> Effects:
    return _obstacle(table, values, outward=False)


def _mains_lost(table: TableParts, values: Values) -> Effects:
    off = Effect(table.plant.hooks, "mains_off", True)
    return (off,) if values["battery"] == "yes" else (off, Effect(table.plant.hooks, "battery_absent", True))


KINDS = (
    FaultKind("drive-dead", "H10", "the drive is told to turn and draws no current", _drive_dead),
    FaultKind("drive-reversed", "H11", "the drive turns the other way", _drive_reversed),
    FaultKind(
        "brake-slips",
        "H12",
        "the brake holds less than it should",
        _brake_slips,
        (Parameter("hold_percent", "what it still holds of its torque", 0, "%", 0, 100),),
    ),
    FaultKind(
        "drive-overspeeds",
        "H13",
        "the drive turns faster than its set-point",
        _drive_overspeeds,
        (Parameter("gain_percent", "how fast, of the set-point", 250, "%", 100, 1000),),
    ),
    FaultKind(
        "drive-runs-away",
        "H13",
        "the drive, while it has power, turns at a speed of its own",
        _drive_runs_away,
        (Parameter("speed_deg_s", "its speed, head-up positive", -6.0, "deg/s", -20.0, 20.0),),
    ),
    FaultKind("obstruction", "H14", "something stands in the outward way", _obstruction, (AHEAD,)),
    FaultKind(
        "obstruction-homeward", "H15", "something stands in the way back to level", _obstruction_homeward, (AHEAD,)
    ),
    FaultKind("drive-hot", "H16", "the drive's duty is used up: it says so and folds back", _drive_hot),
    FaultKind("drive-fault", "H16", "the drive raises its fault line", _drive_fault),
    FaultKind(
        "mains-lost",
        "H21",
        "the mains are gone",
        _mains_lost,
        (Parameter("battery", "whether the battery takes over", "yes", choices=("yes", "no")),),
    ),
)
