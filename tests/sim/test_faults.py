"""Faults are read as they are written, do what they say, and leave a healthy table behind."""

import json
import random

import pytest

from config.errors import InversionTableError
from config.loading import load_profile
from firmware_bridge.hands import Hands
from safety.signals import (
    RAISE,
    TILT,
    Contacts,
    Host,
    Issuer,
    Permit,
    Readings,
    State,
)
from sim.faults.catalogue import KINDS, catalogue, parse, parse_now
from sim.faults.kinds import FaultError, FaultKind, active_faults
from sim.faults.papers import boot_angle_deg, tamper
from sim.table import SimulatedTable, build

PROFILE = load_profile("simulated")
PERMIT = Permit("hash", "somebody", 1, 2_000_000_000, 0, -2000, 60, None, None, Issuer.SIMULATED)
# What touches no part of the table while it runs, or undoes itself.
ON_PAPER = {"boots-below", "wrong-plan", "permit-expired"}
ONCE = {"host-late", "estop-pressed"}
HOLDING_KINDS = sorted(set(KINDS) - ON_PAPER - ONCE)


@pytest.fixture
def table() -> SimulatedTable:
    return build(PROFILE)


def look(table: SimulatedTable, ticks: int = 10) -> Readings:
    """What the table says after some ticks, enough for contacts to stop bouncing."""
    readings = Readings(0)
    for _ in range(ticks):
        readings = table.bridge.read(table.clock.now_ms() + 10, Host())
    return readings


# How a fault is written


@pytest.mark.parametrize(
    ("text", "state", "offset_ms", "duration_ms"),
    [
        ("strap-opens@40s", None, 40_000, None),
        ("strap-opens@0.25s", None, 250, None),
        ("strap-opens@.5s+2s", None, 500, 2000),
        ("strap-opens@holding", State.HOLDING, 0, None),
        ("strap-opens@holding+5s", State.HOLDING, 5000, None),
        ("strap-opens@emergency_return+0s+0.01s", State.EMERGENCY_RETURN, 0, 10),
        ("strap-opens@returning+0.5s+1.5s:side=left", State.RETURNING, 500, 1500),
    ],
)
def test_a_moment_is_a_time_or_a_state_and_a_time_in_it(
    text: str, state: State | None, offset_ms: int, duration_ms: int | None
) -> None:
    fault = parse(text)
    assert (fault.when.state, fault.when.offset_ms, fault.duration_ms) == (state, offset_ms, duration_ms)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strap-open@40s", "did you mean strap-opens?"),
        ("zzz@40s", "`inversion-table faults` lists them"),
        ("@40s", 'no fault ""'),
        ("", 'no fault ""'),
        ("strap-opens", "does not say when"),
        ("strap-opens@", "does not say when"),
        ("strap-opens@40", "neither a time such as 40s nor a state"),
        ("strap-opens@40m", "neither a time such as 40s nor a state"),
        ("strap-opens@hold", "did you mean holding?"),
        ("strap-opens@Holding", "did you mean holding?"),
        ("strap-opens@-1s", "negative"),
        ("strap-opens@holding+-1s", "negative"),
        ("strap-opens@nans", "neither a time"),
        ("strap-opens@1e3s", "neither a time"),
        ("strap-opens@٣s", "neither a time"),
        ("strap-opens@0.005s", "not a multiple of 10 ms"),
        ("strap-opens@holding+0.0001s", "not a multiple of 10 ms"),
        ("strap-opens@99999999s", "longer than a day"),
        ("strap-opens@" + "9" * 5000 + "s", "longer than a day"),
        ("strap-opens@40s+", "no time"),
        ("strap-opens@40s+x", "no time"),
        ("strap-opens@40s+0s", "a duration of 0s is none"),
        ("strap-opens@40s+1s+1s", "more than a moment and a duration"),
        ("strap-opens@holding+1s+1s+1s", "more than a moment and a duration"),
        ("strap-opens@40s:", "ends in a colon"),
        ("strap-opens@40s:side", "not key=value"),
        ("strap-opens@40s:side=", "not key=value"),
        ("strap-opens@40s:sides=left", "did you mean side?"),
        ("strap-opens@40s:side=middle", "none of left, right, both"),
        ("strap-opens@40s:side=left,side=right", "given twice"),
        ("drive-dead@40s:side=left", "it has none"),
        ("angle-jumps@40s:by_deg=5mm", 'the unit "mm"'),
        ("angle-jumps@40s:by_deg=nan", "no number in deg"),
        ("angle-jumps@40s:by_deg=inf", "no number in deg"),
        ("angle-jumps@40s:by_deg=91", "outside -90 … 90 in deg"),
        ("brake-slips@40s:hold_percent=12.5", "must be a whole number"),
        ("strap-contact-fails@40s:contact=3", "outside 1 … 2"),
        ("boots-below@holding", "write boots-below@idle"),
        ("boots-below@idle+1s", "write boots-below@idle"),
        ("host-late@40s+1s", "takes no duration"),
        ("strap-opens@\x1b[31m", "\\x1b"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert caught.value.exit_code == 2
    assert isinstance(caught.value, InversionTableError)
    assert isinstance(caught.value, ValueError)


def test_random_text_is_refused_and_never_breaks_the_reader() -> None:
    rng = random.Random(3)
    alphabet = "strap-opens@holding+5s:side=left,é\0 .0123456789"
    for _ in range(5000):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(40)))
        with pytest.raises(FaultError):
            parse(text)


@pytest.mark.parametrize("number", ["5", "5.0", "+5", "5deg", "5 deg", "-5.25", ".5"])
def test_a_number_may_carry_its_unit(number: str) -> None:
    value = parse(f"angle-jumps@40s:by_deg={number}").values["by_deg"]
    assert value == float(number.removesuffix("deg"))


@pytest.mark.parametrize("kind", catalogue(), ids=lambda kind: str(kind.name))
def test_a_fault_reads_back_as_it_is_told(kind: FaultKind) -> None:
    chosen = ",".join(f"{p.name}={p.choices[-1] if p.choices else p.high}" for p in kind.parameters)
    when = "idle" if kind.at_boot else "holding+5s" if kind.momentary else "holding+5s+2s"
    fault = parse(f"{kind.name}@{when}" + (f":{chosen}" if chosen else ""))
    again = parse(str(fault))
    assert (again.kind, again.when, again.duration_ms) == (fault.kind, fault.when, fault.duration_ms)
    assert again.values == fault.values


def test_a_fault_without_an_offset_keeps_its_duration_when_told() -> None:
    assert str(parse("strap-opens@holding+0s+2s")) == "strap-opens@holding+0s+2s"
    assert str(parse("strap-opens@holding+2s")) == "strap-opens@holding+2s"


def test_what_begins_now_takes_no_moment() -> None:
    fault = parse_now("strap-opens+2s:side=left")
    assert (fault.duration_ms, fault.values["side"]) == (2000, "left")
    with pytest.raises(FaultError, match="takes no @WHEN"):
        parse_now("strap-opens@40s")
    with pytest.raises(FaultError, match="from the start"):
        parse_now("boots-below")


def test_the_catalogue_tells_everything_that_can_be_chosen() -> None:
    told = json.loads(json.dumps([kind.as_json() for kind in catalogue()]))
    assert [kind["name"] for kind in told] == list(KINDS)
    assert [kind["hazard"] for kind in told] == sorted(kind["hazard"] for kind in told)
    opens = next(kind for kind in told if kind["name"] == "strap-opens")
    assert opens["hazard"] == "H04"
    assert opens["parameters"]["side"]["default"] == "both"
    for kind in catalogue():
        assert kind.name == kind.name.lower()
        for parameter in kind.parameters:
            default = parameter.default
            assert parameter.meaning
            if isinstance(default, str):
                assert default in parameter.choices
            else:
                assert parameter.low <= default <= parameter.high


# What a fault does to a table


def held_by(table: SimulatedTable) -> dict[str, object]:
    """Everything that a fault can hold, as it is now."""
    parts = {
        "plant": table.plant.hooks,
        "a": table.sensors.angle_a.hooks,
        "b": table.sensors.angle_b.hooks,
        "sensors": table.sensors.hooks,
        "panel": table.panel.hooks,
    }
    found = {f"{name}.{key}": getattr(part, key) for name, part in parts.items() for key in part.DEFAULTS}
    link = table.bridge.hooks
    return found | {f"link.{name}": getattr(link, name) for name in link.__dataclass_fields__}


@pytest.mark.parametrize("name", HOLDING_KINDS)
def test_every_fault_holds_something_and_lets_go_of_it(table: SimulatedTable, name: str) -> None:
    healthy = held_by(table)
    fault = parse_now(name)
    fault.start(table)
    assert held_by(table) != healthy
    assert table.injected == name
    fault.end(table)
    assert held_by(table) == healthy
    assert table.injected == ""


def test_faults_may_overlap_in_any_order_and_leave_a_healthy_table(table: SimulatedTable) -> None:
    healthy = held_by(table)
    rng = random.Random(5)
    for _ in range(200):
        faults = [parse_now(rng.choice(HOLDING_KINDS)) for _ in range(rng.randrange(2, 6))]
        for fault in rng.sample(faults, len(faults)):
            fault.start(table)
        for fault in rng.sample(faults, len(faults)):
            if rng.random() < 0.5:
                fault.let_go(table)
            fault.end(table)
        assert held_by(table) == healthy


def test_the_same_fault_twice_lasts_until_the_second_one_ends(table: SimulatedTable) -> None:
    first, second = parse_now("strap-opens:side=left"), parse_now("strap-opens:side=left")
    table.hands.strap("left", True)
    first.start(table)
    second.start(table)
    first.end(table)
    assert look(table).strap_left is Contacts.OPEN
    assert [fault.name for fault in active_faults(table)] == ["strap-opens"]
    second.end(table)
    assert look(table).strap_left is Contacts.CLOSED


def test_starting_twice_and_ending_twice_changes_nothing(table: SimulatedTable) -> None:
    fault = parse_now("angle-jumps:by_deg=5")
    fault.start(table)
    fault.start(table)
    assert table.sensors.angle_a.hooks.offset_deg == 5.0
    fault.end(table)
    fault.end(table)
    assert table.sensors.angle_a.hooks.offset_deg == 0.0


def test_faults_of_one_part_are_blended(table: SimulatedTable) -> None:
    for text in ("angle-jumps:by_deg=5", "angle-jumps:by_deg=-2", "button-stuck:button=TILT", "buttons-together"):
        parse_now(text).start(table)
    parse_now("strap-contact-fails:contact=1,stuck=open").start(table)
    parse_now("strap-contact-fails:contact=2,stuck=closed").start(table)
    parse_now("clock-wrong").start(table)
    parse_now("configuration-unproven").start(table)
    assert table.sensors.angle_a.hooks.offset_deg == 3.0
    assert table.panel.hooks.stuck_held == TILT | RAISE
    assert table.sensors.hooks.strap_left == ("open", "closed")
    assert table.bridge.hooks.host_altered == {"clock_ok": False, "config_ok": False}


def test_each_side_of_a_fault_is_its_own(table: SimulatedTable) -> None:
    for side in ("left", "right"):
        table.hands.strap(side, True)
    look(table)
    parse_now("strap-opens:side=left").start(table)
    said = look(table)
    assert (said.strap_left, said.strap_right) == (Contacts.OPEN, Contacts.CLOSED)


def test_a_pressed_emergency_stop_can_be_pulled_by_people(table: SimulatedTable) -> None:
    parse_now("estop-pressed").start(table)
    assert look(table).estop is Contacts.OPEN
    hands: Hands = table.hands
    hands.estop(False)
    assert look(table).estop is Contacts.CLOSED


def test_an_obstruction_stands_where_the_table_goes() -> None:
    for name, start_deg, blocks in (
        ("obstruction", -20.0, -1),
        ("obstruction-homeward", -20.0, 1),
        ("obstruction", 40.0, 1),
        ("obstruction-homeward", 40.0, -1),
    ):
        table = build(PROFILE, start_deg=start_deg)
        parse_now(f"{name}:ahead_deg=2").start(table)
        obstacle = table.plant.hooks.obstacle
        assert obstacle is not None
        assert obstacle.blocks == blocks
        assert obstacle.angle_deg == pytest.approx(start_deg + 2 * blocks, abs=0.01)


def test_a_late_host_is_late_once(table: SimulatedTable) -> None:
    look(table)
    parse_now("host-late:gap_ms=80").start(table)
    assert table.bridge.read(table.clock.now_ms() + 10, Host()).elapsed_ms >= 80
    assert table.bridge.read(table.clock.now_ms() + 10, Host()).elapsed_ms == 10


def test_papers_are_tampered_with_only_while_the_fault_is_there(table: SimulatedTable) -> None:
    assert tamper(PERMIT, table) == PERMIT
    wrong, old = parse("wrong-plan@idle:prescribed_deg=-7.5"), parse("permit-expired@idle")
    wrong.start(table)
    assert tamper(PERMIT, table).prescribed_cdeg == -750
    old.start(table)
    assert (tamper(PERMIT, table).prescribed_cdeg, tamper(PERMIT, table).valid_until_s) == (-750, 0)
    wrong.end(table)
    old.end(table)
    assert tamper(PERMIT, table) == PERMIT


def test_where_a_table_boots_is_said_by_the_fault() -> None:
    assert boot_angle_deg([parse("strap-opens@40s")], 75.0) == 75.0
    assert boot_angle_deg([parse("boots-below@idle:at_deg=-33")], 75.0) == -33.0
