"""Write docs/alarms.md: every alarm as it is shown, sounded, said and ended.

Out of `safety/hazards.toml` (codes, priorities, demands), `controller/sentences.toml` (the words) and
`controller/alarm_patterns.py` (lamps and sounds). `python scripts/alarms_page.py` writes the page, `--check` says
whether the committed one is current.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from controller import alarm_patterns as patterns
from controller.alarm_patterns import Pattern
from controller.recording import Moment
from controller.sentences import (
    CODES,
    ESTOP,
    ESTOP_STANDS,
    UNKNOWN,
    WORDS,
    guide,
    how_it_ends,
    prompt,
    refusal_spoken,
    spoken,
    what_the_table_does,
)
from safety.signals import Alarm, Cause, Contacts, Demand, Guide, Readings

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "alarms.md"
REGISTER = ROOT / "safety" / "hazards.toml"
REFUSE = "refuse"
DEMANDS = [demand.name for demand in Demand]
NAMED = re.compile(rf"\b({'|'.join(DEMANDS)})\b")
# A person's STOP is no hazard of the table, and is told like one.
STOP_ROW = {"id": "STOP", "hazard": "a person's STOP", "demand": "STOP", "alarm": "LOW"}
SLOW_CODES = ("H02", "H04", "H08", "H10", "H21")
# A frame that comes late is no lost link yet.
MILDER = (("H18", "NO_DEEPENING"),)
LAMPS = {Alarm.HIGH: "red", Alarm.MEDIUM: "yellow", Alarm.LOW: "cyan"}
NOW = Moment()
HOME = Moment(home=True)
STANDS = {words: contacts for contacts, words in ESTOP_STANDS.items() if words}
# Which sides or sensors a demand of these may have; the guard names none.
SIDES = {
    ("H10", "RETURN"): ("A", "B", UNKNOWN),
    ("H10", "HOLD"): (UNKNOWN,),
    ("H10", "CUT"): ("both", UNKNOWN),
    ("H20", "CUT"): ("half", "pulled", UNKNOWN),
    ("H20", "HOLD"): (UNKNOWN,),
}
CRANK = "*The table's own words for the way without power.*"

HEAD = """# Alarms: what is shown, sounded and said

Generated from `safety/hazards.toml`, `controller/sentences.toml` and `controller/alarm_patterns.py` by
`scripts/alarms_page.py`; change those, not this page. Signals follow IEC 60601-1-8; nothing here claims conformity.

## Signals
"""

RULES = """
- The highest priority in force flashes and sounds; the lamps of lower ones are lit steadily, and they are silent.
- ACK held for half a second, or the host's word, pauses the sound for 2 minutes and never a lamp; the ACK lamp is lit
  steadily meanwhile, and flashes while an alarm sounds. A new alarm, the same one again, one that asks for more or has
  come to the other strap or sensor too, or a higher priority ends the pause at once. A strap that opened below −5° is
  no new alarm when the table has come up past −5°. An alarm that comes while ACK is held is not answered by that press.
- A patient deeper than −5° who is held still, or whose drive power is off, is a HIGH alarm whatever the cause. After
  30 s it sounds denser and higher and takes no pause; a pause that began earlier ends there.
- An acknowledged alarm stays an alarm: its lamp goes out when it has ended, as the last column tells.
- A refusal lights cyan for 10 s, and sounds once.
- Where the table has a judge of its own (the guard), it shows and sounds its own alarm in the same way when the host
  does not, and no host can mute it.
- The tone of a motion sounds before it, and of a return while it lasts, between bursts and in a pause too. A table that
  is moved in trouble, by a held button or by itself away from what blocks it, sounds it while it moves.
"""

SOURCES = """
The limits are those of the 2006 edition with both amendments (6.3.2.2, Tables 3 and 4). The text of the standard is
not free; what can be read without it agrees: Texas Instruments, *DAC53701* (SLASEY5, the medical alarm's tables: HIGH
pulses of 80 to 150 ms, 2.55 to 3.8 s between bursts; MEDIUM 130 to 200 ms, 2.6 to 4 s; LOW 130 to 200 ms, 16 s); NXP,
*AN10875* (five tones, said twice, for HIGH; three for MEDIUM); the manual of Covidien's *N-560* (its alarm after this
standard: pulses of 120 ms, a burst every 6.94 s); PUI Audio's and GlobalSpec's pages on the standard (pitch and
harmonics). Whoever claims conformity measures sound levels, harmonics and rise times on the built table; a program
cannot.

## What is said

Read aloud: what is wrong, what to do now, what the table does. At level, where nobody has to be brought back any more,
what is wrong is followed by the last two columns. Where a worse cause is in force too, what to do and what the table
does follow from that one. Of the emergency stop, `half` is one of its two contacts, `pulled` that it was let go of and
not yet acknowledged. What the guard alone found names no side.
"""


class Form(NamedTuple):
    """One way in which a code is told: what it demands, or that it refuses, and at which side or sensor."""

    code: str
    demand: str
    where: str
    alarm: Alarm

    @property
    def cause(self) -> Cause:
        """The cause as the judge would name it."""
        slow = self.code in SLOW_CODES and self.demand == "RETURN"
        where = "" if self.where == UNKNOWN or self.code == ESTOP else self.where
        return Cause(self.code, Demand[self.demand], self.alarm, 1, 0, "", slow=slow, where=where)

    @property
    def read_aloud(self) -> str:
        """What is said of it while the patient is below level, or where it refuses."""
        return refusal_spoken(self.code) if self.demand == REFUSE else told(self.cause, self.where, CRANK)

    @property
    def at_level(self) -> str:
        """What is said of it at level or above."""
        return "" if self.demand == REFUSE else told(self.cause, self.where, CRANK, HOME)

    @property
    def at_level_only(self) -> str:
        """The same without what is wrong and without how it ends, which the page has in columns of their own."""
        if self.demand == REFUSE:
            return ""
        return f"{what_the_table_does(self.cause, HOME)} {CODES[self.code].after}"


def register() -> list[dict[str, Any]]:
    """Return the rows of the hazard table."""
    found: list[dict[str, Any]] = tomllib.loads(REGISTER.read_text(encoding="utf-8"))["hazard"]
    return found


def row_of(code: str) -> dict[str, Any]:
    """Return the row of a code."""
    return next(row for row in [*register(), STOP_ROW] if row["id"] == code)


def demands_of(row: dict[str, Any]) -> list[str]:
    """Return what a row of the hazard table may demand, the mildest first; `refuse` last."""
    told = CODES.get(row["id"])
    named = {row["demand"], *NAMED.findall(row.get("then", ""))}
    if told is not None:
        named |= {*told.do, *told.does}
        if told.refuse is not None:
            named.add(REFUSE)
    return sorted(named, key=[*DEMANDS, REFUSE].index)


def alarm_of(row: dict[str, Any], demand: str) -> Alarm:
    """Return how urgent a form is: a refusal low, a patient who is left where they are high, else as its row says."""
    if demand == REFUSE or (row["id"], demand) in MILDER:
        return Alarm.LOW
    return Alarm.HIGH if demand in ("HOLD", "CUT") else Alarm[row["alarm"]]


def forms() -> list[Form]:
    """Return every form of every code."""
    found = []
    for row in [*register(), STOP_ROW]:
        told = CODES[row["id"]]
        for demand in demands_of(row):
            sides = [""] if isinstance(told.wrong, str) or demand == REFUSE else sides_of(row["id"], demand, told.wrong)
            alarm = alarm_of(row, demand)
            found += [Form(row["id"], demand, side, alarm) for side in sides]
    return found


def sides_of(code: str, demand: str, words: dict[str, str]) -> list[str]:
    """Return the sides or sensors of which a demand may be; where a code has none, no side."""
    sides = [side for side in SIDES.get((code, demand), tuple(words)) if side not in DEMANDS]
    return [""] if sides == [UNKNOWN] else sides


def told(cause: Cause, where: str, manual_return_text: str, moment: Moment = NOW) -> str:
    """Return what is said of a cause; the emergency stop's own ways to stand are seen, not named by a cause."""
    readings = None if cause.code != ESTOP else Readings(0, estop=STANDS.get(where, Contacts.OPEN))
    return spoken(cause, readings, manual_return_text, moment)


def rate(flash: Pattern) -> str:
    """Return how a lamp flashes."""
    return f"flashes {1000 / flash.period_ms:.1f} times a second, lit {100 * flash.busy_ms // flash.period_ms} %"


def pulses(burst: Pattern) -> str:
    """Return how a buzzer pulses."""
    count = (len(burst.edges_ms) + 1) // 2
    again = "once" if burst.period_ms > 3_600_000 else f"every {burst.period_ms / 1000:g} s"
    return f"{count} pulse{'s' if count > 1 else ''} of {burst.edges_ms[0]} ms at {burst.pitch_hz} Hz, {again}"


def signals() -> list[str]:
    """Return the table of lamps and sounds."""
    told = [
        ("HIGH", f"red, {rate(patterns.RED)}", pulses(patterns.HIGH)),
        ("HIGH, after 30 s head-down and unmoved", f"red, {rate(patterns.RED)}", pulses(patterns.ESCALATED)),
        ("MEDIUM", f"yellow, {rate(patterns.YELLOW)}", pulses(patterns.MEDIUM)),
        ("LOW", "cyan, steady", pulses(patterns.LOW)),
        ("tone of a motion", "", pulses(patterns.MOTION)),
        ("a button that is waited for", f"its own, {rate(patterns.WAITED_FOR)}; steady while held", ""),
        ("a strap that is not clearly closed", f"its own, {rate(patterns.DISCREPANT)}", ""),
        ("the patient's breath", "the patient's own: 4 s in while lit, 6 s out", ""),
    ]
    return ["| signal | lamp | buzzer |", "|---|---|---|", *(f"| {' | '.join(cells)} |" for cells in told)]


def seconds(of_ms: int) -> str:
    """Return milliseconds as seconds."""
    return f"{of_ms / 1000:g} s"


def figures() -> list[str]:
    """Return the table of the standard's limits beside the figures here."""
    high, medium = patterns.HIGH, patterns.MEDIUM
    silences = [seconds(one.period_ms - one.busy_ms) for one in (high, patterns.ESCALATED, medium)]
    low_hz, high_hz = min(patterns.TEST_PITCHES_HZ), max(patterns.TEST_PITCHES_HZ)
    told = [
        ("HIGH lamp", "red, 1.4 to 2.8 Hz, lit 20 to 60 %", rate(patterns.RED)),
        ("MEDIUM lamp", "yellow, 0.4 to 0.8 Hz, lit 20 to 60 %", rate(patterns.YELLOW)),
        ("LOW lamp", "cyan or yellow, steady", "cyan, steady"),
        ("HIGH burst", "ten pulses of 75 to 200 ms: 3 + 2, twice", f"{patterns.HIGH_PULSE_MS} ms"),
        ("between its pulses", "x from 50 to 125 ms; after the third 2x and a pulse", f"{patterns.X_MS} ms"),
        ("between its halves", "0.35 to 1.3 s", seconds(patterns.BETWEEN_FIVES_MS)),
        ("to the next one", "2.5 to 15 s", f"{silences[0]}; {silences[1]} after 30 s head-down and unmoved"),
        (
            "MEDIUM burst",
            "three pulses of 125 to 250 ms, as far apart",
            f"{patterns.LOW_PULSE_MS} ms, {patterns.Y_MS} ms",
        ),
        ("to the next one", "2.5 to 30 s", silences[2]),
        ("LOW burst", "one or two pulses of 125 to 250 ms", f"one of {patterns.LOW_PULSE_MS} ms"),
        ("to the next one", "more than 15 s, or none", "none"),
        (
            "pitch",
            "150 to 1,000 Hz; four harmonics from 300 to 4,000 Hz",
            f"{low_hz} to {high_hz} Hz; the buzzer's part",
        ),
    ]
    lines = ["", "### Where the figures come from", "", "| figure | IEC 60601-1-8 | here |", "|---|---|---|"]
    return [*lines, *(f"| {' | '.join(cells)} |" for cells in told)]


def catalogue() -> list[str]:
    """Return the table of what is said."""
    lines = [
        "| code | asks for | where | priority | lamp | sound | read aloud | at level | how it ends |",
        "|---" * 9 + "|",
    ]
    for form in forms():
        sound = {Alarm.HIGH: "ten pulses", Alarm.MEDIUM: "three pulses", Alarm.LOW: "one pulse"}[form.alarm]
        ends = "By itself: a refusal holds nothing." if form.demand == REFUSE else how_it_ends(form.cause)
        cells = [form.code, form.demand, form.where, form.alarm.name, LAMPS[form.alarm], sound]
        lines.append(f"| {' | '.join([*cells, form.read_aloud, form.at_level_only, ends])} |")
    return lines


def guidance() -> list[str]:
    """Return the prompts, and what the panel says where it waits for something."""
    lines = ["", "## Prompts", "", "| code | said |", "|---|---|"]
    lines += [f"| {code} | {prompt(code)} |" for code, told in CODES.items() if told.prompt]
    lines += ["", "## Steps", "", "| the panel waits for | title | said |", "|---|---|---|"]
    for step in Guide:
        told = guide(step)
        if told is not None:
            lines.append(f"| `{step.value}` | {told.title} | {told.do} |")
    lines += ["", "## Elsewhere", "", "| where | said |", "|---|---|"]
    lines += [f"| above level, under {demand} | {words} |" for demand, words in WORDS.above.items()]
    lines.append(f"| a return is over by two of three sensors, and the angle says otherwise | {WORDS.arrived.do} |")
    lines.append(f"| a STOP pauses a return | {WORDS.paused.do} |")
    hold = WORDS.critical
    lines += ["", f"Head-down under HOLD or CUT it begins with “{hold.does.format(seconds=34)}” and ends with"]
    lines += [f"“{hold.hold}” and the table's own words for it.", ""]
    return lines


def page() -> str:
    """Return the whole page."""
    return "\n".join(
        [HEAD.rstrip(), "", *signals(), RULES.rstrip(), *figures(), SOURCES.rstrip(), "", *catalogue(), *guidance()]
    )


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description="Write docs/alarms.md from the hazard table and the sentences.")
    parser.add_argument("--check", action="store_true", help="change nothing; say whether the page is current")
    if parser.parse_args().check:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        print("docs/alarms.md is current" if current else "docs/alarms.md is old: run python scripts/alarms_page.py")
        return 0 if current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
