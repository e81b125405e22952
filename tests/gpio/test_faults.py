"""What fails around the Pi's pins, and what a session then does: contacts, buttons, converter, expanders, drive."""

from collections.abc import Callable

import pytest

from config.errors import UsageError
from config.loading import load_profile
from config.pins import bit_of, chip_of, on_expander
from safety.signals import BUTTONS, Alarm, Demand, Guide, State
from sim.gpio_table import GpioTable, build_gpio
from tests.gpio.conftest import RigFactory
from tests.gpio.rig import GpioRig
from tests.sessions.by_buttons import Hand
from tests.sessions.runs import BRIEF

NIGHTLY = pytest.mark.nightly
LONG = BRIEF.model_copy(update={"hold_s": 60})
SOON_S = 3.0
# Each of the others, and those on an expander, by its levels below.
OFTEN = ("TILT",)


def first_cause(rig: GpioRig, at_most_s: float = SOON_S) -> tuple[str, Demand, Alarm, str]:
    """Let time pass until something demands STOP or worse; return its code, demand, alarm and place."""
    end_ms = rig.table.clock.ms + 1000 * at_most_s
    rig.forward(until=lambda seen: bool(rig.session.causes) or rig.table.clock.ms > end_ms)
    assert rig.session.causes, "nothing tripped"
    cause = rig.session.causes[0]
    return cause.code, cause.demand, cause.alarm, cause.where


def tilting(rig: GpioRig) -> GpioRig:
    """Bring the session to the middle of its tilt, at full speed."""
    rig.forward(until=State.TILTING)
    rig.forward(4.0)
    return rig


def came_back(rig: GpioRig, deepest_deg: float) -> None:
    """See that the table comes to level from here, by people or by itself, and goes no deeper than the stop takes."""
    lowest = rig.angle_deg
    end_ms = rig.table.clock.ms + 120_000
    while rig.angle_deg < -1.2:
        assert rig.table.clock.ms < end_ms, f"still at {rig.angle_deg:.1f}°"
        rig.tick()
        lowest = min(lowest, rig.angle_deg)
    assert lowest >= deepest_deg


# Straps ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "contact"),
    [("right", 2), *(pytest.param(*other, marks=NIGHTLY) for other in (("left", 1), ("left", 2), ("right", 1)))],
)
def test_one_strap_contact_that_opens_in_a_hold_brings_the_patient_back_and_is_named(
    on_pins: RigFactory, side: str, contact: int
) -> None:
    fault = f"strap-contact-fails@tilting+5s:side={side},contact={contact}"
    rig = on_pins(LONG, faults=[fault])
    rig.forward(until=lambda _: bool(rig.table.active))
    assert first_cause(rig) == ("H06", Demand.RETURN, Alarm.MEDIUM, side)
    came_back(rig, rig.angle_deg - 1.0)


@pytest.mark.parametrize(("side", "contact"), [("left", 1), pytest.param("right", 2, marks=NIGHTLY)])
def test_a_strap_contact_that_stays_closed_is_found_when_the_strap_opens(
    on_pins: RigFactory, side: str, contact: int
) -> None:
    rig = on_pins(LONG, faults=[f"strap-contact-fails@tilting+3s:side={side},contact={contact},stuck=closed"])
    tilting(rig)
    rig.forward(1.0)
    assert rig.codes == []
    rig.table.hands.strap(side, False)
    assert first_cause(rig) == ("H06", Demand.RETURN, Alarm.MEDIUM, side)


def test_both_contacts_of_a_strap_open_bring_the_patient_back_slowly_and_loudly(on_pins: RigFactory) -> None:
    rig = on_pins(LONG, faults=["strap-opens@tilting+5s:side=left"])
    rig.forward(until=lambda _: bool(rig.table.active))
    assert first_cause(rig) == ("H04", Demand.RETURN, Alarm.HIGH, "left")
    came_back(rig, rig.angle_deg - 1.0)


# Stops ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [1, 2])
def test_either_contact_of_the_emergency_stop_cuts_by_wire_and_by_program(on_pins: RigFactory, contact: int) -> None:
    rig = tilting(on_pins(LONG))
    before_deg = rig.angle_deg
    rig.inject(f"estop-contact-fails:contact={contact}")
    rig.table.forward_alone(1)
    # The wire did not wait for the program.
    assert (rig.table.plant.powered, rig.table.plant.brake_commanded, rig.table.power.brake_open) == (False, True, True)
    rig.forward(0.02)
    assert (rig.table.power.brake_open, rig.table.power.duty) == (False, 0.0)
    assert first_cause(rig)[:3] == ("H20", Demand.CUT, Alarm.HIGH)
    rig.forward(0.3)
    assert rig.speed_deg_s == 0.0
    assert before_deg - rig.angle_deg <= 0.3


def test_the_patients_wire_that_is_cut_means_what_the_patients_button_means(on_pins: RigFactory) -> None:
    rig = on_pins(LONG, faults=["patient-button-broken@tilting+5s"])
    rig.forward(until=lambda _: bool(rig.table.active))
    assert first_cause(rig)[:3] == ("H22", Demand.RETURN, Alarm.MEDIUM)
    came_back(rig, rig.angle_deg - 1.0)


# Buttons --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "button", [button if button in OFTEN else pytest.param(button, marks=NIGHTLY) for button in BUTTONS]
)
def test_a_button_stuck_on_a_pin_or_an_expander_keeps_nobody_head_down(on_pins: RigFactory, button: str) -> None:
    rig = on_pins(BRIEF, faults=[f"button-stuck@tilting+5s:button={button}"])
    rig.forward(until=State.RESTING)
    assert -1.2 <= rig.angle_deg <= 1.0
    assert rig.snapshot.readings.buttons is not None and rig.snapshot.readings.buttons & BUTTONS[button]
    assert min(row.true_angle_cdeg or 0 for row in rig.rows) >= BRIEF.angle_cdeg - 50
    # Nothing but a person's own STOP is told of it as a trip.
    assert set(rig.codes) <= {"STOP", "H25", "H26"}


OPENS_WHEN_PRESSED = ("STOP", "RETURN")


@pytest.mark.parametrize("button", BUTTONS)
def test_a_pin_that_goes_high_presses_stop_and_return_and_releases_every_other(
    on_pins: RigFactory, button: str
) -> None:
    # Said here once more, by levels: bridge and simulated table share one list of which contact opens.
    rig = on_pins(BRIEF, people=False)
    rig.forward(0.1)
    pin = dict(rig.table.gpio.pins())[f"gpio.buttons.{button.lower()}"]
    opens = button in OPENS_WHEN_PRESSED

    def reads(high: bool) -> int:
        if on_expander(pin):
            chip = rig.table.expanders.chips[chip_of(pin)]
            chip.closed = chip.closed & ~bit_of(pin) if high else chip.closed | bit_of(pin)
        else:
            rig.table.factory.wire(pin).put(high)
        rig.forward(0.05)
        return rig.snapshot.readings.buttons or 0

    assert [reads(high=opens), reads(high=not opens), reads(high=opens)] == [BUTTONS[button], 0, BUTTONS[button]]


def cut_wire(rig: GpioRig, button: str) -> None:
    """Cut the wire to a button on a pin of the Pi: the pull-up has the pin for itself, whatever the contact does."""
    pin = rig.table.factory.wire(dict(rig.table.gpio.pins())[f"gpio.buttons.{button.lower()}"])
    pin.put(None)
    pin.put = lambda level: None  # type: ignore[method-assign]


def test_a_cut_return_wire_in_a_hold_brings_the_patient_back(on_pins: RigFactory) -> None:
    rig = on_pins(LONG)
    rig.forward(until=State.HOLDING)
    rig.forward(2.0)
    cut_wire(rig, "RETURN")
    rig.forward(until=lambda _: rig.speed_deg_s > 0.3)
    assert rig.snapshot.wish.state is State.RETURNING
    came_back(rig, rig.angle_deg - 0.5)
    # Broken as it is, nobody is armed with it again.
    rig.forward(5.0)
    assert rig.snapshot.readings.buttons == BUTTONS["RETURN"]


def test_a_cut_stop_wire_stops_and_then_nobodys_presence_brings_the_patient_back(on_pins: RigFactory) -> None:
    rig = on_pins(LONG, people=False)
    hand = Hand(rig.session, rig.table.hands, rig.forward)
    hand.start()
    hand.guided(Guide.TILT)
    hand.hold("TILT")
    hand.until(lambda _: rig.angle_deg < -6.0)
    cut_wire(rig, "STOP")
    assert first_cause(rig)[:2] == ("STOP", Demand.STOP)
    hand.let_go("TILT")
    rig.forward(5.0)
    stood_deg = rig.angle_deg
    assert rig.speed_deg_s == 0.0 and stood_deg < -6.0
    # The press that the break was counts as one, and nothing is pressed after it: the table comes back by itself.
    began_ms = rig.table.clock.ms
    rig.forward(until=lambda _: rig.speed_deg_s > 0.3)
    assert 30_000 <= rig.table.clock.ms - began_ms <= 40_000
    assert "H24" in rig.causes_ever and rig.causes_ever["H24"].demand <= Demand.RETURN
    came_back(rig, stood_deg - 0.5)


# The converter --------------------------------------------------------------------------------------------------------

Breaks = Callable[[GpioTable], object]


def absent(table: GpioTable) -> None:
    table.converter.absent = True


def broken(table: GpioTable) -> None:
    table.converter.broken = True


def stuck(table: GpioTable) -> None:
    table.converter.stuck = 1600


def shared(table: GpioTable) -> None:
    table.sensors.hooks.shared_word = 1600


def cut(table: GpioTable) -> None:
    table.sensors.angle_a.hooks.lost = table.sensors.angle_b.hooks.lost = True


@pytest.mark.parametrize("breaks", [absent, pytest.param(broken, marks=NIGHTLY), cut])
def test_without_any_angle_drive_and_brake_are_cut_and_the_table_stays(on_pins: RigFactory, breaks: Breaks) -> None:
    rig = tilting(on_pins(LONG))
    before_deg = rig.angle_deg
    breaks(rig.table)
    assert first_cause(rig, 0.2)[:3] == ("H09", Demand.CUT, Alarm.HIGH)
    rig.forward(0.5)
    assert rig.snapshot.readings.angle_a_cdeg is None and rig.snapshot.readings.angle_b_cdeg is None
    assert rig.table.power.duty == 0.0 and not rig.table.power.brake_open
    assert rig.speed_deg_s == 0.0
    assert before_deg - rig.angle_deg <= 1.0


@pytest.mark.parametrize("breaks", [pytest.param(stuck, marks=NIGHTLY), shared])
def test_a_word_that_both_channels_share_is_no_angle_that_agrees(on_pins: RigFactory, breaks: Breaks) -> None:
    rig = tilting(on_pins(LONG))
    before_deg = rig.angle_deg
    breaks(rig.table)
    code, demand, alarm, _ = first_cause(rig, 0.5)
    # The jump comes first: faster than any table, by both.
    assert (code, demand, alarm) == ("H13", Demand.CUT, Alarm.HIGH)
    rig.forward(1.0)
    assert "H08" in rig.causes_ever
    assert rig.speed_deg_s == 0.0
    assert before_deg - rig.angle_deg <= 1.0


def test_a_broken_wire_to_one_angle_sensor_brings_the_patient_back_by_the_other(on_pins: RigFactory) -> None:
    rig = on_pins(LONG, faults=["angle-lost@tilting+5s:sensor=b"])
    rig.forward(until=lambda _: bool(rig.table.active))
    assert first_cause(rig) == ("H08", Demand.RETURN, Alarm.HIGH, "B")
    came_back(rig, rig.angle_deg - 1.0)


def test_a_channel_that_sticks_does_not_make_the_loop_push(on_pins: RigFactory) -> None:
    rig = tilting(on_pins(LONG))
    before_deg = rig.angle_deg
    rig.inject("angle-freezes:sensor=a")
    code, demand, alarm, where = first_cause(rig)
    assert (code, demand, alarm, where) == ("H10", Demand.RETURN, Alarm.HIGH, "A")
    assert max(abs(row.true_velocity_cdeg_s or 0) for row in rig.rows[-150:]) <= 230
    came_back(rig, before_deg - 4.0)


# Expanders ------------------------------------------------------------------------------------------------------------


def gone(table: GpioTable) -> None:
    table.expanders.chips[0].absent = True


def bus_gone(table: GpioTable) -> None:
    table.expanders.broken = True


@pytest.mark.parametrize("breaks", [gone, pytest.param(bus_gone, marks=NIGHTLY)])
def test_an_expander_that_is_gone_presses_no_key_and_is_a_fault(on_pins: RigFactory, breaks: Breaks) -> None:
    rig = tilting(on_pins(LONG))
    breaks(rig.table)
    assert first_cause(rig)[:2] == ("H16", Demand.RETURN)
    far = BUTTONS["PRESENCE"] | BUTTONS["ACK"] | BUTTONS["CONFIRM"] | BUTTONS["PLAN_UP"] | BUTTONS["PLAN_DOWN"]
    assert not (rig.snapshot.readings.buttons or 0) & far
    came_back(rig, rig.angle_deg - 1.0)


def test_lamps_that_a_dip_of_the_supply_put_out_are_lit_again(on_pins: RigFactory) -> None:
    rig = tilting(on_pins(LONG))
    chip = rig.table.expanders.chips[1]
    chip.reset()
    rig.table.forward_alone(1)
    assert chip.outputs == 0
    rig.forward(0.5)
    assert chip.outputs != 0


# The drive ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "demand"),
    [
        ("drive-dead", "H10", Demand.HOLD),
        ("drive-reversed", "H11", Demand.CUT),
        pytest.param("drive-runs-away", "H13", Demand.CUT, marks=NIGHTLY),
        pytest.param("drive-fault", "H16", Demand.RETURN, marks=NIGHTLY),
        pytest.param("mains-lost", "H21", Demand.RETURN, marks=NIGHTLY),
        ("obstruction", "H14", Demand.STOP),
    ],
)
def test_a_drive_that_fails_is_found_as_on_any_other_table(
    on_pins: RigFactory, fault: str, code: str, demand: Demand
) -> None:
    rig = tilting(on_pins(LONG))
    before_deg = rig.angle_deg
    rig.inject(fault)
    assert first_cause(rig, 4.0)[:2] == (code, demand)
    rig.forward(1.5)
    assert before_deg - rig.angle_deg <= 8.0


@NIGHTLY
def test_a_motor_that_is_stronger_than_it_should_be_is_held_back_by_the_loop(on_pins: RigFactory) -> None:
    rig = tilting(on_pins(LONG))
    rig.inject("drive-overspeeds:gain_percent=160")
    rig.forward(until=State.HOLDING)
    assert rig.causes_ever == {}
    assert max(abs(row.true_velocity_cdeg_s or 0) for row in rig.rows) <= 390


# What a table on pins cannot have -------------------------------------------------------------------------------------


def test_a_fault_of_a_line_is_refused_where_there_is_no_line(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    with pytest.raises(UsageError, match="no line between it and the host"):
        rig.inject("frames-stop")


def test_a_profile_without_pins_is_refused() -> None:
    with pytest.raises(UsageError, match="its bridge is in-process, not gpio"):
        build_gpio(load_profile("simulated"))
