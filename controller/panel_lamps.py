"""The lamps of the panel on a screen, each beside the key that works its button, and who works the table.

A lit lamp is `●`, a dark one `○`, one that flashes too fast to be shown so `◐`; a held button stands in brackets.
"""

import enum
from collections.abc import Sequence
from typing import Final

from rich.text import Text

from controller.lamp_watch import LampWatch
from controller.pen import DARK, FLASHING, LIT, Part, Pen
from safety.signals import BUTTONS, LAMPS, Snapshot

STYLES: Final = {"RED": "bold red", "YELLOW": "bold yellow", "CYAN": "bold cyan"}
ALARMS_COLUMNS: Final = 18
# Columns, key, button and lamp.
BUTTON_ROWS: Final = (
    ((18, "t", "TILT"), (12, "u", "RAISE"), (14, "r", "RETURN"), (11, "s", "STOP")),
    ((18, "space", "PRESENCE"), (12, "a", "ACK"), (14, "c", "CONFIRM"), (11, "+-", "PLAN")),
)
# Columns, key, words and lamp.
OTHERS: Final = (
    (18, "1", "left strap", "STRAP_LEFT"),
    (17, "2", "right strap", "STRAP_RIGHT"),
    (9, "", "armed", "ARMED"),
    (11, "", "breathe", "BREATHE"),
)
MORE_KEYS: Final = "  p patient's button   e e-stop   m crank   A RESET"
PLAN_BITS: Final = BUTTONS["PLAN_UP"] | BUTTONS["PLAN_DOWN"]


class Worked(enum.Enum):
    """Who works the table, as the screen says it in two lines."""

    PEOPLE = ("Simulated people do this visit.", "Ctrl-C brings the patient back first.")
    PEOPLE_UNLESS_KEYS = (
        "Simulated people do the visit, unless you press a key:",
        "then you are the supervisor. Ctrl-C: back to level.",
    )
    KEYS = (
        "You are the supervisor. Hold a key to hold its button;",
        "another key lets go of it. Ctrl-C: back to level.",
    )
    PANEL = (
        "Hold a key, or the mouse on an underlined word, to",
        "hold its button. Ctrl-C leaves; the table goes on.",
    )
    STARTED = (
        "You are the supervisor: hold a key, or the mouse on an",
        "underlined word. Ctrl-C: back to level, then the end.",
    )
    REMOTE = ("From here: s STOP, r RETURN, a pauses the sound.", "Ctrl-C leaves this screen; the table goes on.")
    ROOM = ("This table has buttons of its own: no key moves it.", "Ctrl-C brings the patient back first.")


KEYED: Final = (Worked.KEYS, Worked.PEOPLE_UNLESS_KEYS, Worked.PANEL, Worked.STARTED)


def lamp_rows(pen: Pen, snapshot: Snapshot, watch: LampWatch, worked: Worked) -> list[Text]:
    """Return seven lines of at most 55 columns."""
    keyed = worked in KEYED
    held = snapshot.readings.buttons or 0
    rows = [_cells(pen, [(ALARMS_COLUMNS, _lamp(watch, name, name)) for name in ("RED", "YELLOW", "CYAN")])]
    for row in BUTTON_ROWS:
        cells = []
        for columns, key, name in row:
            words = f"[{name}]" if held & BUTTONS.get(name, PLAN_BITS) else f" {name} "
            cells.append((columns, _lamp(watch, name, f"{key}{words}" if keyed else words)))
        rows.append(_cells(pen, cells))
    others = [
        (columns, _lamp(watch, name, f"{key} {words}" if keyed and key else words))
        for columns, key, words, name in OTHERS
    ]
    rows += [_cells(pen, others), pen.line(MORE_KEYS if keyed else "")]
    return [*rows, *(pen.line((words, "italic")) for words in worked.value)]


def _cells(pen: Pen, cells: Sequence[tuple[int, list[Part]]]) -> Text:
    parts: list[Part | str] = []
    for columns, cell in cells:
        parts += [*cell, " " * (columns - sum(len(words) for words, _ in cell))]
    return pen.line(*parts)


def _lamp(watch: LampWatch, lamp: str, words: str) -> list[Part]:
    bit, style = LAMPS[lamp], STYLES.get(lamp, "bold green")
    if watch.flashing & bit:
        return [(FLASHING, style), (f" {words}", "bold"), (" flashing" if lamp in STYLES else "", "")]
    if watch.lamps & bit:
        return [(LIT, style), (f" {words}", "bold")]
    return [(DARK, "dim"), (f" {words}", "")]
