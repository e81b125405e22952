"""Everything that is wired to the Pi, opened as gpiozero's devices: all outputs off at first, all off at last."""

import contextlib
from collections.abc import Callable
from typing import Any, Final

from gpiozero import InputDevice, OutputDevice, PWMOutputDevice, SPIFixedRate

from config.errors import DeviceMissingError
from config.gpio import NORMALLY_CLOSED, Gpio
from config.pins import bit_of, chip_of, name_of, on_expander
from config.profile import Profile
from firmware_bridge.gpio_converter import RATE_HZ, Converter
from firmware_bridge.gpio_expander import Expander
from firmware_bridge.gpio_factory import open_spi, pin_faults
from firmware_bridge.gpio_power import Stage, Switches, stage_of
from safety.signals import BUTTONS, LAMPS, Contacts

# Bits of the word of switches: the buttons as in `safety.signals`, then every other contact, set where it is open.
STRAP_LEFT_1: Final = 0x0200
STRAP_LEFT_2: Final = 0x0400
STRAP_RIGHT_1: Final = 0x0800
STRAP_RIGHT_2: Final = 0x1000
ESTOP_1: Final = 0x2000
ESTOP_2: Final = 0x4000
PATIENT: Final = 0x8000
LEVEL: Final = 0x1_0000
END_DOWN: Final = 0x2_0000
END_UP: Final = 0x4_0000
NO_MAINS: Final = 0x8_0000
NO_BATTERY: Final = 0x10_0000
FAULT: Final = 0x20_0000
ALL_BUTTONS: Final = sum(BUTTONS.values())
ESTOP: Final = ESTOP_1 | ESTOP_2
_CONTACTS: Final = {
    "strap_left_1": STRAP_LEFT_1,
    "strap_left_2": STRAP_LEFT_2,
    "strap_right_1": STRAP_RIGHT_1,
    "strap_right_2": STRAP_RIGHT_2,
    "estop_1": ESTOP_1,
    "estop_2": ESTOP_2,
    "patient_button": PATIENT,
    "level_switch": LEVEL,
    "end_down": END_DOWN,
    "end_up": END_UP,
    "mains": NO_MAINS,
    "battery_ok": NO_BATTERY,
    "drive_fault": FAULT,
}
_OFTEN_ENOUGH: Final = 50  # a chip that a dip has reset is set up again after so many samples: 100 ms


def pair_of(word: int, first: int, second: int) -> Contacts:
    """Return what two contacts say together."""
    opened = word & (first | second)
    if not opened:
        return Contacts.CLOSED
    return Contacts.OPEN if opened == first | second else Contacts.DISCREPANT


class Board:
    """One table's wiring.

    Args:
        profile: a profile with a table of pins.
        factory: gpiozero's pin factory, a real one or a mock.
        now_ms: what time it is.
        let_go: called when everything is off and closed, once.

    Attributes:
        converter: the analogue side; stage, switches: what moves the table.
        lost: bits of the switches that nobody knows, because an expander does not answer.

    Raises:
        DeviceMissingError: a pin or SPI cannot be opened; whatever was opened before is off and closed again.
    """

    def __init__(
        self,
        profile: Profile,
        factory: Any,
        now_ms: Callable[[], int],
        let_go: Callable[[], None] | None = None,
    ) -> None:
        gpio = profile.gpio
        assert gpio is not None
        self._factory = factory
        self._now_ms = now_ms
        self._let_go = let_go
        self._devices: list[Any] = []
        self._opened: list[Any] = []
        self._lamp_pins: list[tuple[int, Any]] = []
        self._lamp_lines: list[tuple[int, int, int]] = []
        self._buzzer_hz = 0
        self._lamps = 0
        self._relay_level = False
        self._samples = 0
        self.lost = 0
        try:
            self._open(profile, gpio)
        except BaseException as error:
            self.close()
            if isinstance(error, pin_faults()) and not isinstance(error, DeviceMissingError):
                raise DeviceMissingError(
                    f"a pin cannot be opened ({error}): see that no other program uses the pins, and that the profile "
                    "names them as they are wired"
                ) from error
            raise

    def _open(self, profile: Profile, gpio: Gpio) -> None:
        """Open everything, what moves the table first: from then on it is held off."""
        self._brake = self._output(gpio.drive.brake)
        self._enable = self._output(gpio.drive.enable)
        self.switches = Switches(self._brake, self._enable)
        self.stage: Stage = stage_of(gpio.drive, profile.drive.top_speed_cdeg_s, self._output, self._pwm, self._now_ms)
        self._relay = self._output(gpio.drive.safety_relay)
        self._buzzer = self._pwm(gpio.buzzer, 1000)
        self.converter = Converter(self._spi(gpio.converter.device))
        self._open_lamps(gpio)
        self._open_contacts(gpio)

    def _open_lamps(self, gpio: Gpio) -> None:
        for name, bit in LAMPS.items():
            pin = _of(gpio.lamps, name.lower())
            if pin is None:
                continue
            if on_expander(pin):
                self._lamp_lines.append((bit, chip_of(pin), bit_of(pin)))
            else:
                self._lamp_pins.append((bit, self._output(pin)))

    def _open_contacts(self, gpio: Gpio) -> None:
        """Open every contact: on pins as pulled-up inputs, on expanders as bits of one reading."""
        pressed: list[tuple[int, int]] = []
        opened = [(bit, pin) for name, bit in _CONTACTS.items() if (pin := _of(gpio.inputs, name)) is not None]
        for name, bit in BUTTONS.items():
            (opened if name in NORMALLY_CLOSED else pressed).append((bit, _of(gpio.buttons, name.lower())))
        self._pressed = [(bit, self._input(pin)) for bit, pin in pressed if not on_expander(pin)]
        self._open_bits = [(bit, self._input(pin)) for bit, pin in opened if not on_expander(pin)]
        far = [(bit, pin, True) for bit, pin in pressed if on_expander(pin)]
        far += [(bit, pin, False) for bit, pin in opened if on_expander(pin)]
        self._expanders: list[Expander] = []
        # Of each chip: which bit of the word each closed contact sets, which it clears, and all of them.
        self._lines: list[tuple[list[tuple[int, int]], int, int]] = []
        spi = self._spi(1 - gpio.converter.device) if gpio.expanders else None
        for chip in range(gpio.expanders):
            mine = [(bit, bit_of(pin), closed) for bit, pin, closed in far if chip_of(pin) == chip]
            self._expanders.append(Expander(spi, chip, sum(line for _, line, _ in mine)))
            inverted = sum(bit for bit, _, closed in mine if not closed)
            self._lines.append(([(line, bit) for bit, line, _ in mine], inverted, sum(bit for bit, _, _ in mine)))
        for expander in self._expanders:
            expander.set_up()

    # What comes in.

    def sample(self) -> int:
        """Return every switch as it is at this instant; `lost` says which of them nobody knows."""
        word = lost = 0
        for bit, pin in self._pressed:
            if not pin.state:
                word |= bit
        for bit, pin in self._open_bits:
            if pin.state:
                word |= bit
        for expander, (lines, inverted, every) in zip(self._expanders, self._lines, strict=True):
            if not lines:
                continue
            closed = expander.closed()
            if closed is None:
                lost |= every
                continue
            flipped = inverted
            for line, bit in lines:
                if closed & line:
                    flipped ^= bit
            word |= flipped
        self.lost = lost
        self._samples += 1
        if self._samples >= _OFTEN_ENOUGH:
            self._samples = 0
            for expander in self._expanders:
                expander.set_up()
        return word

    # What goes out.

    def show(self, lamps: int, buzzer_hz: int) -> None:
        """Light lamps and sound the buzzer, as they are now."""
        if lamps != self._lamps:
            self._lamps = lamps
            for bit, device in self._lamp_pins:
                device.value = bool(lamps & bit)
            if self._lamp_lines:
                self._light(lamps)
        if buzzer_hz != self._buzzer_hz:
            self._buzzer_hz = buzzer_hz
            if buzzer_hz:
                self._buzzer.frequency = buzzer_hz
            self._buzzer.value = 0.5 if buzzer_hz else 0.0

    def _light(self, lamps: int) -> None:
        words = [0] * len(self._expanders)
        for bit, chip, line in self._lamp_lines:
            if lamps & bit:
                words[chip] |= line
        for expander, word in zip(self._expanders, words, strict=True):
            expander.light(word)

    def beat(self) -> None:
        """Change the level of the safety relay's pin, so that it stays closed for a little longer."""
        self._relay_level = not self._relay_level
        self._relay.value = self._relay_level

    def off(self) -> None:
        """Switch every output off, what moves the table first; a pin that fails keeps no other from it."""
        for device in self._devices:
            with contextlib.suppress(Exception):
                device.value = 0
        with contextlib.suppress(Exception):
            self.show(0, 0)

    def close(self) -> None:
        """Switch every output off and give everything back. Doing so twice is allowed."""
        self.off()
        while self._opened:
            with contextlib.suppress(Exception):
                self._opened.pop().close()
        self._devices.clear()
        self._lamp_pins.clear()
        self._lamp_lines.clear()
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            with contextlib.suppress(Exception):
                let_go()

    # Opening.

    def _output(self, pin: int) -> Any:
        device = OutputDevice(name_of(pin), initial_value=False, pin_factory=self._factory)
        return self._keep(device)

    def _pwm(self, pin: int, frequency_hz: int) -> Any:
        return self._keep(PWMOutputDevice(name_of(pin), frequency=frequency_hz, pin_factory=self._factory))

    def _keep(self, device: Any) -> Any:
        self._devices.append(device)
        self._opened.append(device)
        return device

    def _input(self, pin: int) -> Any:
        """Return the pin itself, pulled up: read several hundred times a second, it is asked without ceremony."""
        device = InputDevice(name_of(pin), pull_up=True, pin_factory=self._factory)
        self._opened.append(device)
        return device.pin

    def _spi(self, device: int) -> Any:
        spi = open_spi(self._factory, device)
        self._opened.append(spi)
        with contextlib.suppress(SPIFixedRate):
            spi.rate = RATE_HZ
        return spi


def _of(table: Any, name: str) -> Any:
    """Return one pin by its key in the profile; Python has words of its own for two of them."""
    return getattr(table, f"{name}_" if name in ("raise", "return") else name)
