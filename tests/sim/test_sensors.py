"""The sensors: as noisy, quantised and skewed as allowed, opposite slopes, and every way in which they can lie."""

import math
import random
import statistics
from itertools import pairwise

import pytest

from sim.body import Person, PlantConstants
from sim.plant import Plant
from sim.sensors import SensorConstants, Sensors

STEP_CDEG = 100.0 * 200.0 / 4096


def sensors_at(angle_deg: float, seed: int = 0, constants: SensorConstants | None = None) -> Sensors:
    plant = Plant(PlantConstants(), Person(), angle_deg)
    plant.advance(10)
    return Sensors(constants or SensorConstants(), plant, random.Random(seed))


def samples(sensors: Sensors, count: int) -> tuple[list[int], list[int]]:
    a, b = [], []
    for tick in range(count):
        sensors.sample(10 * tick)
        assert sensors.a_cdeg is not None
        assert sensors.b_cdeg is not None
        a.append(sensors.a_cdeg)
        b.append(sensors.b_cdeg)
    return a, b


def below(sensors: Sensors) -> bool:
    return sensors.level_switch


@pytest.mark.parametrize("angle_deg", [-69.97, -20.0, -0.5, 0.0, 0.03, 75.0, 89.9])
def test_both_sensors_say_the_angle_within_their_mounting_and_noise(angle_deg: float) -> None:
    for seed in range(5):
        for values in samples(sensors_at(angle_deg, seed), 2000):
            assert statistics.fmean(values) == pytest.approx(100.0 * angle_deg, abs=7.0)
            rms_cdeg = statistics.pstdev(values)
            assert 2.0 < rms_cdeg <= 5.0


def test_noise_of_a_and_b_is_not_the_same_noise() -> None:
    a, b = samples(sensors_at(-20.0), 4000)
    assert abs(statistics.correlation(a, b)) < 0.1


def test_readings_are_steps_of_a_twelve_bit_converter() -> None:
    a, _ = samples(sensors_at(-20.0), 2000)
    levels = sorted(set(a))
    gaps = [second - first for first, second in pairwise(levels)]
    assert all(gap == pytest.approx(STEP_CDEG, abs=1.0) for gap in gaps)


def test_a_word_that_both_channels_share_cannot_make_them_agree_but_in_the_middle() -> None:
    sensors = sensors_at(0.0)
    apart = []
    for word in range(0, 4096, 64):
        sensors.hooks.shared_word = word
        sensors.sample(0)
        assert sensors.a_cdeg is not None
        assert sensors.b_cdeg is not None
        apart.append(abs(sensors.a_cdeg - sensors.b_cdeg) > 200)
    assert sum(apart) >= len(apart) - 2


def test_b_is_sampled_a_moment_before_a() -> None:
    constants = SensorConstants(noise_deg=0.0, mounting_deg=0.0, skew_ms=2.0, words=1 << 16)
    sensors = sensors_at(-20.0, constants=constants)
    sensors._plant.motion.speed_rad_s = math.radians(-50.0)
    sensors.sample(0)
    assert sensors.a_cdeg is not None
    assert sensors.b_cdeg is not None
    assert sensors.b_cdeg - sensors.a_cdeg == pytest.approx(10, abs=1)


def test_a_lost_sensor_says_nothing_and_comes_back() -> None:
    sensors = sensors_at(-20.0)
    sensors.angle_a.hooks.lost = True
    sensors.sample(0)
    assert sensors.a_cdeg is None
    assert sensors.b_cdeg is not None
    sensors.angle_a.hooks.lost = False
    assert samples(sensors, 1)[0][0] == pytest.approx(-2000, abs=25)


def test_a_stuck_sensor_keeps_its_last_value() -> None:
    sensors = sensors_at(-20.0)
    sensors.sample(0)
    last = sensors.b_cdeg
    sensors.angle_b.hooks.stuck = True
    sensors._plant.motion.angle_rad = math.radians(-40.0)
    assert set(samples(sensors, 50)[1]) == {last}


def test_a_wrong_reading_is_read_whatever_it_is() -> None:
    sensors = sensors_at(0.0)
    sensors.angle_a.hooks.reading_cdeg = 20_000
    assert samples(sensors, 1)[0] == [20_000]


def test_an_offset_shifts_one_sensor_and_an_enormous_one_saturates() -> None:
    sensors = sensors_at(0.0)
    sensors.angle_a.hooks.offset_deg = 5.0
    a, b = samples(sensors, 500)
    assert statistics.fmean(a) == pytest.approx(500, abs=7)
    assert statistics.fmean(b) == pytest.approx(0, abs=7)
    sensors.angle_a.hooks.offset_deg = 1000.0
    assert samples(sensors, 1)[0][0] == pytest.approx(11_000, abs=5)


def test_a_drift_begins_when_it_is_set_and_anew_after_it_has_been_cleared() -> None:
    sensors = sensors_at(0.0)
    drift = sensors.angle_a.hooks
    for start_ms in (0, 100_000):
        drift.drift_deg_s = 2.0
        sensors.sample(start_ms)
        assert sensors.a_cdeg == pytest.approx(0, abs=25)
        sensors.sample(start_ms + 3000)
        assert sensors.a_cdeg == pytest.approx(600, abs=25)
        drift.clear()
        sensors.sample(start_ms + 3010)
        assert sensors.a_cdeg == pytest.approx(0, abs=25)


def test_the_cam_closes_somewhere_in_its_band_and_a_stuck_one_stays() -> None:
    for seed in range(20):
        sensors = sensors_at(0.3, seed)
        assert not below(sensors)
        sensors._plant.motion.angle_rad = math.radians(-1.2)
        sensors.switch()
        assert below(sensors)
        sensors.hooks.level_switch = False
        sensors.switch()
        assert not below(sensors)
        sensors.hooks.level_switch = None
        sensors.switch()
        assert below(sensors)


@pytest.mark.parametrize(
    ("angle_deg", "down", "up"), [(-65.2, True, False), (-64.8, False, False), (88.2, False, True)]
)
def test_the_end_switches_close_where_they_should(angle_deg: float, down: bool, up: bool) -> None:
    sensors = sensors_at(angle_deg)
    assert (sensors.end_down, sensors.end_up) == (down, up)


def test_a_switch_does_not_chatter_on_its_threshold() -> None:
    sensors = sensors_at(-64.8)
    sensors._plant.motion.angle_rad = math.radians(-65.02)
    sensors.switch()
    assert (sensors.end_down, sensors.end_up) == (False, False)
    sensors = sensors_at(-65.2)
    sensors._plant.motion.angle_rad = math.radians(-65.0)
    sensors.switch()
    assert sensors.end_down is True
    sensors._plant.motion.angle_rad = math.radians(-64.9)
    sensors.switch()
    assert (sensors.end_down, sensors.end_up) == (False, False)


def test_the_current_is_measured_with_noise_in_steps_and_exactly_zero_without_power() -> None:
    sensors = sensors_at(0.0)
    sensors.sample(0)
    assert sensors.current_ma == 0
    sensors._plant.current_ma = 1234.0
    found = set()
    for tick in range(500):
        sensors.sample(tick)
        assert sensors.current_ma is not None
        found.add(sensors.current_ma)
    assert all(value % 10 == 0 for value in found)
    assert statistics.fmean(found) == pytest.approx(1234, abs=20)
    sensors.hooks.current_ma = 50
    sensors.sample(0)
    assert sensors.current_ma == 50
    sensors.hooks.current_lost = True
    sensors.sample(0)
    assert sensors.current_ma is None


def test_one_seed_is_one_table_and_another_seed_another() -> None:
    assert samples(sensors_at(-20.0, 1), 100) == samples(sensors_at(-20.0, 1), 100)
    assert samples(sensors_at(-20.0, 1), 100) != samples(sensors_at(-20.0, 2), 100)


def test_hard_stops_that_the_sensors_cannot_see_are_refused() -> None:
    plant = Plant(PlantConstants(), Person())
    with pytest.raises(ValueError, match="hard stops"):
        Sensors(SensorConstants(high_deg=92.0), plant, random.Random(0))
