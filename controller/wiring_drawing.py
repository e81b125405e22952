"""The block diagram of one table's wiring: one sheet of A4, landscape, drawn from the profile.

In the middle the board and, where a Raspberry Pi needs them, its converter and expanders; on the left what is on the
table, on the right what drives it, below the panel. Every wire has its name, its pin at the board and the colour of its
kind; the supply that the e-stop cuts is drawn thick. Only what the profile has is drawn.
"""

from dataclasses import dataclass, field
from typing import Final

from reportlab.lib.colors import Color

from controller.sheet import BOLD, FAINT, FONT, GREY, INK, WHITE, Sheet, width_of
from controller.wiring import Row, Wiring
from controller.wiring_canvas import (
    BLOCK_FILL,
    BOARD_FILL,
    DIAL,
    FOOT,
    HEIGHT,
    KINDS,
    LEFT_END,
    MARGIN,
    MOTOR,
    PANEL_RIGHT,
    PANEL_TOP,
    POWER,
    SMALL,
    SWITCH_LEFT,
    TABLE_FILL,
    TEXT,
    TOP,
    UNIT_LEFT,
    UNIT_RIGHT,
    WIDTH,
    Point,
)  # fmt: skip
from controller.wiring_drive import DriveSide
from controller.wiring_rules import shown
from controller.wiring_text import title_of

# Wires that leave the board to the right, from top to bottom as the blocks stand there.
RIGHT_ORDER: Final = (
    "mains battery supply_rail estop_1 estop_2 safety_relay brake_release drive_enable drive_pwm drive_direction "
    "drive_down relay_down end_down drive_up relay_up end_up drive_fault current"
).split()
# How a button is marked whose contact opens.
OPENS: Final = "NC"
LEFT_ORDER: Final = (
    "strap_left_1 strap_left_2 strap_right_1 strap_right_2 patient_button level_switch angle_a angle_b host_rx host_tx"
).split()


def svg_of(wiring: Wiring) -> str:
    """Return the block diagram as SVG text."""
    title = title_of(wiring)
    text = _Picture(wiring).draw().svg(title, "Block diagram: which wire of the table is on which pin of the board.")
    # Printed as it is, it fills the sheet.
    return text.replace(f'width="{WIDTH}" height="{HEIGHT}"', 'width="297mm" height="210mm"', 1)


@dataclass
class _Unit:
    """The board, or a chip beside it: what leaves it on either side, and where it stands."""

    title: str
    note: str
    left: list[Row] = field(default_factory=list)
    right: list[Row] = field(default_factory=list)
    panel: list[Row] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    top: float = 0.0
    bottom: float = 0.0


class _Picture(DriveSide):
    """One wiring being drawn: where each wire's end is at the board, and what stands where."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(wiring)
        self.units = _units(wiring)
        self.board_ends: dict[str, Point] = {}

    def draw(self) -> Sheet:
        self.sheet.text(MARGIN, HEIGHT - 34, title_of(self.wiring), 15, INK, BOLD)
        fuse = f"fuse {self.wiring.fuse_a:g} A, {self.wiring.copper_mm2} mm²"
        words = f"{self.wiring.board_title} · drive: {self.wiring.drive}, {fuse} · angles: negative is head-down"
        self.sheet.text(MARGIN, HEIGHT - 50, words, 9, GREY)
        self.right_side()
        self._place_units()
        self._left_blocks()
        self._wires()
        self._draw_units()
        self._panel()
        self._legend()
        return self.sheet

    # What is in the middle -------------------------------------------------------------------------------------------

    def _place_units(self) -> None:
        """Stand the units below one another; give each wire its end, level with its block's where that is free."""
        top = float(TOP)
        for unit in self.units:
            unit.top = top
            y = top - self.head + self.pitch / 2
            for row in unit.right:
                y = self._level(row.signal, y - self.pitch)
                self.board_ends[row.signal] = (UNIT_RIGHT, y)
            low, y, group = y, top - self.head + self.pitch / 2, ""
            for row in unit.left:
                y -= self.pitch + (self.head + self.gap if group and row.group != group else 0)
                group = row.group
                self.board_ends[row.signal] = (UNIT_LEFT, y)
            bundles = 16 * len({row.kind for row in unit.panel}) if unit is not self.units[-1] else 0
            low = min(low, y) - self.pitch / 2
            unit.bottom = low - max(11 * len(unit.lines), bundles) - 5
            top = unit.bottom - 14

    def _level(self, signal: str, highest: float) -> float:
        """Return where a wire's end stands: level with its block's, or below `highest` where no other block has one."""
        wanted = self.block_ends[signal][1]
        if highest - 4 * self.pitch <= wanted <= highest + 0.1:
            return wanted
        others = [y for name, (x, y) in self.block_ends.items() if x > UNIT_RIGHT and name != signal]
        y = highest
        while any(abs(y - other) < self.pitch * 0.4 for other in others):
            y -= self.pitch / 4
        return y

    def _draw_units(self) -> None:
        for unit in self.units:
            self.frame(UNIT_LEFT, unit.bottom, UNIT_RIGHT, unit.top, BOARD_FILL, INK)
            middle = (UNIT_LEFT + UNIT_RIGHT) / 2
            self.sheet.text(middle, unit.top - 13.5, unit.title, 9.5, INK, BOLD, "middle")
            for row in (*unit.left, *unit.right):
                x, y = self.board_ends[row.signal]
                on_left = x == UNIT_LEFT
                pin, side = row.pin.rpartition(" ")[2], 1 if on_left else -1
                anchor = "start" if on_left else "end"
                self.sheet.text(x + 5 * side, y - 3, pin, SMALL, INK, BOLD, anchor)
                far = x + (9 + width_of(pin, SMALL, BOLD)) * side
                self.sheet.text(far, y - 3, row.port, SMALL, GREY, FONT, anchor)
            for number, line in enumerate(unit.lines):
                y = unit.bottom + 5 + 11 * (len(unit.lines) - 1 - number)
                self.sheet.text(middle, y, line, 7.5, KINDS["bus"][0], FONT, "middle")
        for upper, lower in zip(self.units, self.units[1:], strict=False):
            middle = (UNIT_LEFT + UNIT_RIGHT) / 2
            self.sheet.line([(middle, upper.bottom), (middle, lower.top)], KINDS["bus"][0], 4.0)

    # What is on the left ---------------------------------------------------------------------------------------------

    def _left_blocks(self) -> None:
        """Draw what is on the table and on the person, each level with its pins."""
        words = {
            "strap_left_1": "left, contact 1",
            "strap_left_2": "left, contact 2",
            "strap_right_1": "right, contact 1",
            "strap_right_2": "right, contact 2",
            "patient_button": "two contacts in series",
            "level_switch": f"cam, open below {shown(self.wiring.profile.switches.level_cdeg)}",
            "angle_a": "A rises with the head",
            "angle_b": "B falls",
            "host_rx": "USB, host to board",
            "host_tx": "USB, board to host",
        }
        groups = (
            ("ankle straps", LEFT_ORDER[:4], TABLE_FILL),
            ("patient's own button", LEFT_ORDER[4:5], TABLE_FILL),
            ("level switch", LEFT_ORDER[5:6], TABLE_FILL),
            ("angle sensors", LEFT_ORDER[6:8], TABLE_FILL),
            ("computer", LEFT_ORDER[8:], BLOCK_FILL),
        )
        free, above = [], float(TOP)
        for title, names, fill in groups:
            rows = [(name, words[name]) for name in names if name in self.board_ends]
            if rows:
                top = self.board_ends[rows[0][0]][1] + self.pitch / 2 + self.head
                bottom = self.block(MARGIN, LEFT_END, top, title, rows, fill)
                free.append((above - top, (above + top) / 2))
                above = bottom
        free.append((above - PANEL_TOP, (above + PANEL_TOP) / 2))
        room, middle = max(free)
        if room >= DIAL + 2 * self.gap:
            self.dial(self.wiring.profile, middle)

    # Wires -----------------------------------------------------------------------------------------------------------

    def _wires(self) -> None:
        """Draw each wire from the board to its block: straight where both are level, else by a way of its own."""
        bent = [name for name in self.board_ends if self.board_ends[name][1] != self.block_ends[name][1]]
        # Those that lead down keep to the right of those that lead up, and neither group crosses itself.
        down = [name for name in bent if self.block_ends[name][1] < self.board_ends[name][1]]
        up = [name for name in bent if name not in down]
        ways = {name: SWITCH_LEFT - 12 - 12 * number for number, name in enumerate([*down, *up[::-1]])}
        for name in sorted(self.board_ends, key=bent.__contains__):
            start, end = self.board_ends[name], self.block_ends[name]
            row = self.wiring.row(name)
            color, dash, _ = KINDS[row.kind]
            x = ways.get(name)
            if x is None:
                self.sheet.line([start, end], color, 1.3, dash)
            else:
                # What it crosses is interrupted there: nothing is joined.
                inside = sorted((start[1], end[1]))
                self.sheet.line([(x, inside[0] + 4), (x, inside[1] - 4)], WHITE, 7)
                self.sheet.line([start, (x, start[1]), (x, end[1]), end], color, 1.3, dash)
            on_left = start[0] == UNIT_LEFT
            outward = row.kind == "output" or name == "host_tx"
            self._arrow(end if outward else start, on_left == outward, color)
            label = start[0] - 12 if on_left else start[0] + 12
            self.sheet.text(label, start[1] + 3.5, name, TEXT, color, FONT, "end" if on_left else "start")

    def _arrow(self, tip: Point, to_left: bool, color: Color) -> None:
        x, y = tip
        back = x + 6 if to_left else x - 6
        self.sheet.line([(back, y + 2.8), (x, y), (back, y - 2.8)], color, 1.3)

    # The panel -------------------------------------------------------------------------------------------------------

    def _panel(self) -> None:
        """Draw the panel with each button, lamp and its pin, and a bundle from each unit that has some of them."""
        self.frame(MARGIN, FOOT, PANEL_RIGHT, PANEL_TOP, BLOCK_FILL)
        self.sheet.text(MARGIN + 8, PANEL_TOP - 14, "panel", 10, INK, BOLD)
        buttons = [row for row in self.wiring.rows if row.group == "buttons"]
        lamps = [row for row in self.wiring.rows if row.group == "lamps"]
        width = (PANEL_RIGHT - MARGIN - 16) / 9
        height = 33.0
        top = PANEL_TOP - 18
        for number, row in enumerate((*buttons, *lamps)):
            line, place = (0, number) if number < len(buttons) else divmod(number - len(buttons), 9)
            line += 0 if number < len(buttons) else 1
            self._cell(row, MARGIN + 8 + width * place, top - height * line, width - 5, height - 5)
        self._bundles()

    def _cell(self, row: Row, left: float, top: float, width: float, height: float) -> None:
        color = KINDS[row.kind][0]
        self.frame(left, top - height, left + width, top, WHITE, color)
        middle = left + width / 2
        name = row.signal.removeprefix("button_").removeprefix("lamp_").replace("_", " ")
        words = name.upper() if row.group == "buttons" else name
        self.sheet.text(middle, top - 12, words, TEXT, INK, BOLD if row.group == "buttons" else FONT, "middle")
        place = f"{row.pin} {row.port}" + (f", {OPENS}" if row.open_reads == "pressed" else "")
        self.sheet.text(middle, top - 23, place, SMALL, color, anchor="middle")

    def _bundles(self) -> None:
        """Draw what goes from each unit to the panel as one thick line with a count."""
        x = LEFT_END + 22.0
        for unit in self.units:
            # The upper line turns down first, so that no two of them cross.
            for number, kind in enumerate(("output", "contact")):
                members = [row for row in unit.panel if row.kind == kind]
                if not members:
                    continue
                if unit is self.units[-1]:
                    at = UNIT_LEFT + (110 if kind == "output" else 50)
                    corners = [(at, unit.bottom), (at, PANEL_TOP)]
                    label = (at + 6, PANEL_TOP + 4, "start") if kind == "output" else (at - 6, PANEL_TOP + 4, "end")
                else:
                    y = unit.bottom + 6 + (0 if number or len({row.kind for row in unit.panel}) == 1 else 16)
                    corners = [(UNIT_LEFT, y), (x, y), (x, PANEL_TOP)]
                    label = (UNIT_LEFT - 8, y + 4, "end")
                    x += 16
                self.sheet.line(corners, WHITE, 8)
                self.sheet.line(corners, KINDS[kind][0], 4)
                called = ("buzzer" if row.signal == "buzzer" else row.group for row in members)
                words = " and ".join(dict.fromkeys(called))
                many = f"{len(members)} wire{'s' if len(members) > 1 else ''}: {words}"
                self.sheet.text(label[0], label[1], many, SMALL, KINDS[kind][0], FONT, label[2])

    # The legend ------------------------------------------------------------------------------------------------------

    def _legend(self) -> None:
        left, y = PANEL_RIGHT + 18, PANEL_TOP - 12
        for color, dash, words in KINDS.values():
            self.sheet.line([(left, y + 3), (left + 24, y + 3)], color, 1.6, dash)
            self.sheet.text(left + 30, y, words, SMALL, INK)
            y -= 15
        for color, width, words in (
            (POWER, 3.2, "safety chain: cuts the drive by wire"),
            (MOTOR, 2.6, "motor leads"),
        ):
            self.sheet.line([(left, y + 3), (left + 24, y + 3)], color, width)
            self.sheet.text(left + 30, y, words, SMALL, INK)
            y -= 15
        self.sheet.text(left, y, f"{OPENS}: opens when it is pressed; every other button closes", SMALL, INK)
        y -= 11
        self.sheet.text(left, y - 4, "Grounds and sensor supplies are not drawn.", SMALL, FAINT)
        self.sheet.text(left, y - 16, "Not a certified medical device.", SMALL, FAINT)


def _units(wiring: Wiring) -> list[_Unit]:
    """Return the board and the chips beside it, each with its wires in the order of the drawing."""
    units = [_Unit(wiring.board_title, "")]
    by_place = {"": units[0]}
    if wiring.has("spi_clock"):
        for place, title in (("X0", "X0: MCP23S17"), ("ADC", "ADC: MCP3208"), ("X1", "X1: MCP23S17")):
            if any(row.pin.startswith(f"{place}: ") for row in wiring.rows):
                by_place[place] = _Unit(title, "")
                units.append(by_place[place])
    spi: list[str] = []
    for row in wiring.rows:
        unit = by_place[row.pin.partition(": ")[0] if ": " in row.pin else ""]
        if row.group in ("buttons", "lamps"):
            unit.panel.append(row)
        elif row.group == "bus":
            spi.append(f"{row.pin} {row.function.removeprefix('SPI0 ')}")
        elif row.signal in LEFT_ORDER:
            unit.left.append(row)
        elif row.signal in RIGHT_ORDER:
            unit.right.append(row)
        else:
            unit.lines.append(f"{row.pin} {row.port}: {row.signal}")
    if spi:
        units[0].lines += [f"SPI: {', '.join(spi[:3])},", ", ".join(spi[3:])]
    for unit in units:
        unit.left.sort(key=lambda row: LEFT_ORDER.index(row.signal))
        unit.right.sort(key=lambda row: RIGHT_ORDER.index(row.signal))
    return units
