"""Faults of people, buttons, link, host and papers (H03, H18 to H28, H30 to H34)."""

from safety.signals import BUTTONS, RAISE, RETURN, STOP, TILT
from sim.faults.effects import Deed, Effect, by_place, merged, newest, united
from sim.faults.kinds import FaultKind, Parameter, Values
from sim.table import TableParts

Effects = tuple[Effect | Deed, ...]


def _supervisor_dawdles(table: TableParts, _values: Values) -> Effects:
    hooks = table.panel.hooks
    return (
        Effect(hooks, "stuck_held", STOP, united, brief=True),
        Effect(hooks, "stuck_open", RETURN | TILT | RAISE, united),
    )


def _supervisor_leaves(table: TableParts, _values: Values) -> Effects:
    hands = table.hands
    return Deed(lambda: hands.crank(False), lambda: None), Effect(table.panel.hooks, "deserted", True)


def _estop_pressed(table: TableParts, _values: Values) -> Effects:
    hands = table.hands
    return (Deed(lambda: hands.estop(True), lambda: hands.estop(False)),)


def _estop_contact_fails(table: TableParts, values: Values) -> Effects:
    pair = ("open", None) if values["contact"] == 1 else (None, "open")
    return (Effect(table.sensors.hooks, "estop", pair, by_place),)


def _patient_presses(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.panel.hooks, "patient_circuit", "open", newest, brief=True),)


def _patient_button_broken(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.panel.hooks, "patient_circuit", "open"),)


def _patient_button_untested(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.panel.hooks, "patient_circuit", "closed"),)


def _button_stuck(table: TableParts, values: Values) -> Effects:
    return (Effect(table.panel.hooks, "stuck_held", BUTTONS[str(values["button"])], united),)


def _buttons_together(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.panel.hooks, "stuck_held", TILT | RAISE, united),)


def _raise_held(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.panel.hooks, "stuck_held", RAISE, united),)


def _frames_stop(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.link, "frames_stop", True),)


def _frames_repeat(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.link, "frames_repeat", True),)


def _host_late(table: TableParts, values: Values) -> Effects:
    hooks = table.link

    def pause() -> None:
        hooks.pause_ms = int(values["gap_ms"])

    return (Deed(pause, lambda: None),)


def _clock_wrong(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.link, "host_altered", {"clock_ok": False}, merged),)


def _configuration_unproven(table: TableParts, _values: Values) -> Effects:
    return (Effect(table.link, "host_altered", {"config_ok": False}, merged),)


def _nothing(_table: TableParts, _values: Values) -> Effects:
    return ()


KINDS = (
    FaultKind(
        "supervisor-dawdles",
        "H03",
        "the supervisor presses STOP once, shows presence and never brings the patient back",
        _supervisor_dawdles,
    ),
    FaultKind(
        "supervisor-leaves", "H24", "everybody but the patient goes; no panel button is worked", _supervisor_leaves
    ),
    FaultKind("estop-pressed", "H20", "somebody presses the emergency stop", _estop_pressed),
    FaultKind(
        "estop-contact-fails",
        "H20",
        "one contact of the emergency stop comes open",
        _estop_contact_fails,
        (Parameter("contact", "which of the two contacts", 1, low=1, high=2),),
    ),
    FaultKind("patient-presses", "H22", "the patient presses the own button", _patient_presses),
    FaultKind("patient-button-broken", "H22", "the wire of the patient's button breaks", _patient_button_broken),
    FaultKind(
        "patient-button-untested", "H23", "the circuit of the patient's button never opens", _patient_button_untested
    ),
    FaultKind(
        "button-stuck",
        "H25",
        "a panel button stays held",
        _button_stuck,
        (Parameter("button", "which button", "TILT", choices=tuple(BUTTONS)),),
    ),
    FaultKind("buttons-together", "H26", "TILT and RAISE are held at once", _buttons_together),
    FaultKind("frames-stop", "H18", "no frame arrives from the table", _frames_stop),
    FaultKind("frames-repeat", "H18", "the same frame arrives again and again", _frames_repeat),
    FaultKind(
        "host-late",
        "H27",
        "the controller is late once",
        _host_late,
        (Parameter("gap_ms", "how long it hangs", 80, "ms", 10, 10_000),),
        momentary=True,
        of_host=True,
    ),
    FaultKind("clock-wrong", "H28", "the host's clock is not set", _clock_wrong, of_host=True),
    FaultKind(
        "configuration-unproven",
        "H30",
        "the configuration is not the one that was proven",
        _configuration_unproven,
        of_host=True,
    ),
    FaultKind(
        "boots-below",
        "H19",
        "the table is below level when it is switched on",
        _nothing,
        (Parameter("at_deg", "where it stands", -10.0, "deg", -69.0, -1.1),),
        at_boot=True,
    ),
    FaultKind(
        "wrong-plan",
        "H31",
        "the permit's prescription is shallower than the plan",
        _nothing,
        (Parameter("prescribed_deg", "what was prescribed", -10.0, "deg", -60.0, -1.0),),
        at_boot=True,
    ),
    FaultKind("permit-expired", "H34", "the permit is no longer valid", _nothing, at_boot=True),
    FaultKind("raised-early", "H32", "RAISE is held, as before the rest is over", _raise_held),
)
