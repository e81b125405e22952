"""The pictures of the panel view: the table from the side, and its angle over time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rich.text import Text

from controller.braille import Dots, draw_table
from controller.pen import Pen
from controller.progress import Heading, clock

TABLE_COLUMNS: Final = 20
TABLE_LINES: Final = 7
CHART_TOP_CDEG: Final = 800
MARK_COLUMNS: Final = 6
AXIS: Final = " min"


def table_rows(pen: Pen, angle_cdeg: int | None) -> list[Text]:
    """Return the table at its angle, head to the left; or that nobody knows it."""
    if angle_cdeg is None:
        middle = TABLE_LINES // 2
        return [pen.line(("   ANGLE UNKNOWN", "bold red") if line == middle else "") for line in range(TABLE_LINES)]
    dots = draw_table(angle_cdeg / 100, TABLE_COLUMNS, TABLE_LINES, "bold", "cyan", "dim")
    return [pen.line(*dots.spans(line, pen.ascii_only)) for line in range(TABLE_LINES)]


def chart_rows(
    pen: Pen,
    heading: Heading,
    curve: Sequence[tuple[int, int]],
    now_ms: int,
    columns: int,
    lines: int,
    planned: Sequence[tuple[int, int]] = (),
) -> list[Text]:
    """Return angle over time so far, with level and cap, on the whole visit's length; the last line has the time.

    `curve` holds (milliseconds, centidegrees), `planned` what the plan asked for at these times, drawn under it.
    """
    dots = Dots(columns - MARK_COLUMNS, lines - 1)
    low = min([heading.cap_cdeg - 300, *[angle for _, angle in curve]])
    # At the first look at a table without a plan nothing has passed, and nothing is to come.
    span_ms = max(1, heading.planned_s * 1000, now_ms)

    def y(angle_cdeg: int) -> float:
        return (CHART_TOP_CDEG - min(angle_cdeg, CHART_TOP_CDEG)) / (CHART_TOP_CDEG - low) * (dots.height - 1)

    dots.line(0, y(0), dots.width - 1, y(0), "dim", every=3)
    dots.line(0, y(heading.cap_cdeg), dots.width - 1, y(heading.cap_cdeg), "red", every=3)
    for told, brush, every in ((planned, "yellow", 2), (curve, "bold cyan", 1)):
        points = [(t_ms / span_ms * (dots.width - 1), y(angle)) for t_ms, angle in told]
        for (x1, y1), (x2, y2) in pairwise(points):
            dots.line(x1, y1, x2, y2, brush, every)
    marks = {round(y(0)) // 4: "0°", round(y(heading.cap_cdeg)) // 4: f"−{abs(heading.cap_cdeg) / 100:.0f}°"}
    rows = [
        pen.line(*dots.spans(line, pen.ascii_only), (f" {mark.replace('°', '') if pen.ascii_only else mark}", "dim"))
        for line in range(lines - 1)
        for mark in [marks.get(line, "")]
    ]
    middle, end = clock(span_ms // 2), clock(span_ms)
    times = f"{'0:00':<{(columns - MARK_COLUMNS - len(middle)) // 2}}{middle}"
    return [*rows, pen.line((f"{times:<{columns - MARK_COLUMNS - len(end)}}{end}{AXIS}", "dim"))]
