"""A session with the guard: proofs, ARM and every refusal, tilt, hold, return, DISARM, CONFIGURE."""

from typing import Any

import pytest

from config.limits import Limits
from safety.signals import CONFIRM, RAISE, TILT, Contacts, Demand, GuardState
from sim.guard import NO_ANGLE, config_fields
from tests.firmware.bench import CONFIG_HASH, LIMITS, SESSION, Bench

pytestmark = pytest.mark.needs("cc")


def test_a_session_goes_from_level_to_the_cap_and_back_and_is_over_after_a_rest() -> None:
    b = Bench().at(-4500)
    assert b.state is GuardState.ARMED
    assert -4510 <= b.angle <= -4380
    b.run(30).plan_back()
    assert b.demand is Demand.ALLOW
    assert -100 <= b.angle <= 0
    assert 30 < b.out.inverted_s < 100
    assert not b.causes and not b.seen
    b.run(55).ask_disarm()
    assert b.refused == {"H32"} and b.out.session_id == SESSION
    b.run(6).ask_disarm()
    assert b.out.answer == 1 and b.out.session_id == 0
    assert b.state is GuardState.IDLE
    assert b.out.proofs == 0, "the next person proves straps and button anew"


def test_a_second_set_follows_a_rest_and_a_fourth_is_not_begun() -> None:
    b = Bench().armed(cap_cdeg=-700)
    for _ in range(3):
        b.tilt(-690).plan_back()
        assert b.demand is Demand.ALLOW
        b.run(61)
    b.put(buttons=TILT).run(3, host_velocity=-100)
    assert b.applied == 0 and b.angle > -100


def test_a_set_that_came_back_is_not_resumed_before_its_rest() -> None:
    b = Bench().at(-1000).plan_back()
    b.run(6).put(buttons=TILT).run(3, host_velocity=-100)
    assert b.applied == 0
    b.run(55, buttons=0).put(buttons=TILT).run(3)
    assert b.applied < 0


@pytest.mark.parametrize(
    ("refused", "state"),
    [
        ("H02", {"end_down": True}),
        ("H02", {"end_up": True}),
        ("H07", {"left": Contacts.OPEN}),
        ("H07", {"right": Contacts.DISCREPANT}),
        ("H08", {"word_a": NO_ANGLE}),
        ("H08", {"level_switch": True, "offset_a": 301, "offset_b": 301}),
        ("H12", {"angle": 101.0}),
        ("H12", {"angle": -101.0}),
        ("H16", {"drive_fault": True}),
        ("H21", {"mains": False}),
        ("H21", {"battery": False}),
        ("H23", {"patient_open": True}),
        ("H25", {"buttons": CONFIRM}),
        ("H25", {"buttons": TILT}),
    ],
)
def test_arm_is_refused_while_the_table_is_not_whole(refused: str, state: dict[str, Any]) -> None:
    b = Bench().prove()
    b.run(0.7, **state).ask_arm()
    assert refused in b.refused
    assert b.out.answer == 2 and b.out.session_id == 0


@pytest.mark.parametrize(
    ("refused", "changes"),
    [
        ("H01", {"cap_cdeg": -6001}),
        ("H01", {"cap_cdeg": -499}),
        ("H03", {"set_limit_s": 541}),
        ("H03", {"set_limit_s": 0}),
        ("H03", {"sets": 4}),
        ("H03", {"sets": 0}),
        ("H03", {"hold_today_s": 901}),
        ("H13", {"speed_cdeg_s": 201}),
        ("H13", {"speed_cdeg_s": 49}),
        ("H25", {"travel_limit_s": 0}),
        ("H30", {"session_id": 0}),
        ("H30", {"config_hash": CONFIG_HASH + 1}),
        ("H30", {"config_hash": 0}),
    ],
)
def test_arm_is_refused_for_what_it_asks(refused: str, changes: dict[str, int]) -> None:
    b = Bench().prove().ask_arm(**changes)
    assert b.refused == {refused}
    assert b.out.session_id == 0


@pytest.mark.parametrize("changes", [{"cap_cdeg": -6000}, {"cap_cdeg": -500}, {"set_limit_s": 540}, {"sets": 3}])
def test_arm_is_accepted_at_the_ceilings(changes: dict[str, int]) -> None:
    assert Bench().prove().ask_arm(**changes).out.session_id == SESSION


def test_a_cap_beyond_the_tables_own_is_refused() -> None:
    b = Bench(limits=Limits(cap_cdeg=-3000)).prove()
    assert b.ask_arm(cap_cdeg=-3001).refused == {"H01"}
    assert not b.ask_arm(cap_cdeg=-3000).refused


def test_nothing_arms_without_constants() -> None:
    b = Bench(configured=False).prove().ask_arm(config_hash=0)
    assert b.refused == {"H30"}


def test_an_armed_session_is_not_armed_over() -> None:
    b = Bench().armed()
    b.ask_arm(session_id=9, cap_cdeg=-500)
    assert "H30" in b.refused and b.out.session_id == SESSION


def test_arm_is_refused_to_a_host_without_a_lease() -> None:
    b = Bench().prove().run(0.3, send=False).ask_arm()
    assert b.refused == {"H18"}


def test_disarm_of_another_session_is_refused() -> None:
    b = Bench().armed().ask_disarm(SESSION + 1)
    assert "H30" in b.refused and b.out.session_id == SESSION


def test_disarm_is_refused_below_level_and_while_it_moves() -> None:
    b = Bench().at(-1000).ask_disarm()
    assert b.refused == {"H32"}
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT).run(0.03, host_velocity=-100).ask_disarm()
    assert b.refused == {"H32"} and b.out.session_id == SESSION


@pytest.mark.parametrize(
    "changes",
    [
        {"speed_cdeg_s": 201},
        {"cap_cdeg": -6001},
        {"lease_ms": 251},
        {"brake_ms": 61},
        {"slow_cdeg_s": 101},
        {"above_cdeg_s": 151},
        {"first_degree_cdeg_s": 51},
        {"boarding_cdeg": 8501},
        {"backlash_cdeg": 201},
        {"degraded_cdeg_s": 101},
        {"deceleration_cdeg_s2": 1001},
        {"stall_ma": 99},
        {"idle_ma": 0},
        {"tone_ms": 3001},
        {"hash": 0},
        {"heat_limit": 2**32 - 1},
    ],
)
def test_constants_beyond_a_ceiling_are_refused_as_a_whole(changes: dict[str, int]) -> None:
    b = Bench()
    b.run(1)
    b.guard.configure(config_fields(LIMITS, brake_on_motor_side=False) | {"hash": 99} | changes)
    b.tick()
    assert b.refused == {"H30"}
    assert b.out.config_hash == CONFIG_HASH
    assert not b.guard.restore(config_fields(LIMITS, brake_on_motor_side=False) | {"hash": 99} | changes)


def test_constants_are_taken_at_level_still_and_unarmed_and_echoed() -> None:
    fields = config_fields(LIMITS, brake_on_motor_side=False) | {"hash": 99}
    b = Bench(configured=False).run(1)
    b.guard.configure(fields)
    assert b.tick().out.config_hash == 99 and b.out.answer == 1
    above = Bench(2000, configured=False).run(1)
    above.guard.configure(fields)
    assert above.tick().refused == {"H12"}
    armed = Bench().armed()
    armed.guard.configure(fields)
    assert armed.tick().refused == {"H30"} and armed.out.config_hash == CONFIG_HASH


def test_tilting_needs_a_held_tilt_pressed_after_five_seconds_of_rest() -> None:
    b = Bench().armed()
    b.run(1, host_velocity=-100)
    assert b.applied == 0, "no press, no tilt"
    b.run(4, buttons=RAISE, host_velocity=100).run(1.5, buttons=0)
    b.put(buttons=TILT).until(lambda bench: bench.angle < 40, host_velocity=-100)
    b.run(2, buttons=0)
    assert 0 < b.angle < 40
    b.run(2, buttons=TILT)
    assert b.applied == 0, "pressed before the table stood for 5 s"
    b.run(6)
    assert b.applied == 0, "and a held button does not become fresh"
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0
    b.run(1, buttons=0)
    assert b.applied == 0, "letting go stops"


def test_a_session_may_let_tilt_go_where_its_profile_says_so() -> None:
    b = Bench().armed(held_tilt=False)
    b.run(5.2).put(buttons=TILT).run(0.2, host_velocity=-100)
    b.run(3, buttons=0)
    assert b.applied < 0


def test_the_first_degree_of_a_tilt_is_slow_and_the_cap_is_not_passed() -> None:
    b = Bench().armed(cap_cdeg=-1000)
    b.run(5.2).put(buttons=TILT, host_velocity=-200)
    while b.angle > -95:
        b.tick()
        assert b.applied >= -50
    b.until(lambda bench: bench.applied <= -150, 5)
    b.run(15)
    assert -1010 <= b.angle <= -980
    assert b.applied == 0 and not b.causes


@pytest.mark.parametrize("speed", [-32768, -201, -200, 200, 201, 32767])
def test_no_velocity_that_a_host_may_send_is_faster_than_the_table_allows(speed: int) -> None:
    b = Bench().at(-2000)
    b.run(2).put(buttons=TILT if speed < 0 else 0)
    b.put(host_velocity=speed)
    for _ in range(500):
        b.tick()
        assert -200 <= b.applied <= 200
    assert b.angle >= -4600


def test_above_level_the_table_moves_only_while_a_button_is_held() -> None:
    b = Bench(2000).run(1)
    b.run(2, host_velocity=-150)
    assert b.applied == 0
    b.run(1, buttons=TILT)
    assert -150 <= b.applied < 0
    b.run(1, buttons=0)
    assert b.applied == 0
    b.run(25, buttons=TILT)
    assert 0 <= b.angle <= 30 and b.applied == 0, "TILT held from above stops at 0°"


def test_raising_pauses_at_thirty_degrees_and_goes_on_after_a_fresh_press() -> None:
    b = Bench().run(1)
    b.put(buttons=RAISE, host_velocity=200)
    fastest = 0
    for _ in range(4000):
        fastest = max(fastest, b.tick().applied)
    assert fastest == 150
    assert 2950 <= b.angle <= 3010 and b.applied == 0
    b.run(12)
    assert b.applied == 0
    b.run(0.2, buttons=0).run(2, buttons=RAISE)
    assert b.applied > 0
    b.run(60)
    assert 7450 <= b.angle <= 7500


def test_nobody_is_raised_before_the_rest_is_over() -> None:
    b = Bench().at(-1000).plan_back()
    b.run(3, buttons=RAISE, host_velocity=150)
    assert b.applied == 0
    b.run(60)
    assert b.applied == 0, "a button held since before the rest raises nobody"
    b.run(0.2, buttons=0).run(2, buttons=RAISE)
    assert b.applied > 0
