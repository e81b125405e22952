"""How what is sampled on the pins comes to count: debounce in the table's own time, pairs of contacts, the angle."""

from collections.abc import Callable, Iterator

import pytest

from config.loading import load_profile
from firmware_bridge.gpio_angle import AngleSensor
from firmware_bridge.gpio_converter import AngleScale
from firmware_bridge.gpio_debounce import DEBOUNCE_MS, Debounce
from firmware_bridge.gpio_power import HBridge
from safety.signals import BUTTONS, Contacts
from tests.gpio.driven import Driven, driven

ONE, OTHER = 0x1, 0x4
FRAME_MS = 10


@pytest.fixture
def table() -> Iterator[Driven]:
    made = driven()
    yield made
    made.close()


def pin_put(table: Driven, key: str) -> Callable[[bool], None]:
    """Return what opens and closes the contact on the pin of a key of the profile, whatever else moves there."""
    pin = table.table.factory.wire(dict(table.table.gpio.pins())[key])
    return lambda closed: pin.put(False if closed else None)


# Debounce -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", [0, ONE])
def test_a_switch_counts_when_it_has_read_the_same_for_eight_milliseconds(before: int) -> None:
    switches = Debounce(before)
    after = before ^ ONE
    assert [switches.step(after, ms) for ms in (0, 2, 4, 6)] == [before] * 4
    assert switches.step(after, DEBOUNCE_MS) == after
    assert DEBOUNCE_MS == 8


def test_a_switch_that_bounces_counts_only_once_it_has_come_to_rest() -> None:
    switches = Debounce(0)
    for ms in range(0, 62, 2):
        assert switches.step(ONE if ms % 6 else 0, ms) == 0
    assert [switches.step(ONE, ms) for ms in range(62, 74, 2)] == [0] * 4 + [ONE] * 2


def test_one_switch_does_not_wait_for_another_that_bounces() -> None:
    switches = Debounce(0)
    seen = [switches.step(ONE | (OTHER if ms % 4 else 0), ms) for ms in range(0, 40, 2)]
    assert seen == [0] * 4 + [ONE] * 16


def test_a_button_that_bounces_on_its_pin_is_pressed_once(table: Driven) -> None:
    put, bridge = pin_put(table, "gpio.buttons.tilt"), table.table.bridge
    host, clock = table.rows[-1].readings.host, table.table.clock
    seen = []
    for ms in range(120):
        put(ms >= 60 or bool(ms // 3 % 2))
        readings = bridge.read(clock.ms + 1, host)
        if readings.age_ms == 0:
            seen.append(readings.buttons)
    pressed = seen.index(BUTTONS["TILT"])
    assert seen == [0] * pressed + [BUTTONS["TILT"]] * (len(seen) - pressed)
    assert 60 + DEBOUNCE_MS <= (pressed + 1) * FRAME_MS <= 60 + DEBOUNCE_MS + 2 * FRAME_MS


# The e-stop -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", ["estop_1", "estop_2"])
@pytest.mark.parametrize("after_ms", range(0, FRAME_MS, 3))
def test_an_emergency_stop_that_opens_sets_the_brake_without_waiting_for_it_to_settle(
    table: Driven, contact: str, after_ms: int
) -> None:
    table.go(-50, 2.0)
    power, clock, bridge = table.table.power, table.table.clock, table.table.bridge
    host = table.rows[-1].readings.host
    if after_ms:
        bridge.read(clock.ms + after_ms, host)
    assert (power.brake_open, power.duty > 0.0) == (True, True)
    pin_put(table, f"gpio.inputs.{contact}")(False)
    began_ms = clock.ms
    while clock.ms - began_ms < 5 and power.brake_open:
        bridge.read(clock.ms + 1, host)
    assert not power.brake_open, "it waited for the contact to settle"
    assert power.duty == 0.0


def test_an_emergency_stop_counts_as_released_only_when_its_contacts_have_settled(table: Driven) -> None:
    puts = [pin_put(table, f"gpio.inputs.estop_{contact}") for contact in (1, 2)]
    for put in puts:
        put(False)
    assert table.rest(0.1)[-1].readings.estop is Contacts.OPEN
    bridge, clock, host = table.table.bridge, table.table.clock, table.rows[-1].readings.host
    for ms in range(60):
        for put in puts:
            put(ms % 6 < 4)
        assert bridge.read(clock.ms + 1, host).estop is Contacts.OPEN
    for put in puts:
        put(True)
    assert table.rest(0.1)[-1].readings.estop is Contacts.CLOSED


@pytest.mark.parametrize("pair", ["strap_left", "strap_right", "estop"])
@pytest.mark.parametrize("first", [1, 2])
def test_two_contacts_that_do_not_agree_are_told_from_open_ones(table: Driven, pair: str, first: int) -> None:
    puts = {contact: pin_put(table, f"gpio.inputs.{pair}_{contact}") for contact in (1, 2)}

    def reads(contact: int, closed: bool) -> Contacts | None:
        puts[contact](closed)
        said = table.rest(0.1)[-1].readings
        others = {"strap_left", "strap_right"} - {pair}
        assert all(getattr(said, other) is Contacts.OPEN for other in others), "a contact was taken for another's"
        value: Contacts | None = getattr(said, pair)
        return value

    for contact in (1, 2):
        puts[contact](True)
    assert table.rest(0.1)[-1].readings.estop is Contacts.CLOSED
    assert reads(first, True) is Contacts.CLOSED
    assert reads(first, False) is Contacts.DISCREPANT
    assert reads(3 - first, False) is Contacts.OPEN
    assert reads(first, True) is Contacts.DISCREPANT


# End switches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "start_deg", "outward"), [("end_down", -30.0, -1), ("end_up", 30.0, 1)])
def test_an_end_switch_takes_the_outward_set_point_away_and_leaves_the_way_back(
    key: str, start_deg: float, outward: int
) -> None:
    table = driven(start_deg=start_deg)
    table.go(50 * outward, 2.0)
    assert table.go(100 * outward, 1.5)[-1].readings.applied_cdeg_s == 100 * outward
    # The board's contact alone: what the first one does by wire is not asked here.
    pin_put(table, f"gpio.inputs.{key}")(False)
    rows = table.go(100 * outward, 4.0)
    assert all(row.readings.applied_cdeg_s == 0 for row in rows[3:]), "what is followed is told as it is"
    assert rows[-1].readings.brake_set and rows[-1].duty == 0.0
    stood_deg = table.angle_deg
    table.go(100 * outward, 2.0)
    assert table.angle_deg == pytest.approx(stood_deg, abs=0.02)
    table.go(-50 * outward, 4.0)
    assert (table.angle_deg - stood_deg) * outward < -1.0
    table.close()


# What moves the table -------------------------------------------------------------------------------------------------


class Pin:
    """An output that notes what is put on it."""

    def __init__(self, name: str, log: list[tuple[str, float]]) -> None:
        self.name, self.log = name, log

    @property
    def value(self) -> float:
        return next(value for name, value in reversed(self.log) if name == self.name)

    @value.setter
    def value(self, value: float) -> None:
        self.log.append((self.name, round(value, 2)))


def test_the_way_is_changed_only_while_both_legs_are_low() -> None:
    log: list[tuple[str, float]] = []
    bridge = HBridge(Pin("pwm", log), Pin("up", log), top_cdeg_s=400, start_percent=0)
    for wanted in (-200.0, -200.0, 100.0, 100.0, -100.0, -100.0):
        bridge.put(wanted, 0.0, 0)
    assert log == [("pwm", 0.5), ("pwm", 0), ("up", 1), ("pwm", 0.25), ("pwm", 0), ("up", 0), ("pwm", 0.25)]


def test_closing_sets_the_brake_first_and_shorts_the_motor_until_it_has_gripped(
    table: Driven, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.go(-50, 3.0)
    table.go(-200, 2.0)
    power, clock = table.table.power, table.table.clock
    assert (power.brake_open, power.duty > 0.0) == (True, True)
    before_deg, waits, wait = table.angle_deg, [], clock.wait_until_ms

    def waited(at_ms: int) -> None:
        waits.append((at_ms - clock.ms, power.brake_open, power.duty))
        wait(at_ms)

    monkeypatch.setattr(type(clock), "wait_until_ms", lambda self, at_ms: waited(at_ms))
    table.table.bridge.close()
    ((grips_ms, brake_open, duty),) = waits
    assert grips_ms >= 60
    assert (brake_open, duty) == (False, 0.0)
    table.table.forward_alone(1000)
    assert before_deg - table.angle_deg <= 0.3
    assert table.speed_deg_s == 0.0


# The angle of a frame -------------------------------------------------------------------------------------------------


def sensor(words: list[int | None]) -> AngleSensor:
    """One sensor of the shipped profile, of which the converter says these words one after the other."""
    gpio = load_profile("pi-gpio").gpio
    assert gpio is not None
    left = iter(words)
    return AngleSensor(lambda channel: next(left), gpio.converter.angle_a, AngleScale(gpio.angle_a))


def angle_of(*words: int | None) -> int | None:
    one = sensor(list(words))
    for _ in words:
        one.sample()
    return one.frame()


def test_the_angle_of_a_frame_is_the_mean_of_all_its_samples() -> None:
    steady = angle_of(*[1600] * 5)
    assert steady is not None
    assert angle_of(1590, 1610, 1580, 1620, 1600) == steady
    assert angle_of(1600, 1600, 1600, 1600, 1650) == angle_of(*[1610] * 5) != steady


@pytest.mark.parametrize("lost", [None, 0, 4095])
def test_a_frame_bears_two_samples_that_are_none_and_no_third(lost: int | None) -> None:
    assert angle_of(1600, lost, 1600, lost, 1600) == angle_of(*[1600] * 5)
    assert angle_of(1600, lost, lost, lost, 1600) is None
