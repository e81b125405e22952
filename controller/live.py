"""The live view of a session on a terminal: state, table, angle against plan, straps, alarms, what to do now.

Drawn anew in place about ten times a second with rich, which is imported only when this view is really shown.
A terminal that goes away ends the view, never the session.
"""

import contextlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from controller.braille import Dots, draw_table
from controller.progress import Heading, clock, degrees, straps_in_words
from controller.sentences import figures, what_now, what_the_table_does, wrong
from safety.signals import Alarm, Contacts, Decision, Readings, Snapshot, State

CHART_EVERY_MS = 200
CHART_TOP_CDEG = 800
PICTURE_COLUMNS, PICTURE_LINES = 22, 8
WIDEST = 100
ECHO_COLUMNS = 4
ALARM_LINES = 3

ALARM_STYLES = {
    Alarm.NONE: "dim",
    Alarm.LOW: "bold black on bright_cyan",
    Alarm.MEDIUM: "bold black on bright_yellow",
    Alarm.HIGH: "bold white on red",
}
STATE_STYLES = {
    State.TILTING: "bold cyan",
    State.HOLDING: "bold blue",
    State.RETURNING: "bold green",
    State.RESTING: "green",
    State.EMERGENCY_RETURN: "bold red",
    State.STOPPED: "bold red",
}


class LiveView:
    """The picture; a context manager. `show` takes the snapshots since the last look."""

    def __init__(self, stream: TextIO, heading: Heading) -> None:
        """Prepare to draw on `stream`, a terminal."""
        self._heading = heading
        self._console = Console(file=stream, highlight=False, emoji=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._curve: list[tuple[int, int]] = []
        self._alive = True

    def __enter__(self) -> Self:
        """Begin to draw."""
        with self._unless_gone():
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        with self._unless_gone():
            self._live.stop()

    def show(self, snapshots: Sequence[Snapshot]) -> None:
        """Draw the newest snapshot; the others give the curve."""
        for snapshot in snapshots:
            angle = snapshot.decision.angle_cdeg
            due = not self._curve or snapshot.t_ms - self._curve[-1][0] >= CHART_EVERY_MS
            if due and angle is not None:
                self._curve.append((snapshot.t_ms, angle))
        if snapshots and self._alive:
            with self._unless_gone():
                self._live.update(self.picture(snapshots[-1]), refresh=True)

    def say(self, words: str) -> None:
        """Put a line above the picture, where it stays."""
        if self._alive:
            with self._unless_gone():
                self._console.print(Text(words))

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            self._alive = False

    def picture(self, snapshot: Snapshot) -> RenderableType:
        """Return everything that is shown of one snapshot."""
        # What the terminal echoes of Ctrl-C must not wrap, or the picture would be drawn one line too low.
        width = min(self._console.width - ECHO_COLUMNS, WIDEST)
        side = Table.grid(padding=(0, 1))
        side.add_row(
            _table_picture(snapshot.decision.angle_cdeg), self._chart(snapshot.t_ms, width - PICTURE_COLUMNS - 13)
        )
        head = self._heading
        lines = Group(
            self._first_line(snapshot),
            self._angles(snapshot),
            side,
            _room(snapshot.readings),
            *_alarms(snapshot.decision, width - 4),
            Text.assemble(("now    ", "bold"), what_now(snapshot, head.manual_return_text)),
        )
        title = Text(f"{head.plan} on {head.profile}", "bold")
        return Panel(lines, title=title, subtitle=Text(head.note, "dim"), width=width, border_style="dim")

    def _first_line(self, snapshot: Snapshot) -> Text:
        wish = snapshot.wish
        words = Text.assemble((wish.state.replace("_", " ").upper(), STATE_STYLES.get(wish.state, "bold")))
        if wish.set_number:
            words.append(f"   set {wish.set_number} of {self._heading.sets}")
        if wish.left_ms > 0:
            words.append(f"   {clock(wish.left_ms + 999)} left")
        words.append(f"   since the start {clock(snapshot.t_ms)}", "dim")
        return words

    def _angles(self, snapshot: Snapshot) -> Text:
        wish, decision = snapshot.wish, snapshot.decision
        words = Text.assemble("angle ", (degrees(decision.angle_cdeg), "bold"), f"   plan {degrees(wish.planned_cdeg)}")
        words.append(f"   cap {degrees(self._heading.cap_cdeg)}")
        words.append(f"   inverted {clock(decision.inverted_ms)}")
        return words

    def _chart(self, now_ms: int, columns: int) -> Text:
        """Return angle over time so far, with level and cap, on the whole visit's length."""
        dots = Dots(columns, PICTURE_LINES)
        low = min([self._heading.cap_cdeg - 300, *[angle for _, angle in self._curve]])
        span_ms = max(self._heading.planned_s * 1000, now_ms)

        def y(angle_cdeg: int) -> float:
            return (CHART_TOP_CDEG - min(angle_cdeg, CHART_TOP_CDEG)) / (CHART_TOP_CDEG - low) * (dots.height - 1)

        dots.line(0, y(0), dots.width - 1, y(0), "dim", every=3)
        dots.line(0, y(self._heading.cap_cdeg), dots.width - 1, y(self._heading.cap_cdeg), "red", every=3)
        points = [(t_ms / span_ms * (dots.width - 1), y(angle)) for t_ms, angle in self._curve]
        for (x1, y1), (x2, y2) in pairwise(points):
            dots.line(x1, y1, x2, y2, "bold cyan")
        marks = {round(y(0)) // 4: " 0°", round(y(self._heading.cap_cdeg)) // 4: f" {degrees(self._heading.cap_cdeg)}"}
        return _text(dots, marks)


def _text(dots: Dots, marks: dict[int, str] | None = None) -> Text:
    words = Text()
    for line in range(dots.lines):
        for part, brush in dots.spans(line):
            words.append(part, brush or None)
        words.append((marks or {}).get(line, ""), "dim")
        if line < dots.lines - 1:
            words.append("\n")
    return words


def _table_picture(angle_cdeg: int | None) -> Text:
    if angle_cdeg is None:
        return Text("\n\n   angle unknown", "bold red")
    return _text(draw_table(angle_cdeg / 100, PICTURE_COLUMNS, PICTURE_LINES, "bold", "cyan", "dim"))


def _room(said: Readings) -> Text:
    """Return straps, e-stop, patient's button, brake and mains in one or two lines."""
    straps = straps_in_words(said)
    words = Text.assemble(("straps ", "bold"), (straps, "" if straps == "closed" else "yellow"))
    pressed = said.estop is not Contacts.CLOSED
    words.append("   e-stop ")
    words.append("PRESSED" if pressed else "released", "bold red" if pressed else "")
    words.append("   own button ")
    words.append("PRESSED" if said.patient_button is not False else "released", "yellow" if said.patient_button else "")
    words.append("   brake ")
    words.append("unknown" if said.brake_set is None else "set" if said.brake_set else "released")
    if said.mains is not True:
        words.append("   mains LOST", "bold red")
    return words


def _alarms(decision: Decision, width: int) -> list[Text]:
    """Return a line for each cause in force in its alarm's colour, and what the table does; or that there is none.

    Always the same number of lines, so that the picture does not jump.
    """
    lines = []
    for cause in decision.causes[: ALARM_LINES - 1]:
        label = f" {cause.alarm.name} " if cause.alarm else " "
        told = f" {cause.code} ({figures(cause)}) {wrong(cause.code)}"
        lines.append(Text.assemble(("alarm  ", "bold"), (label, ALARM_STYLES[cause.alarm]), told))
    if decision.causes:
        worst = max(decision.causes, key=lambda cause: cause.demand)
        left = len(decision.causes) - len(lines)
        lines.append(Text(f"       {what_the_table_does(worst)}{f' ({left} more causes)' if left else ''}"))
    else:
        lines.append(Text.assemble(("alarm  ", "bold"), ("none", "dim")))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines + [Text("")] * (ALARM_LINES - len(lines))
