"""Each button stuck, held or open, in each phase: nothing starts, nobody is kept down, and somebody is told (H25)."""

from collections.abc import Callable

import pytest

from safety.signals import BUTTONS, Contacts, Demand, Region, State
from tests.safety.table import ARM, Bench, armed, ready, tilted

NAMES = sorted(BUTTONS)
MOTION = ("TILT", "RAISE", "RETURN")


def boot() -> Bench:
    return Bench()


def tilting() -> Bench:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(6000, velocity_cdeg_s=-200, state=State.TILTING)
    assert bench.velocity < 0
    return bench


def returning() -> Bench:
    bench = tilted()
    bench.run(4000, velocity_cdeg_s=200, plan_return=True, state=State.RETURNING)
    assert bench.velocity > 0
    return bench


def resting() -> Bench:
    bench = tilted(-800)
    bench.run(12_000, velocity_cdeg_s=200, plan_return=True)
    bench.run(2000, velocity_cdeg_s=150, plan_return=False, state=State.RESTING)
    assert bench.decision.region == Region.LEVEL
    return bench


PHASES: dict[str, Callable[[], Bench]] = {
    "holding": tilted,
    "tilting": tilting,
    "returning": returning,
    "resting": resting,
}


# Stuck held.


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("phase", PHASES)
def test_h25_wherever_a_button_sticks_the_patients_own_brings_the_patient_back(phase: str, name: str) -> None:
    bench = PHASES[phase]()
    bench.hold(name).run(6000)
    bench.put(patient_button=True).wait(45)
    assert bench.decision.region == Region.LEVEL
    assert not bench.velocity


@pytest.mark.parametrize("name", NAMES)
def test_h25_in_a_hold_a_button_that_sticks_leads_no_deeper(name: str) -> None:
    bench = tilted()
    deepest = bench.angle_cdeg
    bench.hold(name)
    for _ in range(10):
        bench.run(1000)
        assert bench.angle_cdeg >= deepest
    # Whoever presses RETURN wants to go back; nothing else moves the table.
    assert (bench.angle_cdeg > deepest) is (name == "RETURN")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"TILT"}))
def test_h25_on_the_way_down_a_button_that_sticks_never_hastens_nor_deepens(name: str) -> None:
    bench = tilting()
    bench.hold(name)
    for _ in range(300):
        bench.tick()
        assert bench.velocity >= -200
    assert bench.angle_cdeg >= ARM.cap_cdeg
    if name in ("STOP", "RAISE", "RETURN"):
        assert bench.velocity >= 0


@pytest.mark.parametrize("name", NAMES)
def test_h25_a_return_is_as_quick_and_as_certain_whatever_sticks(name: str) -> None:
    plain, stuck = returning(), returning()
    if name == "STOP":
        # Its press is a person's one pause of 10 s; that it stays held is nothing more.
        plain.press("STOP")
    stuck.hold(name).run(110 if name == "STOP" else 0)
    for bench in (plain, stuck):
        bench.commands.clear()
        bench.wait(30)
        assert bench.decision.region == Region.LEVEL
    assert abs(sum(map(bool, plain.commands)) - sum(map(bool, stuck.commands))) <= 2
    assert min(stuck.commands) >= 0


@pytest.mark.parametrize("name", NAMES)
def test_h25_at_rest_nobody_is_moved_by_a_button_that_sticks_since_before_the_rest_was_over(name: str) -> None:
    bench = resting()
    bench.hold(name)
    bench.commands.clear()
    bench.wait(70, velocity_cdeg_s=150)
    assert set(bench.commands) == {0}
    bench.wait(2, velocity_cdeg_s=-150)
    assert set(bench.commands) == {0}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", [boot, ready])
def test_h25_before_a_session_it_moves_nothing_and_refuses_arming(before: Callable[[], Bench], name: str) -> None:
    bench = before().hold(name)
    # A fresh RAISE positions a table before its session, and is meant to.
    wish = 0 if before is ready and name == "RAISE" else 150
    bench.run(6000, velocity_cdeg_s=wish)
    assert not any(bench.commands[-600:])
    bench.run(10, arm=ARM)
    assert "H25" in bench.refused
    assert bench.decision.armed is None


@pytest.mark.parametrize(("name", "prompts"), [(name, ("H25",) if name in MOTION else ()) for name in NAMES])
def test_h25_a_motion_button_held_where_nothing_may_move_is_told_after_five_seconds(
    name: str, prompts: tuple[str, ...]
) -> None:
    bench = ready().hold(name)
    assert not bench.run(4990).prompts
    assert bench.run(10).prompts == prompts


def test_h25_a_return_held_in_its_own_tone_and_pause_is_not_held_in_vain() -> None:
    bench = tilted()
    bench.hold("RETURN").run(3000)
    bench.press("STOP")
    bench.run(8000)
    assert (bench.velocity, bench.decision.prompts) == (0, ())
    # Held on at level it is.
    bench.wait(40)
    assert (bench.decision.region, bench.decision.prompts) == (Region.LEVEL, ("H25",))


def test_h25_a_stuck_tilt_is_told_stops_and_does_not_keep_a_return_away() -> None:
    bench = tilted()
    bench.hold("TILT").tick()
    while not bench.codes:
        bench.wait(9)
        bench.press("PRESENCE", 50)
    assert (bench.codes, bench.demand) == (("H25",), Demand.STOP)
    bench.hold("RETURN").run(100)
    assert bench.demand == Demand.RETURN
    bench.let_go("RETURN").wait(30)
    assert bench.decision.region == Region.LEVEL


def test_h25_a_return_pressed_while_stop_sticks_is_a_return() -> None:
    bench = tilted()
    bench.hold("STOP").run(3000)
    bench.hold("RETURN").run(100)
    assert bench.demand == Demand.RETURN
    bench.wait(30)
    assert bench.decision.region == Region.LEVEL


def test_h25_a_patients_button_that_stays_open_neither_delays_nor_restarts_the_plans_way_back() -> None:
    plain, held = returning(), returning()
    held.put(patient_button=True)
    for bench in (plain, held):
        bench.commands.clear()
        bench.wait(30)
        assert bench.decision.region == Region.LEVEL
    assert sum(map(bool, held.commands)) <= sum(map(bool, plain.commands))
    assert all(held.commands[:200])


# Stuck open: the button never answers. What it was for goes another way, or does not happen.


def test_h25_a_return_button_that_never_answers_leaves_the_patients_own_and_the_clock() -> None:
    bench = tilted()
    assert not bench.readings.buttons
    bench.wait(45)
    assert bench.codes == ("H24",)
    bench.wait(20)
    assert bench.decision.region == Region.LEVEL


@pytest.mark.parametrize("missing", ["PRESENCE", "TILT", "RAISE", "CONFIRM", "ACK", "PLAN_UP", "PLAN_DOWN"])
def test_h25_a_button_that_never_answers_shows_nobody_and_any_other_does(missing: str) -> None:
    other = next(name for name in NAMES if name not in (missing, "STOP", "RETURN"))
    bench = tilted()
    bench.wait(21)
    assert bench.decision.prompts == ("H24",)
    assert not bench.press(other).prompts


def test_h25_an_ack_that_never_answers_resets_nothing() -> None:
    bench = tilted(-800)
    bench.run(100, patient_button=True)
    bench.run(60_000, patient_button=False)
    assert bench.codes == ("H22",)


def test_h25_a_confirm_that_never_answers_arms_nothing() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(9000, straps=Contacts.CLOSED)
    bench.run(10, arm=ARM)
    assert {"H07", "H31"} <= set(bench.refused)


def test_h24_a_strap_that_is_opened_and_closed_shows_nobody() -> None:
    bench = tilted(-300)
    before = bench.decision.presence_ms
    bench.run(500, strap_left=Contacts.OPEN)
    bench.run(500, strap_left=Contacts.CLOSED)
    assert bench.decision.presence_ms == before + 1000
