"""Events are made of what changed between two ticks, and of nothing else; lateness is counted, and told once a row."""

import pytest

from controller.events import KEPT, Watcher
from controller.messages import EVENT_KINDS, Event
from controller.realtime import Lateness
from safety.signals import State
from tests.service.rig import Rig


def visited() -> Rig:
    rig = Rig()
    rig.forward(1)
    rig.visit()
    return rig


def test_every_event_of_a_visit_is_of_a_known_kind_and_a_whole_sentence() -> None:
    events = visited().records.events
    assert {event.kind for event in events} <= set(EVENT_KINDS)
    assert all(event.text[0].isupper() and event.text.endswith(".") for event in events)
    assert all(event.wall_ms > 0 for event in events)
    assert [event.t_ms for event in events] == sorted(event.t_ms for event in events)


def test_the_states_of_a_visit_are_told_in_order() -> None:
    states = [event.values["to"] for event in visited().events("state")]
    assert states == ["strapped", "tilting", "holding", "returning", "resting", "idle"]


def test_a_table_at_rest_makes_no_event() -> None:
    rig = Rig()
    rig.forward(60)
    assert [event.kind for event in rig.records.events] == ["boot"]


def test_a_cause_is_told_with_its_figures_and_its_end() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    people = rig.come()
    rig.until_state(State.HOLDING)
    rig.table.hands.strap("left", False)
    rig.until(lambda _: people.done)
    rig.forward(10)
    cause = next(event for event in rig.events("cause") if event.code == "H04")
    assert (cause.values["demand"], cause.values["alarm"], cause.values["unit"]) == ("RETURN", "HIGH", "straps open")
    assert "H04" in {event.code for event in rig.events("cleared")}
    assert [event.values["to"] for event in rig.events("demand")][-1] == "ALLOW"
    assert "HIGH" in [event.values.get("alarm") for event in rig.events("alarm")]
    # A cause whose figures change from tick to tick is told once.
    assert len([event for event in rig.events("cause") if event.code == "H04"]) <= 2


def test_presses_straps_the_emergency_stop_and_mains_are_told() -> None:
    rig = Rig()
    rig.forward(1)
    hands = rig.table.hands
    hands.press("PRESENCE")
    hands.press("PATIENT")
    hands.strap("right", True)
    hands.estop(True)
    rig.table.plant.hooks.mains_off = True
    rig.forward(1)
    hands.release("PRESENCE")
    rig.forward(1)
    told = {(event.values["input"], event.values["is"]) for event in rig.events("input")}
    assert {("PRESENCE", 1), ("PRESENCE", 0), ("PATIENT", 1), ("strap_right", "closed"), ("estop", "open")} <= told
    assert ("mains", 0) in told


def test_a_refused_arm_is_told() -> None:
    rig = Rig()
    rig.forward(1)
    assert rig.offer().ok
    rig.come()
    rig.clock_ok = False
    rig.until(lambda _: bool(rig.events("refused")), 120)
    assert rig.events("refused")[0].code == "H28"
    assert rig.snapshot.decision.armed is None


def test_what_happened_since_is_found_by_its_number_and_the_oldest_is_forgotten() -> None:
    watcher = Watcher(lambda: 5)
    for number in range(KEPT + 10):
        watcher.add(number, "input", f"It is {number}.")
    assert [event.number for event in watcher.since(0, 3)] == [11, 12, 13]
    assert [event.number for event in watcher.since(KEPT + 8, 9)] == [KEPT + 9, KEPT + 10]
    assert watcher.since(KEPT + 10, 9) == []
    assert watcher.since(0, 0) == []
    assert len(watcher.since(0, 10**6)) == KEPT


def test_events_that_were_added_come_with_the_next_tick() -> None:
    rig = Rig()
    rig.forward(1)
    event = rig.service.watcher.add(rig.snapshot.t_ms, "line", "The line failed.")
    assert isinstance(event, Event)
    rig.tick()
    assert rig.service.happened == [event]
    rig.tick()
    assert rig.service.happened == []


# Late ticks.


def test_h27_a_row_of_late_ticks_is_told_at_its_beginning_and_its_end() -> None:
    rig = Rig()
    rig.forward(1)
    for gap_ms in (80, 120, 60):
        rig.table.bridge.hooks.pause_ms = gap_ms
        rig.forward(0.2)
    rig.forward(2)
    late = rig.events("late")
    assert [event.values["ticks"] for event in late] == [1, 3]
    assert int(late[1].values["gap_ms"] or 0) >= 120
    assert {event.code for event in late} == {"H27"}
    assert rig.service.state.overruns == 3


def test_h27_the_worst_gap_of_the_last_minute_is_known_and_forgotten() -> None:
    rig = Rig()
    rig.forward(1)
    rig.table.bridge.hooks.pause_ms = 300
    rig.forward(1)
    assert rig.service.state.late_ms >= 300
    rig.forward(61)
    assert rig.service.state.late_ms == 10


@pytest.mark.parametrize(("t_ms", "worst"), [(59_999, 70), (60_000, 12), (119_000, 12), (500_000, 12)])
def test_the_last_minute_is_sixty_seconds(t_ms: int, worst: int) -> None:
    lateness = Lateness()
    lateness.note(5, 70)
    lateness.note(t_ms, 12)
    assert lateness.worst_ms == worst


def test_percentiles_are_of_all_ticks() -> None:
    lateness = Lateness()
    for gap_ms in (*[10] * 990, *[20] * 9, 400):
        lateness.note(0, gap_ms)
    assert [lateness.percentile_ms(percent) for percent in (50, 99, 99.9, 100)] == [10, 10, 20, 255]
    assert lateness.overruns == 1
    assert lateness.told.startswith("1000 ticks, one every 10 ms; 99.9 % within 20 ms; 1 were late")
