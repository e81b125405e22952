"""The library lgpio as gpiozero's own factory finds it on a Raspberry Pi: chips of the kernel, lines, PWM and SPI.

As its source and its documents have it: a line belongs to one who asked for it, and is busy for everybody else; what is
an output already stays as it is when it is asked for again; what fails raises `error`, which is a plain exception.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

LINES = 54


class FakeError(Exception):
    """What lgpio raises."""


@dataclass
class Line:
    """One line of a chip; `busy` when another program has it, `wired` what is put on it from outside."""

    busy: bool = False
    owned: bool = False
    output: bool = False
    pull: int = 0
    level: int = 0
    wired: int | None = None
    pwm: tuple[float, float] = (0.0, 0.0)

    @property
    def driven(self) -> float:
        """What it drives: 0…1, a share of 1 where it is pulsed; 0 where it is no output."""
        if not (self.owned and self.output):
            return 0.0
        return self.pwm[1] / 100 if self.pwm[0] else float(self.level)


@dataclass
class Chip:
    """A chip of the kernel."""

    label: str
    lines: list[Line] = field(default_factory=lambda: [Line() for _ in range(LINES)])


class FakeLgpio(ModuleType):
    """The module.

    Attributes:
        chips: by number; forbidden: those numbers that this user may not open.
        spi: what answers at SPI 0, by chip select; without any the bus is switched off.
        handles: chips that are open now, by handle; buses: SPI devices that are open now.
        calls: every claim and write, in order; fail_at: the call of that number, from 1, raises.
        asked_for_pipe: where the pipe was made when this was loaded.
    """

    SET_PULL_NONE, SET_PULL_UP, SET_PULL_DOWN = 128, 32, 64
    RISING_EDGE, FALLING_EDGE, BOTH_EDGES = 1, 2, 3
    error = FakeError

    def __init__(self, devices: Path, labels: dict[int, str], forbidden: Iterable[int] = ()) -> None:
        super().__init__("lgpio")
        for number in labels:
            (devices / f"gpiochip{number}").touch()
        self.chips = {number: Chip(label) for number, label in labels.items()}
        self.forbidden = set(forbidden)
        self.spi: dict[int, Callable[[Sequence[int]], list[int]]] = {}
        self.handles: dict[int, Chip] = {}
        self.buses: dict[int, int] = {}
        self.calls: list[tuple[str, int]] = []
        self.fail_at = 0
        self._next = 1

    def _note(self, what: str, gpio: int) -> None:
        self.calls.append((what, gpio))
        if len(self.calls) == self.fail_at:
            raise FakeError("it went wrong")

    # Chips.

    def gpiochip_open(self, number: int) -> int:
        if number not in self.chips or number in self.forbidden:
            raise FakeError("can not open gpiochip")
        self._next += 1
        self.handles[self._next] = self.chips[number]
        return self._next

    def gpiochip_close(self, handle: int) -> int:
        for line in self.handles.pop(handle).lines:
            line.owned = line.output = False
            line.pwm = (0.0, 0.0)
        return 0

    def gpio_get_chip_info(self, handle: int) -> list[object]:
        return [0, LINES, "a name", self.handles[handle].label]

    # Lines.

    def _line(self, handle: int, gpio: int) -> Line:
        line = self.handles[handle].lines[gpio]
        if line.busy:
            raise FakeError("GPIO busy")
        return line

    def gpio_claim_input(self, handle: int, gpio: int, flags: int = 0) -> int:
        self._note("input", gpio)
        line = self._line(handle, gpio)
        if not line.owned or line.output:
            line.owned, line.output, line.pull, line.pwm = True, False, flags, (0.0, 0.0)
        return 0

    def gpio_claim_output(self, handle: int, gpio: int, level: int = 0, flags: int = 0) -> int:
        self._note("output", gpio)
        line = self._line(handle, gpio)
        if not (line.owned and line.output):
            line.owned, line.output, line.pull, line.level = True, True, flags, level
        return 0

    def gpio_free(self, handle: int, gpio: int) -> int:
        self._line(handle, gpio).owned = False
        return 0

    def gpio_get_mode(self, handle: int, gpio: int) -> int:
        line = self.handles[handle].lines[gpio]
        return line.pull | (2 if line.output else 0)

    def gpio_read(self, handle: int, gpio: int) -> int:
        line = self.handles[handle].lines[gpio]
        if line.output:
            return line.level
        return line.wired if line.wired is not None else int(line.pull == self.SET_PULL_UP)

    def gpio_write(self, handle: int, gpio: int, level: int) -> int:
        self._note("write", gpio)
        line = self._line(handle, gpio)
        if not line.output:
            raise FakeError("GPIO is not an output")
        line.level = int(level)
        return 0

    def tx_pwm(self, handle: int, gpio: int, frequency_hz: float, percent: float) -> int:
        self._note("pwm", gpio)
        if not (frequency_hz == 0 or 0.1 <= frequency_hz <= 10_000) or not 0 <= percent <= 100:
            raise FakeError("bad PWM")
        self._line(handle, gpio).pwm = (frequency_hz, percent)
        return 0

    # SPI.

    def spi_open(self, port: int, device: int, baud: int, flags: int = 0) -> int:
        if port != 0 or device not in self.spi:
            raise FakeError("can not open SPI device")
        self._next += 1
        self.buses[self._next] = device
        return self._next

    def spi_close(self, handle: int) -> int:
        del self.buses[handle]
        return 0

    def spi_xfer(self, handle: int, words: Sequence[int]) -> tuple[int, bytearray]:
        try:
            answer = self.spi[self.buses[handle]](list(words))
        except OSError as error:
            raise FakeError("SPI xfer/read/write failed") from error
        return len(answer), bytearray(answer)


def pipe_folders() -> tuple[str, str]:
    """Where lgpio would make its pipe now, and where it would look for it."""
    return os.environ.get("LG_WD", os.getcwd()), os.getcwd()  # noqa: PTH109 as the library does it
