"""How causes become one decision: the order of demands, latches, returns, pauses, held motion."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import msgspec
import pytest

from config.limits import Limits
from safety.angle import restorable
from safety.signals import Alarm, Contacts, Demand, Region
from tests.safety.table import Bench, armed, tilted

ALLOW, NO_DEEPENING, STOP, RETURN, HOLD, CUT = Demand


def run(**changes: Any) -> Callable[[Bench], object]:
    return lambda bench: bench.run(10, **changes)


def blocked(applied: int) -> Callable[[Bench], object]:
    def provoke(bench: Bench) -> None:
        bench.run(700, applied_cdeg_s=applied, current_ma=12_000)
        bench.run(10, applied_cdeg_s=0, current_ma=0)

    return provoke


def press(name: str) -> Callable[[Bench], object]:
    return lambda bench: bench.press(name, 20)


def slip(bench: Bench) -> None:
    # Slow enough to reach the mark before the speed tells.
    bench.turn(-55, 700)


# What can be provoked at −30°, by code: how, and what it demands by itself.
CAUSES: dict[str, tuple[Callable[[Bench], object], Demand]] = {
    "STOP": (press("STOP"), STOP),
    "H26": (lambda bench: [bench.hold("PLAN_UP", "PLAN_DOWN").run(20), bench.let_go().run(10)], STOP),
    "H14": (blocked(-50), STOP),
    "H04": (run(strap_left=Contacts.OPEN), RETURN),
    "H06": (lambda bench: bench.run(250, strap_right=Contacts.DISCREPANT), RETURN),
    "H08": (run(angle_a_cdeg=None), RETURN),
    "H16": (run(drive_fault=True), RETURN),
    "H21": (lambda bench: bench.run(520, mains=False), RETURN),
    "H22": (run(patient_button=True), RETURN),
    "H15": (blocked(50), HOLD),
    "H12": (slip, HOLD),
    "H20": (run(estop=Contacts.OPEN), CUT),
    "H09": (run(angle_a_cdeg=None, angle_b_cdeg=None), CUT),
}
# A second one that the first one hides, or that answers it.
HIDDEN = {("H09", "H08"), ("H09", "H12"), ("H09", "H14"), ("H09", "H15"), ("H08", "H09")}


@pytest.mark.parametrize("code", CAUSES)
def test_each_cause_alone_demands_what_the_table_says(code: str) -> None:
    provoke, demand = CAUSES[code]
    bench = tilted(obeys=False)
    provoke(bench)
    assert bench.codes == (code,)
    assert bench.demand == demand
    assert bench.decision.command.demand == demand
    assert bench.decision.command.stop_cause == code
    assert bench.decision.alarm == bench.cause(code).alarm
    # Nothing goes away by itself.
    bench.put(strap_left=Contacts.CLOSED, strap_right=Contacts.CLOSED, mains=True, drive_fault=False)
    bench.put(patient_button=False, estop=Contacts.CLOSED, angle_cdeg=bench.angle_cdeg)
    # A return that is asked for and never starts would be one more cause (H10).
    bench.obeys = True
    bench.press("PRESENCE")
    bench.run(3000)
    assert bench.codes == (code,)
    assert bench.demand == demand


@pytest.mark.parametrize(("first", "second"), [pair for pair in permutations(CAUSES, 2) if pair not in HIDDEN])
def test_of_two_causes_in_either_order_the_worst_demand_wins_and_the_first_stays_first(first: str, second: str) -> None:
    bench = tilted(obeys=False)
    CAUSES[first][0](bench)
    # Motion without a command is judged from a second after the last one.
    bench.run(1100 if second == "H12" else 100)
    CAUSES[second][0](bench)
    assert bench.codes[0] == first
    assert second in bench.codes
    assert bench.demand >= max(CAUSES[first][1], CAUSES[second][1])
    if "H12" not in (first, second) and not {first, second} & {"H15", "H14"} & set(bench.codes[:1]):
        assert bench.demand == max(CAUSES[first][1], CAUSES[second][1])
    # The guard keeps a HOLD and a CUT by the code that it is told: that of the cause which asks for it.
    why = bench.cause(bench.decision.command.stop_cause)
    assert why.code == first if bench.demand < HOLD else why.demand == bench.demand
    assert bench.decision.alarm == max(cause.alarm for cause in bench.decision.causes)
    if bench.demand >= HOLD:
        assert bench.decision.alarm == Alarm.HIGH


def test_causes_of_one_step_stand_in_the_order_of_the_table() -> None:
    bench = tilted(obeys=False)
    bench.hold("STOP").run(10, estop=Contacts.OPEN, patient_button=True, strap_left=Contacts.OPEN, drive_fault=True)
    assert bench.codes == ("H04", "H16", "H20", "H22", "STOP")


def test_the_first_cause_is_kept_with_its_value() -> None:
    bench = tilted(obeys=False)
    bench.run(10, strap_left=Contacts.OPEN)
    bench.run(1000, strap_right=Contacts.OPEN)
    assert bench.cause("H04").value == 1
    bench.run(1000, straps=Contacts.CLOSED)
    assert bench.cause("H04").value == 1


def test_no_deepening_shows_its_cause_and_trips_nothing() -> None:
    bench = tilted(obeys=False)
    bench.tick(60)
    assert (bench.codes, bench.decision.command.stop_cause, bench.decision.over) == (("H27",), "", False)


@pytest.mark.parametrize("code", sorted(set(CAUSES) - {"STOP", "H26"}))
def test_what_latches_ends_the_session(code: str) -> None:
    bench = tilted(obeys=False)
    assert not bench.decision.over
    CAUSES[code][0](bench)
    assert bench.decision.over


@pytest.mark.parametrize("code", ["STOP", "H26"])
def test_what_a_press_clears_does_not(code: str) -> None:
    bench = tilted(obeys=False)
    CAUSES[code][0](bench)
    assert not bench.decision.over


def test_a_session_that_is_over_tilts_no_more_even_after_reset() -> None:
    bench = armed()
    bench.run(10, patient_button=True)
    bench.run(1000, patient_button=False)
    bench.hold("ACK").run(2100)
    bench.let_go().run(6000)
    assert (bench.codes, bench.demand, bench.decision.over) == ((), ALLOW, True)
    bench.hold("TILT").run(1000, velocity_cdeg_s=-200)
    assert bench.velocity == 0


# RESET.


def tripped(**changes: Any) -> Bench:
    """Armed at level, tripped, its cause gone."""
    bench = armed()
    before = {name: bench.readings.__getattribute__(name) for name in changes}
    bench.run(520, **changes)
    assert bench.codes != ()
    bench.run(1000, **before)
    assert bench.codes != ()
    return bench


TRIPS: list[dict[str, Any]] = [
    {"strap_left": Contacts.OPEN},
    {"angle_a_cdeg": None},
    {"angle_a_cdeg": None, "angle_b_cdeg": None},
    {"drive_fault": True},
    {"mains": False},
    {"patient_button": True},
]


@pytest.mark.parametrize("trip", TRIPS, ids=str)
@pytest.mark.parametrize(("ms", "clears"), [(2000, False), (2010, True)])
def test_reset_is_ack_held_for_two_seconds(trip: dict[str, Any], ms: int, clears: bool) -> None:
    bench = tripped(**trip)
    bench.hold("ACK").run(ms)
    assert (bench.codes == ()) is clears
    assert bench.decision.command.reset is clears
    if clears:
        assert bench.demand == ALLOW
        assert bench.judged.angles.lost == 0
        bench.run(10)
        assert not bench.decision.command.reset, "once"


@pytest.mark.parametrize("trip", TRIPS[1:], ids=str)
def test_reset_needs_every_cause_to_be_gone(trip: dict[str, Any]) -> None:
    bench = armed()
    bench.run(1600, **trip)
    bench.hold("ACK").run(4000)
    assert bench.codes != ()


@pytest.mark.parametrize("trouble", ["a STOP that stands", "a HOLD that stands"])
def test_reset_is_refused_by_whatever_still_stands(trouble: str) -> None:
    bench = tripped(patient_button=True)
    if trouble == "a STOP that stands":
        bench.hold("PLAN_UP", "PLAN_DOWN").run(100)
    else:
        bench.run(600, mains=False, battery=False)
    bench.hold("ACK").run(4000)
    assert "H22" in bench.codes


def test_a_cause_that_grows_milder_is_kept_as_it_was_at_its_worst() -> None:
    bench = tilted(obeys=False)
    bench.run(600, mains=False, battery=False)
    assert bench.demand == HOLD
    bench.run(600, battery=True)
    assert (bench.demand, bench.cause("H21").demand) == (HOLD, HOLD)


@pytest.mark.parametrize("name", ["TILT", "RETURN"])
def test_a_press_clears_only_what_a_press_clears(name: str) -> None:
    bench = armed()
    bench.run(10, patient_button=True)
    bench.run(1500, patient_button=False)
    bench.press("STOP")
    bench.run(1500)
    assert bench.codes == ("H22", "STOP")
    bench.press(name)
    assert bench.codes == ("H22",)


def test_reset_does_not_need_closed_straps() -> None:
    bench = armed()
    bench.run(1600, straps=Contacts.OPEN)
    bench.hold("ACK").run(2010)
    assert bench.codes == ()


def test_reset_does_not_wait_for_what_only_forbids_deepening() -> None:
    bench = tripped(patient_button=True)
    bench.hold("ACK").run(1500)
    bench.tick(60)
    bench.run(600)
    assert bench.codes == ("H27",)


@pytest.mark.parametrize(("angle", "clears"), [(-101, False), (-100, True), (100, True), (2000, True)])
def test_reset_only_at_level_or_above(angle: int, clears: bool) -> None:
    bench = tilted(-200, obeys=False)
    bench.glide(angle, 50)
    bench.run(10, patient_button=True)
    bench.run(1500, patient_button=False)
    bench.hold("ACK").run(2100)
    assert (bench.codes == ()) is clears


def test_reset_only_while_still() -> None:
    bench = tripped(patient_button=True)
    bench.hold("ACK").put(applied_cdeg_s=30, current_ma=3000, brake_set=False, drive_power=True)
    bench.turn(30, 2300)
    assert bench.codes == ("H22",)


def test_reset_needs_two_sensors_that_agree() -> None:
    bench = armed()
    # So far apart that the two steps are no fall (H13).
    bench.run(150, angle_b_cdeg=100)
    bench.run(300, angle_b_cdeg=201)
    assert bench.codes == ("H08",)
    bench.run(1000)
    bench.hold("ACK").run(3000)
    assert bench.codes == ("H08",)
    bench.let_go().run(100, angle_b_cdeg=200)
    bench.hold("ACK").run(2010)
    assert bench.codes == ()
    assert not bench.judged.angles.doubtful


@pytest.mark.parametrize(
    ("a", "b", "believable"),
    [
        (0, 0, True),
        (200, 0, True),
        (0, 200, True),
        (201, 0, False),
        (0, 201, False),
        (-7200, -7200, True),
        (-7201, -7200, False),
        (-7200, -7201, False),
        (9200, 9200, True),
        (9201, 9200, False),
        (9200, 9201, False),
        (None, 0, False),
        (0, None, False),
    ],
)
def test_sensors_are_believed_again_only_if_both_read_something_believable(
    a: int | None, b: int | None, believable: bool
) -> None:
    assert restorable(a, b) is believable


def test_an_ack_held_since_before_a_new_cause_does_not_clear_it() -> None:
    bench = tripped(patient_button=True)
    bench.hold("ACK").run(1500)
    bench.run(10, drive_fault=True)
    bench.run(5000, drive_fault=False)
    assert bench.codes == ("H22", "H16")
    bench.let_go().run(100)
    bench.hold("ACK").run(2010)
    assert bench.codes == ()


def test_one_press_of_ack_resets_once() -> None:
    bench = tripped(patient_button=True)
    bench.hold("ACK").run(2010)
    bench.run(10, drive_fault=True)
    bench.run(5000, drive_fault=False)
    assert bench.codes == ("H16",)


def test_reset_without_anything_latched_is_nothing() -> None:
    bench = armed()
    bench.hold("ACK")
    for _ in range(300):
        assert not bench.tick().command.reset


def test_reset_starts_no_motion_whatever_is_held() -> None:
    bench = tripped(strap_left=Contacts.OPEN)
    bench.obeys = True
    bench.hold("ACK", "TILT").run(4000, velocity_cdeg_s=-200)
    bench.commands.clear()
    bench.run(2000)
    assert set(bench.commands) == {0}


# Returns.


@pytest.mark.parametrize("tone_ms", [500, 1000, 3000])
def test_a_return_begins_with_its_tone_and_sounds_to_its_end(tone_ms: int) -> None:
    bench = tilted(-1000, limits=Limits(tone_ms=tone_ms))
    bench.commands.clear()
    bench.run(10, patient_button=True)
    assert (bench.decision.tone, bench.decision.returning, bench.velocity) == (True, True, 0)
    bench.run(tone_ms - 10)
    assert set(bench.commands) == {0}
    bench.run(10)
    assert bench.velocity > 0
    while bench.decision.returning:
        assert bench.decision.tone
        bench.tick()
    assert not bench.decision.tone
    assert bench.decision.region == Region.LEVEL


def test_a_return_stops_outward_motion_first_and_then_sounds_its_tone() -> None:
    bench = armed()
    bench.obeys = True
    bench.hold("TILT").run(6000, velocity_cdeg_s=-200)
    bench.run(10, patient_button=True)
    assert bench.velocity == 0
    moving_ms = 0
    while bench.readings.applied_cdeg_s:
        bench.tick()
        moving_ms += 10
    bench.run(980)
    assert bench.velocity == 0
    bench.run(30)
    assert bench.velocity > 0
    assert moving_ms < 1000


def test_a_return_already_toward_level_is_neither_stopped_nor_sounded_anew() -> None:
    bench = tilted()
    bench.run(3000, plan_return=True, velocity_cdeg_s=200)
    assert bench.velocity == 200
    bench.run(10, patient_button=True)
    assert (bench.velocity, bench.demand) == (200, RETURN)
    bench.run(10, strap_left=Contacts.OPEN)
    assert bench.velocity == 90
    bench.run(2000)
    assert min(bench.commands[-200:]) == 90


def test_a_slow_return_from_rest_begins_with_a_slow_degree() -> None:
    bench = tilted()
    bench.run(1010, strap_left=Contacts.OPEN)
    start = bench.angle_cdeg
    while bench.angle_cdeg - start < 100:
        assert bench.velocity == 50
        bench.tick()
    bench.run(20)
    assert bench.velocity == 90


@pytest.mark.parametrize("code", ["STOP", "H26", "H27"])
def test_a_lesser_cause_does_not_end_a_return(code: str) -> None:
    bench = tilted()
    bench.run(3000, patient_button=True)
    if code == "H27":
        bench.tick(60)
    elif code == "H26":
        bench.hold("PLAN_UP", "PLAN_DOWN")
    else:
        bench.hold("STOP").run(10_100)
    bench.run(100)
    assert code in bench.codes
    assert (bench.demand, bench.decision.returning) == (RETURN, True)
    assert bench.velocity > 0


@pytest.mark.parametrize("estop", [Contacts.OPEN, Contacts.DISCREPANT])
def test_a_worse_cause_ends_a_return(estop: Contacts) -> None:
    bench = tilted()
    bench.run(3000, patient_button=True)
    bench.run(10, estop=estop)
    assert (bench.demand, bench.decision.returning, bench.decision.tone, bench.velocity) == (CUT, False, False, 0)


def test_a_return_is_not_ended_by_the_angle_at_which_it_would_not_begin() -> None:
    bench = tilted(-1000)
    bench.put(patient_button=True)
    while bench.angle_cdeg < -100:
        bench.tick()
    assert bench.decision.returning
    bench.run(3000)
    assert -70 <= bench.angle_cdeg <= -40
    assert bench.demand == STOP


def test_a_latched_return_begins_again_when_the_table_sinks_below_level() -> None:
    bench = tilted(-1000)
    bench.run(15_000, patient_button=True)
    assert bench.demand == STOP
    bench.put(angle_cdeg=bench.angle_cdeg - 60).run(10)
    assert (bench.demand, bench.decision.returning) == (RETURN, True)


@pytest.mark.parametrize("because", ["panel", "host"])
def test_return_under_a_persons_stop_brings_the_patient_back(because: str) -> None:
    bench = tilted()
    bench.press("STOP")
    bench.run(1500)
    if because == "panel":
        bench.press("RETURN")
    else:
        bench.run(10, return_because="console")
    assert bench.decision.returning
    bench.wait(25)
    assert bench.decision.region == Region.LEVEL


def test_the_plans_own_return_goes_no_faster_than_the_plan_and_no_slower_than_a_crawl() -> None:
    bench = tilted()
    bench.run(4000, plan_return=True, velocity_cdeg_s=80)
    assert bench.velocity == 80
    # A live but wrong host, that sends zero, cannot stop it.
    bench.run(1000, velocity_cdeg_s=0)
    assert bench.velocity == 200
    bench.run(1000, velocity_cdeg_s=14)
    assert bench.velocity == 200
    bench.run(1000, velocity_cdeg_s=15)
    assert bench.velocity == 15


def test_the_plans_own_return_does_not_begin_under_a_stop() -> None:
    bench = tilted()
    bench.press("STOP")
    bench.commands.clear()
    bench.run(2000, plan_return=True, velocity_cdeg_s=200)
    assert set(bench.commands) == {0}


@pytest.mark.parametrize("demand", [NO_DEEPENING, STOP])
def test_the_plans_own_return_counts_as_a_return_under_way(demand: Demand) -> None:
    bench = tilted()
    bench.run(3000, plan_return=True, velocity_cdeg_s=200)
    if demand == NO_DEEPENING:
        bench.tick(60)
    else:
        bench.hold("PLAN_UP", "PLAN_DOWN").run(10)
    assert bench.decision.returning
    assert bench.velocity == 200


def test_a_persons_return_on_the_plans_way_back_ends_the_plans_say() -> None:
    bench = tilted()
    bench.run(3000, plan_return=True, velocity_cdeg_s=50)
    assert bench.velocity == 50
    bench.press("RETURN")
    assert (bench.velocity, bench.demand) == (200, RETURN)


# A person's STOP against a return.


def paused_ms(bench: Bench) -> int:
    """How long the table stands until it goes on toward level."""
    ms = 0
    while not bench.velocity and ms < 15_000:
        bench.tick()
        ms += 10
    return ms


@pytest.mark.parametrize("whose", ["judge", "plan"])
@pytest.mark.parametrize("by", ["panel", "host"])
def test_a_fresh_stop_pauses_a_return_for_ten_seconds_at_most(whose: str, by: str) -> None:
    bench = tilted()
    bench.put(plan_return=whose == "plan", return_because="" if whose == "plan" else "host", velocity_cdeg_s=200)
    bench.run(3000)
    bench.put(return_because="")
    if by == "panel":
        bench.hold("STOP").run(10)
    else:
        bench.run(10, stop_because="console")
    assert (bench.velocity, bench.decision.returning, bench.demand) == (0, True, RETURN)
    assert 9980 <= paused_ms(bench) <= 10_000


def test_a_stop_pauses_a_return_once_a_trip() -> None:
    bench = tilted(-4000)
    bench.run(3000, patient_button=True)
    bench.press("STOP")
    paused_ms(bench)
    bench.press("STOP")
    bench.run(10, stop_because="console")
    assert bench.velocity == 200


def test_a_return_pressed_ends_the_pause() -> None:
    bench = tilted()
    bench.run(3000, patient_button=True)
    bench.press("STOP")
    bench.run(1000)
    bench.hold("RETURN").run(10)
    assert bench.velocity == 200


def test_a_stop_held_since_before_pauses_nothing() -> None:
    bench = tilted()
    bench.hold("STOP").run(1000)
    bench.run(1010, patient_button=True)
    assert bench.velocity == 200


def test_after_the_trip_is_cleared_a_new_return_may_be_paused_again() -> None:
    bench = tilted(-1000)
    bench.run(2500, return_because="host")
    bench.press("STOP")
    bench.run(20_000, return_because="")
    assert bench.decision.region == Region.LEVEL
    bench.press("RETURN")
    bench.wait(62)
    bench.hold("TILT").put(velocity_cdeg_s=-200).run(6000)
    bench.let_go().run(2000, velocity_cdeg_s=0)
    bench.press("RETURN")
    bench.run(2000)
    assert bench.velocity > 0
    bench.press("STOP")
    assert bench.velocity == 0


# Held motion.


def held(angle_cdeg: int = -3000) -> Bench:
    """An acknowledged e-stop: HOLD, from which only the held button leads."""
    bench = tilted(angle_cdeg)
    bench.run(10, estop=Contacts.OPEN)
    bench.run(1000, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    bench.run(500)
    assert bench.demand == HOLD
    bench.commands.clear()
    return bench


def test_under_hold_nothing_moves_by_itself_whatever_is_wished() -> None:
    bench = held()
    bench.run(3000, velocity_cdeg_s=200, plan_return=True, return_because="host")
    assert set(bench.commands) == {0}


@pytest.mark.parametrize("names", [("TILT",), ("RAISE",), ("PRESENCE",), ("ACK",), ("CONFIRM",)])
def test_under_hold_no_other_button_moves_the_table(names: tuple[str, ...]) -> None:
    bench = held()
    bench.hold(*names).run(2000, velocity_cdeg_s=-200)
    assert set(bench.commands) == {0}


@pytest.mark.parametrize("button", ["RETURN", "PATIENT"])
def test_under_hold_a_held_return_or_the_patients_own_button_moves_toward_level_slowly(button: str) -> None:
    bench = held()
    if button == "RETURN":
        bench.hold("RETURN").run(10)
    else:
        bench.run(10, patient_button=True)
    while bench.angle_cdeg < -2900:
        assert bench.velocity == 50
        bench.tick()
    bench.run(50)
    assert bench.velocity == 90
    if button == "RETURN":
        bench.let_go().run(10)
    else:
        bench.run(10, patient_button=False)
    assert bench.velocity == 0
    assert bench.demand == HOLD


def test_under_hold_the_held_motion_ends_at_level() -> None:
    bench = held(-1000)
    bench.hold("RETURN").wait(20)
    assert -80 <= bench.angle_cdeg <= -40
    assert bench.velocity == 0


def test_under_hold_a_broken_circuit_does_not_go_on_where_return_was_let_go() -> None:
    bench = tilted()
    bench.run(1500, patient_button=True)
    bench.run(10, estop=Contacts.OPEN)
    bench.run(1000, estop=Contacts.CLOSED)
    bench.press("ACK", 600)
    bench.run(1000)
    assert bench.velocity == 0, "open since before the HOLD"
    bench.hold("RETURN").run(500)
    assert bench.velocity > 0
    bench.let_go().run(500)
    assert bench.velocity == 0


def test_a_return_held_since_before_a_hold_needs_a_new_press() -> None:
    bench = tilted()
    bench.hold("RETURN").run(3000)
    bench.run(1500, mains=False, battery=False)
    assert bench.demand == HOLD
    bench.run(3000)
    assert bench.velocity == 0
    bench.let_go().run(100)
    bench.hold("RETURN").run(50)
    assert bench.velocity > 0


def test_held_motion_starts_from_rest() -> None:
    bench = tilted()
    bench.run(4000, patient_button=True)
    bench.run(600, mains=False, battery=False)
    bench.obeys = True
    assert bench.demand == HOLD
    bench.hold("RETURN").commands.clear()
    while not bench.velocity:
        bench.tick()
    assert bench.decision.still_ms >= 1000
    assert bench.velocity == 50


def test_stop_ends_held_motion_and_wants_a_new_press() -> None:
    bench = held()
    bench.hold("RETURN").run(3000)
    assert bench.velocity > 0
    bench.hold("STOP").run(10)
    assert bench.velocity == 0
    bench.let_go("STOP").run(2000)
    assert bench.velocity == 0


@pytest.mark.parametrize("code", ["H09", "H12", "H13"])
def test_under_a_cut_no_button_moves_the_table(code: str) -> None:
    bench = tilted(obeys=False)
    if code == "H09":
        bench.run(10, angle_a_cdeg=None, angle_b_cdeg=None)
    else:
        bench.turn(-55 if code == "H12" else -600, 700, brake_set=False)
    assert bench.demand == CUT
    bench.commands.clear()
    bench.run(2000, angle_cdeg=-3000)
    bench.hold("RETURN", "ACK").run(3000, return_because="host", patient_button=True)
    assert set(bench.commands) == {0}
    assert bench.demand == CUT


# The decision as a whole.


def test_the_alarm_is_that_of_the_worst_cause_and_none_without_one() -> None:
    bench = tilted(obeys=False)
    assert bench.decision.alarm == Alarm.NONE
    assert bench.press("STOP").alarm == Alarm.LOW
    assert bench.run(10, patient_button=True).alarm == Alarm.MEDIUM
    assert bench.run(10, strap_left=Contacts.OPEN).alarm == Alarm.HIGH
    assert bench.press("STOP").alarm == Alarm.HIGH


def test_a_command_echoes_the_frame_and_carries_the_session() -> None:
    bench = armed()
    bench.run(50)
    command = bench.decision.command
    assert (command.echo, command.session_id, command.send) == (bench.sequence, 7, True)
    assert Bench().run(10).command.session_id == 0


def test_an_alarm_that_grows_replaces_the_milder_one() -> None:
    bench = tilted(obeys=False)
    bench.silence(1500)
    assert bench.cause("H18").alarm == Alarm.MEDIUM
    bench.silence(4000)
    assert bench.cause("H18").alarm == Alarm.HIGH


def test_the_judge_forgets_nothing_that_it_needs_when_its_state_is_written_and_read() -> None:
    bench = tilted()
    bench.run(300, strap_left=Contacts.OPEN)
    state = bench.judged
    assert msgspec.convert(msgspec.to_builtins(state), type(state)) == state
