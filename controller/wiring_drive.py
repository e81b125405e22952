"""The right side of the block diagram: supply, e-stop, relays, brake, drive, end switches and motor.

The supply that they cut runs down at the edge, thick, with the contact of each relay in it.
"""

from collections.abc import Sequence

from controller.sheet import BOLD, FONT, GREY, INK
from controller.wiring import Wiring
from controller.wiring_canvas import (
    BLOCK_FILL,
    BLOCK_LEFT,
    BLOCK_RIGHT,
    CHAIN_FILL,
    CLOSE,
    KINDS,
    MOTOR,
    POWER,
    RAIL,
    ROOMY,
    SMALL,
    SWITCH_LEFT,
    SWITCH_RIGHT,
    TEXT,
    TOP,
    Canvas,
    Point,
)  # fmt: skip
from controller.wiring_rules import shown


class DriveSide(Canvas):
    """What drives the table; `taps` and `cuts` are where the supply feeds a block and where a relay opens it."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(CLOSE if wiring.has("spi_clock") else ROOMY)
        self.wiring = wiring
        self.taps: list[float] = []
        self.cuts: list[tuple[float, str]] = []

    def right_side(self) -> None:
        """Draw supply, stop, relays, brake, drive and motor."""
        has, profile = self.wiring.has, self.wiring.profile
        names = (("mains", "mains present"), ("battery", "battery good"), ("supply_rail", "either delivers"))
        supply = [(name, words) for name, words in names if has(name)]
        title = "supply, battery" if profile.battery.fitted else "supply, no battery"
        top = self.block(BLOCK_LEFT, BLOCK_RIGHT, TOP, title, supply, BLOCK_FILL)
        self.sheet.line([(BLOCK_RIGHT, TOP - self.head / 2), (RAIL, TOP - self.head / 2)], POWER, 3.2)
        top = self._estop(top - self.gap)
        if has("safety_relay"):
            words = "250 ms after the last edge"
            rows = [("safety_relay", words)]
            after = self.block(BLOCK_LEFT, BLOCK_RIGHT, top - self.gap, "safety relay K2, alarm", rows, CHAIN_FILL)
            self.cuts.append((top - self.gap - self.head - self.pitch / 2, "K2"))
            top = after
        brake = [("brake_release", f"driver; grips in {profile.brake.set_ms} ms")]
        after = self.block(BLOCK_LEFT, BLOCK_RIGHT, top - self.gap, "brake, by a spring", brake, BLOCK_FILL)
        self.taps.append(top - self.gap - self.head / 2)
        top = after - self.gap
        self.taps.append(top - self.head / 2)
        self._drive(top)
        self._rail()

    def _estop(self, top: float) -> float:
        """Draw the e-stop with its four contacts, and the relay that two of them switch."""
        rows = [("estop_1", "contact 3"), ("estop_2", "contact 4")]
        bottom = self.block(SWITCH_LEFT, SWITCH_RIGHT, top, "e-stop", rows, CHAIN_FILL)
        self.frame(BLOCK_LEFT, bottom, BLOCK_RIGHT, top, CHAIN_FILL)
        self.sheet.text(BLOCK_LEFT + 7, top - 13.5, "e-stop relay K1", 9, INK, BOLD)
        for number in (1, 2):
            y = top - self.head - self.pitch * (number - 0.5)
            self.sheet.text(SWITCH_RIGHT - 7, y - 3, f"contact {number}", SMALL, GREY, anchor="end")
            self.sheet.line([(SWITCH_RIGHT, y), (BLOCK_LEFT, y)], POWER, 2.2)
            self.sheet.text(BLOCK_LEFT + 7, y - 3, f"channel {number}", SMALL, GREY)
        self.cuts.append((top - self.head - self.pitch / 2, "K1"))
        return bottom

    def _drive(self, top: float) -> None:
        """Draw drive, end switches and motor."""
        has, wired = self.wiring.has, not self.wiring.has("drive_direction")
        relays = self.wiring.drive == "two-relay"
        ways = [("relay_down", "relay, head down"), ("drive_down", "leg, head down"), ("end_down", "")]
        ways += [("relay_up", "relay, head up"), ("drive_up", "leg, head up"), ("end_up", "")]
        ports = [("drive_enable", "enable"), ("drive_pwm", "PWM"), ("drive_direction", "direction")]
        ports += ways if wired else []
        ports += [("drive_fault", "healthy"), ("current", "motor current")]
        ports = [(name, words) for name, words in ports if has(name)]
        title = "drive: two relays" if relays else "drive: H-bridge"
        bottom = self.block(BLOCK_LEFT, BLOCK_RIGHT, top, title, ports, BLOCK_FILL)
        if wired:
            self._switches_in_lines(relays)
            self._motor(bottom - 34, [(BLOCK_LEFT + 45, bottom), (BLOCK_RIGHT - 45, bottom)])
        else:
            self._switches_in_leads(bottom)

    def _switches_in_lines(self, relays: bool) -> None:
        """Put each end switch's first contact into the line of its way, its second one beside it."""
        switches = self.wiring.profile.switches
        lines = ("relay_down", "relay_up") if relays else ("drive_down", "drive_up")
        for line, signal, words, cdeg in (
            (lines[0], "end_down", "lower end", switches.end_down_cdeg),
            (lines[1], "end_up", "upper end", switches.end_up_cdeg),
        ):
            (x, y), (_, below) = self.block_ends[line], self.block_ends[signal]
            top, bottom = y + self.pitch * 0.42, below - self.pitch * 0.42
            self.frame(SWITCH_LEFT, bottom, SWITCH_RIGHT, top, CHAIN_FILL)
            self.sheet.text(SWITCH_LEFT + 7, y - 3, f"{words} {shown(cdeg)}", TEXT, INK, BOLD)
            self.sheet.text(SWITCH_LEFT + 7, below - 3, "contact 2", SMALL, GREY)
            self.sheet.text(SWITCH_RIGHT + 3, y + 3.5, "contact 1", 7.5, POWER)
            self.sheet.line([(SWITCH_RIGHT, y), (x, y)], POWER, 2.2)
            self.block_ends[line], self.block_ends[signal] = (SWITCH_LEFT, y), (SWITCH_LEFT, below)

    def _switches_in_leads(self, top: float) -> None:
        """Put each end switch's first contact into a motor lead, with its diode."""
        switches = self.wiring.profile.switches
        ends = (("end_down", "lower end", switches.end_down_cdeg), ("end_up", "upper end", switches.end_up_cdeg))
        places = (BLOCK_LEFT + 2, (BLOCK_LEFT + BLOCK_RIGHT) / 2 + 3)
        room = (BLOCK_RIGHT - BLOCK_LEFT) / 2 - 5
        high = top - 14
        low = high - 52
        leads = []
        for (name, words, cdeg), left in zip(ends, places, strict=True):
            middle = left + room / 2
            self.sheet.line([(middle, top), (middle, high)], MOTOR, 2.6)
            self.frame(left, low, left + room, high, CHAIN_FILL)
            for line, (text, font, size) in enumerate(
                ((f"{words} {shown(cdeg)}", BOLD, 7.5), ("contact 1", FONT, 7.5), ("with diode", FONT, 7.5))
            ):
                self.sheet.text(middle, high - 12 - 10 * line, text, size, INK if line == 0 else GREY, font, "middle")
            leads.append((middle, low))
            self.block_ends[name] = (left, low + 8)
        # The upper switch stands behind the lower one: its signal leaves below both.
        x, _ = self.block_ends["end_up"]
        self.sheet.line([(x + 8, low), (x + 8, low - 9)], KINDS["contact"][0], 1.3)
        self.block_ends["end_up"] = (x + 8, low - 9)
        self._motor(low - 24, leads)

    def _motor(self, top: float, leads: Sequence[Point]) -> None:
        bottom = top - 32
        for x, y in leads:
            self.sheet.line([(x, y), (x, top)], MOTOR, 2.6)
        self.frame(BLOCK_LEFT, bottom, BLOCK_RIGHT, top, BLOCK_FILL)
        self.sheet.text((BLOCK_LEFT + BLOCK_RIGHT) / 2, top - 13, "motor and gear", 9, INK, BOLD, "middle")
        side = f"brake on the {self.wiring.profile.brake.side}'s side"
        self.sheet.text((BLOCK_LEFT + BLOCK_RIGHT) / 2, top - 25, side, SMALL, GREY, anchor="middle")

    def _rail(self) -> None:
        """Draw the drive's supply: down from the fuse through the relays' contacts to brake and drive."""
        start, end = TOP - self.head / 2, min(self.taps)
        y = start
        for at, name in sorted(self.cuts, reverse=True):
            self.sheet.line([(RAIL, y), (RAIL, at + 8)], POWER, 3.2)
            self.sheet.line([(RAIL, at - 8), (RAIL - 9, at + 7)], POWER, 2.4)
            self.sheet.line([(BLOCK_RIGHT, at), (RAIL - 6, at)], POWER, 1.0, [3, 2])
            self.sheet.text(RAIL + 5, at - 3, name, TEXT, POWER, BOLD)
            y = at - 8
        self.sheet.line([(RAIL, y), (RAIL, end)], POWER, 3.2)
        for tap in self.taps:
            self.sheet.line([(RAIL, tap), (BLOCK_RIGHT, tap)], POWER, 3.2)
        self.sheet.text(RAIL + 5, start - 3, "fuse", TEXT, POWER)
