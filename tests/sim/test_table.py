"""A whole simulated table is what its profile says, and its truth is what the plant does."""

import pytest

from config.errors import UsageError
from config.loading import load_profile
from config.profile import Profile
from firmware_bridge.bridge import Bridge
from firmware_bridge.hands import Hands
from safety.signals import Command, GuardState, Signals
from sim import table as table_module
from sim.body import PlantConstants
from sim.table import SimulatedTable, build, plant_constants, sensor_constants
from tests.sim.driving import HOST, Drive

PROFILE = load_profile("simulated")


def changed(part: str, **values: object) -> Profile:
    """The shipped profile with some figures changed."""
    section = getattr(PROFILE, part).model_copy(update=values)
    return PROFILE.model_copy(update={part: section})


def test_a_table_is_a_bridge_for_the_loop_and_hands_for_people() -> None:
    table = build(PROFILE)
    bridge: Bridge = table.bridge
    hands: Hands = table.hands
    bridge.close()
    hands.press("STOP")
    assert table.clock.now_ms() == 0
    assert table.injected == ""
    table.active["strap-opens"] = None
    table.active["brake-slips"] = None
    assert table.injected == "strap-opens+brake-slips"


def test_the_plant_is_the_profiles() -> None:
    constants = plant_constants(PROFILE)
    assert constants.stall_ma == PROFILE.drive.stall_ma
    assert constants.brake_setting_ms == PROFILE.brake.set_ms
    assert constants.hard_stop_low_deg == -70.0
    assert constants.end_down_deg == -65.0
    assert constants.backlash_deg == pytest.approx(0.3)
    assert constants.battery_mas == PROFILE.battery.capacity_mah * 3600.0
    # At the table arrives what the profile says, after the teeth have taken their share.
    assert constants.torque_nm_a / (1.0 + constants.gear_friction) == pytest.approx(PROFILE.drive.torque_nm_a)
    assert constants.table_inertia_kg_m2 == pytest.approx(PlantConstants().table_inertia_kg_m2, rel=0.05)


def test_a_worm_drive_in_the_profile_is_one_in_the_plant() -> None:
    table = build(changed("drive", self_locking=True), mass_kg=135.0, offset_cm=15.0, guard=False)
    table.plant.hooks.brake_grip = 0.0
    drive = Drive(table)
    drive.rest(3.0)
    assert drive.angle_deg == pytest.approx(0.0, abs=0.3)
    drive.go(200, 4.0)
    assert drive.speed_deg_s == pytest.approx(2.0, rel=0.05)


def test_a_brake_on_the_tables_side_is_one_in_the_plant() -> None:
    assert plant_constants(PROFILE).brake_on_motor_side
    assert not plant_constants(changed("brake", side="table")).brake_on_motor_side


def test_a_board_that_is_out_of_balance_pulls() -> None:
    table = build(changed("geometry", board_offset_mm=200), offset_cm=0.0, guard=False)
    table.plant.hooks.brake_grip = 0.0
    drive = Drive(table)
    drive.rest(1.0)
    assert drive.angle_deg < -5.0


def test_a_profile_without_a_battery_gives_a_table_without_one() -> None:
    drive = Drive(build(changed("battery", fitted=False, capacity_mah=0)))
    drive.rest(0.1)
    assert drive.readings.battery is False
    drive.table.plant.hooks.mains_off = True
    drive.rest(0.1)
    assert drive.readings.mains is False
    assert drive.readings.brake_set


def test_the_noise_that_a_reader_sees_is_the_profiles_with_its_quantisation() -> None:
    constants = sensor_constants(PROFILE)
    step_deg = (constants.high_deg - constants.low_deg) / constants.words
    assert constants.noise_deg**2 + step_deg**2 / 12.0 == pytest.approx((PROFILE.sensors.noise_cdeg / 100.0) ** 2)
    assert constants.skew_ms == pytest.approx(PROFILE.sensors.skew_us / 1000.0)


def test_the_finest_converter_of_a_profile_makes_a_table_too() -> None:
    drive = Drive(build(changed("sensors", bits=24, noise_cdeg=0), start_deg=-20.0))
    drive.rest(0.1)
    assert drive.readings.angle_a_cdeg == pytest.approx(-2000, abs=6)


def test_truth_is_what_the_plant_does_in_whole_centidegrees() -> None:
    drive = Drive(build(PROFILE, start_deg=-12.34, guard=False))
    assert drive.table.truth() == (-1234, 0)
    drive.go(-100, 3.0)
    truth = drive.table.truth()
    assert truth.angle_cdeg == round(100.0 * drive.angle_deg)
    assert truth.velocity_cdeg_s == pytest.approx(-100, abs=1)


@pytest.mark.parametrize("wrong", [{"mass_kg": 10.0}, {"offset_cm": 50.0}, {"height_cm": 10.0}, {"start_deg": -71.0}])
def test_what_the_plant_cannot_be_is_refused_in_one_sentence(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError) as told:
        build(PROFILE, **wrong)  # type: ignore[arg-type]
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("mass_kg", [20.0, 250.0])
@pytest.mark.parametrize("offset_cm", [-40.0, 40.0])
def test_the_plant_stays_finite_with_anybody_it_takes(mass_kg: float, offset_cm: float) -> None:
    drive = Drive(build(PROFILE, mass_kg=mass_kg, offset_cm=offset_cm, guard=False))
    drive.go(-200, 3.0)
    drive.go(200, 3.0)
    drive.rest()
    drive.table.plant.hooks.brake_grip = 0.0
    drive.rest()
    assert -70.0 <= drive.angle_deg <= 90.0


def test_the_lease_is_the_profiles() -> None:
    table = build(changed("limits_table", lease_ms=50), guard=False)
    drive = Drive(table)
    drive.go(-100, 2.0)
    rows = drive.silence(0.5)
    assert 10 * next(i for i, row in enumerate(rows) if (row.readings.applied_cdeg_s or 0) > -100) <= 80


def test_what_was_written_last_can_be_seen() -> None:
    table = build(PROFILE)
    command, signals = Command(velocity_cdeg_s=5), Signals(tone=True)
    table.bridge.write(command, signals)
    table.bridge.read(10, HOST)
    assert table.bridge.command is command
    assert table.bridge.signals is signals


def guard_state(table: SimulatedTable) -> GuardState:
    told = table.bridge.read(10, HOST).guard
    assert told is not None
    return told.state


@pytest.mark.needs("cc")
def test_the_guard_is_in_the_loop_unless_it_is_left_out() -> None:
    assert guard_state(build(PROFILE)) is GuardState.IDLE
    assert guard_state(build(PROFILE, guard=False)) is GuardState.ABSENT


def test_where_no_guard_can_be_built_the_usual_table_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "guard_library", lambda: None)
    assert guard_state(build(PROFILE)) is GuardState.ABSENT
