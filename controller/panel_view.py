"""The panel of a table in 80 columns and 24 lines: what is so, what is wrong, and what to do now.

From top to bottom: the visit; the state and the time that matters, in large letters; angle against plan; what to do
now, and what is wrong; the table from the side beside its lamps and keys; the room, the patient and the sound. Every
fact has its place and keeps it. Nothing is said by colour alone. A larger terminal shows the angle over time besides.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.text import Text

from controller.block_letters import LINES as LETTER_LINES
from controller.block_letters import block_letters, plain_letters
from controller.lamp_watch import LampWatch
from controller.panel_lamps import Worked, lamp_rows
from controller.panel_pictures import TABLE_COLUMNS, TABLE_LINES, chart_rows, table_rows
from controller.panel_words import words_rows
from controller.pen import Pen
from controller.progress import Heading, clock
from safety.signals import Alarm, Contacts, Demand, Readings, Snapshot, State

# What the panel needs of a terminal, with room beside it for what the terminal itself echoes of Ctrl-C.
LINES: Final = 22
COLUMNS: Final = 76
WORDS_LINES: Final = 8
# So much more room takes the chart, below the panel or beside it.
CHART_LINES: Final = 9
CHART_COLUMNS: Final = 36

STATE_STYLES: Final = {
    State.TILTING: "bold cyan",
    State.HOLDING: "bold blue",
    State.RETURNING: "bold green",
    State.RESTING: "bold green",
    State.EMERGENCY_RETURN: "bold red",
    State.STOPPED: "bold red",
}
BREATHING: Final = (State.TILTING, State.HOLDING, State.RETURNING)


class Visit(NamedTuple):
    """What the panel shows beside the snapshot: the session as a whole, the curve so far, the lamps, who works it.

    `curve` holds (milliseconds, centidegrees). `paused_ms` is what is left of a pause of the sound; `question` the
    words of the question that the panel asks, with what is chosen so far. `planned` is the plan's own curve.
    """

    heading: Heading
    lamps: LampWatch
    curve: Sequence[tuple[int, int]] = ()
    worked: Worked = Worked.PEOPLE
    paused_ms: int = 0
    question: str = ""
    planned: Sequence[tuple[int, int]] = ()


def panel(
    snapshot: Snapshot, visit: Visit, columns: int = COLUMNS, lines: int = LINES, ascii_only: bool = False
) -> list[Text]:
    """Return the panel, a `Text` a line: `LINES` of them, with `CHART_LINES` more where `lines` has room for these."""
    pen = Pen(ascii_only)
    tall = lines >= LINES + CHART_LINES
    wide = columns >= COLUMNS + CHART_COLUMNS and not tall
    chart = [Text()] * TABLE_LINES
    if wide:
        chart = chart_of(pen, snapshot, visit, columns - COLUMNS, TABLE_LINES)
    rows = [_title(pen, snapshot, visit.heading, columns), *_large(pen, snapshot, columns)]
    rows += [
        _figures(pen, snapshot, visit.heading),
        *words_rows(pen, snapshot, visit.heading, visit.question, WORDS_LINES, columns),
    ]
    lamps = lamp_rows(pen, snapshot, visit.lamps, visit.worked)
    for parts in zip(table_rows(pen, snapshot.decision.angle_cdeg), lamps, chart, strict=True):
        rows.append(_beside(*parts))
    rows += [_room(pen, snapshot.readings), _patient_and_sound(pen, snapshot, visit)]
    if tall:
        rows += [Text(), *chart_of(pen, snapshot, visit, columns, CHART_LINES - 1)]
    return rows


def _beside(table: Text, lamps: Text, chart: Text) -> Text:
    table.pad_right(TABLE_COLUMNS + 1 - len(table))
    if chart:
        lamps.pad_right(COLUMNS - TABLE_COLUMNS - 1 - len(lamps))
    return Text.assemble(table, lamps, chart, no_wrap=True, overflow="crop")


def chart_of(pen: Pen, snapshot: Snapshot, visit: Visit, columns: int, lines: int) -> list[Text]:
    """Return the angle over time beside the plan's, in so many columns and lines."""
    return chart_rows(pen, visit.heading, visit.curve, snapshot.t_ms, columns, lines, visit.planned)


def _title(pen: Pen, snapshot: Snapshot, heading: Heading, columns: int) -> Text:
    title = f"{snapshot.wish.plan or heading.plan} on {heading.profile}"
    # For whoever reads a screen by ear, or searches it, the state stands here in letters too.
    state = snapshot.wish.state.replace("_", " ").upper()
    since = clock(snapshot.t_ms)
    notes = [heading.pace, *heading.note.split(", ")]
    while notes and len(title) + len(state) + len(since) + len(", ".join(notes)) + 8 > columns:
        notes.pop()
    line = pen.line((f"{title}  {state}", "bold"), "   ", (", ".join(notes), "dim"))
    line.pad_right(columns - len(line) - len(since))
    return line.append(since, "dim")


def _large(pen: Pen, snapshot: Snapshot, columns: int) -> list[Text]:
    """Return the state in large letters, and at the right the time that matters, where there is one and it fits."""
    wish, decision = snapshot.wish, snapshot.decision
    time = label = ""
    if decision.demand >= Demand.HOLD and decision.inverted_ms:
        time, label = clock(decision.inverted_ms), " inverted "
    elif wish.left_ms > 0:
        time, label = clock(wish.left_ms + 999), " left "
    letters = plain_letters if pen.ascii_only else block_letters
    state = letters(wish.state.replace("_", " "))
    figures_ = letters(time) if time else [""] * LETTER_LINES
    free = columns - len(state[0]) - len(figures_[0]) - len(label)
    if free < 1:
        figures_, label, free = [""] * LETTER_LINES, "", 0
    labels = ["", "", label]
    style = STATE_STYLES.get(wish.state, "bold")
    return [
        pen.line((word, style), " " * free, (figure, "bold"), (beside, "dim"))
        for word, figure, beside in zip(state, figures_, labels, strict=True)
    ]


def _figures(pen: Pen, snapshot: Snapshot, heading: Heading) -> Text:
    wish, decision = snapshot.wish, snapshot.decision
    sets = f"set {wish.set_number} of {heading.sets}" if wish.set_number else ""
    left = f"left {clock(wish.left_ms + 999)}" if wish.left_ms > 0 else ""
    return pen.line(
        "angle ",
        (pen.degrees(decision.angle_cdeg), "bold"),
        f"plan {pen.degrees(wish.planned_cdeg)}cap {pen.degrees(heading.cap_cdeg)}",
        f"inverted {clock(decision.inverted_ms):<7}{sets:<13}{left}",
    )


def _room(pen: Pen, said: Readings) -> Text:
    brake = "unknown" if said.brake_set is None else "set" if said.brake_set else "released"
    straps = f"left {_contacts(said.strap_left)}, right {_contacts(said.strap_right)}"
    closed = said.strap_left is said.strap_right is Contacts.CLOSED
    estop = "unknown" if said.estop is None else "released" if said.estop is Contacts.CLOSED else "PRESSED"
    return pen.line(
        "straps ",
        (f"{straps:<34}", "" if closed else "yellow"),
        "e-stop ",
        (f"{estop:<9}", "" if estop == "released" else "bold red"),
        f"brake {brake}",
    )


def _contacts(contacts: Contacts | None) -> str:
    return "unknown" if contacts is None else contacts.name.lower()


def _patient_and_sound(pen: Pen, snapshot: Snapshot, visit: Visit) -> Text:
    said = snapshot.readings
    # The lamp is lit in the lamp test too, where nobody is asked to breathe.
    breath = visit.lamps.breath if snapshot.wish.state in BREATHING else ""
    button = "unknown" if said.patient_button is None else "PRESSED" if said.patient_button else "released"
    mains = "?" if said.mains is None else "ok" if said.mains else "LOST"
    return pen.line(
        "patient ",
        (f"{f'breathe {breath}' if breath else '':<12}", "bold"),
        "button ",
        (f"{button:<9}", "" if button == "released" else "bold yellow"),
        "mains ",
        (f"{mains:<5}", "" if mains == "ok" else "bold red"),
        "sound ",
        (_sound(snapshot, visit.paused_ms), "bold"),
    )


def _sound(snapshot: Snapshot, paused_ms: int) -> str:
    """Return what the buzzer does, in a word or two."""
    signals = snapshot.signals
    words = ["tone"] if signals.tone else []
    if signals.alarm > Alarm.NONE:
        words.append(f"alarm paused {clock(paused_ms + 999)}" if paused_ms > 0 else "alarm")
    return ", ".join(words) or ("on" if signals.buzzer_hz else "silent")
