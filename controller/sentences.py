"""What an operator reads and hears: for each cause what is wrong, what to do now, and what the table does about it.

Every sentence stands in `sentences.toml`, by the codes of the hazard table; here it is only chosen and put together.
What the table does and what to do follow from the demand; where a hazard needs other words, its own come first. At
level or above nobody has to be brought back: then it is told what mends the trouble, and how its alarm ends.
"""

import tomllib
from pathlib import Path
from typing import Final, Literal

import msgspec

from controller.recording import UNKNOWN_MOMENT, Moment, limit_of, measure, moment_of
from safety.signals import Cause, Contacts, Decision, Demand, Guide, Readings, Region, Snapshot

BOOK: Final = Path(__file__).with_name("sentences.toml")
UNKNOWN: Final = "unknown"
# Figures that say no more than yes.
PLAIN_FACTS: Final = ("pressed", "asked", "circuit open", "drive fault", "not recorded", "released")
BY_HAND: Final = "by hand"
STRAP_CODES: Final = ("H04", "H05", "H06")
ESTOP: Final = "H20"
STOP: Final = "STOP"
ESTOP_STANDS: Final = {None: "", Contacts.OPEN: "", Contacts.CLOSED: "pulled", Contacts.DISCREPANT: "half"}
BY_THE_GUARD: Final = "by the guard"

Sided = str | dict[str, str]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the book; a word that it does not know is a mistake."""


class ByDemand(_Strict, frozen=True):
    """What the table does about a demand, slowly or at level too, and what to do at once."""

    does: str
    do: str
    home: str
    slow: str = ""


class Refused(_Strict, frozen=True):
    """What is in the way of arming or of a set, where `wrong` says something else, and what to do."""

    do: str
    wrong: str = ""


class Told(_Strict, frozen=True):
    """All that is said of one code; the book's head tells what each word is for."""

    wrong: Sided
    after: str
    short: str = ""
    does: dict[str, str] = {}
    do: dict[str, str] = {}
    refuse: Refused | None = None
    prompt: Sided = ""
    clear: dict[str, str] = {}


class Step(_Strict, frozen=True):
    """What the panel waits for: a title, and what to do."""

    title: str
    do: str


class Home(_Strict, frozen=True):
    """At level: how an alarm ends."""

    clear: str


class Refusing(_Strict, frozen=True):
    """What the table does where it refuses."""

    does: str


class Critical(_Strict, frozen=True):
    """Of a patient who hangs head-down and is not moved: for how long, and the way back without power."""

    does: str
    hold: str


class Other(_Strict, frozen=True):
    """What is done and to be done where neither a demand's own words nor a code's fit."""

    do: str
    does: str = ""


class Book(_Strict, frozen=True):
    """Every sentence."""

    format: Literal["inversion-table/sentences@1"]
    home: Home
    above: dict[str, str]
    arrived: Other
    paused: Other
    refuse: Refusing
    critical: Critical
    demand: dict[str, ByDemand]
    code: dict[str, Told]
    guide: dict[str, Step]
    state: dict[str, str]


def read_book(text: str) -> Book:
    """Return the book that a text holds.

    Raises:
        msgspec.ValidationError: a word that the book does not know, or one that is missing.
        tomllib.TOMLDecodeError: the text is no TOML.
    """
    return msgspec.convert(tomllib.loads(text), Book)


WORDS: Final = read_book(BOOK.read_text(encoding="utf-8"))
CODES: Final = WORDS.code


def told_of(code: str) -> Told:
    """Return what is said of a code; one that nobody knows says itself."""
    return CODES.get(code) or Told(wrong=code, after="")


def sided(words: Sided, where: str, demand: str = "") -> str:
    """Return the words for a side or a sensor, else for a demand; the general ones where there are none for either."""
    return words if isinstance(words, str) else words.get(where) or words.get(demand) or words[UNKNOWN]


def side_now(code: str, readings: Readings | None) -> str:
    """Return which strap a code means by what the straps say now, or how the emergency stop stands.

    Empty where the code means neither, or nothing is known.
    """
    if readings is not None and code == ESTOP:
        return ESTOP_STANDS[readings.estop]
    if readings is None or code not in STRAP_CODES:
        return ""
    looked_for = Contacts.DISCREPANT if code == "H06" else Contacts.OPEN
    left, right = readings.strap_left is looked_for, readings.strap_right is looked_for
    return ("both" if right else "left") if left else ("right" if right else "")


def wrong(code: str, where: str = "", demand: Demand | None = None) -> str:
    """Return what is wrong, without a full stop; an unknown code says itself."""
    return sided(told_of(code).wrong, where, "" if demand is None else demand.name)


def short(code: str, where: str = "") -> str:
    """Return what is wrong in at most 40 characters."""
    told = told_of(code)
    return told.short or sided(told.wrong, where)


def figures(cause: Cause) -> str:
    """Return what was measured against which limit, with units; of what the guard found only that it did.

    The guard sends a bare number, whose unit follows from which of its checks found it: the record keeps that number.
    """
    if cause.unit in PLAIN_FACTS or cause.unit == BY_THE_GUARD:
        return cause.unit
    return f"{measure(cause.value, cause.unit)}, limit {limit_of(cause)}"


def what_the_table_does(cause: Cause, moment: Moment = UNKNOWN_MOMENT) -> str:
    """Return what the table does about a cause, as a sentence; where a worse demand is in force, about that one."""
    demand = cause.demand
    if moment.in_force > demand:
        worse = moment.in_force.name
        words = WORDS.demand[worse]
        return words.home if moment.home else told_of(moment.worst).does.get(worse, words.does)
    words = WORDS.demand[demand.name]
    if moment.home:
        return words.home
    if has_arrived(cause, moment):
        return WORDS.arrived.does
    return told_of(cause.code).does.get(demand.name, words.slow if cause.slow and words.slow else words.does)


def has_arrived(cause: Cause, moment: Moment) -> bool:
    """Whether a return is over although the angle does not say level: two of three said so, one of them is wrong."""
    return cause.demand is Demand.RETURN and Demand.ALLOW < moment.in_force < Demand.RETURN


def what_to_do_at_once(cause: Cause, moment: Moment = UNKNOWN_MOMENT) -> str:
    """Return what people have to do at once about a cause, or what is worse, while the patient is not home."""
    if moment.in_force > cause.demand:
        worse = moment.in_force.name
        return told_of(moment.worst).do.get(worse) or WORDS.demand[worse].do
    if has_arrived(cause, moment):
        return WORDS.arrived.do
    return told_of(cause.code).do.get(cause.demand.name) or WORDS.demand[cause.demand.name].do


def by_hand(do: str, manual_return_text: str) -> str:
    """Return the table's own way back without power where that is what has to be done."""
    return manual_return_text if BY_HAND in do else ""


def how_it_ends(cause: Cause) -> str:
    """Return how an alarm ends, once what caused it is gone and the patient is at level."""
    return told_of(cause.code).clear.get(cause.demand.name, WORDS.home.clear)


def what_to_do(cause: Cause, manual_return_text: str = "", moment: Moment = UNKNOWN_MOMENT) -> str:
    """Return what people have to do about a cause: at once, or at home, what mends it and ends its alarm."""
    if moment.home:
        return _joined(told_of(cause.code).after, how_it_ends(cause))
    do = what_to_do_at_once(cause, moment)
    return _joined(do, by_hand(do, manual_return_text))


def spoken(
    cause: Cause,
    readings: Readings | None = None,
    manual_return_text: str = "",
    moment: Moment = UNKNOWN_MOMENT,
) -> str:
    """Return the whole of a cause as it is read aloud: what is wrong, what to do now, what the table does.

    Where a worse demand is in force, that is what the table does, and what to do follows from it.
    """
    what = wrong(cause.code, cause.where or side_now(cause.code, readings), cause.demand)
    does = what_the_table_does(cause, moment)
    if moment.home:
        return f"{what}. {does} {what_to_do(cause, moment=moment)}"
    do = what_to_do_at_once(cause, moment)
    return _joined(f"{what}.", do, does, by_hand(do, manual_return_text))


def message(
    cause: Cause,
    manual_return_text: str = "",
    moment: Moment = UNKNOWN_MOMENT,
    readings: Readings | None = None,
) -> str:
    """Return the message of a cause for the record and for lists: as it is read aloud, and its figures."""
    return f"{spoken(cause, readings, manual_return_text, moment)} {found(cause)}"


def found(cause: Cause) -> str:
    """Return who found a cause, or with which figures, as a sentence."""
    return f"Found {BY_THE_GUARD}." if cause.unit == BY_THE_GUARD else f"Found: {figures(cause)}."


def refusal_spoken(code: str) -> str:
    """Return why the table does not arm, or starts no set, as it is read aloud."""
    told = told_of(code)
    refused = told.refuse or Refused(do=told.after)
    return _joined(f"{refused.wrong or wrong(code)}.", refused.do, WORDS.refuse.does)


def refusal(cause: Cause) -> str:
    """Return why the table does not arm, or starts no set, what mends it, and the figures."""
    return f"{refusal_spoken(cause.code)} {found(cause)}"


def prompt(code: str, readings: Readings | None = None) -> str:
    """Return what a prompt asks for; it demands nothing yet."""
    told = told_of(code)
    return sided(told.prompt, side_now(code, readings)) or told.after or code


def guide(step: Guide) -> Step | None:
    """Return what to do where the panel waits for something; None where it waits for nothing."""
    return WORDS.guide.get(step.value)


def what_now(snapshot: Snapshot, manual_return_text: str = "") -> str:
    """Return the one thing that people have to do now: about the worst cause, a prompt, or the panel's next step."""
    decision, readings = snapshot.decision, snapshot.readings
    trouble = [cause for cause in decision.causes if cause.demand >= Demand.STOP]
    if trouble:
        return _in_trouble(max(trouble, key=_demand), decision, manual_return_text)
    in_force = [cause.code for cause in decision.causes]
    for code in decision.prompts:
        # What is asked for before anything is demanded: once it is, there are other words.
        if code not in in_force:
            return prompt(code, readings)
    moment = moment_of(decision)
    for cause in decision.causes:
        if told_of(cause.code).do.get(cause.demand.name):
            return what_to_do(cause, manual_return_text, moment)
    if decision.refusals:
        return refusal(decision.refusals[0])
    step = guide(snapshot.wish.guide)
    return WORDS.state[snapshot.wish.state] if step is None else step.do


def _in_trouble(worst: Cause, decision: Decision, manual_return_text: str) -> str:
    """Return what to do about the worst cause; head-down under HOLD or CUT also for how long, and the way by hand."""
    moment, demand = moment_of(decision), worst.demand
    if moment.home:
        above = WORDS.above.get(demand.name, "") if decision.region is Region.ABOVE else ""
        if above and demand.name not in told_of(worst.code).do:
            return _joined(above, by_hand(above, manual_return_text), how_it_ends(worst))
        return what_to_do(worst, manual_return_text, moment)
    if worst.code == STOP and decision.returning and not decision.command.velocity_cdeg_s:
        return WORDS.paused.do
    told = what_to_do(worst, manual_return_text, moment)
    if demand < Demand.HOLD or not decision.inverted_ms:
        return told
    seconds = WORDS.critical.does.format(seconds=decision.inverted_ms // 1000)
    if manual_return_text and manual_return_text in told:
        return _joined(seconds, told)
    return _joined(seconds, told, WORDS.critical.hold, manual_return_text)


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _demand(cause: Cause) -> Demand:
    return cause.demand
