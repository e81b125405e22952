"""What hangs on the angles: H01, H02, H03, H08, H09, H19, H36."""

import pytest

from config.limits import Limits
from safety.signals import RETURN, TILT, Alarm, Contacts, Demand, GuardState
from sim.guard import NO_ANGLE
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")


# With so much backlash a table may coast by some degrees before that is anything else than coasting.
LOOSE = Limits(backlash_cdeg=100)


def back_at_level(b: Bench, most_s: float = 90) -> float:
    """Let the guard do what it does until the table rests at level."""

    def there(bench: Bench) -> bool:
        return any(-160 <= angle <= 100 for angle in (bench.angle, *bench.pins()[:2])) and not bench.applied

    return b.until(there, most_s)


@pytest.mark.parametrize(("beyond", "trips"), [(-200, False), (-201, True)])
def test_h01_two_degrees_beyond_the_cap_is_a_return(beyond: int, trips: bool) -> None:
    b = Bench(limits=LOOSE).armed(cap_cdeg=-2000)
    b.run(5.2).put(buttons=TILT).until(lambda bench: bench.angle < -1950, host_velocity=-200)
    b.drift(-2000 + beyond, 3).run(0.1)
    assert ("H01" in b.causes) == trips
    if trips:
        b.put(word_a=None, word_b=None, host_velocity=0, buttons=0)
        assert b.demand is Demand.RETURN and b.out.alarm == Alarm.MEDIUM
        assert back_at_level(b) < 30


def test_h01_unarmed_the_cap_is_one_degree() -> None:
    b = Bench().run(1).drift(-300).run(0.1)
    assert "H01" not in b.seen
    b.put(word_a=-301, word_b=-301).run(0.1)
    assert "H01" in b.seen


def test_h02_beyond_the_device_is_a_slow_return() -> None:
    b = Bench(limits=LOOSE).armed(cap_cdeg=-6000)
    b.run(5.2).put(buttons=TILT).until(lambda bench: bench.angle < -5800, host_velocity=-200)
    for _ in range(75):
        b.put(offset_b=b.offset_b - 2).tick()
    b.drift(-6050, 3).run(0.1, word_b=-6200)
    assert not b.causes
    b.run(0.1, word_b=-6201)
    assert b.causes == {"H02"} and b.demand is Demand.RETURN and b.out.alarm == Alarm.HIGH
    b.put(word_a=None, word_b=None, host_velocity=0, buttons=0)
    fastest = 0
    for _ in range(1500):
        fastest = max(fastest, b.tick().applied)
    assert 0 < fastest <= 100


def test_h02_is_a_hold_while_something_is_wrong_with_the_motion() -> None:
    b = Bench().at(-4500)
    b.run(0.5, slip=-40).run(3, slip=-80)
    assert b.first == "H12"
    b.put(slip=0, angle=-6300.0).run(1)
    assert b.demand >= Demand.HOLD


def test_h03_a_set_that_takes_too_long_ends_in_a_return() -> None:
    b = Bench().at(-1000, set_limit_s=30)
    took = b.until(lambda bench: "H03" in bench.causes, 40)
    assert 20 < took < 30
    assert b.demand is Demand.RETURN
    assert back_at_level(b) < 20


def test_h03_below_level_for_twenty_seconds_longer_is_a_return_too() -> None:
    b = Bench().at(-300, set_limit_s=10)
    took = b.until(lambda bench: "H03" in bench.causes, 40)
    assert 20 < took < 31
    assert b.out.inverted_s == 0
    assert back_at_level(b) < 20


@pytest.mark.parametrize(("apart", "trips"), [(200, False), (201, True)])
def test_h08_sensors_that_disagree_for_longer_than_200_ms_bring_the_table_back_slowly(apart: int, trips: bool) -> None:
    b = Bench().at(-3000)
    b.offset_a = 100
    b.run(0.2)
    b.offset_a = apart
    b.run(0.19)
    assert "H08" not in b.causes
    b.run(0.05)
    assert ("H08" in b.causes) == trips
    if trips:
        assert b.demand is Demand.RETURN and b.out.alarm == Alarm.HIGH
        fastest = 0
        for _ in range(200):
            fastest = max(fastest, b.tick().applied)
        assert fastest <= 50, "the first degree"
        assert back_at_level(b) < 60


def test_h08_a_sensor_that_jumps_alone_is_lost() -> None:
    b = Bench().at(-3000).run(0.02, offset_b=151)
    assert b.causes == {"H08"}
    assert back_at_level(b) < 60
    lucky = Bench().at(-3000).run(0.1, offset_a=160, offset_b=160)
    assert "H08" not in lucky.causes


@pytest.mark.parametrize("word", [NO_ANGLE, -7201, 9201])
def test_h08_one_sensor_lost_brings_the_table_back_on_the_other(word: int) -> None:
    b = Bench().at(-3000).run(0.1, word_a=word)
    assert b.causes == {"H08"}
    assert back_at_level(b) < 60
    assert b.run(2).demand is Demand.STOP
    b.reset()
    assert b.causes == {"H08"}, "no RESET while the sensor is away"
    b.run(1, word_a=None).reset()
    assert not b.causes and b.demand is Demand.ALLOW


def test_h08_a_return_on_a_sensor_that_stands_still_ends_in_a_hold() -> None:
    b = Bench().at(-2000).run(0.05, word_a=NO_ANGLE)
    b.put(word_b=round(b.angle), level_switch=True)
    b.until(lambda bench: bench.demand >= Demand.HOLD, 60)
    assert b.out.alarm == Alarm.HIGH
    assert b.run(2).applied == 0


def test_h09_without_any_angle_the_drive_is_cut_and_only_reset_after_the_manual_return_helps() -> None:
    b = Bench().at(-2000).run(0.05, word_a=NO_ANGLE, word_b=NO_ANGLE)
    assert b.demand is Demand.CUT and "H09" in b.causes
    assert not b.out.brake_released and b.out.short_motor
    b.run(1)
    assert not b.out.drive_power
    b.run(3, buttons=RETURN)
    assert b.applied == 0
    b.put(buttons=0, word_a=None, word_b=None, angle=0.0).run(2)
    b.reset()
    assert b.demand is Demand.ALLOW, b.told


@pytest.mark.parametrize(("angle", "held"), [(-100, False), (-101, True), (-3000, True)])
def test_h19_a_guard_that_wakes_below_level_holds(angle: int, held: bool) -> None:
    b = Bench(angle, straps=Contacts.CLOSED).run(0.5)
    assert (b.first == "H19") == held
    assert (b.state is GuardState.HOLD) == held


def test_h19_only_the_held_button_brings_the_table_back_then_reset() -> None:
    b = Bench(-1500, straps=Contacts.CLOSED).run(2, host_velocity=200, host_plan_return=True)
    assert b.applied == 0, "no host moves it"
    assert b.out.drive_power, "and the drive holds beside the brake"
    b.put(buttons=RETURN)
    took = back_at_level(b.run(2), 60)
    assert 10 < took < 40
    b.run(2, buttons=0, host_velocity=0, host_plan_return=False).reset()
    assert b.state is GuardState.IDLE and not b.causes


def test_h19_letting_go_stops_and_the_patients_button_counts_too() -> None:
    b = Bench(-1500, straps=Contacts.CLOSED).run(2).run(3, buttons=RETURN)
    assert 0 < b.applied <= 90
    b.run(1.5, buttons=0)
    assert b.applied == 0
    b.run(1.5).run(3, patient_open=True)
    assert b.applied > 0


@pytest.mark.parametrize(("boarding", "limit"), [(7500, 7700), (8400, 8500)])
def test_h36_raised_too_far_is_a_stop(boarding: int, limit: int) -> None:
    b = Bench(limit, limits=Limits(boarding_cdeg=boarding)).run(1)
    assert "H36" not in b.causes
    b.put(angle=limit + 1.0).run(0.1)
    assert b.causes == {"H36"} and b.demand is Demand.STOP and b.out.alarm == Alarm.MEDIUM
    b.put(angle=limit + 20.0).run(1.5).run(5, buttons=TILT)
    assert b.angle < limit, "held TILT lowers under the stop"
    b.run(2, buttons=0).reset()
    assert not b.causes
