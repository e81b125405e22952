"""What is left of the panel where a terminal has become too small for it: where it is, what to do now, what is wrong.

Lines are broken between words. What does not fit is left out from below, where the least important stands.
"""

from typing import Final

from rich.text import Text

from controller.lamp_watch import LampWatch
from controller.panel_words import words_rows
from controller.pen import Pen
from controller.progress import Heading, clock, degrees
from controller.voice import PICTURE_COLUMNS, PICTURE_LINES
from safety.signals import LAMPS, Snapshot

NEEDS: Final = f"The whole panel needs {PICTURE_COLUMNS}x{PICTURE_LINES}: make the terminal larger."


def small_panel(
    snapshot: Snapshot, heading: Heading, lamps: LampWatch, question: str, size: tuple[int, int], ascii_only: bool
) -> list[Text]:
    """Return as many lines of as many columns as `size` allows (columns, lines)."""
    pen = Pen(ascii_only)
    columns, lines = size
    wish, decision = snapshot.wish, snapshot.decision
    facts = [wish.state.replace("_", " ").upper(), f"angle {degrees(decision.angle_cdeg)}"]
    if decision.inverted_ms:
        facts.append(f"inverted {clock(decision.inverted_ms)}")
    if wish.left_ms > 0:
        facts.append(f"left {clock(wish.left_ms + 999)}")
    lit = [name for name, bit in LAMPS.items() if (lamps.lamps | lamps.flashing) & bit]
    rows = _paragraph(pen, ", ".join(facts), "bold", columns)
    rows += [row for row in words_rows(pen, snapshot, heading, question, lines, columns) if row.plain]
    rows += _paragraph(pen, f"lit: {', '.join(lit) or 'no lamp'}", "", columns)
    rows += _paragraph(pen, NEEDS, "dim", columns)
    return rows[:lines]


def _paragraph(pen: Pen, words: str, style: str, columns: int) -> list[Text]:
    return [pen.line((line, style)) for line in pen.wrapped(words, columns)]
