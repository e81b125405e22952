"""The panel in 80 columns and 24 lines: every state and every alarm is told whole, in its place, without colour."""

from itertools import product

import pytest

from config.loading import load_plan, load_profile
from controller.block_letters import LETTERS, block_letters
from controller.lamp_watch import LampWatch
from controller.panel_lamps import Worked
from controller.panel_small import small_panel
from controller.panel_view import CHART_LINES, COLUMNS, LINES, Visit, panel
from controller.progress import Heading, about
from controller.sentences import CODES, WORDS, side_now, what_now, wrong
from safety.signals import (
    BUTTONS,
    LAMP_BREATHE,
    LAMP_RED,
    LAMP_STRAP_LEFT,
    LAMP_YELLOW,
    PLAN_DOWN,
    Alarm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guide,
    Readings,
    Region,
    Signals,
    Snapshot,
    State,
    Wish,
)

PLAN = load_plan("three-sets")
PROFILE = load_profile("simulated")
HEADING = Heading(
    PLAN.name,
    PROFILE.name,
    "in-process, guard: host build, seed 0",
    PLAN.cap_cdeg,
    PLAN.sets,
    PLAN.planned_s,
    PROFILE.manual_return_text,
    about=about(PLAN),
    person="P-0001",
)
CAUSES = [
    Cause(code, demand, alarm, 2, 1, "contacts open", where=where)
    for code, demand, alarm, where in product(CODES, list(Demand)[1:], list(Alarm)[1:], ("", "both"))
]


def snapshot(
    state: State = State.HOLDING,
    causes: tuple[Cause, ...] = (),
    *,
    t_ms: int = 734_000,
    angle_cdeg: int | None = -2997,
    signals: Signals | None = None,
    wish: Wish | None = None,
    **changes: object,
) -> Snapshot:
    """A moment with the longest words that are likely: times of minutes, every figure known."""
    readings = Readings(
        elapsed_ms=10,
        angle_a_cdeg=angle_cdeg,
        strap_left=Contacts.CLOSED,
        strap_right=Contacts.CLOSED,
        estop=Contacts.CLOSED,
        buttons=0,
        patient_button=False,
        mains=True,
        brake_set=True,
    )
    alarm = max((cause.alarm for cause in causes), default=Alarm.NONE)
    decision = Decision(
        Command(),
        demand=max((cause.demand for cause in causes), default=Demand.ALLOW),
        causes=causes,
        alarm=alarm,
        region=Region.INVERTED if angle_cdeg is None or angle_cdeg < -500 else Region.LEVEL,
        angle_cdeg=angle_cdeg,
        inverted_ms=185_000,
    )
    given = {name: value for name, value in changes.items() if hasattr(readings, name)}
    readings = Readings(**{**{one: getattr(readings, one) for one in readings.__struct_fields__}, **given})
    wish = wish or Wish(state=state, set_number=3, planned_cdeg=-3000, left_ms=179_000, plan=PLAN.name)
    return Snapshot(t_ms // 10, t_ms, readings, wish, decision, signals or Signals(alarm))


def visit(lamps: LampWatch | None = None, **changes: object) -> Visit:
    return Visit(HEADING, lamps or LampWatch())._replace(**changes)  # type: ignore[arg-type]


def seen(shot: Snapshot, about: Visit | None = None, columns: int = COLUMNS, lines: int = LINES, **how: bool) -> str:
    return "\n".join(row.plain for row in panel(shot, about or visit(), columns, lines, **how))


def words(text: str) -> str:
    """What is read, whatever the lines."""
    return " ".join(text.split())


def test_it_fits_a_terminal_of_80_by_24_with_a_line_to_spare() -> None:
    assert COLUMNS <= 80 - 4
    assert LINES <= 24 - 1


@pytest.mark.parametrize(
    ("state", "ascii_only"), [*((state, False) for state in State), (State.EMERGENCY_RETURN, True)]
)
def test_every_state_with_every_alarm_fits_and_nothing_of_what_is_wrong_or_to_be_done_is_cut(
    state: State, ascii_only: bool
) -> None:
    pen = str.maketrans({"−": "-", "°": " deg", "²": "2", "→": "->"}) if ascii_only else {}
    for cause in CAUSES:
        shot = snapshot(state, (cause,))
        text = seen(shot, ascii_only=ascii_only)
        rows = text.split("\n")
        assert len(rows) == LINES
        assert max(len(row) for row in rows) <= COLUMNS, max(rows, key=len)
        told = words(text)
        assert words(what_now(shot, HEADING.manual_return_text).translate(pen)) in told, cause
        where = cause.where or side_now(cause.code, shot.readings)
        assert words(f"{cause.code} {wrong(cause.code, where, cause.demand)} (".translate(pen)) in told, cause
        assert cause.alarm.name in told
        if ascii_only:
            text.encode("ascii")


@pytest.mark.parametrize("worked", list(Worked))
def test_every_step_of_the_panel_is_told_whole(worked: Worked) -> None:
    for state, guide in product(State, Guide):
        shot = snapshot(state, wish=Wish(state=state, guide=guide, left_ms=61_000, set_number=1, plan=PLAN.name))
        text = seen(shot, visit(worked=worked))
        assert len(text.split("\n")) == LINES
        assert max(len(row) for row in text.split("\n")) <= COLUMNS
        assert words(WORDS.guide[guide.value].do if guide else WORDS.state[state]) in words(text)
        assert state.replace("_", " ").upper() in text
        assert "alarm none" in words(text)
        assert words(f"P-0001: {about(PLAN)}") in words(text)


def test_the_panel_is_the_same_for_the_same_moment() -> None:
    assert seen(snapshot()) == seen(snapshot())


def test_the_worst_cause_comes_first_and_no_code_is_left_out() -> None:
    lesser = [Cause(f"H{number:02}", Demand.STOP, Alarm.MEDIUM, 1, 0, "pressed") for number in (5, 14, 22, 24, 26)]
    worst = Cause("H12", Demand.CUT, Alarm.HIGH, 320, 100, "cdeg")
    text = seen(snapshot(State.STOPPED, (*lesser, worst)))
    assert text.index("H12") < text.index("H05")
    for cause in lesser:
        assert cause.code in text
    assert "HIGH" in text


# Time.


def test_the_time_left_is_told_and_large() -> None:
    text = seen(snapshot())
    assert "left 2:59" in text
    for row in block_letters("2:59"):
        assert row.rstrip() in text


@pytest.mark.parametrize("demand", [Demand.HOLD, Demand.CUT])
def test_of_a_patient_who_hangs_and_is_not_moved_the_time_inverted_is_the_large_one(demand: Demand) -> None:
    text = seen(snapshot(State.STOPPED, (Cause("H09", demand, Alarm.HIGH, 1, 0, "pressed"),)))
    for row in block_letters("3:05"):
        assert row.rstrip() in text
    assert "inverted 3:05" in text


def test_every_letter_of_every_state_is_drawn() -> None:
    assert {letter for state in State for letter in state.replace("_", " ").upper()} <= set(LETTERS)


# Lamps, without colour.


def watched(*lit: int, every_ms: int = 250, looks: int = 1) -> LampWatch:
    """Lamps seen through these, one after the other, `every_ms` apart, over so many looks."""
    watch = LampWatch()
    shots = [snapshot(t_ms=number * every_ms, signals=Signals(lamps=lamps)) for number, lamps in enumerate(lit)]
    each = max(1, len(shots) // looks)
    for start in range(0, len(shots), each):
        watch.see(shots[start : start + each])
    return watch


def test_a_lit_lamp_looks_other_than_a_dark_one() -> None:
    text = seen(snapshot(), visit(watched(LAMP_YELLOW | LAMP_STRAP_LEFT)))
    assert "● YELLOW" in text
    assert "○ RED" in text
    assert "● left strap" in text
    assert "○ right strap" in text
    assert "* YELLOW" in seen(snapshot(), visit(watched(LAMP_YELLOW)), ascii_only=True)


def test_at_real_time_a_flashing_lamp_is_shown_as_it_is_at_each_look() -> None:
    watch, shown = LampWatch(), []
    for t_ms in range(0, 2000, 50):
        lit = LAMP_RED if t_ms % 500 < 250 else 0
        watch.see([snapshot(t_ms=t_ms + tick, signals=Signals(lamps=lit)) for tick in range(0, 50, 10)])
        shown.append("● RED" in seen(snapshot(), visit(watch)))
    assert shown == [t_ms % 500 < 250 for t_ms in range(0, 2000, 50)]


@pytest.mark.parametrize(("lamp", "name", "half_ms"), [(LAMP_RED, "RED", 250), (LAMP_YELLOW, "YELLOW", 830)])
def test_shown_ten_times_faster_a_flashing_lamp_stands_still_and_is_said_to_flash(
    lamp: int, name: str, half_ms: int
) -> None:
    watch, shown = LampWatch(), []
    for look_ms in range(0, 20_000, 500):
        ticks = range(look_ms, look_ms + 500, 10)
        watch.see([snapshot(t_ms=t_ms, signals=Signals(lamps=lamp * (t_ms // half_ms % 2 == 0))) for t_ms in ticks])
        shown.append(f"◐ {name} flashing" in seen(snapshot(), visit(watch)))
    assert all(shown[6:]), "after two edges it is known to flash"


def test_a_lamp_that_is_lit_again_for_good_flashes_no_more() -> None:
    watch = watched(*[LAMP_RED, 0] * 6, *[LAMP_RED] * 20, looks=4)
    assert "● RED" in seen(snapshot(), visit(watch))


def test_the_patients_lamp_breathes_and_never_flashes() -> None:
    watch, told = LampWatch(), []
    for look_ms in range(0, 20_000, 500):
        ticks = range(look_ms, look_ms + 500, 10)
        watch.see([snapshot(t_ms=t, signals=Signals(lamps=LAMP_BREATHE * (t % 10_000 < 4000))) for t in ticks])
        told.append("breathe in" if "breathe in" in seen(snapshot(), visit(watch)) else "breathe out")
    assert told == (["breathe in"] * 8 + ["breathe out"] * 12) * 2
    assert "breathe in" not in seen(snapshot(State.IDLE), visit(watch)), "the lamp test asks nobody to breathe"


@pytest.mark.parametrize(("name", "bit"), list(BUTTONS.items()))
def test_a_held_button_stands_in_brackets(name: str, bit: int) -> None:
    shown = "PLAN" if name.startswith("PLAN") else name
    assert f"[{shown}]" in seen(snapshot(buttons=bit))
    assert f"[{shown}]" not in seen(snapshot(buttons=0))


# The room, the patient and the sound.


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"strap_left": Contacts.OPEN}, "straps left open, right closed"),
        (
            {"strap_left": Contacts.DISCREPANT, "strap_right": Contacts.DISCREPANT},
            "straps left discrepant, right discrepant",
        ),
        ({"strap_right": None}, "straps left closed, right unknown"),
        ({"estop": Contacts.OPEN}, "e-stop PRESSED"),
        ({"estop": None}, "e-stop unknown"),
        ({"patient_button": True}, "button PRESSED"),
        ({"mains": False}, "mains LOST"),
        ({"mains": None}, "mains ?"),
        ({"brake_set": False}, "brake released"),
        ({"buttons": PLAN_DOWN}, "[PLAN]"),
    ],
)
def test_what_is_so_in_the_room_is_told_in_words(changes: dict[str, object], told: str) -> None:
    text = seen(snapshot(**changes))  # type: ignore[arg-type]
    assert told in words(text)
    assert max(len(row) for row in text.split("\n")) <= COLUMNS


@pytest.mark.parametrize(
    ("signals", "paused_ms", "told"),
    [
        (Signals(), 0, "sound silent"),
        (Signals(buzzer_hz=440), 0, "sound on"),
        (Signals(tone=True), 0, "sound tone"),
        (Signals(Alarm.HIGH), 0, "sound alarm"),
        (Signals(Alarm.HIGH), 100_000, "sound alarm paused 1:40"),
        (Signals(Alarm.HIGH, tone=True), 120_000, "sound tone, alarm paused 2:00"),
    ],
)
def test_what_the_buzzer_does_is_told(signals: Signals, paused_ms: int, told: str) -> None:
    text = seen(snapshot(signals=signals), visit(paused_ms=paused_ms))
    assert words(text).split("sound ")[1] == told.removeprefix("sound ")
    assert max(len(row) for row in text.split("\n")) <= COLUMNS


def test_an_angle_that_nobody_knows_is_told_as_that() -> None:
    text = seen(snapshot(angle_cdeg=None))
    assert "ANGLE UNKNOWN" in text
    assert "angle ?" in text


def test_a_question_is_what_to_do_now_unless_something_is_wrong() -> None:
    asked = visit(question="7 of 31: Do you have glaucoma? Answer: no. CONFIRM gives it.")
    wish = Wish(guide=Guide.SCREENING, question=7)
    text = words(seen(snapshot(wish=wish), asked))
    assert "NOW 7 of 31: Do you have glaucoma? Answer: no. CONFIRM gives it. plan" in text, "and nothing beside it"
    wrong_now = (Cause("H20", Demand.CUT, Alarm.HIGH, 1, 0, "pressed"),)
    assert "glaucoma" not in seen(snapshot(causes=wrong_now, wish=wish), asked)


def test_keys_are_named_only_where_they_work() -> None:
    for worked in Worked:
        without = worked in (Worked.PEOPLE, Worked.ROOM, Worked.REMOTE)
        assert ("t TILT" in seen(snapshot(), visit(worked=worked))) is not without


# Larger terminals.


def test_a_tall_terminal_has_the_chart_below_and_a_wide_one_beside() -> None:
    curve = visit(curve=[(0, 2000), (60_000, 0), (120_000, -3000), (734_000, -2997)])
    small = seen(snapshot(), curve)
    tall = seen(snapshot(), curve, lines=40)
    wide = seen(snapshot(), curve, columns=120, lines=24)
    assert len(tall.split("\n")) == LINES + CHART_LINES
    assert tall.startswith(small)
    assert len(wide.split("\n")) == LINES
    assert max(len(row) for row in wide.split("\n")) <= 120
    assert "−30" in wide.split("sound")[0].split("alarm")[1]


@pytest.mark.parametrize("size", [(79, 22), (60, 12), (40, 10), (30, 6)])
def test_a_terminal_that_is_too_small_has_what_is_wrong_and_what_to_do_whole(size: tuple[int, int]) -> None:
    shot = snapshot(State.STOPPED, causes=(Cause("H20", Demand.CUT, Alarm.HIGH, 1, 0, "pressed"),))
    rows = [row.plain for row in small_panel(shot, HEADING, LampWatch(), "", size, False)]
    text = words("\n".join(rows))
    assert text.startswith("STOPPED, angle −30.0°")
    assert len(rows) <= size[1]
    assert max(map(len, rows)) <= size[0]
    if size[1] > 6:
        assert what_now(shot, HEADING.manual_return_text) in text
        assert "H20" in text


def test_no_fact_moves_while_a_session_goes_on() -> None:
    marks = (
        "angle ",
        "plan ",
        "cap ",
        "inverted ",
        "set 3",
        "left 2",
        " NOW ",
        "○ RED",
        "straps left",
        "e-stop r",
        "sound ",
    )
    places = set()
    for state, angle, t_ms in product(State, (-3000, -5, 0, 7512), (10, 734_000)):
        rows = seen(snapshot(state, angle_cdeg=angle, t_ms=t_ms)).split("\n")
        places.add(
            tuple(next((row.index(mark), number) for number, row in enumerate(rows) if mark in row) for mark in marks)
        )
    assert len(places) == 1, places
