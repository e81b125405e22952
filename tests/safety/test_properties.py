"""What holds for every state: all-clears hide nothing, the worst wins, nothing moves without leave, everything ends."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety import angle, link, motion, moving, overspeed, people, standing, straps, supply
from safety.angle import Angles
from safety.judge import LONGEST_GAP_MS, step
from safety.judged import INITIAL, Judged
from safety.link import Link
from safety.moving import Moving, Seen
from safety.people import People
from safety.signals import (
    BUTTONS,
    RAISE,
    RETURN,
    TILT,
    Alarm,
    Cause,
    Contacts,
    Decision,
    Demand,
    Readings,
    Wish,
)
from safety.springing import SLACK
from safety.straps import NEW_SIDE, Side, Straps
from safety.supply import Supply
from safety.timing import Timing
from tests.safety.table import ARM, HOST, LIMITS, Bench, arm_with, armed, both_ways, ready, tilted

# Strategies: values dense at the edges of limits.


def near(*edges: int) -> st.SearchStrategy[int]:
    return st.sampled_from([edge + off for edge in edges for off in (-1, 0, 1)]) | st.integers(-20_000, 20_000)


maybe = st.sampled_from([True, False, None])
contacts = st.sampled_from([*Contacts, None])
readings_of = st.fixed_dictionaries(
    {
        "elapsed_ms": near(0, 10, 50),
        "sequence": st.integers(0, 3),
        "age_ms": near(0, 50, 150),
        "slow_age_ms": near(0, 50, 150),
        "angle_a_cdeg": st.none() | near(-7200, -6200, -500, -100, 100, 7700, 9200),
        "angle_b_cdeg": st.none() | near(-7200, -6200, -500, -100, 100, 7700, 9200),
        "applied_cdeg_s": st.none() | near(-200, -50, 0, 50, 200),
        "strap_left": contacts,
        "strap_right": contacts,
        "estop": contacts,
        "buttons": st.none() | st.integers(0, 511),
        "patient_button": maybe,
        "level_switch": maybe,
        "end_down": maybe,
        "end_up": maybe,
        "mains": maybe,
        "battery": maybe,
        "current_ma": st.none() | near(0, 150, 7200, 11_400, 12_000),
        "drive_fault": maybe,
        "brake_set": maybe,
        "drive_power": maybe,
    }
)
readings = st.builds(lambda fields: Readings(**fields, host=HOST), readings_of)
wishes = st.builds(
    Wish,
    velocity_cdeg_s=near(-200, -50, 0, 50, 200),
    plan_return=st.booleans(),
    arm=st.none() | st.just(ARM),
    disarm=st.booleans(),
    stop_because=st.sampled_from(["", "console"]),
    return_because=st.sampled_from(["", "console"]),
)
starts = st.sampled_from([INITIAL, ready().judged, armed().judged, tilted().judged, tilted(-1000).judged])

angles = st.builds(
    angle.weigh,
    near(-6200, -4600, -100, 7500, 7700),
    near(-6200, -4600, -100, 7500, 7700),
    st.integers(0, 3),
    st.integers(0, 201),
    st.booleans(),
    st.just(10),
)
sides = st.builds(Side, contacts, near(0, 200, 3000), st.integers(0, 2), st.booleans(), st.booleans(), st.booleans())
crowds = st.builds(
    People,
    raw=st.integers(0, 511),
    held=st.integers(0, 511),
    move_ms=st.integers(0, 200_000),
    presence_ms=near(20_000, 30_000, 40_000),
    estop=st.integers(0, 2),
    patient_open=st.booleans(),
    stuck=st.booleans(),
    crossed=st.booleans(),
)


def told(check: Callable[..., None], *args: Any) -> list[Cause]:
    now: list[Cause] = []
    check(*args, now)
    return now


# Each concern's all-clear hides nothing that its checks would find.


@given(angles, near(-6000, -4500, -100), st.sampled_from([7500, 8300, 8500]), st.booleans(), st.booleans())
def test_the_all_clear_of_the_angle_hides_nothing(
    now: Angles, cap: int, boarding: int, clean: bool, blind: bool
) -> None:
    one_by_one = [
        *told(angle.beyond_cap, now, cap),
        *told(angle.beyond_device, now, clean),
        *told(angle.one_sensor_left, now, blind),
        *told(angle.no_sensor_left, now),
        *told(angle.raised_too_far, now, boarding),
    ]
    assert told(angle.causes, now, cap, boarding, clean, blind) == one_by_one


@given(sides, sides, st.booleans(), st.booleans(), st.booleans())
def test_the_all_clear_of_the_straps_hides_nothing(
    left: Side, right: Side, inverted: bool, is_armed: bool, wait: bool
) -> None:
    now = Straps(left, right)
    one_by_one = [
        *told(straps.open_strap, now, inverted, is_armed, wait),
        *told(straps.contacts_disagree, now, inverted),
    ]
    assert told(straps.causes, now, inverted, is_armed, wait) == one_by_one


@given(st.builds(Supply, near(0, 3_600_000_000), near(0, 500), st.booleans(), near(0, 1500)), readings)
def test_the_all_clear_of_the_supply_hides_nothing(now: Supply, seen: Readings) -> None:
    one_by_one = [*told(supply.hot, now, seen, LIMITS), *told(supply.mains_lost, now)]
    assert told(supply.causes, now, seen, LIMITS) == one_by_one


@given(
    st.builds(Link, lapse_ms=near(0, 1000, 3000), late_ms=near(0, 1000), gap_ms=near(50), third=st.booleans()),
    readings,
    st.booleans(),
)
def test_the_all_clear_of_the_link_hides_nothing(now: Link, seen: Readings, below: bool) -> None:
    one_by_one = [*told(link.lapse, now, seen, below), *told(link.late_tick, now)]
    assert told(link.causes, now, seen, below) == one_by_one


@given(crowds, readings, st.booleans(), st.booleans(), st.booleans())
def test_the_all_clear_of_the_people_hides_nothing(
    now: People, seen: Readings, is_armed: bool, below: bool, host_stop: bool
) -> None:
    # What counts as held is held.
    now = msgspec.structs.replace(now, held=now.held & now.raw)
    one_by_one = [
        *told(people.estop, now, seen),
        *told(people.patient_button, now, is_armed, below),
        *told(people.nobody_here, now, below),
        *told(people.stuck_buttons, now),
        *told(people.two_commands, now),
        *told(people.stop_asked, now, host_stop),
    ]
    assert told(people.causes, now, seen, is_armed, below, host_stop) == one_by_one


@given(crowds, readings)
def test_the_quick_way_of_following_people_is_the_long_one(was: People, seen: Readings) -> None:
    calm = msgspec.structs.replace(was, booted=True, raw=0, held=0, stuck=False, crossed=False, move_ms=0)
    # A press of a button that no panel has forces the long way, and is forgotten on it.
    long = msgspec.structs.replace(calm, pressed=1 << 12)
    assert people.follow(calm, seen, 10, None, LIMITS) == people.follow(long, seen, 10, None, LIMITS)


def seen_of(reading: Readings, now: Angles, at_cdeg: int, still_ms: int) -> Seen:
    side = Side(Contacts.CLOSED)
    return Seen(
        reading,
        now,
        Straps(side, side),
        People(booted=True, patient_open=False),
        Timing(last_cdeg=at_cdeg),
        at_cdeg,
        still_ms,
        None,
        False,
        10,
        True,
    )


@given(readings, st.integers(-100, 8000), st.sampled_from([0, 500, 5000]), st.booleans(), st.integers(0, 10_010))
def test_the_quick_way_of_deciding_on_motion_is_the_long_one(
    reading: Readings, at_cdeg: int, still_ms: int, free: bool, pause_ms: int
) -> None:
    was = Moving(raise_free=free, raise_pause_ms=pause_ms)
    seen = seen_of(reading, angle.weigh(at_cdeg, at_cdeg, 0, 0, False, 10), at_cdeg, still_ms)
    quick = motion.decide(was, seen, Wish(), (), [], False, LIMITS)
    # At level or above a return that is asked for is none, but it forces the long way.
    long = motion.decide(was, seen, Wish(return_because="test"), (), [], False, LIMITS)
    assert quick == long


@pytest.mark.parametrize("seed", range(3))
def test_the_all_clear_of_a_resting_drive_hides_nothing(seed: int) -> None:
    chance = random.Random(seed)
    bench = tilted(obeys=False)
    bench.run(6000)
    clear = 0
    for _ in range(300):
        a = bench.readings.angle_a_cdeg
        assert a is not None
        drift = chance.choice([0, 0, 0, 0, -1, 1, chance.randint(-20, 20)])
        bench.put(angle_cdeg=min(max(a + drift, -3090), -2910))
        drive = bench.judged.drive
        bench.tick()
        judged = bench.judged
        if judged.drive is drive:
            clear += 1
            args = (bench.readings, judged.angles, judged.track)
            assert standing.uncommanded(drive, *args, True, LIMITS) is None
            assert overspeed.overspeed(0, *args, SLACK, LIMITS) is None
        elif drive.caught:
            bench.judged = msgspec.structs.replace(judged, drive=tilted().judged.drive, latched=())
            bench.run(6000)
    assert clear > 20


CONTACTS = (*Contacts, None)


def plain_side(was: Side, seen: Contacts | None, elapsed_ms: int, watched: bool) -> Side:
    """The strap's rules without any short cut."""
    since_ms = min(was.since_ms + elapsed_ms, straps.CAP_MS) if seen is was.contacts else 0
    stage, mistrusted, seen_open = was.stage, was.mistrusted, was.seen_open
    if seen is Contacts.OPEN:
        stage = straps.UNSEEN if stage == straps.PROVEN else stage
        stage = straps.SEEN_OPEN if since_ms >= 1000 else stage
        seen_open = True
    elif seen is Contacts.CLOSED:
        stage = straps.PROVEN if stage == straps.SEEN_OPEN and since_ms >= 2000 else stage
        mistrusted = mistrusted and not seen_open
    elif watched and since_ms > 200 and not mistrusted:
        mistrusted, seen_open = True, False
    return Side(seen, since_ms, stage, mistrusted, seen_open, was.excused and seen is not Contacts.CLOSED)


@pytest.mark.parametrize("seed", range(3))
def test_the_short_cut_of_a_strap_is_the_long_way(seed: int) -> None:
    chance = random.Random(seed)
    quick = plain = NEW_SIDE
    seen: Contacts | None = None
    watched = False
    for _ in range(4000):
        if chance.random() < 0.02:
            seen = chance.choice(CONTACTS)
        if chance.random() < 0.01:
            watched = not watched
        elapsed_ms = chance.choice([10, 10, 50, 200])
        quick = straps.follow_side(quick, seen, elapsed_ms, watched)
        plain = plain_side(plain, seen, elapsed_ms, watched)
        assert quick == plain


# One step, from anywhere.


def check_decision(before: Judged, after: Judged, seen: Readings, wish: Wish, decision: Decision) -> None:
    """What holds of every single step."""
    command, demand, causes = decision.command, decision.demand, decision.causes
    velocity = command.velocity_cdeg_s
    at = after.timing.last_cdeg
    worst = max((cause.demand for cause in causes), default=Demand.ALLOW)
    # The worst wins; a RETURN at or above level is a STOP.
    if worst == Demand.RETURN and demand == Demand.STOP:
        assert at >= -100
    else:
        assert demand >= worst
    assert (demand == Demand.CUT) == (worst == Demand.CUT)
    assert (demand == Demand.HOLD) == (worst == Demand.HOLD)
    assert decision.alarm == max((cause.alarm for cause in causes), default=Alarm.NONE)
    if at < -500 and demand >= Demand.HOLD:
        assert decision.alarm == Alarm.HIGH
    assert len({cause.code for cause in causes}) == len(causes)
    check_motion(after, seen, velocity, demand, at)
    # Nothing latched goes without RESET or a fresh press, and the first stays first.
    if before.latched and not command.reset:
        kept = [cause.code for cause in after.latched]
        gone = [cause.code for cause in before.latched if cause.code not in kept]
        assert set(gone) <= {"STOP", "H25", "H26"}
        assert not gone or after.people.pressed & (TILT | RAISE | RETURN)
        still = [cause.code for cause in before.latched if cause.code in kept]
        assert [code for code in kept if code in still] == still
    if command.reset:
        assert at >= -100
        assert all(cause.code != "H11" for cause in before.latched)
        assert velocity == 0
    # Arming and its end.
    if decision.armed is not before.armed:
        assert (decision.armed is wish.arm) if decision.armed is not None else wish.disarm
        assert not decision.refusals
        assert at >= -100 or before.armed is None
    assert (command.arm is None) == (decision.armed is before.armed or decision.armed is None)


def check_motion(after: Judged, seen: Readings, velocity: int, demand: Demand, at: int) -> None:
    """Nobody is moved without leave."""
    state, held = after.moving, after.people.held
    back = state.back.kind != moving.NOT_RETURNING
    creep = state.excursion.kind if state.excursion.begun else moving.NO_EXCURSION_KIND
    if velocity:
        assert demand != Demand.CUT
        assert -200 <= velocity <= 200
    if velocity < 0 and at < 100:
        relief = creep == moving.RELIEF and demand == Demand.HOLD
        lowering = state.grant == moving.LOWER and held & TILT and at > 0
        tilting = (
            demand == Demand.ALLOW
            and state.grant == moving.DEEPEN
            and after.armed is not None
            and (held & TILT or not after.armed.held_tilt)
            and not after.over
            and after.straps.closed
            and not after.angles.doubtful
            and not after.people.patient_open
            and seen.mains is True
        )
        assert relief or lowering or tilting
        assert not relief or velocity >= -50
    if velocity and demand == Demand.HOLD and creep != moving.RELIEF:
        toward = 1 if at < 0 else -1
        assert velocity * toward > 0
        assert abs(velocity) <= 100
        assert held & (RETURN | TILT) or after.people.patient_open
    if velocity and demand == Demand.STOP:
        assert (velocity > 0 and creep == moving.BACK_OFF) or (velocity < 0 and held & TILT and at > 100)
    if velocity and at > 150:
        assert held & (TILT | RAISE)
        assert abs(velocity) <= 150
    if demand == Demand.RETURN:
        assert back
        assert velocity >= 0
    if back and velocity and any(cause.slow and cause.demand == Demand.RETURN for cause in after.latched):
        assert velocity <= 100


@given(starts, st.lists(st.tuples(readings, wishes), min_size=1, max_size=12))
def test_whatever_is_read_and_wished_the_rules_hold_and_the_step_is_pure(
    start: Judged, ticks: list[tuple[Readings, Wish]]
) -> None:
    state = start
    for seen, wish in ticks:
        before = msgspec.json.encode((state, seen, wish))
        after, decision = both_ways(state, seen, wish, LIMITS)
        assert (after, decision) == step(state, seen, wish, LIMITS)
        assert msgspec.json.encode((state, seen, wish)) == before
        check_decision(state, after, seen, wish, decision)
        check_finite(after)
        state = after


# Many steps, by seeded chance: people who press anything, faults that come and go, a table that obeys.


TICKS = [10] * 60 + [20] * 10 + [50] * 5 + [60, 3000]


def numbers(value: Any) -> Iterator[tuple[str, int]]:
    """Every integer of a state, with the name of the field that holds it."""
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if isinstance(field, msgspec.Struct):
            yield from numbers(field)
        elif isinstance(field, int):
            yield name, int(field)


LONGEST = LONGEST_GAP_MS + 20_000
BOUNDS = {"heat": LIMITS.thermal_budget_ma2_s, "session_id": 1 << 32, "driven": 1 << 40}


def check_finite(state: Judged) -> None:
    """Every counter has an end, and every memory a length."""
    for name, value in numbers(state):
        assert -(1 << 40) <= value <= BOUNDS.get(name, 1 << 40), name
        if name.endswith("_ms") and name != "since_ms":
            assert 0 <= value <= LONGEST, name
    assert len(state.track.samples) <= 502
    assert len(state.latched) <= 36
    assert len(state.link.lapses_ms) <= 2
    assert 0 <= state.timing.sets <= 100


def tamper(bench: Bench, chance: random.Random) -> None:
    """Let something happen, or stop happening."""
    what = chance.randrange(16)
    if what < 5:
        name = chance.choice(list(BUTTONS))
        bench.let_go(name) if bench.readings.buttons and chance.random() < 0.6 else bench.hold(name)
    elif what == 5:
        bench.let_go()
    elif what == 6:
        bench.put(velocity_cdeg_s=chance.choice([-200, -200, -100, 0, 0, 100, 200]))
    elif what == 7:
        bench.put(plan_return=chance.random() < 0.3, return_because=chance.choice(["", "", "", "host"]))
    elif what == 8:
        bench.put(stop_because=chance.choice(["", "", "console"]))
    elif what == 9:
        bench.put(arm=arm_with(held_tilt=chance.random() < 0.5)) if chance.random() < 0.7 else bench.put(disarm=True)
    elif what == 10:
        bench.put(patient_button=chance.choice([False, False, False, True, None]))
    elif what == 11:
        side = chance.choice(["strap_left", "strap_right"])
        bench.put(**{side: chance.choice([Contacts.CLOSED] * 4 + [*CONTACTS])})
    elif what == 12:
        bench.put(estop=chance.choice([Contacts.CLOSED] * 9 + [Contacts.OPEN]))
    elif what == 13:
        bench.put(mains=chance.choice([True] * 5 + [False]), drive_fault=chance.choice([False] * 9 + [True]))
    elif what == 14:
        bench.put(age_ms=chance.choice([0] * 6 + [60, 160]), slow_age_ms=chance.choice([0] * 6 + [160]))
    else:
        bench.put(end_down=chance.choice([False] * 4 + [True, None]), level_switch=chance.choice([True, False, None]))


def start_of(chance: random.Random) -> Bench:
    """A fresh bench, on which something is about to happen."""
    bench = (ready(), armed(), armed(), tilted(), tilted(-1000))[chance.randrange(5)]
    bench.obeys = True
    return bench.put(velocity_cdeg_s=-200).hold("TILT") if chance.random() < 0.5 else bench


@pytest.mark.parametrize("seed", range(10))
def test_in_ten_thousand_random_steps_nobody_is_moved_without_leave_and_everything_ends(seed: int) -> None:
    chance = random.Random(seed)
    bench = start_of(chance)
    seen: set[str] = set()
    moved = 0
    for number in range(10_000):
        if chance.random() < 0.012:
            tamper(bench, chance)
        if number % 250 == 249:
            bench = start_of(chance)
        before, reading, wish = bench.judged, bench.readings, bench.wish
        decision = bench.tick(chance.choice(TICKS), news=chance.random() < 0.98)
        check_decision(before, bench.judged, reading, wish, decision)
        if number % 200 == 0:
            check_finite(bench.judged)
        # The table itself: sensors never lie here, so the body stays within the cap and below +1.5° but by hand.
        assert bench.angle_cdeg >= ARM.cap_cdeg - 300
        seen.update(bench.codes)
        moved += bench.velocity != 0
    assert len(seen) >= 8
    assert moved > 300


@pytest.mark.parametrize("seed", range(4))
def test_by_itself_no_table_ever_rises_above_level(seed: int) -> None:
    chance = random.Random(seed)
    bench = tilted(chance.choice([-3000, -1000]))
    for _ in range(3000):
        if chance.random() < 0.03:
            tamper(bench, chance)
            bench.let_go("RAISE")
        bench.tick()
        assert bench.angle_cdeg <= 150


def test_sensors_that_lie_in_every_way_move_nobody_without_leave() -> None:
    chance = random.Random(3)
    bench = tilted(obeys=False)
    for number in range(3000):
        if chance.random() < 0.02:
            tamper(bench, chance)
        if chance.random() < 0.05:
            sensor = chance.choice(["angle_a_cdeg", "angle_b_cdeg"])
            bench.put(**{sensor: chance.choice([None, -7201, chance.randint(-6500, 8000)])})
        if chance.random() < 0.2:
            bench.put(angle_cdeg=min(max(bench.angle_cdeg + chance.randint(-100, 100), -6900), 8700))
        if chance.random() < 0.05:
            bench.put(
                applied_cdeg_s=chance.choice([None, 0, 0, -200, 200, 50]), current_ma=chance.choice([None, 0, 9000])
            )
        if number % 500 == 499:
            bench.judged = (armed() if chance.random() < 0.5 else tilted()).judged
        before, reading, wish = bench.judged, bench.readings, bench.wish
        decision = bench.tick()
        check_decision(before, bench.judged, reading, wish, decision)
        check_finite(bench.judged)
