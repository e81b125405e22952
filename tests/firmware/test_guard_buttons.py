"""The panel under the guard: each button stuck, two at once, RAISE and TILT above level (H24 to H26, H32)."""

from itertools import pairwise

import pytest

from safety.signals import BUTTONS, CONFIRM, RAISE, RETURN, STOP, TILT, Contacts, Demand
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")

NAMES = sorted(BUTTONS)
DOWN = ("tilting", "holding", "returning")


def in_phase(phase: str) -> Bench:
    if phase == "tilting":
        return Bench().armed().run(5.2).run(6, buttons=TILT, host_velocity=-200)
    b = Bench().at(-3000)
    return b.run(4, host_velocity=200, host_plan_return=True) if phase == "returning" else b


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("phase", DOWN)
def test_h25_wherever_a_button_sticks_the_patients_own_brings_the_patient_back(phase: str, name: str) -> None:
    b = in_phase(phase)
    b.run(6, buttons=b.buttons | BUTTONS[name])
    b.until(Bench.level, 60, patient_open=True)
    b.run(1)
    assert b.level() and -100 <= b.angle <= 0


@pytest.mark.parametrize("name", NAMES)
def test_h25_a_return_is_as_quick_whatever_sticks(name: str) -> None:
    plain, stuck = in_phase("returning"), in_phase("returning")
    if name == "STOP":
        # Its press is a person's one pause of 10 s; that it stays held is nothing more.
        plain.run(0.1, buttons=STOP).put(buttons=0)
    taken = plain.until(Bench.level), stuck.until(Bench.level, buttons=BUTTONS[name])
    assert abs(taken[0] - taken[1]) <= 0.2


@pytest.mark.parametrize("name", NAMES)
def test_h25_in_a_hold_a_button_that_sticks_leads_no_deeper(name: str) -> None:
    b = in_phase("holding")
    before = b.angle
    b.run(10, buttons=BUTTONS[name])
    assert b.angle >= before
    assert (b.angle > before + 10) is (name == "RETURN")


@pytest.mark.parametrize("name", NAMES)
def test_h25_a_button_held_since_boot_arms_nothing_and_moves_nothing(name: str) -> None:
    b = Bench(buttons=BUTTONS[name])
    b.run(1.1, straps=Contacts.OPEN).run(6, straps=Contacts.CLOSED, host_velocity=150)
    assert b.angle == 0 and not b.causes
    assert "H25" in b.ask_arm().refused


@pytest.mark.parametrize("name", NAMES)
def test_h32_at_rest_a_button_that_sticks_since_before_the_rest_was_over_raises_nobody(name: str) -> None:
    b = Bench().at(-1000).plan_back()
    b.run(3).run(65, buttons=BUTTONS[name], host_velocity=150)
    assert b.applied == 0 and b.level()


def test_h26_a_return_request_beats_tilt_and_raise() -> None:
    b = Bench().at(-3000).run(3, buttons=TILT | RAISE | RETURN, host_velocity=-200)
    assert b.demand is Demand.RETURN and b.applied > 0
    b = Bench().armed().run(5.2).run(3, buttons=TILT | RETURN, host_velocity=-200)
    assert b.applied == 0 and b.angle == 0


def test_h26_a_return_pressed_on_the_way_down_ends_the_tilt_that_is_held() -> None:
    b = in_phase("tilting").put(buttons=TILT | RETURN)
    b.until(lambda bench: bench.applied > 0, 8)
    b.until(Bench.level, 60)


def test_h32_a_tilt_held_from_above_stops_at_zero_and_inverting_needs_a_new_press() -> None:
    b = Bench().armed()
    b.run(12, buttons=RAISE, host_velocity=150).run(2, buttons=0, host_velocity=0)
    assert b.angle > 500
    b.run(30, buttons=TILT, host_velocity=-150)
    assert b.applied == 0 and -20 <= b.angle <= 40
    b.run(6, host_velocity=-200)
    assert b.applied == 0 and b.angle >= -20
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0


def test_h32_raise_is_held_and_no_faster_than_one_and_a_half_degrees_a_second() -> None:
    b = Bench().run(0.2).run(6, buttons=RAISE, host_velocity=200)
    assert b.applied == 150
    b.run(3, buttons=0)
    assert b.applied == 0


def hardest(applied: list[int]) -> int:
    """The greatest change of the set-point in 10 ms."""
    return max(abs(other - one) for one, other in pairwise(applied))


def test_from_raise_to_tilt_and_back_the_set_point_passes_through_rest_no_harder_than_in_a_stop() -> None:
    def moved(buttons: int, velocity: int) -> list[int]:
        b.run(0.05, buttons=0)
        return [b.run(0.01, buttons=buttons, host_velocity=velocity).applied for _ in range(300)]

    b = Bench().run(0.2).run(6, buttons=RAISE, host_velocity=150)
    stopping = hardest(moved(0, 0))
    b.run(6, buttons=RAISE, host_velocity=150)
    for buttons, velocity in ((TILT, -150), (RAISE, 150)):
        before, seen = b.applied, moved(buttons, velocity)
        assert before * seen[-1] < 0, "it goes the other way in the end"
        assert next(applied for applied in seen if applied * before <= 0) == 0, "by way of rest"
        assert hardest(seen) <= stopping


def test_h07_a_confirm_that_is_held_since_before_confirms_nothing() -> None:
    b = Bench(buttons=CONFIRM)
    b.run(1.1, straps=Contacts.OPEN).run(8, straps=Contacts.CLOSED)
    assert "H07" in b.ask_arm().refused
