"""What the block diagram of a table's wiring is drawn with: its measures, its colours, blocks with ports."""

import math
from collections.abc import Iterable
from typing import Final

from reportlab.lib.colors import Color, HexColor

from config.profile import Profile
from controller.sheet import BOLD, GREY, GRID, INK, Sheet, width_of
from controller.wiring_rules import shown

# A4 is 297 mm wide: one unit is 0.265 mm, so that text of 8.5 is 6.4 points on paper.
WIDTH, HEIGHT = 1120, 792
MARGIN = 26
TOP = HEIGHT - 62.0
LEFT_END, UNIT_LEFT, UNIT_RIGHT = 216.0, 404.0, 566.0
SWITCH_LEFT, SWITCH_RIGHT = 752, 862
BLOCK_LEFT, BLOCK_RIGHT = 900, 1046
RAIL = 1074
PANEL_TOP, PANEL_RIGHT, FOOT = 148.0, 846.0, 26.0
# How far apart wires are, how high a block's head, how far apart blocks: roomy with one board, closer with its chips.
ROOMY, CLOSE = (22.0, 19.0, 16.0), (18.0, 17.0, 11.0)
TEXT, SMALL = 8.5, 8.0
DIAL = 150.0

KINDS: Final[dict[str, tuple[Color, list[float] | None, str]]] = {
    "contact": (HexColor("#0072b2"), None, "contact to ground: open, cut and unplugged read the same"),
    "analogue": (HexColor("#a85b00"), [7, 3], "voltage to a converter"),
    "output": (HexColor("#00745a"), None, "output, held low through a reset"),
    "bus": (HexColor("#6a4c93"), [2, 2], "to the host or to another chip"),
}
POWER, MOTOR = HexColor("#c1121f"), HexColor("#1f2933")
BOARD_FILL, BLOCK_FILL, TABLE_FILL, CHAIN_FILL = (
    HexColor("#e4edf5"), HexColor("#f3f5f6"), HexColor("#fbf6ea"), HexColor("#fdecec"),
)  # fmt: skip

Point = tuple[float, float]


class Canvas:
    """A sheet on which blocks stand, and where each wire meets its block.

    `pitch`, `head` and `gap` are how far apart wires are, how high a block's head is and how far apart blocks are.
    """

    def __init__(self, spacing: tuple[float, float, float]) -> None:
        self.sheet = Sheet(WIDTH, HEIGHT)
        self.pitch, self.head, self.gap = spacing
        self.block_ends: dict[str, Point] = {}

    def frame(self, left: float, bottom: float, right: float, top: float, fill: Color, edge: Color = GREY) -> None:
        """Draw a filled box with an edge."""
        self.sheet.box(left, bottom, right - left, top - bottom, fill)
        corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        self.sheet.line(corners, edge, 1.0)

    def block(
        self, left: float, right: float, top: float, title: str, rows: Iterable[tuple[str, str]], fill: Color
    ) -> float:
        """Draw a block with a port on its board's side for each (wire, words); return its lower edge."""
        ports = list(rows)
        bottom = top - self.head - self.pitch * len(ports) - (0 if ports else 2)
        self.frame(left, bottom, right, top, fill)
        self.sheet.text(left + 7, top - 13.5, title, 9, INK, BOLD)
        on_left = left > UNIT_RIGHT
        for number, (name, words) in enumerate(ports):
            y = top - self.head - self.pitch * (number + 0.5)
            x = left if on_left else right
            inside = (left + 7, "start") if on_left else (right - 7, "end")
            self.sheet.text(inside[0], y - 3, words, SMALL, GREY, anchor=inside[1])
            self.block_ends[name] = (x, y)
        return bottom

    def dial(self, profile: Profile, middle: float) -> None:
        """Draw at which angles this table's switches, stops and limits are, seen with the head on the left."""
        geometry, switches = profile.geometry, profile.switches
        angles = (
            (geometry.hard_stop_up_cdeg, "hard stop", GREY),
            (switches.end_up_cdeg, "end switch", POWER),
            (geometry.boarding_cdeg, "boarding", KINDS["output"][0]),
            (0, "level", INK),
            (profile.limits_table.cap_cdeg, "deepest", KINDS["output"][0]),
            (switches.end_down_cdeg, "end switch", POWER),
            (geometry.hard_stop_down_cdeg, "hard stop", GREY),
        )
        self.frame(MARGIN, middle - DIAL / 2, LEFT_END, middle + DIAL / 2, TABLE_FILL)
        self.sheet.text(MARGIN + 7, middle + DIAL / 2 - 13.5, "the table, head on the left", 9, INK, BOLD)
        x, y, radius = LEFT_END - 34, middle - 8, 52.0
        heights = [y + radius * math.sin(math.radians(cdeg / 100)) for cdeg, _, _ in angles]
        for number in range(1, len(heights)):
            heights[number] = min(heights[number], heights[number - 1] - 12)
        # What the crowd at the lower end pushed out of the frame goes back up, and pushes what is above it.
        lowest = middle - DIAL / 2 + 9
        for number in reversed(range(len(heights))):
            heights[number] = max(heights[number], lowest + 12 * (len(heights) - 1 - number))
        for (cdeg, words, color), height in zip(angles, heights, strict=True):
            turn = math.radians(cdeg / 100)
            end = (x - radius * math.cos(turn), y + radius * math.sin(turn))
            self.sheet.line([(x, y), end], color, 3.0 if cdeg == 0 else 1.2)
            text = f"{shown(cdeg) if cdeg else '0°'} {words}"
            self.sheet.text(MARGIN + 7, height - 3, text, SMALL, color)
            self.sheet.line([(MARGIN + 10 + width_of(text, SMALL), height), end], GRID, 0.7)
        self.sheet.diamond(x, y, 5, INK)
