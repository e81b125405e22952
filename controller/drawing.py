"""The one drawing of a trace: angle over time with plan, limits, states, alarms and trips, as SVG.

The command line, the console and the report show this same picture. Whatever a colour says is said by a word
or a shape too. The same rows give the same bytes.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from reportlab.lib.colors import Color

from controller.recording import Row, Trip, limit_of, measure
from controller.sheet import (
    ALARMS,
    BOLD,
    CAP,
    EMPTY_LANE,
    FAINT,
    FAULT,
    FONT,
    GREY,
    GRID,
    INK,
    LEVEL,
    LEVEL_BAND,
    PLAN,
    SENSOR_A,
    SENSOR_B,
    STATES,
    TRUE,
    WHITE,
    Sheet,
    width_of,
)

WIDTH = 1040
LEFT, RIGHT = 50, WIDTH - 104
PLOT_HEIGHT = 300
LANE, LABEL, NAME = 19, 14, 14
HEAD, FOOT = 50, 42
MOST_POINTS = 3000
MOST_LABELS = 12
MOST_NAME_LINES = 8
LEVEL_BAND_CDEG, INVERTED_CDEG = 100, -500
KNEE_CDEG = 500
SMALL_SCALE_FROM_CDEG = 1500
SMALL_SCALE_HEIGHT = 60
TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600)
ANGLE_STEPS_CDEG = (500, 1000, 2000)
FINE_SPAN_S = 120

Span = tuple[int, int, str]
Curve = Callable[[Row], int | None]


def svg_of(rows: Sequence[Row], trips: Sequence[Trip] = (), title: str = "", subtitle: str = "") -> str:
    """Return the drawing of a trace as SVG text.

    `rows` are one or more ticks in order; `trips` are marked with code, value and limit; `title` says what and
    how it ended, `subtitle` the figures.

    Raises:
        ValueError: there is no row to draw.
    """
    if not rows:
        raise ValueError("a trace without a single row cannot be drawn")
    return _Picture(rows, trips).draw(title, subtitle).svg(title, subtitle)


def thin_out(points: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Return at most `most` of the points, in order, with the ends and every slice's lowest and highest kept.

    A spike of one tick stays visible, which a mean or every n-th point would lose.
    """
    if len(points) <= most:
        return list(points)
    slices = max(1, (most - 2) // 2)
    first, span = points[0][0], points[-1][0] - points[0][0] + 1
    kept = [points[0]]
    for _, group in groupby(points[1:-1], key=lambda point: (point[0] - first) * slices // span):
        inside = list(group)
        low, high = min(inside, key=_second), max(inside, key=_second)
        kept += [low] if low[1] == high[1] else sorted((low, high))
    kept.append(points[-1])
    return kept


def clock_text(seconds: int, fine: bool) -> str:
    """Return a time for people: `12` on an axis in seconds, `4:05` on one in minutes."""
    return str(seconds) if fine else f"{seconds // 60}:{seconds % 60:02d}"


def label_of(trip: Trip) -> str:
    """Return what stands beside a trip's mark: code, value with unit, limit, demand."""
    cause = trip.cause
    return f"{cause.code}: {measure(cause.value, cause.unit)} (limit {limit_of(cause)}) → {cause.demand.name}"


def _second(point: tuple[int, int]) -> int:
    return point[1]


def _spans(rows: Sequence[Row], say: Callable[[Row], str]) -> list[Span]:
    """Return (from, to, word) in ms for each stretch of rows with one word; the empty word is left out."""
    starts = [(next(group).t_ms, word) for word, group in groupby(rows, key=say)]
    ends = [t_ms for t_ms, _ in starts[1:]] + [rows[-1].t_ms]
    return [(start, end, word) for (start, word), end in zip(starts, ends, strict=True) if word]


def _planned(row: Row) -> str:
    return "" if row.cap_cdeg is None or row.planned_cdeg is None else str(row.planned_cdeg)


class _Picture:
    """One trace being drawn: where things lie, and the sheet that takes them from back to front."""

    def __init__(self, rows: Sequence[Row], trips: Sequence[Trip]) -> None:
        self.rows, self.trips = rows, trips
        self.start_ms, self.end_ms = rows[0].t_ms // 1000 * 1000, max(rows[-1].t_ms, rows[0].t_ms + 1000)
        self.seconds = (self.end_ms - self.start_ms) / 1000
        angles = [angle for row in rows if (angle := row.angle_cdeg) is not None]
        caps = [row.cap_cdeg for row in rows if row.cap_cdeg is not None]
        self.low = min([*angles, *caps, INVERTED_CDEG]) - 300
        self.high = max([*angles, KNEE_CDEG])
        self.truth_known = any(row.true_angle_cdeg is not None for row in rows)
        self.states = _spans(rows, lambda row: row.state)
        self.faults = _spans(rows, lambda row: row.injected)
        self.labels = self._place_labels()
        self.names = self._place_names()
        self.bottom = FOOT + LABEL * len(self.labels) + LANE * (2 if self.faults else 1) + 16
        self.top = self.bottom + PLOT_HEIGHT
        self.height = self.top + 6 + NAME * (1 + max(line for line, *_ in self.names)) + HEAD
        self.sheet = Sheet(WIDTH, self.height)

    def draw(self, title: str, subtitle: str) -> Sheet:
        self._headline(self.height - 24, title, 15, INK, BOLD)
        self._headline(self.height - 40, subtitle, 9.5, GREY, FONT)
        self._bands()
        self._grid()
        self._limits()
        self._lanes()
        self._curves()
        self._marks()
        self._legend()
        return self.sheet

    def _headline(self, y: float, words: str, size: float, color: Color, font: str) -> None:
        """Write a line over the whole width, smaller where it would not fit."""
        fitting = size * (WIDTH - LEFT - 12) / max(1.0, width_of(words, size, font))
        self.sheet.text(LEFT, y, words, round(min(size, fitting), 2), color, font)

    # Where things lie ------------------------------------------------------------------------------------------------

    def x(self, t_ms: float) -> float:
        return LEFT + (t_ms - self.start_ms) / (self.end_ms - self.start_ms) * (RIGHT - LEFT)

    def y(self, angle_cdeg: float) -> float:
        """Height of an angle; above +5° the scale is smaller, or boarding upright would squeeze the inversion."""
        upper = SMALL_SCALE_HEIGHT if self.small_scale else PLOT_HEIGHT * 0.04
        knee = self.top - upper
        if angle_cdeg > KNEE_CDEG:
            high = max(self.high, SMALL_SCALE_FROM_CDEG)
            return min(self.top, knee + (angle_cdeg - KNEE_CDEG) / (high - KNEE_CDEG) * (upper - 8))
        return max(self.bottom, self.bottom + (angle_cdeg - self.low) / (KNEE_CDEG - self.low) * (knee - self.bottom))

    @property
    def small_scale(self) -> bool:
        return self.high > SMALL_SCALE_FROM_CDEG

    def _place_names(self) -> list[tuple[int, float, str]]:
        """Give each state's name a line above the plot: the first one in which it touches no other name.

        Where states follow each other so fast that there is no line left, the colour has to do.
        """
        ends: list[float] = []
        names = []
        for start, end, state in self.states:
            word = state.replace("_", " ")
            width = width_of(word, 8.5)
            left = min(max((self.x(start) + self.x(end) - width) / 2, LEFT), RIGHT - width)
            line = next((line for line, taken in enumerate(ends) if taken + 6 <= left), len(ends))
            if line < MOST_NAME_LINES:
                ends[line : line + 1] = [left + width]
                names.append((line, left, word))
        return names

    def _place_labels(self) -> list[list[tuple[float, float, str]]]:
        """Put the trips' labels into lines below the plot, none over another: (x of the mark, left, words).

        From right to left, so that what leads down to a lower line passes on the left of the words above it.
        """
        lines: list[list[tuple[float, float, str]]] = []
        shown = self.trips[:MOST_LABELS]
        left_out = len(self.trips) - len(shown)
        for trip in reversed(shown):
            words = label_of(trip)
            if left_out and trip is shown[-1]:
                words += f" … and {left_out} more"
            x, width = self.x(trip.t_ms), width_of(words, 9)
            left = x + 5 if x + 5 + width <= WIDTH - 8 else max(8.0, x - 5 - width)
            fitting = (line for line in lines if left + width + 12 <= min(line[-1][:2]))
            line = next(fitting, None)
            if line is None:
                lines.append([(x, left, words)])
            else:
                line.append((x, left, words))
        return lines

    # From back to front ----------------------------------------------------------------------------------------------

    def _bands(self) -> None:
        for start, end, state in self.states:
            self.sheet.box(
                self.x(start), self.bottom, self.x(end) - self.x(start), PLOT_HEIGHT, STATES.get(state, GRID)
            )
        for line, left, word in self.names:
            self.sheet.text(left, self.top + 6 + NAME * line, word, 8.5, GREY)

    def _grid(self) -> None:
        sheet = self.sheet
        step = next((step for step in ANGLE_STEPS_CDEG if -self.low <= 9 * step), ANGLE_STEPS_CDEG[-1])
        ticks = [*range(0, self.low, -step), *((3000, 6000) if self.small_scale else ())]
        for angle in ticks:
            if angle <= self.high:
                y = self.y(angle)
                sheet.line([(LEFT, y), (RIGHT, y)], FAINT if angle == 0 else GRID, 0.8)
                sign = "−" if angle < 0 else "+" if angle > 0 else ""
                sheet.text(LEFT - 6, y - 3, f"{sign}{abs(angle) // 100}°", 9, GREY, anchor="end")
        fine = self.seconds <= FINE_SPAN_S
        every = next((step for step in TIME_STEPS_S if self.seconds <= 12 * step), TIME_STEPS_S[-1])
        for at_s in range(-(-self.start_ms // (1000 * every)) * every, self.end_ms // 1000 + 1, every):
            x = self.x(at_s * 1000)
            sheet.line([(x, self.bottom), (x, self.top)], GRID, 0.8)
            sheet.text(x, self.bottom - 13, clock_text(at_s, fine), 9, GREY, anchor="middle")
        sheet.text(RIGHT + 18, self.bottom - 13, "seconds" if fine else "min:s", 9, FAINT)
        if self.small_scale:
            knee = self.y(KNEE_CDEG)
            sheet.line([(LEFT, knee), (RIGHT, knee)], FAINT, 0.8, [1, 3])
            sheet.text(RIGHT + 8, knee + 4, "smaller scale", 8.5, FAINT)
            sheet.text(RIGHT + 8, knee - 6, "above +5°", 8.5, FAINT)

    def _limits(self) -> None:
        sheet = self.sheet
        low, high, inverted = self.y(-LEVEL_BAND_CDEG), self.y(LEVEL_BAND_CDEG), self.y(INVERTED_CDEG)
        sheet.box(LEFT, low, RIGHT - LEFT, high - low, LEVEL_BAND)
        sheet.line([(LEFT, inverted), (RIGHT, inverted)], GREY, 1, [2, 3])
        notes = {self.y(0): ("level ±1°", LEVEL), inverted: ("inverted −5°", GREY)}
        for start, end, cap in _spans(self.rows, lambda row: "" if row.cap_cdeg is None else str(row.cap_cdeg)):
            y = self.y(int(cap))
            sheet.line([(self.x(start), y), (self.x(end), y)], CAP, 1.4, [7, 4])
            notes[y] = (f"cap −{abs(int(cap)) / 100:g}°", CAP)
        last = float(self.height)
        for y, (words, color) in sorted(notes.items(), reverse=True):
            last = min(y - 3, last - 11)
            sheet.text(RIGHT + 8, last, words, 9, color)

    def _lanes(self) -> None:
        y = self.bottom - 16 - LANE
        alarms = _spans(self.rows, lambda row: row.alarm)
        self._lane(y, "alarm", [(*span, *ALARMS[span[2]]) for span in alarms])
        if self.faults:
            self._lane(y - LANE, "fault", [(*span, FAULT, 1.0) for span in self.faults])

    def _lane(self, y: float, name: str, spans: Iterable[tuple[int, int, str, Color, float]]) -> None:
        height = LANE - 6
        self.sheet.box(LEFT, y, RIGHT - LEFT, height, EMPTY_LANE)
        self.sheet.text(LEFT - 6, y + 3, name, 9, GREY, anchor="end")
        taken = float(LEFT)
        for start, end, word, color, part in spans:
            left, right = self.x(start), max(self.x(end), self.x(start) + 2)
            self.sheet.box(left, y, right - left, height * part, color)
            width = width_of(word, 8)
            if part == 1.0 and width + 6 <= right - left:
                self.sheet.text(left + 3, y + 3.5, word, 8, WHITE)
            elif taken <= right and right + 3 + width <= RIGHT:
                self.sheet.text(right + 3, y + 3.5, word, 8, GREY)
                taken = right + 6 + width

    def _curves(self) -> None:
        self._plan()
        best: Curve = (lambda row: row.true_angle_cdeg) if self.truth_known else (lambda row: row.judged_angle_cdeg)
        curves: list[tuple[Curve, Color, float]] = [
            (lambda row: row.angle_b_cdeg, SENSOR_B, 1.1),
            (lambda row: row.angle_a_cdeg, SENSOR_A, 1.1),
            (best, TRUE, 1.8),
        ]
        for angle_of, color, width in curves:
            pairs = [(row.t_ms, angle_of(row)) for row in self.rows]
            for known, group in groupby(pairs, key=lambda pair: pair[1] is not None):
                if known:
                    points = [(t_ms, angle) for t_ms, angle in group if angle is not None]
                    share = max(2, MOST_POINTS // 4 * len(points) // len(pairs))
                    kept = thin_out(points, share)
                    self.sheet.line([(self.x(t_ms), self.y(angle)) for t_ms, angle in kept], color, width)

    def _plan(self) -> None:
        """The plan's angle while a session is armed, as wide steps under the curves."""
        lines: list[list[tuple[int, int]]] = []
        for start, end, cdeg in _spans(self.rows, _planned):
            if not lines or lines[-1][-1][0] != start:
                lines.append([])
            lines[-1] += [(start, int(cdeg)), (end, int(cdeg))]
        for line in lines:
            corners = thin_out(line, MOST_POINTS // 4)
            self.sheet.line([(self.x(t_ms), self.y(angle)) for t_ms, angle in corners], PLAN, 4.0)

    def _marks(self) -> None:
        lanes = self.bottom - 16 - LANE * (2 if self.faults else 1)
        placed = [(lanes - 10 - LABEL * number, mark) for number, line in enumerate(self.labels) for mark in line]
        for y, (x, _, _) in placed:
            self.sheet.line([(x, self.bottom), (x, self.top)], CAP, 0.8, [2, 2])
            self.sheet.line([(x, y - 2), (x, lanes)], CAP, 0.8, [2, 2])
        for y, (_, left, words) in placed:
            self.sheet.box(left - 2, y - 3, width_of(words, 9) + 4, 12, WHITE)
            self.sheet.text(left, y, words, 9, CAP)
        times = [row.t_ms for row in self.rows]
        for trip in self.trips:
            angle = self.rows[min(bisect_left(times, trip.t_ms), len(times) - 1)].angle_cdeg
            if angle is not None:
                self.sheet.diamond(self.x(trip.t_ms), self.y(angle), 6, CAP)

    def _legend(self) -> None:
        x = float(LEFT)
        for words, color, width in (
            ("plan", PLAN, 4.0),
            ("true angle" if self.truth_known else "judged angle", TRUE, 1.8),
            ("sensor A", SENSOR_A, 1.4),
            ("sensor B", SENSOR_B, 1.4),
        ):
            self.sheet.line([(x, 15), (x + 22, 15)], color, width)
            self.sheet.text(x + 28, 12, words, 9, GREY)
            x += 28 + width_of(words, 9) + 18
        for words, (color, part) in ALARMS.items():
            self.sheet.box(x, 11, 12, 9 * part, color)
            self.sheet.text(x + 17, 12, f"{words.lower()} alarm", 9, GREY)
            x += 17 + width_of(f"{words.lower()} alarm", 9) + 16
        if self.trips:
            self.sheet.diamond(x + 6, 15, 5, CAP)
            self.sheet.text(x + 17, 12, "trip", 9, GREY)
