"""The words of the panel view: what to do now, and under it what is wrong, the worst first, or what is planned."""

from typing import Final

from rich.text import Text

from controller.pen import Part, Pen
from controller.progress import Heading
from controller.recording import moment_of
from controller.sentences import figures, guide, side_now, what_now, what_the_table_does, wrong
from safety.signals import Alarm, Cause, Guide, Snapshot

ALARM_STYLES: Final = {
    Alarm.NONE: "dim",
    Alarm.LOW: "bold black on bright_cyan",
    Alarm.MEDIUM: "bold black on bright_yellow",
    Alarm.HIGH: "bold white on red",
}


def words_rows(pen: Pen, snapshot: Snapshot, heading: Heading, question: str, room: int, columns: int) -> list[Text]:
    """Return what to do now, then what is wrong, or what is planned: always `room` lines.

    `question` has the words of the question that the panel asks, where it asks one.
    """
    decision = snapshot.decision
    trouble = bool(decision.causes)
    now = what_now(snapshot, heading.manual_return_text)
    if question and not trouble:
        # The question says itself how it is answered; a prompt or a refusal stands beside it.
        asked = guide(Guide.SCREENING)
        now = question if asked is not None and now == asked.do else f"{question} {now}"
    label = ALARM_STYLES[decision.alarm] if trouble else "bold reverse"
    rows = labelled(pen, (" NOW ", label), now, "bold", columns)
    if trouble:
        rows += _wrongs(pen, snapshot, room - len(rows), columns)
    else:
        about = f"{heading.person}: {heading.about}" if heading.person else heading.about
        rows += [Text(), *labelled(pen, ("plan ", "dim"), about, "", columns), pen.line(("alarm", "dim"), " none")]
    return (rows + [Text()] * room)[:room]


def labelled(pen: Pen, label: Part, words: str, style: str, columns: int) -> list[Text]:
    """Return words beside a label, in as many lines as they take."""
    wide = len(label[0])
    return [
        pen.line(label if not number else " " * wide, " ", (line, style))
        for number, line in enumerate(pen.wrapped(words, columns - wide - 1))
    ]


def _wrongs(pen: Pen, snapshot: Snapshot, room: int, columns: int) -> list[Text]:
    """Return the causes, the worst first, and what the table does about that one, in at most `room` lines."""
    causes = sorted(snapshot.decision.causes, key=lambda cause: (-cause.demand, -cause.alarm))
    rows = _cause(pen, causes[0], snapshot, columns, worst=True)
    while left := causes[1:]:
        more = _cause(pen, left[0], snapshot, columns, worst=False)
        if len(rows) + len(more) + (len(left) > 1) > room:
            codes = ", ".join(cause.code for cause in left)
            return [*rows[: max(0, room - 1)], pen.line(" " * 9, f"and {len(left)} more: {codes}"[: columns - 9])]
        rows += more
        causes = left
    return rows


def _cause(pen: Pen, cause: Cause, snapshot: Snapshot, columns: int, worst: bool) -> list[Text]:
    where = cause.where or side_now(cause.code, snapshot.readings)
    does = what_the_table_does(cause, moment_of(snapshot.decision)) if worst else ""
    told = f"{cause.code} {wrong(cause.code, where, cause.demand)} ({figures(cause)}). {does}"
    label = (f" {cause.alarm.name if cause.alarm else 'NOTE':<6} ", ALARM_STYLES[cause.alarm])
    return labelled(pen, label, told, "", columns)
