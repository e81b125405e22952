"""A trace: what a row says, what the file looks like, and what is said about a file that is none."""

import re
from pathlib import Path

import msgspec
import pytest

from controller.recording import (
    COLUMNS,
    PROMISED,
    Recorder,
    Row,
    TraceError,
    csv_text,
    limit_of,
    measure,
    read_trace,
    write_trace,
)
from safety.signals import (
    LAMP_ACK,
    LAMP_RED,
    LAMPS,
    PRESENCE,
    RAISE,
    TILT,
    Alarm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guard,
    GuardState,
    Readings,
    Signals,
    Snapshot,
    State,
    Wish,
)
from tests.controller.made_up import PATIENT_ASKS, STRAP_OPEN, Story, calm_visit, strap_opens_visit

HEADER = (
    "t_ms,state,wish_cdeg_s,command_cdeg_s,applied_cdeg_s,demand,causes,alarm,angle_a_cdeg,angle_b_cdeg,"
    "true_angle_cdeg,true_velocity_cdeg_s,brake,drive_power,current_ma,strap_left,strap_right,estop,patient_button,"
    "held_button,presence,level_switch,mains,guard_state,injected"
)


def recorded(readings: Readings, wish: Wish | None = None, decision: Decision | None = None) -> Row:
    """The row of one tick."""
    recorder = Recorder()
    recorder.observe(Snapshot(0, 0, readings, wish or Wish(), decision or Decision(Command())))
    return recorder.rows()[0]


def test_the_promised_columns_come_first_and_in_their_order() -> None:
    assert ",".join(PROMISED) == HEADER
    assert csv_text(calm_visit().rows()).startswith(HEADER + ",")


def test_there_is_one_row_a_tick() -> None:
    recorder = Story(tick_ms=10).until(3, State.IDLE, 0).recorder
    assert len(recorder.rows()) == 300
    assert [row.t_ms for row in recorder.rows()] == list(range(0, 3000, 10))


def test_a_row_says_what_was_read_wished_and_decided() -> None:
    readings = Readings(
        elapsed_ms=10,
        angle_a_cdeg=-1999,
        angle_b_cdeg=-2001,
        applied_cdeg_s=-150,
        strap_left=Contacts.CLOSED,
        strap_right=Contacts.DISCREPANT,
        estop=Contacts.OPEN,
        buttons=TILT | RAISE | PRESENCE,
        patient_button=True,
        level_switch=True,
        mains=False,
        current_ma=2100,
        brake_set=False,
        drive_power=True,
        guard=Guard(GuardState.ARMED),
    )
    decision = Decision(
        command=Command(velocity_cdeg_s=90),
        demand=Demand.RETURN,
        causes=(STRAP_OPEN, PATIENT_ASKS),
        alarm=Alarm.HIGH,
        angle_cdeg=-2000,
        prompts=("H24", "H06"),
    )
    row = recorded(readings, Wish(velocity_cdeg_s=-200, state=State.EMERGENCY_RETURN, set_number=2), decision)
    assert row[: len(PROMISED)] == (
        *(0, "emergency_return", -200, 90, -150, "RETURN", "H04+H22", "HIGH", -1999, -2001, None, None),
        *("released", "on", 2100, "closed", "discrepant", "open", 1, "TILT+RAISE+PATIENT", 1, 1, 0, "armed", ""),
    )
    assert (row.set_number, row.judged_angle_cdeg, row.prompts) == (2, -2000, "H24+H06")


def test_a_row_says_what_the_panel_shows_and_sounds_in_its_tick() -> None:
    recorder = Recorder()
    shown = [Signals(), Signals(Alarm.HIGH, lamps=LAMP_RED | LAMP_ACK, buzzer_hz=800), Signals(lamps=LAMP_ACK)]
    for number, signals in enumerate([shown[0], shown[1], shown[1], shown[2]]):
        recorder.observe(Snapshot(number, number, Readings(10), Wish(), Decision(Command()), signals))
    rows = recorder.rows()
    assert [(row.lamps, row.buzzer_hz) for row in rows] == [(0, 0), (0x201, 800), (0x201, 800), (0x200, 0)]


def test_the_page_names_every_column_and_every_lamps_bit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "interfaces.md").read_text(encoding="utf-8")
    trace = page.partition("## The trace")[2].partition("\n## ")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in trace] == []
    assert [bit for bit in LAMPS.values() if not re.search(rf"\b{bit} [a-zA-Z]", trace)] == []


def test_what_nobody_knows_is_empty_in_the_file() -> None:
    row = recorded(Readings(elapsed_ms=10))
    line = csv_text([row]).splitlines()[1].split(",")
    said = dict(zip(COLUMNS, line, strict=True))
    unknown = [name for name in PROMISED if said[name] == ""]
    assert unknown == [
        *("applied_cdeg_s", "causes", "alarm", "angle_a_cdeg", "angle_b_cdeg", "true_angle_cdeg"),
        *("true_velocity_cdeg_s", "brake", "drive_power", "current_ma", "strap_left", "strap_right", "estop"),
        *("patient_button", "held_button", "presence", "level_switch", "mains", "guard_state", "injected"),
    ]


def test_no_button_held_is_told_apart_from_nothing_known() -> None:
    assert recorded(Readings(elapsed_ms=10, buttons=0, patient_button=False)).held_button == "none"
    assert recorded(Readings(elapsed_ms=10, buttons=0, patient_button=True)).held_button == "PATIENT"
    assert recorded(Readings(elapsed_ms=10, buttons=PRESENCE)).held_button == "none"


def test_the_truth_is_the_plants_own_rounded_to_whole_hundredths() -> None:
    story = Story(angle_cdeg=-1234.56)
    story.injected = "strap-opens+mains-lost"
    row = story.until(0.05, State.HOLDING).recorder.rows()[0]
    assert (row.true_angle_cdeg, row.true_velocity_cdeg_s, row.injected) == (-1235, 0, "strap-opens+mains-lost")


def test_the_best_angle_is_the_truth_then_the_judges_then_a_sensors() -> None:
    readings = Readings(elapsed_ms=10, angle_b_cdeg=-40)
    assert recorded(readings).angle_cdeg == -40
    assert recorded(readings, decision=Decision(Command(), angle_cdeg=-30)).angle_cdeg == -30
    recorder = Recorder(lambda: (-20.0, 0.0, ""))
    recorder.observe(Snapshot(0, 0, readings, Wish(), Decision(Command(), angle_cdeg=-30)))
    assert recorder.rows()[0].angle_cdeg == -20
    assert recorded(Readings(elapsed_ms=10)).angle_cdeg is None


def test_one_story_gives_the_same_bytes_every_time(tmp_path: Path) -> None:
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path in paths:
        write_trace(path, strap_opens_visit().rows())
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"\r" not in paths[0].read_bytes()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = strap_opens_visit(Story()).rows()
    write_trace(tmp_path / "trace.csv", rows)
    assert read_trace(tmp_path / "trace.csv") == rows


@pytest.mark.parametrize("name", ['odd,"name"', "None-of-it", "two\nlines"])
def test_a_name_that_needs_quotes_survives_the_file(tmp_path: Path, name: str) -> None:
    story = Story()
    story.injected = name
    rows = story.until(0.15, State.IDLE, 0).recorder.rows()
    write_trace(tmp_path / "trace.csv", rows)
    assert read_trace(tmp_path / "trace.csv") == rows


def test_columns_that_nobody_knows_are_left_aside_and_ours_may_be_missing(tmp_path: Path) -> None:
    rows = calm_visit(Story()).rows()
    lines = csv_text(rows).splitlines()
    cut = [",".join(["later", *line.split(",")[: len(PROMISED)]]) for line in lines]
    (tmp_path / "trace.csv").write_text("\n".join(cut), encoding="utf-8")
    read = read_trace(tmp_path / "trace.csv")
    assert [row[: len(PROMISED)] for row in read] == [row[: len(PROMISED)] for row in rows]
    assert read[0].set_number is None


def lines_of_a_trace() -> list[str]:
    return csv_text(Story(tick_ms=10).until(0.05, State.IDLE, 0).recorder.rows()).splitlines()


BROKEN = {
    "empty": (b"", "it is empty"),
    "only a header": (("\n".join(lines_of_a_trace()[:1])).encode(), "without a single row"),
    "random bytes": (bytes(range(128, 256)), "not UTF-8 text at byte 0"),
    "another table": (b"a,b,c\n1,2,3\n", "its header has no t_ms, state, wish_cdeg_s"),
    "cut in a line": (("\n".join(lines_of_a_trace())[:-60]).encode(), "line 6: "),
    "a word for a number": (
        "\n".join(lines_of_a_trace()).replace("\n20,", "\ntwenty,").encode(),
        "line 4: t_ms is 'twenty', not a whole number",
    ),
    "time goes back": (
        "\n".join([*lines_of_a_trace(), lines_of_a_trace()[1]]).encode(),
        "line 7: t_ms goes from 40 to 0, not forward",
    ),
    "no time": ("\n".join(lines_of_a_trace()).replace("\n20,", "\n,").encode(), "line 4: t_ms is empty"),
    "a torn quote": ("\n".join([*lines_of_a_trace(), '"50']).encode(), "not CSV"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_told_with_its_place(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(TraceError) as caught:
        read_trace(path)
    assert message in str(caught.value)
    assert "trace.csv" in str(caught.value)
    assert isinstance(caught.value, ValueError)


# Trips.


def stepped(*moments: tuple[Cause, ...]) -> Recorder:
    """A session of one tick for each set of causes."""
    recorder = Recorder()
    for number, causes in enumerate(moments):
        wish = Wish(state=State.HOLDING if number == 0 else State.EMERGENCY_RETURN)
        decision = Decision(Command(), causes=causes)
        recorder.observe(Snapshot(number, 10 * number, Readings(10), wish, decision))
    return recorder


def test_a_trip_is_kept_with_the_state_before_it_and_its_moment() -> None:
    (trip,) = strap_opens_visit().trips()
    assert (trip.cause, trip.first, trip.state, trip.t_ms) == (STRAP_OPEN, True, "holding", 69_000)


def test_what_follows_a_trip_is_not_first_and_what_comes_after_it_cleared_is() -> None:
    both = (STRAP_OPEN, PATIENT_ASKS)
    trips = stepped((), (STRAP_OPEN,), both, both, (), (PATIENT_ASKS,)).trips()
    assert [(trip.cause.code, trip.first, trip.t_ms) for trip in trips] == [
        *(("H04", True, 10), ("H22", False, 20), ("H22", True, 50)),
    ]


def test_a_cause_that_only_forbids_deepening_is_no_trip_until_it_grows_worse() -> None:
    late = Cause("H24", Demand.NO_DEEPENING, Alarm.MEDIUM, 30, 30, "s")
    later = Cause("H24", Demand.RETURN, Alarm.MEDIUM, 40, 40, "s")
    assert stepped((), (late,)).trips() == []
    (trip,) = stepped((), (late,), (later,)).trips()
    assert (trip.cause, trip.first) == (later, True)


def test_a_cause_that_grows_milder_is_told_once() -> None:
    cut = Cause("H20", Demand.CUT, Alarm.HIGH, 2, 0, "contacts open")
    hold = msgspec.structs.replace(cut, demand=Demand.HOLD)
    assert [trip.cause for trip in stepped((cut,), (hold,), (cut,)).trips()] == [cut]


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (-2105, "cdeg", "−21.05°"),
        (450, "cdeg/s", "4.5°/s"),
        (-4500, "cdeg prescribed", "−45° prescribed"),
        (200, "ms", "200 ms"),
        (40_500, "ms", "40.5 s"),
        (1, "straps open", "1 strap open"),
        (2, "straps open", "2 straps open"),
        (1, "s", "1 s"),
        (0, "sensors", "0 sensors"),
    ],
)
def test_figures_are_told_as_people_read_them(value: int, unit: str, told: str) -> None:
    assert measure(value, unit) == told


def test_a_limit_has_its_unit_but_does_not_name_again_what_is_counted() -> None:
    assert limit_of(Cause("H13", Demand.CUT, Alarm.HIGH, 450, 400, "cdeg/s")) == "4°/s"
    assert limit_of(STRAP_OPEN) == "1"
