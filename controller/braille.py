"""Pictures out of braille characters, for a terminal: eight dots a character, so that a line is a line."""

import math

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
EMPTY = 0x2800
HIGH_DOTS, LOW_DOTS = 0x1B, 0xE4
MANY_DOTS = 4


class Dots:
    """A canvas of dots, two a column and four a line; x to the right, y downwards; the last brush on a character wins.

    `columns` and `lines` are in characters. A dot outside is left out.
    """

    def __init__(self, columns: int, lines: int) -> None:
        """Begin with an empty canvas."""
        self.columns, self.lines = columns, lines
        self.width, self.height = 2 * columns, 4 * lines
        self._cells = [[0] * columns for _ in range(lines)]
        self._brushes = [[""] * columns for _ in range(lines)]

    def dot(self, x: float, y: float, brush: str = "") -> None:
        """Set one dot."""
        column, line = math.floor(x), math.floor(y)
        if 0 <= column < self.width and 0 <= line < self.height:
            self._cells[line // 4][column // 2] |= DOTS[line % 4][column % 2]
            self._brushes[line // 4][column // 2] = brush

    def line(self, x1: float, y1: float, x2: float, y2: float, brush: str = "", every: int = 1) -> None:
        """Set the dots from one point to another; `every` leaves gaps."""
        steps = max(1, math.ceil(max(abs(x2 - x1), abs(y2 - y1))))
        for step in range(0, steps + 1, every):
            self.dot(x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps, brush)

    def disc(self, x: float, y: float, radius: float, brush: str = "") -> None:
        """Fill a circle."""
        reach = math.ceil(radius)
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                if right * right + down * down <= radius * radius:
                    self.dot(x + right, y + down, brush)

    def spans(self, line: int, ascii_only: bool = False) -> list[tuple[str, str]]:
        """Return one line of characters as (text, brush), neighbours of one brush together."""
        spans: list[tuple[str, str]] = []
        for cell, brush in zip(self._cells[line], self._brushes[line], strict=True):
            character = " " if not cell else _in_ascii(cell) if ascii_only else chr(EMPTY + cell)
            if spans and (spans[-1][1] == brush or not cell):
                spans[-1] = (spans[-1][0] + character, spans[-1][1])
            else:
                spans.append((character, brush))
        return spans


def _in_ascii(cell: int) -> str:
    """Return the character that shows best where the dots of a cell are: high, low, or both."""
    if cell.bit_count() > MANY_DOTS:
        return "#"
    return "-" if cell & HIGH_DOTS and cell & LOW_DOTS else "'" if cell & HIGH_DOTS else "."


def draw_table(angle_deg: float, columns: int, lines: int, body: str, board: str, stand: str) -> Dots:
    """Return the table from the side, head to the left, at an angle (negative head-down); the rest are brushes."""
    dots = Dots(columns, lines)
    middle_x, middle_y = dots.width / 2, dots.height / 2
    half = min(middle_x, middle_y / math.sin(math.radians(75))) - 3
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))

    def place(along: float, above: float) -> tuple[float, float]:
        """A point of the board: along it toward the head, above it, in dots."""
        return (middle_x - along * cosine + above * -sine, middle_y - along * sine - above * cosine)

    dots.line(middle_x, middle_y, middle_x - 5, dots.height - 1, stand)
    dots.line(middle_x, middle_y, middle_x + 5, dots.height - 1, stand)
    dots.line(middle_x - 9, dots.height - 1, middle_x + 9, dots.height - 1, stand)
    dots.line(*place(-half, 0), *place(half, 0), board)
    dots.line(*place(-half, 0), *place(-half, 3), board)
    for above in (2.2, 3.2):
        dots.line(*place(-half + 2, above), *place(half - 5, above), body)
    dots.disc(*place(half - 2, 3), 1.8, body)
    return dots
