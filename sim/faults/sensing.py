"""Faults of what the table feels: straps, angle sensors and level switch (H01, H02, H04 to H10, H36)."""

from sim.faults.effects import Effect, added, by_place
from sim.faults.kinds import FaultKind, Parameter, Values
from sim.table import TableParts

Effects = tuple[Effect, ...]

SIDE = Parameter("side", "which strap", "both", choices=("left", "right", "both"))
# Slow enough to be no motion of a table that stands armed (H12: 0.5°/s); unarmed, with the brake set, people climb on
# and 3° are allowed at any speed below overspeed.
DEEPER_DEG_S = -0.4
HIGHER_DEG_S = 1.2
SENSOR = Parameter("sensor", "which angle sensor", "a", choices=("a", "b"))


def _sides(values: Values) -> tuple[str, ...]:
    return ("left", "right") if values["side"] == "both" else (str(values["side"]),)


def _straps(table: TableParts, values: Values, contacts: tuple[str | None, str | None]) -> Effects:
    hooks = table.sensors.hooks
    return tuple(Effect(hooks, f"strap_{side}", contacts, by_place) for side in _sides(values))


def _strap_opens(table: TableParts, values: Values) -> Effects:
    return _straps(table, values, ("open", "open"))


def _strap_contact_fails(table: TableParts, values: Values) -> Effects:
    stuck = str(values["stuck"])
    return _straps(table, values, (stuck, None) if values["contact"] == 1 else (None, stuck))


def _strap_stuck_closed(table: TableParts, values: Values) -> Effects:
    return _straps(table, values, ("closed", "closed"))


def _angles(table: TableParts, values: Values, attribute: str, value: float | bool) -> Effects:
    """One effect on each sensor that `values` name; a fault without the parameter has both."""
    chosen = values.get("sensor", "both")
    hooks = [table.sensors.angle_a.hooks] if chosen == "a" else [table.sensors.angle_b.hooks]
    if chosen == "both":
        hooks = [table.sensors.angle_a.hooks, table.sensors.angle_b.hooks]
    if isinstance(value, bool):
        return tuple(Effect(hook, attribute, value) for hook in hooks)
    return tuple(Effect(hook, attribute, value, added) for hook in hooks)


def _angle_lost(table: TableParts, values: Values) -> Effects:
    return _angles(table, values, "lost", True)


def _angle_drifts(table: TableParts, values: Values) -> Effects:
    return _angles(table, values, "drift_deg_s", float(values["rate_deg_s"]))


def _angle_jumps(table: TableParts, values: Values) -> Effects:
    return _angles(table, values, "offset_deg", float(values["by_deg"]))


def _angle_freezes(table: TableParts, values: Values) -> Effects:
    return _angles(table, values, "stuck", True)


def _creep(table: TableParts, values: Values, rate_deg_s: float) -> Effects:
    """Both sensors creep off alike until they are off by `by_deg`."""
    drifts = _angles(table, values, "drift_deg_s", rate_deg_s)
    return drifts + tuple(Effect(drift.part, "drift_most_deg", float(values["by_deg"])) for drift in drifts)


def _angles_shift(table: TableParts, values: Values) -> Effects:
    return _creep(table, values, DEEPER_DEG_S)


def _raised_too_far(table: TableParts, values: Values) -> Effects:
    return _creep(table, values, HIGHER_DEG_S)


def _device_limit(table: TableParts, values: Values) -> Effects:
    here_deg = table.truth().angle_cdeg / 100
    return _angles(table, values, "offset_deg", float(values["reads_deg"]) - here_deg)


def _level_switch_stuck(table: TableParts, values: Values) -> Effects:
    return (Effect(table.sensors.hooks, "level_switch", values["at"] == "below"),)


KINDS = (
    FaultKind("strap-opens", "H04", "a strap comes open, by both its contacts", _strap_opens, (SIDE,)),
    FaultKind(
        "strap-contact-fails",
        "H06",
        "one of a strap's two contacts stays as it is, whatever the strap does",
        _strap_contact_fails,
        (
            Parameter("side", "which strap", "left", choices=("left", "right", "both")),
            Parameter("contact", "which of the two contacts", 1, low=1, high=2),
            Parameter("stuck", "how it stays", "open", choices=("open", "closed")),
        ),
    ),
    FaultKind(
        "strap-stuck-closed", "H07", "a strap reads closed though nobody closed it", _strap_stuck_closed, (SIDE,)
    ),
    FaultKind("angle-lost", "H08", "one angle sensor says nothing", _angle_lost, (SENSOR,)),
    FaultKind(
        "angle-drifts",
        "H08",
        "one angle sensor wanders off",
        _angle_drifts,
        (SENSOR, Parameter("rate_deg_s", "how fast, head-up positive", 0.5, "deg/s", -20.0, 20.0)),
    ),
    FaultKind(
        "angle-jumps",
        "H08",
        "one angle sensor is suddenly off",
        _angle_jumps,
        (SENSOR, Parameter("by_deg", "by how much, head-up positive", 5.0, "deg", -90.0, 90.0)),
    ),
    FaultKind("both-angles-lost", "H09", "both angle sensors say nothing", _angle_lost),
    FaultKind(
        "angle-freezes",
        "H10",
        "an angle sensor stays at its last value",
        _angle_freezes,
        (Parameter("sensor", "which angle sensor", "both", choices=("a", "b", "both")),),
    ),
    FaultKind(
        "angles-shift",
        "H01",
        "both angle sensors creep off alike, so that the table reads deeper",
        _angles_shift,
        (Parameter("by_deg", "how much deeper", 1.2, "deg", 0.1, 60.0),),
    ),
    FaultKind(
        "raised-too-far",
        "H36",
        "both angle sensors creep off alike, so that the table reads higher: beyond boarding, where it stood there",
        _raised_too_far,
        (Parameter("by_deg", "how much higher", 2.5, "deg", 0.1, 60.0),),
    ),
    FaultKind(
        "device-limit",
        "H02",
        "both angle sensors suddenly read beyond what the device allows",
        _device_limit,
        (Parameter("reads_deg", "what they read where the table is now", -63.0, "deg", -71.9, -62.1),),
    ),
    FaultKind(
        "level-switch-stuck",
        "H08",
        "the level switch says the same wherever the table is",
        _level_switch_stuck,
        (Parameter("at", "what it says", "below", choices=("below", "above")),),
    ),
)
