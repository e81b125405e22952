"""The short way through a step of rest: it is taken, it says what the long way says, and everything new ends it."""

import dataclasses
import random
from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from msgspec.structs import replace

from config.limits import DEVICE_LIMIT_CDEG
from safety import calm
from safety.judge import in_full
from safety.judged import Calm, Judged
from safety.signals import BUTTONS, Alarm, Cause, Contacts, Decision, Demand, Guard, GuardState, Readings, Region, Wish
from tests.safety.table import HOST, LIMITS, TICK_MS, Bench, arm_with, armed, both_ways, ready, tilted


def rested(angle_cdeg: int | None = -3000) -> Bench:
    """Armed and at rest for seconds, at level (None) or below."""
    bench = armed() if angle_cdeg is None else tilted(angle_cdeg)
    bench.run(3000)
    bench.press("PRESENCE")
    bench.run(1000)
    return bench


def noted(bench: Bench) -> Calm:
    now = bench.judged.calm
    assert now is not None
    return now


def short(bench: Bench, readings: Readings | None = None, wish: Wish | None = None, limits: Any = LIMITS) -> bool:
    """Whether the next step takes the short way."""
    seen = following(bench) if readings is None else readings
    return calm.again(bench.judged, noted(bench), seen, wish or Wish(), limits) is not None


def following(bench: Bench, **changes: Any) -> Readings:
    """The next frame, with some fields changed."""
    readings = replace(bench.readings, sequence=bench.sequence + 1)
    return replace(readings, **changes)


@pytest.mark.parametrize("angle", [None, -300, -3000])
def test_an_armed_table_at_rest_takes_the_short_way(angle: int | None) -> None:
    assert short(rested(angle))


def test_a_table_that_is_not_armed_never_does() -> None:
    bench = ready()
    bench.run(8000)
    assert bench.judged.calm is None


def test_above_level_it_is_never_taken() -> None:
    bench = armed()
    bench.glide(400).run(8000)
    assert bench.judged.calm is None


NEW: dict[str, tuple[Any, ...]] = {
    "sequence": (None,),
    "elapsed_ms": (-1, 51),
    "age_ms": (-1, 51),
    "slow_age_ms": (-1, 151),
    "angle_a_cdeg": (None, -2900, -3100),
    "angle_b_cdeg": (None, -2900, -3100),
    "applied_cdeg_s": (None, 1, -1),
    "strap_left": (None, Contacts.OPEN, Contacts.DISCREPANT),
    "strap_right": (None, Contacts.OPEN, Contacts.DISCREPANT),
    "estop": (None, Contacts.OPEN, Contacts.DISCREPANT),
    "buttons": (None, *BUTTONS.values()),
    "patient_button": (None, True),
    "level_switch": (None, False),
    "end_down": (None, True),
    "end_up": (None, True),
    "mains": (None, False),
    "battery": (None, False),
    "current_ma": (None, 10, -10),
    "drive_fault": (None, True),
    "brake_set": (None, False),
    "drive_power": (None, True),
    "guard": (None, Guard(GuardState.ARMED)),
    "host": (replace(HOST, clock_ok=False),),
}


def test_every_field_that_is_read_is_listed() -> None:
    assert tuple(NEW) == ("sequence", "elapsed_ms", *Readings.__struct_fields__[2:])


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NEW.items() for value in values])
def test_anything_new_in_a_frame_ends_it(name: str, value: Any) -> None:
    bench = rested()
    told = following(bench, **{name: bench.sequence if name == "sequence" else value})
    assert not short(bench, told)
    both_ways(bench.judged, told, Wish(), LIMITS)


@pytest.mark.parametrize(
    ("name", "value"), [("elapsed_ms", 50), ("elapsed_ms", 0), ("age_ms", 50), ("slow_age_ms", 150)]
)
def test_a_frame_in_time_is_nothing_new(name: str, value: int) -> None:
    bench = rested()
    assert short(bench, following(bench, **{name: value}))


WISHES: dict[str, Any] = {
    "velocity_cdeg_s": -10,
    "plan_return": True,
    "arm": arm_with(),
    "disarm": True,
    "stop_because": "console",
    "return_because": "console",
}


@pytest.mark.parametrize("name", WISHES)
def test_whatever_the_session_asks_for_ends_it(name: str) -> None:
    bench = rested()
    assert not short(bench, wish=Wish(**{name: WISHES[name]}))


def test_other_limits_end_it() -> None:
    assert not short(rested(), limits=dataclasses.replace(LIMITS, speed_cdeg_s=100))


def test_presence_that_is_due_ends_it_below_level_and_nowhere_else() -> None:
    bench, level = rested(), rested(None)
    while bench.decision.presence_ms < 20_000 - TICK_MS:
        assert short(bench)
        bench.tick()
    assert not short(bench)
    level.wait(700)
    assert level.decision.presence_ms == 600_000
    assert short(level)


def test_the_end_of_the_sets_time_ends_it() -> None:
    bench = tilted(arm=arm_with(set_limit_s=20))
    bench.run(2000)
    bench.press("PRESENCE")
    while bench.decision.inverted_ms < 20_000:
        assert short(bench)
        bench.run(10)
    assert not short(bench)
    assert bench.run(10).demand == Demand.RETURN
    assert bench.codes == ("H03",)


@pytest.mark.parametrize(
    ("angle", "region", "edge"),
    [
        (-3000, Region.INVERTED, None),
        (-520, Region.INVERTED, -501),
        (-480, Region.BELOW, -500),
        (-120, Region.BELOW, -101),
        (-80, Region.LEVEL, -100),
        (80, Region.LEVEL, 100),
    ],
)
def test_the_bounds_end_where_a_check_would_change_its_mind(angle: int, region: Region, edge: int | None) -> None:
    bench = armed() if angle > -100 else tilted(-3000)
    bench.put(straps=Contacts.CLOSED)
    bench.obeys = False
    bench.glide(angle).run(6000)
    bench.press("PRESENCE")
    bench.run(1000)
    now = noted(bench)
    assert bench.decision.region is now.region is region
    quiet_at = bench.judged.track.quiet_at
    assert quiet_at is not None
    near = quiet_at // 2
    low = edge if edge is not None and edge < angle else near - 50
    high = edge if edge is not None and edge > angle else near + 50
    assert (now.low_cdeg, now.high_cdeg) == (low, high)


@pytest.mark.parametrize(("angle", "edge", "beyond"), [(-510, -501, -500), (-490, -500, -501), (-91, -100, -101)])
def test_a_reading_at_a_bound_is_within_it(angle: int, edge: int, beyond: int) -> None:
    bench = armed() if angle > -100 else tilted(-3000)
    bench.obeys = False
    bench.glide(angle).run(6000)
    bench.press("PRESENCE")
    bench.run(1000)
    other = 2 * angle - edge
    assert short(bench, following(bench, angle_a_cdeg=edge, angle_b_cdeg=other))
    assert short(bench, following(bench, angle_a_cdeg=other, angle_b_cdeg=edge))
    assert not short(bench, following(bench, angle_a_cdeg=beyond, angle_b_cdeg=other))
    assert not short(bench, following(bench, angle_a_cdeg=other, angle_b_cdeg=beyond))


def test_the_bounds_reach_no_deeper_than_a_degree_beyond_the_cap() -> None:
    bench = rested(-4490)
    bench.obeys = False
    bench.glide(-4570).run(2000)
    assert noted(bench).low_cdeg == -4600


# What a full step must have found: each thing that is otherwise, alone, is enough to note nothing.


def full_step(bench: Bench) -> tuple[Judged, Judged, Decision]:
    """What was remembered before, and what a full step of rest makes of it."""
    now, decision = in_full(bench.judged, following(bench), Wish(), LIMITS)
    return bench.judged, now, decision


LATE_CAUSE = Cause("H27", Demand.NO_DEEPENING, Alarm.LOW, 60, 50, "ms")
STOPPED = Cause("STOP", Demand.STOP, Alarm.LOW, 1, 0, "presses")
OTHERWISE: dict[str, Callable[[Judged], dict[str, Any]]] = {
    "no rest yet": lambda j: {"track": replace(j.track, quiet_at=None)},
    "a slope over the short window": lambda j: {"track": replace(j.track, short_cdeg_s=1)},
    "not armed": lambda _: {"armed": None},
    "A's place of rest not known": lambda j: {"drive": replace(j.drive, rest_a=None)},
    "B's place of rest not known": lambda j: {"drive": replace(j.drive, rest_b=None)},
    "motion": lambda j: {"moving": copy(j.moving)},
    "drive": lambda j: {"drive": copy(j.drive)},
    "straps": lambda j: {"straps": copy(j.straps)},
    "supply": lambda j: {"supply": copy(j.supply)},
    "arm": lambda j: {"armed": copy(j.armed)},
    "echo": lambda j: {"echo": copy(j.echo)},
    "over": lambda _: {"over": True},
    "switch": lambda _: {"switch_wrong": True},
    "latched": lambda _: {"latched": (STOPPED,)},
    "host's stop": lambda _: {"host_stop": True},
    "unread": lambda _: {"unread_ms": 10},
    "strap wait": lambda _: {"strap_wait_ms": 10},
    "a late tick": lambda j: {"link": replace(j.link, late_ms=10)},
    "a lapse lately": lambda j: {"link": replace(j.link, lapses_ms=(10,))},
    "a button": lambda j: {"people": replace(j.people, raw=1)},
    "an ignored button": lambda j: {"people": replace(j.people, ignored=1)},
    "the patient's proof": lambda j: {"people": replace(j.people, patient=0)},
    "the patient's circuit": lambda j: {"people": replace(j.people, patient_open=True)},
    "a press of the patient": lambda j: {"people": replace(j.people, patient_pressed=True)},
    "e-stop": lambda j: {"people": replace(j.people, estop=2)},
    "a lost sensor": lambda j: {"angles": replace(j.angles, lost=1)},
    "sensors in dispute": lambda j: {"angles": replace(j.angles, disputed=True)},
}
SAID = {
    "demand": Demand.NO_DEEPENING,
    "causes": (LATE_CAUSE,),
    "prompts": ("H24",),
    "refusals": (LATE_CAUSE,),
    "region": Region.ABOVE,
}


def test_a_full_step_of_rest_is_noted() -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    assert now.calm == calm.found(was, now, following(bench), Wish(), decision, LIMITS) == noted(bench)


@pytest.mark.parametrize("name", OTHERWISE)
def test_anything_otherwise_notes_nothing(name: str) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    now = replace(now, **OTHERWISE[name](now))
    assert calm.found(was, now, following(bench), Wish(), decision, LIMITS) is None


@pytest.mark.parametrize("name", ["rest_a", "rest_b"])
def test_a_place_of_rest_that_was_never_known_notes_nothing(name: str) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    drive = replace(now.drive, **{name: None})
    was, now = replace(was, drive=drive), replace(now, drive=drive)
    assert calm.found(was, now, following(bench), Wish(), decision, LIMITS) is None


def test_a_table_that_is_armed_neither_before_nor_after_notes_nothing() -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    was, now = replace(was, armed=None), replace(now, armed=None)
    assert calm.found(was, now, following(bench), Wish(), decision, LIMITS) is None


@pytest.mark.parametrize(("off", "takes"), [(15, True), (-15, True), (16, False), (-16, False)])
def test_leaving_the_place_where_it_was_found_still_ends_it(off: int, takes: bool) -> None:
    bench = rested()
    quiet_at = bench.judged.track.quiet_at
    assert quiet_at is not None
    a = quiet_at // 2 + off
    assert short(bench, following(bench, angle_a_cdeg=a, angle_b_cdeg=quiet_at + 2 * off - a)) is takes


@pytest.mark.parametrize("name", ["heat", "mains_ms"])
def test_a_drive_that_cools_or_mains_that_are_away_note_nothing(name: str) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    supply = replace(now.supply, **{name: 1})
    was, now = replace(was, supply=supply), replace(now, supply=supply)
    assert calm.found(was, now, following(bench), Wish(), decision, LIMITS) is None


@pytest.mark.parametrize("name", SAID)
def test_whatever_was_decided_but_nothing_notes_nothing(name: str) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    decision = replace(decision, **{name: SAID[name]})
    assert calm.found(was, now, following(bench), Wish(), decision, LIMITS) is None


@pytest.mark.parametrize("name", WISHES)
def test_a_step_that_was_asked_for_something_notes_nothing(name: str) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    wish = Wish(**{name: WISHES[name]})
    assert calm.found(was, now, following(bench), wish, decision, LIMITS) is None


@pytest.mark.parametrize("sensor", ["rest_a", "rest_b"])
@pytest.mark.parametrize("off", [70, -70])
def test_the_bounds_reach_no_further_than_a_degree_from_where_each_sensor_came_to_rest(sensor: str, off: int) -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    quiet_at = now.track.quiet_at
    assert quiet_at is not None
    near = quiet_at // 2
    drive = replace(now.drive, rest_a=near, rest_b=near)
    drive = replace(drive, **{sensor: near + off})
    was, now = replace(was, drive=drive), replace(now, drive=drive)
    note = calm.found(was, now, following(bench), Wish(), decision, LIMITS)
    assert note is not None
    assert (note.low_cdeg, note.high_cdeg) == ((near - 30, near + 50) if off > 0 else (near - 50, near + 30))


def test_the_bounds_reach_no_deeper_than_the_device_may_go() -> None:
    bench = rested()
    was, now, decision = full_step(bench)
    deep = replace(now.drive, rest_a=-6170, rest_b=-6170)
    track = replace(now.track, quiet_at=-2 * 6170)
    arm = arm_with(cap_cdeg=-7000)
    angles = replace(now.angles, a_cdeg=-6170, b_cdeg=-6170, angle_cdeg=-6170, deeper_cdeg=-6170)
    was, now = replace(was, drive=deep, armed=arm), replace(now, drive=deep, track=track, armed=arm, angles=angles)
    note = calm.found(was, now, following(bench), Wish(), decision, LIMITS)
    assert note is not None
    assert note.low_cdeg == DEVICE_LIMIT_CDEG


def test_whatever_chance_does_both_ways_judge_alike() -> None:
    taken = 0
    for seed in range(12):
        chance = random.Random(seed)
        bench = rested([None, -3000, -505, -105][seed % 4])
        base = bench.angle_cdeg
        for _ in range(600):
            a, b = (base + round(chance.gauss(0, chance.choice([2, 2, 6]))) for _ in range(2))
            changes: dict[str, Any] = {"angle_a_cdeg": a, "angle_b_cdeg": b}
            if chance.random() < 0.01:
                name = chance.choice(list(NEW))
                changes[name] = bench.sequence if name == "sequence" else chance.choice(NEW[name])
            bench.sequence += 1
            told = following(bench, **changes)
            asked = chance.choice(list(WISHES)) if chance.random() < 0.002 else ""
            wish = Wish(**{asked: WISHES[asked]}) if asked else Wish()
            taken += bench.judged.calm is not None and short(bench, told, wish)
            bench.judged, bench.decision = both_ways(bench.judged, told, wish, LIMITS)
    assert taken > 1000


def at_once(bench: Bench, **changes: Any) -> None:
    """One more frame in the same millisecond."""
    bench.obeys = False
    bench.put(**changes).tick(0)


def test_mains_lost_within_one_millisecond_are_missed_all_the_same() -> None:
    bench = rested()
    at_once(bench, mains=False)
    assert bench.ms_until("H21") == 510


def test_a_current_that_begins_within_one_millisecond_heats_all_the_same() -> None:
    bench = rested()
    at_once(bench, current_ma=LIMITS.stall_ma)
    bench.run(100)
    assert bench.judged.supply.heat > 0


def test_a_sensor_that_jumps_back_from_beyond_the_bounds_is_lost_all_the_same() -> None:
    bench = rested()
    bench.obeys = False
    a = b = bench.angle_cdeg
    # One came to rest higher than the other; they drift apart, by less than two may differ, about the same mean.
    drive = replace(bench.judged.drive, rest_a=a + 50, rest_b=b - 50)
    bench.judged = replace(bench.judged, drive=drive, calm=None)
    for apart in range(0, 88, 2):
        bench.put(angle_a_cdeg=a + apart * 112 // 86, angle_b_cdeg=b - apart).tick()
    bench.run(1000)
    assert bench.codes == ()
    bench.put(angle_a_cdeg=a - 48, angle_b_cdeg=b + 50).tick()
    assert bench.codes == ("H08",)
