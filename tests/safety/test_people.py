"""The people in the room at the edges of their limits: H20, H22, H24, H25, H26, and what counts as a press."""

import pytest

from config.limits import Limits
from safety.signals import BUTTONS, Alarm, Contacts, Demand, Region
from tests.safety.table import Bench, armed, ready, tilted

# H20: the e-stop.


@pytest.mark.parametrize(("contacts", "count"), [(Contacts.OPEN, 2), (Contacts.DISCREPANT, 1), (None, 2)])
def test_h20_either_contact_is_a_cut_at_once(contacts: Contacts | None, count: int) -> None:
    bench = tilted()
    bench.run(10, estop=contacts)
    cause = bench.cause("H20")
    assert (cause.demand, cause.alarm, cause.value) == (Demand.CUT, Alarm.HIGH, count)
    assert (bench.demand, bench.velocity) == (Demand.CUT, 0)


def test_h20_acts_on_a_return_too() -> None:
    bench = tilted()
    bench.press("RETURN")
    bench.run(2000)
    assert bench.velocity > 0
    bench.run(10, estop=Contacts.OPEN)
    assert bench.velocity == 0


def test_h20_released_alone_it_stays_a_cut() -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.run(5000, estop=Contacts.CLOSED)
    assert bench.demand == Demand.CUT


@pytest.mark.parametrize(("ms", "demand"), [(490, Demand.CUT), (500, Demand.HOLD)])
def test_h20_released_and_acknowledged_for_half_a_second_it_is_a_hold(ms: int, demand: Demand) -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.run(100, estop=Contacts.CLOSED)
    # The first frame with the button is its first moment.
    bench.hold("ACK").run(ms + 10)
    assert bench.demand == demand


def test_h20_an_ack_held_since_before_the_release_does_not_count() -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.hold("ACK").run(3000)
    bench.run(3000, estop=Contacts.CLOSED)
    assert bench.demand == Demand.CUT


def test_h20_pressed_again_under_its_hold_it_is_a_cut_again() -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.run(10, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    assert bench.demand == Demand.HOLD
    bench.run(10, estop=Contacts.DISCREPANT)
    assert (bench.demand, bench.codes) == (Demand.CUT, ("H20",))


def test_h20_under_its_hold_lesser_causes_alarm_and_move_nothing() -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.run(10, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    bench.commands.clear()
    bench.run(3000, strap_left=Contacts.OPEN, mains=False)
    assert bench.codes == ("H20", "H04", "H21")
    assert set(bench.commands) == {0}


def test_h20_from_its_hold_the_held_return_leads_to_level_and_reset_ends_it() -> None:
    bench = tilted()
    bench.run(10, estop=Contacts.OPEN)
    bench.run(10, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    bench.run(1000)
    bench.hold("RETURN").wait(45)
    assert bench.decision.region == Region.LEVEL
    bench.let_go().run(2000)
    bench.hold("ACK").run(2100)
    assert (bench.codes, bench.demand) == ((), Demand.ALLOW)
    assert bench.decision.over


# H22: the patient asks to come back.


@pytest.mark.parametrize("circuit", [True, None])
def test_h22_the_patients_open_circuit_is_a_return(circuit: bool | None) -> None:
    bench = tilted()
    bench.run(10, patient_button=circuit)
    cause = bench.cause("H22")
    assert (cause.demand, cause.alarm) == (Demand.RETURN, Alarm.MEDIUM)
    assert bench.decision.over
    bench.run(25_000, patient_button=False)
    assert bench.decision.region == Region.LEVEL


@pytest.mark.parametrize("bench", [armed(), tilted()])
def test_h22_armed_it_counts_everywhere(bench: Bench) -> None:
    assert "H22" in [cause.code for cause in bench.copy().run(10, patient_button=True).causes]


def test_h22_unarmed_at_level_it_is_being_tried_and_below_level_it_counts() -> None:
    assert ready().run(100, patient_button=True).causes == ()
    bench = Bench()
    bench.run(10)
    bench.press("PRESENCE")
    bench.glide(-110)
    bench.run(10, patient_button=True)
    assert bench.codes == ("H22",)


def test_h22_a_stop_does_not_keep_the_patient_there() -> None:
    bench = tilted()
    bench.hold("STOP").run(500)
    assert bench.demand == Demand.STOP
    bench.run(2000, patient_button=True)
    assert bench.demand == Demand.RETURN
    assert bench.velocity > 0


# H24: nobody supervises.


def alone(ms: int) -> Bench:
    """A patient below level whom nobody has pressed anything for during `ms`."""
    bench = tilted()
    bench.wait((ms - bench.decision.presence_ms - 200) // 50 / 20)
    bench.run(ms - bench.decision.presence_ms)
    assert bench.decision.presence_ms == ms
    return bench


@pytest.mark.parametrize(
    ("ms", "prompts", "demand"),
    [
        (19_990, (), Demand.ALLOW),
        (20_000, ("H24",), Demand.ALLOW),
        (29_990, ("H24",), Demand.ALLOW),
        (30_000, ("H24",), Demand.NO_DEEPENING),
        (39_990, ("H24",), Demand.NO_DEEPENING),
        (40_000, ("H24",), Demand.RETURN),
    ],
)
def test_h24_prompt_then_no_deepening_then_return(ms: int, prompts: tuple[str, ...], demand: Demand) -> None:
    bench = alone(ms)
    assert (bench.decision.prompts, bench.demand) == (prompts, demand)
    if demand:
        cause = bench.cause("H24")
        assert (cause.demand, cause.alarm, cause.value) == (demand, Alarm.MEDIUM, ms // 1000)
        assert cause.limit == (40 if demand == Demand.RETURN else 30)


@pytest.mark.parametrize("name", sorted(set(BUTTONS) - {"STOP", "RETURN"}))
def test_h24_any_rising_edge_in_the_room_shows_presence_and_starts_no_motion(name: str) -> None:
    bench = alone(29_990)
    bench.commands.clear()
    bench.press(name)
    assert bench.decision.presence_ms <= 100
    bench.run(2000)
    assert set(bench.commands) == {0}


def test_h24_a_button_that_stays_held_shows_nothing() -> None:
    bench = tilted()
    bench.hold("PRESENCE").run(30_010)
    assert bench.codes == ("H24",)


def test_h24_the_patients_own_button_shows_nobody_beside_the_table() -> None:
    bench = alone(29_000)
    bench.run(100, patient_button=True)
    assert bench.decision.presence_ms == 29_100


def test_h24_what_the_host_asks_for_shows_nobody() -> None:
    bench = alone(29_000)
    bench.run(100, acknowledge=True, stop_because="console")
    assert bench.decision.presence_ms == 29_100


def test_h24_counts_without_frames_too() -> None:
    bench = alone(29_900)
    bench.silence(100)
    assert "H24" in bench.codes


@pytest.mark.parametrize(("angle", "counts"), [(-100, False), (-101, True)])
def test_h24_is_about_below_level(angle: int, counts: bool) -> None:
    bench = tilted(-200, obeys=False)
    bench.glide(angle)
    bench.run(45_000 - bench.decision.presence_ms)
    assert ("H24" in bench.codes) is counts


def test_h24_at_30_seconds_a_tilt_stops_and_needs_a_fresh_press() -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(29_990, velocity_cdeg_s=-100)
    assert bench.velocity < 0
    bench.run(20)
    assert bench.velocity == 0
    bench.press("PRESENCE")
    bench.run(3000)
    assert (bench.codes, bench.velocity) == ((), 0)
    bench.let_go().run(100)
    bench.hold("TILT").run(100)
    assert bench.velocity < 0


@pytest.mark.parametrize(("ms", "starts"), [(20_000, True), (20_010, False)])
def test_h24_a_tilt_starts_only_with_a_press_of_the_last_20_seconds(ms: int, starts: bool) -> None:
    bench = armed()
    bench.hold("TILT").run(ms, velocity_cdeg_s=0)
    bench.run(10, velocity_cdeg_s=-200)
    # The first frame with the button is the press itself.
    assert (bench.velocity < 0) is starts


def test_h24_comes_back_from_a_stop_that_everybody_left() -> None:
    bench = tilted()
    bench.press("STOP")
    bench.wait(41)
    assert bench.demand == Demand.RETURN
    bench.wait(25)
    assert bench.decision.region == Region.LEVEL


# H25: a button is stuck.


@pytest.mark.parametrize("name", sorted(BUTTONS))
def test_h25_a_button_held_at_boot_is_ignored_until_it_is_released(name: str) -> None:
    bench = Bench()
    bench.hold(name).run(3000)
    assert bench.judged.people.held == 0
    assert bench.decision.presence_ms > 100_000
    bench.let_go().run(10)
    bench.hold(name).run(10)
    assert bench.judged.people.held == BUTTONS[name]


def test_h25_a_button_that_was_unknown_at_boot_and_then_held_is_no_press() -> None:
    bench = Bench()
    bench.run(100, buttons=None)
    bench.put(buttons=0)
    bench.hold("TILT").run(10)
    assert bench.judged.people.held == 0


@pytest.mark.parametrize("name", ["TILT", "RAISE"])
def test_h25_held_longer_than_any_planned_travel_and_a_minute_it_is_a_stop(name: str) -> None:
    bench = armed()
    bench.hold(name).tick()
    # The plan's travel is 40 s.
    bench.wait(100)
    assert bench.codes == ()
    bench.tick()
    cause = bench.cause("H25")
    assert (cause.demand, cause.alarm) == (Demand.STOP, Alarm.MEDIUM)
    assert bench.judged.people.held == 0


def test_h25_unarmed_the_longest_travel_is_that_above_level() -> None:
    bench = Bench(Limits(boarding_cdeg=3000, above_cdeg_s=150))
    bench.run(10)
    bench.hold("RAISE").tick()
    bench.wait(80)
    assert bench.codes == ()
    bench.tick()
    assert bench.codes == ("H25",)


def test_h25_clears_by_release_and_a_fresh_press() -> None:
    bench = armed()
    bench.hold("TILT").tick()
    bench.wait(101)
    bench.let_go().run(2000)
    assert bench.codes == ("H25",)
    other = bench.copy()
    for button, hands in (("TILT", bench), ("RETURN", other)):
        hands.hold(button).run(10)
        assert hands.codes == ()
        assert not hands.decision.over


@pytest.mark.parametrize(("ms", "prompts"), [(4990, ()), (5000, ("H25",))])
def test_h25_held_where_no_motion_is_permitted_is_a_prompt_after_five_seconds(
    ms: int, prompts: tuple[str, ...]
) -> None:
    bench = ready()
    bench.hold("TILT").run(ms, velocity_cdeg_s=-200)
    assert (bench.decision.prompts, bench.codes) == (prompts, ())


@pytest.mark.parametrize("name", ["RETURN", "STOP"])
def test_h25_a_held_button_never_cancels_delays_or_ends_a_return(name: str) -> None:
    plain, held = tilted(), tilted()
    held.hold(name).run(1500)
    plain.hold(name).run(1500)
    held.put(patient_button=True)
    plain.let_go().put(patient_button=True)
    if name == "RETURN":
        plain = held.copy()
        plain.let_go()
    for bench in (plain, held):
        bench.commands.clear()
        bench.wait(25)
        assert bench.decision.region == Region.LEVEL
    moving = [sum(1 for velocity in bench.commands if velocity) for bench in (plain, held)]
    assert abs(moving[0] - moving[1]) <= 1
    assert held.commands.index(200) <= plain.commands.index(200) + 1


# H26: two commands at once.


@pytest.mark.parametrize(
    ("names", "crossed"),
    [
        (("TILT", "RAISE"), True),
        (("PLAN_UP", "PLAN_DOWN"), True),
        (("TILT", "PRESENCE"), False),
        (("RETURN", "PRESENCE"), False),
        (("TILT", "PLAN_UP"), False),
        (("RETURN", "TILT"), False),
    ],
)
def test_h26_two_commands_at_once_are_a_stop(names: tuple[str, ...], crossed: bool) -> None:
    bench = armed()
    bench.hold(*names).run(10)
    assert ("H26" in bench.codes) is crossed
    if crossed:
        assert (bench.cause("H26").demand, bench.cause("H26").alarm) == (Demand.STOP, Alarm.LOW)


def test_h26_a_return_beats_tilt_and_raise() -> None:
    bench = tilted()
    bench.hold("TILT", "RAISE", "RETURN").run(2000, velocity_cdeg_s=-200)
    assert bench.demand == Demand.RETURN
    assert bench.velocity > 0
    assert min(bench.commands) >= 0


def test_a_held_return_takes_the_leave_to_tilt_away() -> None:
    bench = tilted()
    bench.hold("TILT").run(200, velocity_cdeg_s=-100)
    assert bench.velocity < 0
    bench.hold("RETURN").run(10)
    assert bench.velocity >= 0


@pytest.mark.parametrize(("button", "wish"), [("TILT", -200), ("RAISE", 150)])
def test_h26_at_level_a_held_return_beats_whatever_is_pressed_beside_it(button: str, wish: int) -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("RETURN").run(1000)
    bench.commands.clear()
    bench.hold(button).run(3000, velocity_cdeg_s=wish)
    assert set(bench.commands) == {0}
    bench.let_go().run(100)
    bench.hold(button).run(500)
    assert bench.velocity * wish > 0


def test_h26_clears_by_release_and_a_fresh_press() -> None:
    bench = armed()
    bench.hold("TILT", "RAISE").run(100)
    bench.let_go("RAISE").run(2000)
    assert bench.codes == ("H26",)
    bench.let_go().run(100)
    bench.hold("TILT").run(10)
    assert bench.codes == ()


# A person's STOP.


@pytest.mark.parametrize("name", ["TILT", "RAISE", "RETURN"])
def test_a_persons_stop_clears_by_its_release_and_a_fresh_press(name: str) -> None:
    bench = tilted()
    bench.hold("STOP").run(2000)
    assert (bench.cause("STOP").demand, bench.cause("STOP").alarm, bench.cause("STOP").by) == (2, 1, "panel")
    bench.hold(name).run(100)
    assert "STOP" in bench.codes
    bench.let_go(name).run(100)
    bench.let_go().run(1000)
    assert bench.codes == ("STOP",)
    bench.hold(name).run(10)
    assert "STOP" not in bench.codes


@pytest.mark.parametrize("name", ["PRESENCE", "ACK", "CONFIRM", "PLAN_UP"])
def test_a_persons_stop_is_not_cleared_by_any_other_button(name: str) -> None:
    bench = tilted()
    bench.press("STOP")
    bench.run(1500)
    bench.press(name)
    assert bench.codes == ("STOP",)


@pytest.mark.parametrize("name", ["TILT", "RAISE"])
def test_a_stop_first_comes_to_rest_for_half_a_second(name: str) -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(4000, velocity_cdeg_s=-200)
    bench.let_go().run(10)
    bench.press("STOP", 20)
    bench.press(name, 20)
    bench.hold(name)
    assert bench.codes == ("STOP",)
    bench.run(3000)
    assert bench.velocity == 0


@pytest.mark.parametrize(("still_ms", "clears"), [(990, False), (1000, True)])
def test_the_half_second_of_rest_is_counted_from_when_it_was_seen(still_ms: int, clears: bool) -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(4000, velocity_cdeg_s=-200)
    bench.let_go().run(10)
    bench.press("STOP", 20)
    while bench.decision.still_ms < still_ms - 10:
        bench.tick()
    bench.hold("TILT").run(10)
    assert bench.decision.still_ms == still_ms
    assert ("STOP" not in bench.codes) is clears
    assert (bench.velocity < 0) is clears


def test_the_hosts_stop_is_one_press_however_long_it_asks() -> None:
    bench = tilted()
    bench.run(10, stop_because="console")
    assert (bench.codes, bench.cause("STOP").unit) == (("STOP",), "asked")
    bench.run(2000)
    bench.press("TILT")
    assert bench.codes == ()
    bench.run(100, stop_because="")
    bench.run(10, stop_because="console again")
    assert bench.codes == ("STOP",)


# What counts as a press.


@pytest.mark.parametrize("blip", [{"buttons": None}, {"slow_age_ms": 151}, {"slow_age_ms": -1}])
def test_a_button_seen_again_after_it_was_unknown_is_no_fresh_press(blip: dict[str, int | None]) -> None:
    bench = tilted()
    held = bench.hold("PRESENCE", "TILT").readings.buttons
    bench.run(1000)
    before = bench.decision.presence_ms
    bench.run(10, patient_button=False, **blip)
    assert bench.judged.people.held == 0
    bench.run(10, buttons=held, slow_age_ms=0)
    assert bench.decision.presence_ms == before + 20
    assert bench.judged.people.pressed == 0


@pytest.mark.parametrize(("slow_age_ms", "known"), [(0, True), (150, True), (151, False), (-1, False)])
def test_the_switches_are_known_for_150_ms(slow_age_ms: int, known: bool) -> None:
    bench = armed()
    bench.hold("PRESENCE").run(10, slow_age_ms=slow_age_ms)
    assert (bench.judged.people.held != 0) is known
    assert bench.judged.people.patient_open is not known


def test_an_unknown_circuit_is_open_but_proves_nothing() -> None:
    bench = Bench()
    bench.run(100)
    bench.run(100, patient_button=None)
    bench.run(100, patient_button=False)
    assert not bench.proved("patient_button")
    bench.run(100, patient_button=True)
    bench.run(100, patient_button=False)
    assert bench.proved("patient_button")


def test_the_patients_button_is_proven_by_closed_open_closed_in_this_order() -> None:
    bench = Bench()
    bench.run(100, patient_button=True)
    bench.run(100, patient_button=False)
    assert not bench.proved("patient_button")
    bench.run(100, patient_button=True)
    assert not bench.proved("patient_button")
    bench.run(10, patient_button=False)
    assert bench.proved("patient_button")


def test_a_button_held_over_lost_frames_was_not_seen_held_all_the_time() -> None:
    bench = armed()
    bench.press("STOP")
    bench.run(1000, strap_left=Contacts.OPEN)
    bench.run(100, strap_left=Contacts.CLOSED)
    bench.hold("ACK").run(100)
    bench.silence(900)
    bench.run(1000)
    assert "H05" in bench.codes
    bench.run(1000)
    assert bench.codes == ()
