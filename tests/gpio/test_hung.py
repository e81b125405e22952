"""A control process that hangs or falls over: the PWM keeps its duty, and what then stops the table is not software."""

import pytest

from safety.signals import LAMPS, Command, Demand, Guide, Signals, State
from tests.gpio.conftest import RigFactory
from tests.gpio.driven import driven
from tests.gpio.rig import GpioRig
from tests.sessions.by_buttons import Hand
from tests.sessions.runs import BRIEF

NIGHTLY = pytest.mark.nightly
DROPPED_MS = 250  # commissioned: what the hazard page allows from the last edge
PHASES = [(State.TILTING, 4.0), (State.HOLDING, 1.5), (State.RETURNING, 3.0)]


def hung(rig: GpioRig, for_ms: int) -> tuple[int, float]:
    """Let the process hang; return when drive and brake were dropped, and how far the table went, in degrees."""
    plant, before_deg = rig.table.plant, rig.angle_deg
    dropped_ms = 0
    for passed_ms in range(for_ms):
        if not dropped_ms and plant.brake_commanded and not plant.powered:
            dropped_ms = passed_ms
        rig.table.forward_alone(1)
    return dropped_ms, abs(rig.angle_deg - before_deg)


@pytest.mark.parametrize(("state", "after_s"), PHASES, ids=[state.value for state, _ in PHASES])
def test_the_relay_drops_drive_and_brake_and_the_table_stays(on_pins: RigFactory, state: State, after_s: float) -> None:
    rig = on_pins(BRIEF, relay_drop_ms=DROPPED_MS - 10)
    rig.forward(until=state)
    rig.forward(after_s)
    table = rig.table
    duty, edges, moving = table.power.duty, table.safety.edges, abs(rig.speed_deg_s) > 0.3
    assert moving == (state is not State.HOLDING)
    dropped_ms, went_deg = hung(rig, 2000)
    # Nothing of the program ran: the pin stood still, and the duty is what it was.
    assert table.safety.edges == edges
    assert table.power.duty == duty and (duty > 0.1 or not moving)
    assert dropped_ms <= DROPPED_MS
    assert table.safety.dropped and not table.plant.powered and table.plant.brake_commanded
    assert went_deg <= 1.0
    assert rig.speed_deg_s == 0.0
    stood_deg = rig.angle_deg
    table.forward_alone(60_000)
    assert rig.angle_deg == pytest.approx(stood_deg, abs=0.01)


@pytest.mark.parametrize("duty", [pytest.param(0.0, marks=NIGHTLY), 1.0])
def test_a_pulse_that_stands_still_with_its_program_turns_the_table_no_further_than_the_relay_lets_it(
    on_pins: RigFactory, duty: float
) -> None:
    # Pulses are software too: killed or stopped with the program, the pin stays high or low, as it happened to be.
    rig = on_pins(BRIEF, relay_drop_ms=DROPPED_MS - 10)
    rig.forward(until=State.TILTING)
    rig.forward(4.0)
    rig.table.power.pwm(duty)
    dropped_ms, went_deg = hung(rig, 2000)
    assert dropped_ms <= DROPPED_MS
    # Full voltage for 250 ms, and the brake's 60: 4°/s at the most.
    assert went_deg <= 1.3
    assert rig.speed_deg_s == 0.0


@pytest.mark.parametrize(
    ("state", "after_s"),
    [
        pytest.param(State.TILTING, 6.0, id="tilting"),
        pytest.param(State.HOLDING, 1.5, id="holding", marks=NIGHTLY),
        pytest.param(State.RETURNING, 2.0, id="returning", marks=NIGHTLY),
    ],
)
def test_the_relays_own_alarm_tells_people_whatever_the_panel_shows(
    on_pins: RigFactory, state: State, after_s: float
) -> None:
    rig = on_pins(BRIEF, relay_drop_ms=DROPPED_MS - 10)
    rig.forward(until=state)
    rig.forward(after_s)
    table = rig.table
    before = table.hung_alarm
    shown = [name for name in LAMPS if table.lit(name.lower())], table.buzzer_hz
    table.forward_alone(DROPPED_MS)
    assert (before, table.hung_alarm) == (False, True)
    # The panel says nothing of it: that is why.
    assert ([name for name in LAMPS if table.lit(name.lower())], table.buzzer_hz) == shown
    table.forward_alone(60_000)
    assert table.hung_alarm


def test_a_program_that_ends_at_level_leaves_no_alarm_behind(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    rig.forward(until=State.RESTING)
    rig.forward(3.0)
    rig.table.bridge.close()
    rig.table.forward_alone(1000)
    assert rig.table.safety.dropped
    assert not rig.table.hung_alarm


def test_without_the_relay_a_hung_process_drives_on_which_is_why_the_relay_is_demanded(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    rig.table.safety.welded = True
    rig.forward(until=State.TILTING)
    rig.forward(4.0)
    _, went_deg = hung(rig, 5000)
    assert went_deg > 5.0


def hand_on(rig: GpioRig) -> Hand:
    return Hand(rig.session, rig.table.hands, rig.forward)


@pytest.mark.parametrize("hangs_ms", [300, 5000])
def test_whoever_comes_back_in_a_tilt_goes_no_deeper_for_a_press_that_was_there_before(
    on_pins: RigFactory, hangs_ms: int
) -> None:
    rig = on_pins(BRIEF, people=False)
    hand = hand_on(rig)
    hand.start()
    hand.guided(Guide.TILT)
    hand.hold("TILT")
    hand.until(lambda _: rig.angle_deg < -3.0)
    rig.table.forward_alone(hangs_ms)
    stood_deg = rig.angle_deg
    hand.wait(5.0)
    assert rig.angle_deg >= stood_deg - 0.1
    # No false accusation: nothing but the pause itself is told.
    assert set(rig.causes_ever) == {"H17", "H27"}
    assert rig.causes_ever["H17"].demand == (Demand.STOP if hangs_ms == 300 else Demand.RETURN)
    hand.let_go("TILT")
    if hangs_ms == 300:
        hand.tap("RETURN")
    hand.until(lambda _: rig.angle_deg > -1.0, 60.0, "level")


def test_the_old_duty_is_gone_before_the_relay_closes_again(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    rig.forward(until=State.TILTING)
    rig.forward(4.0)
    power = rig.table.power
    rig.table.forward_alone(1000)
    before_deg = rig.angle_deg
    assert power.duty > 0.3
    closed_with: list[tuple[float, bool]] = []
    power.changed = lambda: closed_with.append((power.duty, power.brake_open)) if not power.safety.dropped else None
    rig.forward(0.05)
    assert not rig.table.safety.dropped
    assert all(duty == 0.0 and not brake_open for duty, brake_open in closed_with)
    assert power.duty == 0.0 and not power.brake_open
    assert rig.angle_deg == pytest.approx(before_deg, abs=0.01)


def test_an_exception_in_mid_tick_leaves_every_output_off() -> None:
    table = driven()
    table.go(-200, 3.0)
    power = table.table.power
    assert power.duty > 0.3 and power.brake_open and power.enabled

    def fails() -> int:
        raise RuntimeError("a defect")

    table.table.converter.channels[0] = fails
    with pytest.raises(RuntimeError, match="a defect"):
        table.go(-200, 0.1)
    assert (power.duty, power.brake_open, power.enabled) == (0.0, False, False)
    before_deg = table.angle_deg
    table.table.forward_alone(2000)
    assert abs(table.angle_deg - before_deg) <= 1.0
    assert table.speed_deg_s == 0.0
    table.close()


def test_an_exception_of_the_loop_that_closes_the_bridge_leaves_every_output_off(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    rig.forward(until=State.TILTING)
    rig.forward(4.0)
    power = rig.table.power
    assert power.duty > 0.1
    rig.table.bridge.close()
    assert (power.duty, power.brake_open, power.enabled) == (0.0, False, False)
    assert not any(rig.table.lit(name.lower()) for name in LAMPS)
    assert rig.table.buzzer_hz == 0
    rig.table.forward_alone(1000)
    assert rig.table.safety.dropped
    assert rig.speed_deg_s == 0.0


def test_what_is_written_to_a_closed_bridge_moves_nothing() -> None:
    table = driven()
    table.table.bridge.close()
    edges = table.table.safety.edges
    for _ in range(50):
        table.table.bridge.write(Command(velocity_cdeg_s=-200), Signals())
        table.table.forward_alone(10)
    assert table.table.safety.edges == edges
    assert table.angle_deg == 0.0
    table.close()
