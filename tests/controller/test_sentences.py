"""Every sentence of the catalogue: none missing, none left over, and each fit to be read aloud in a hurry."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from controller import sentences
from controller.recording import Moment, moment_of
from controller.sentences import (
    BOOK,
    CODES,
    UNKNOWN,
    WORDS,
    figures,
    guide,
    message,
    prompt,
    read_book,
    refusal,
    short,
    side_now,
    spoken,
    what_now,
    what_to_do,
    wrong,
)
from safety import people
from safety.signals import (
    BUTTONS,
    Alarm,
    Cause,
    Command,
    Contacts,
    Decision,
    Demand,
    Guide,
    Readings,
    Region,
    Snapshot,
    State,
    Wish,
)

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import alarms_page  # noqa: E402

CRANK = "Fit the crank and turn it until the board is level."
FORMS = alarms_page.forms()
CODES_OF_THE_TABLE = [row["id"] for row in alarms_page.register()]
# Words that somebody in a hurry does not know, or that are ours alone.
JARGON = re.compile(
    r"\b(cdeg|mA|ms|latch\w*|CUT|HOLD|ALLOW|NO_DEEPENING|demand|trip\w*|lease|guard|echo|H\d\d|contacts?|interlock|"
    r"discrepan\w*|telemetry|host|firmware|proven|commission\w*|setpoint|e-stop|arm\w*)\b"
)
UNITS = re.compile(r"\d+ (second|seconds|degree|degrees|minutes)\b")
LONGEST_SENTENCE = 75
LONGEST_SPOKEN = 150


def snapshot(causes: tuple[Cause, ...] = (), wish: Wish | None = None, **decided: Any) -> Snapshot:
    decision = Decision(Command(), causes=causes, **decided)
    return Snapshot(1, 10, decided.pop("readings", Readings(10)), wish or Wish(), decision)


def all_texts() -> list[tuple[str, str]]:
    """Every string of the book with its path."""

    def walk(path: str, value: Any) -> list[tuple[str, str]]:
        if not isinstance(value, dict):
            return [(path, value)] if value else []
        return [one for key, inner in value.items() for one in walk(f"{path}.{key}", inner)]

    return [one for one in walk("", msgspec.to_builtins(WORDS)) if one[1] and not one[0].endswith(".format")]


# None missing, none left over.


def test_the_book_has_every_code_of_the_hazard_table_and_no_other() -> None:
    assert sorted(CODES) == sorted([*CODES_OF_THE_TABLE, "STOP"])


def test_an_orphan_either_way_is_seen() -> None:
    text = BOOK.read_text(encoding="utf-8")
    without = read_book(text.replace("[code.H09]", "[code.H99]"))
    assert sorted(without.code) != sorted(CODES)
    assert "H99" in without.code and "H09" not in without.code


def test_a_word_that_the_book_does_not_know_is_a_mistake() -> None:
    text = BOOK.read_text(encoding="utf-8")
    with pytest.raises(msgspec.ValidationError):
        read_book(text.replace("after = ", "aftre = ", 1))
    with pytest.raises(msgspec.ValidationError):
        read_book(text.replace("sentences@1", "sentences@2"))


@pytest.mark.parametrize("code", CODES)
def test_demands_in_the_book_are_demands(code: str) -> None:
    told = CODES[code]
    assert {*told.do, *told.does, *told.clear} <= set(Demand.__members__)
    assert {*told.clear} <= set(alarms_page.demands_of(alarms_page.row_of(code))), "nothing ends what never begins"


def demands_in(node: ast.AST) -> set[str]:
    """The demands that stand in an expression by name."""
    return {
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Demand"
    }


def demands_behind(asked: ast.expr, function: ast.AST, functions: dict[str, ast.AST]) -> set[str]:
    """The demands that an expression may come to: those in it, those that its name is set to, those of its function."""
    found = demands_in(asked)
    if isinstance(asked, ast.Name):
        for one in ast.walk(function):
            if isinstance(one, ast.Assign) and any(
                isinstance(to, ast.Name) and to.id == asked.id for to in one.targets
            ):
                found |= demands_behind(one.value, function, functions)
    elif isinstance(asked, ast.Call) and isinstance(asked.func, ast.Name):
        found |= demands_in(functions[asked.func.id])
    return found


def raised_by_the_judge() -> set[tuple[Any, str]]:
    """Every code with every demand or refusal that the judge's own source can make of it."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "safety").glob("*.py")]
    functions = {one.name: one for tree in trees for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
    found = set()
    for function in functions.values():
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                code = str(node.args[0].value)
                if name == "refusal":
                    found.add((code, "refuse"))
                elif name == "Cause":
                    demands = demands_behind(node.args[1], function, dict(functions))
                    assert demands, f"nobody can read what {code} demands in {function.name}"
                    found |= {(code, demand) for demand in demands}
    return found


def test_whatever_the_judge_raises_is_in_the_catalogue() -> None:
    raised = raised_by_the_judge()
    assert len(raised) > 55
    assert {("H33", "ALLOW"), ("H33", "NO_DEEPENING"), ("H12", "HOLD"), ("H24", "RETURN")} <= raised
    assert raised - {(form.code, form.demand) for form in FORMS} == set()


def test_the_page_tells_the_priority_that_the_judge_gives() -> None:
    given = {}
    for path in (ROOT / "safety").glob("*.py"):
        for code, demand, alarm in re.findall(r'Cause\("(\w+)", Demand\.(\w+), Alarm\.(\w+)', path.read_text("utf-8")):
            given[code, demand] = alarm
    told = {(form.code, form.demand): form.alarm.name for form in FORMS}
    assert len(given) > 20
    assert {key: told[key] for key in given} == given


def test_what_returns_slowly_is_told_so() -> None:
    slow = set()
    for path in (ROOT / "safety").glob("*.py"):
        slow |= set(re.findall(r'Cause\("(\w+)",[^\n]*slow=True', path.read_text("utf-8")))
    assert slow == set(alarms_page.SLOW_CODES)


def test_the_page_is_current() -> None:
    command = [sys.executable, "scripts/alarms_page.py", "--check"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "docs/alarms.md is current\n")


def test_every_form_stands_in_the_page() -> None:
    page = alarms_page.PAGE.read_text(encoding="utf-8")
    for form in FORMS:
        assert f"| {form.code} | {form.demand} | {form.where} |" in page
        assert form.read_aloud in page


@pytest.mark.parametrize("step", [step for step in Guide if step is not Guide.NOTHING])
def test_every_step_of_the_panel_has_a_title_and_what_to_do(step: Guide) -> None:
    told = guide(step)
    assert told is not None
    assert 3 <= len(told.title) <= 30 and not told.title.endswith(".")
    assert told.do.endswith(".")


def test_no_step_is_told_that_does_not_exist() -> None:
    assert set(WORDS.guide) == {step.value for step in Guide if step is not Guide.NOTHING}
    assert set(WORDS.state) == {state.value for state in State}
    assert set(WORDS.demand) == set(Demand.__members__)


# Fit to be read aloud.


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.code}-{form.demand}-{form.where}")
def test_a_form_says_what_is_wrong_what_to_do_and_what_the_table_does(form: Any) -> None:
    told = form.read_aloud.removesuffix(CRANK).removesuffix(alarms_page.CRANK).strip()
    parts = re.findall(r"[^.]+\.", told)
    assert len(parts) >= 3, told
    assert len(told) <= LONGEST_SPOKEN, told
    # What is wrong comes first, and what the table does is told by a sentence about it.
    if form.demand == "refuse":
        refused = CODES[form.code].refuse
        assert refused is not None
        expected = refused.wrong or wrong(form.code)
    else:
        expected = wrong(form.code, form.where.replace(UNKNOWN, ""), form.cause.demand)
    assert parts[0] == f"{expected}."
    assert any(re.match(r" ?(The (table|drive) |Power is off|It lowers)", part) for part in parts[1:]), told
    # And at least one more sentence tells people to do something: it begins with a verb.
    assert any(part.split()[0] in VERBS for part in parts[1:]), told


VERBS = (
    "Stay Hold Press Close Check Let Bring Take Go Open Wait Have Choose Clear End Answer Log Make Set Ask Call When"
).split()


@pytest.mark.parametrize("form", [form for form in FORMS if form.demand != "refuse"], ids=str)
def test_at_level_a_form_says_what_mends_it_and_how_it_ends(form: Any) -> None:
    told = form.at_level
    assert CODES[form.code].after in told
    assert "by hand" not in told and "Hold RETURN" not in told
    assert re.search(r"ACK|ends|end this alarm", told), told


@pytest.mark.parametrize(("path", "text"), all_texts())
def test_every_text_is_plain_and_short_and_has_units(path: str, text: str) -> None:
    assert not JARGON.search(text), text
    assert not re.search(r"[()\[\]/;:_<>°%]", text), "nothing that a voice would stumble over"
    assert len(re.findall(r"\d+", text)) == len(UNITS.findall(text)), "every number has its unit, spelt out"
    assert text[0].isupper() or path.startswith(".critical"), text
    assert text == text.strip() and "  " not in text
    for sentence in re.split(r"(?<=\.) ", text):
        assert len(sentence) <= LONGEST_SENTENCE, sentence
    # Words in capitals are buttons; a lamp's or a demand's name would not be found on the panel.
    capitals = set(re.findall(r"\b[A-Z]{2,}\b", text))
    assert capitals <= set(BUTTONS), text


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("where", ["", "left", "right", "both", "A", "B", "nowhere"])
def test_the_short_form_fits_a_line_of_the_panel(code: str, where: str) -> None:
    assert 10 <= len(short(code, where)) <= 40
    assert not short(code, where).endswith(".")
    assert not wrong(code, where).endswith(".")


@pytest.mark.parametrize("jargon", ["The latch holds.", "Angle below H09.", "Wait 500 ms.", "The CUT is set."])
def test_jargon_would_be_found(jargon: str) -> None:
    assert JARGON.search(jargon)


# Put together.


def cause(code: str, demand: Demand, alarm: Alarm = Alarm.HIGH, where: str = "", slow: bool = False) -> Cause:
    return Cause(code, demand, alarm, 1, 0, "straps open", where=where, slow=slow)


def test_the_issues_own_example_is_told_like_it() -> None:
    told = spoken(cause("H04", Demand.RETURN, where="left", slow=True))
    assert told == "Left ankle strap open. Hold the patient. The table is returning slowly."


@pytest.mark.parametrize(
    ("left", "right", "side"),
    [
        (Contacts.OPEN, Contacts.CLOSED, "Left"),
        (Contacts.CLOSED, Contacts.OPEN, "Right"),
        (Contacts.OPEN, Contacts.OPEN, "Both"),
        (Contacts.CLOSED, Contacts.CLOSED, "An"),
    ],
)
def test_a_cause_without_a_side_takes_it_from_the_straps(left: Contacts, right: Contacts, side: str) -> None:
    readings = Readings(10, strap_left=left, strap_right=right)
    assert spoken(cause("H04", Demand.RETURN), readings).startswith(side)


def test_a_side_that_is_named_counts_more_than_the_straps_now() -> None:
    readings = Readings(10, strap_left=Contacts.OPEN, strap_right=Contacts.CLOSED)
    assert spoken(cause("H04", Demand.RETURN, where="right"), readings).startswith("Right")
    assert side_now("H22", readings) == ""
    assert side_now("H06", Readings(10, strap_right=Contacts.DISCREPANT)) == "right"


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("demand", Demand)
def test_every_code_is_told_under_every_demand(code: str, demand: Demand) -> None:
    """The guard may demand more for a code than the host does."""
    told = message(cause(code, demand), CRANK)
    assert told.startswith(f"{wrong(code, '', demand)}. ")
    assert told.endswith("Found: 1 strap open, limit 0.")
    assert len(re.findall(r"\.", told)) >= 3


@pytest.mark.parametrize("code", [code for code in CODES if code != "H20"])
def test_after_a_cut_the_message_names_the_manual_return(code: str) -> None:
    assert CRANK in message(cause(code, Demand.CUT), CRANK)


def test_after_the_emergency_stop_there_is_an_electric_return() -> None:
    assert CRANK not in message(cause("H20", Demand.CUT), CRANK)
    assert "Hold RETURN" in message(cause("H20", Demand.HOLD), CRANK)


@pytest.mark.parametrize("code", ["H18", "H21"])
def test_where_nothing_may_move_the_way_by_hand_is_told_too(code: str) -> None:
    demand = Demand.STOP if code == "H18" else Demand.HOLD
    assert spoken(cause(code, demand), None, CRANK).endswith(CRANK)


def test_under_a_worse_demand_in_force_that_is_what_the_table_does() -> None:
    left = cause("H05", Demand.STOP, where="left")
    told = message(left, CRANK, Moment(Demand.CUT, "H13"))
    assert told.startswith("Left ankle strap open. Bring the patient back by hand. Power is off")
    assert CRANK in told
    # What the worse cause itself asks for counts more than what its demand does.
    told = message(left, CRANK, Moment(Demand.CUT, "H20"))
    assert "pull it out" in told and CRANK not in told
    told = message(cause("H14", Demand.STOP), CRANK, Moment(Demand.HOLD, "H15"))
    assert "then hold RETURN. The table stands still and may give way a little." in told


RETURNS = Moment(Demand.RETURN, "H22")
HOME = Moment(Demand.STOP, "H22", home=True)


def test_at_level_nothing_is_said_to_be_returning() -> None:
    assert "returning" in message(cause("H22", Demand.RETURN), CRANK, RETURNS)
    told = message(cause("H22", Demand.RETURN), CRANK, HOME)
    assert "returning" not in told
    assert told.startswith("The patient asks to come back. The table stands still at level. Ask the patient why")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("demand", [demand for demand in Demand if demand >= Demand.STOP])
def test_home_no_sentence_tells_of_a_way_back_or_of_a_motion(code: str, demand: Demand) -> None:
    told = spoken(cause(code, demand), None, CRANK, Moment(demand, code, home=True))
    assert not re.search(r"returning|Hold RETURN|back off|give way|within \d+ seconds|by hand", told), told


@pytest.mark.parametrize(
    ("decision", "home"),
    [
        (Decision(Command(), region=Region.LEVEL), True),
        (Decision(Command(), region=Region.ABOVE), True),
        (Decision(Command(), region=Region.LEVEL, returning=True), False),
        (Decision(Command(), region=Region.BELOW), False),
        (Decision(Command(), region=Region.UNKNOWN), False),
    ],
)
def test_a_patient_is_home_at_level_or_above_once_no_return_is_under_way(decision: Decision, home: bool) -> None:
    assert moment_of(decision).home is home


def test_a_return_that_is_over_while_the_angle_says_otherwise_is_to_be_looked_at() -> None:
    lost = cause("H08", Demand.RETURN, where="A", slow=True)
    told = message(lost, CRANK, Moment(Demand.STOP, home=False))
    assert "returning" not in told
    assert "Look whether the table is level." in told and CRANK in told
    now = what_now(snapshot((lost,), region=Region.INVERTED, demand=Demand.STOP), CRANK)
    assert now.startswith("Look whether the table is level.")


@pytest.mark.parametrize(
    ("demand", "told"),
    [(Demand.RETURN, "An angle sensor is stuck"), (Demand.CUT, "Both angle sensors are stuck")],
)
def test_what_the_guard_found_names_no_side_and_contradicts_itself_nowhere(demand: Demand, told: str) -> None:
    adopted = Cause("H10", demand, Alarm.HIGH, 33, 0, "by the guard", by="guard", slow=True)
    assert message(adopted).startswith(f"{told}. ")
    assert message(adopted).endswith(" Found by the guard.")
    assert figures(adopted) == "by the guard"


@pytest.mark.parametrize(
    ("estop", "told"),
    [
        (Contacts.OPEN, "The emergency stop is pressed."),
        (None, "The emergency stop is pressed."),
        (Contacts.DISCREPANT, "The emergency stop or its wire is broken."),
        (Contacts.CLOSED, "The emergency stop was pressed."),
    ],
)
def test_the_emergency_stop_is_told_as_it_stands(estop: Contacts | None, told: str) -> None:
    assert spoken(cause("H20", Demand.CUT), Readings(10, estop=estop)).startswith(told)


def test_a_plain_fact_has_no_figures() -> None:
    assert figures(Cause("H22", Demand.RETURN, Alarm.MEDIUM, 1, 0, "circuit open")) == "circuit open"


def test_an_unknown_code_is_told_as_it_is() -> None:
    assert wrong("H99") == "H99"
    assert prompt("H99") == "H99"
    refused = refusal(Cause("H99", Demand.NO_DEEPENING, Alarm.LOW, 0, 1, "s"))
    assert refused == "H99. The table stays locked. Found: 0 s, limit 1 s."


# What to do now.


def test_the_worst_cause_comes_first_then_a_prompt_then_what_needs_a_hand_then_the_panels_step() -> None:
    low, cut = cause("H05", Demand.STOP), cause("H13", Demand.CUT)
    assert CRANK in what_now(snapshot((low, cut), prompts=("H24",), region=Region.BELOW), CRANK)
    assert what_now(snapshot(prompts=("H24",))) == prompt("H24")
    doubtful = cause("H06", Demand.NO_DEEPENING)
    assert what_now(snapshot((doubtful,), Wish(guide=Guide.TILT))) == CODES["H06"].do["NO_DEEPENING"]
    assert what_now(snapshot(wish=Wish(guide=Guide.TILT))) == WORDS.guide["tilt"].do


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_next_step_where_the_panel_waits_for_nothing(state: State) -> None:
    assert what_now(snapshot(wish=Wish(state=state))).endswith(".")


@pytest.mark.parametrize("demand", [Demand.HOLD, Demand.CUT])
@pytest.mark.parametrize("code", ["H08", "H13", "H15", "H20", "H21"])
def test_head_down_and_unmoved_it_says_for_how_long_what_next_and_the_way_by_hand(code: str, demand: Demand) -> None:
    told = what_now(snapshot((cause(code, demand),), region=Region.INVERTED, inverted_ms=34_567), CRANK)
    assert told.startswith("Head-down for 34 seconds. ")
    assert what_to_do(cause(code, demand)) in told
    assert told.count(CRANK) == 1
    assert told.endswith(CRANK)


def test_during_a_return_nobody_is_told_to_press_what_began_it() -> None:
    blocked = cause("H14", Demand.STOP)
    here: dict[str, Any] = {"region": Region.INVERTED, "returning": True, "demand": Demand.RETURN}
    assert what_now(snapshot((blocked,), **here)) == WORDS.demand["RETURN"].do


def test_a_paused_return_tells_how_it_goes_on() -> None:
    here: dict[str, Any] = {"region": Region.INVERTED, "returning": True, "demand": Demand.RETURN}
    told = what_now(snapshot((Cause("STOP", Demand.STOP, Alarm.LOW, 1, 0, "pressed", "panel"),), **here))
    assert told == WORDS.paused.do


@pytest.mark.parametrize("demand", [Demand.HOLD, Demand.CUT])
def test_above_level_and_not_moved_it_says_how_the_patient_gets_down(demand: Demand) -> None:
    told = what_now(snapshot((cause("H13", demand),), region=Region.ABOVE, demand=demand), CRANK)
    assert told.startswith(WORDS.above[demand.name])
    assert (CRANK in told) is (demand is Demand.CUT)
    assert told.endswith(WORDS.home.clear)


def test_once_a_prompt_is_a_cause_the_causes_words_count() -> None:
    nobody = cause("H24", Demand.NO_DEEPENING)
    told = what_now(snapshot((nobody,), prompts=("H24",), region=Region.INVERTED, demand=Demand.NO_DEEPENING))
    assert told == "Press PRESENCE now."


def test_a_doubtful_strap_at_level_is_told_with_what_mends_it() -> None:
    doubtful = cause("H06", Demand.NO_DEEPENING)
    told = what_now(snapshot((doubtful,), prompts=("H06",), region=Region.LEVEL, demand=Demand.NO_DEEPENING))
    assert told == "Open the strap fully and close it again. That ends the alarm."


def test_at_level_nobody_is_told_how_long_it_was() -> None:
    told = what_now(snapshot((cause("H13", Demand.CUT),), region=Region.LEVEL, inverted_ms=34_567), CRANK)
    assert "Head-down" not in told and CRANK not in told


def test_the_prompt_for_a_buckle_names_the_side() -> None:
    readings = Readings(10, strap_left=Contacts.DISCREPANT, strap_right=Contacts.CLOSED)
    assert "left" in prompt("H06", readings)
    assert "right" not in prompt("H06", readings)


def test_all_sentences_stand_in_one_file() -> None:
    """Prose in the code would be a second place; what is left there are joints and fallbacks."""
    tree = ast.parse(Path(sentences.__file__).read_text(encoding="utf-8"))
    docstrings = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, DOCUMENTED)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in texts if text not in docstrings and len(text.split()) > 3] == []


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def test_what_is_not_recorded_lets_the_set_go_on_and_says_how_its_alarm_ends() -> None:
    below = Cause("H33", Demand.ALLOW, Alarm.LOW, 0, 1, "not recorded")
    told = message(below)
    assert told.startswith("The session cannot be recorded. Stay with the patient. The table goes on with this set ")
    assert told.endswith("Found: not recorded.")
    at_level = spoken(msgspec.structs.replace(below, demand=Demand.NO_DEEPENING), moment=Moment(home=True))
    assert at_level.endswith("call service. The alarm ends when records can be written again.")
    assert "ACK" not in at_level


def test_an_emergency_stop_that_was_let_go_of_and_acknowledged_counts_no_contacts() -> None:
    found: list[Cause] = []
    people.estop(people.People(estop=people.HELD_AFTER), Readings(10), found)
    (held,) = found
    assert message(held).startswith("The emergency stop was pressed. Hold RETURN until the table is level. ")
    assert figures(held) == "released"
