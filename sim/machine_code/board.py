"""One Arduino Mega 2560 with an image in its flash, cycle by cycle: pins and bytes in and out.

Pins are named as in pins.toml; time is told in cycles of 16 MHz since power-on.
"""

import tomllib
from functools import cache
from typing import Any, Final, NamedTuple

import cffi

from config.errors import DeviceMissingError
from firmware_bridge.image import IMAGE, read_image
from sim.machine_code.building import glue_library

CYCLES_A_MS: Final = 16_000
EEPROM_BYTES: Final = 4096
RAM_END: Final = 0x21FF
_SAID: Final = 8192
_EVENTS: Final = 4096
# Addresses in data space, from the data sheet's register summary.
_PORTS: Final = {"B": 0x25, "C": 0x28, "E": 0x2E, "G": 0x34, "K": 0x108}
_ICR1, _OCR1A, _TCCR1A, _COM1A1 = 0x86, 0x88, 0x80, 0x80
_TCCR4A, _OCR4A, _COM4A0 = 0xA0, 0xA8, 0x40
_TIMER_HZ: Final = 16_000_000 // 8

_CALLS: Final = """
typedef struct { uint64_t cycle; uint8_t port; uint8_t value; } machine_event_t;
void *machine_new(const uint8_t *, uint32_t, const uint8_t *);
void machine_free(void *);
bool machine_run(void *, uint64_t);
uint64_t machine_cycle(const void *);
uint32_t machine_resets(const void *);
uint16_t machine_lowest_sp(const void *);
uint32_t machine_pc(const void *);
void machine_sense(void *, uint32_t, int32_t);
void machine_pin(void *, uint8_t, uint8_t, uint8_t);
bool machine_pin_at(void *, uint64_t, uint8_t, uint8_t, uint8_t);
uint32_t machine_hear(void *, const uint8_t *, uint32_t);
uint32_t machine_said(void *, uint8_t *);
uint32_t machine_events(void *, machine_event_t *);
uint8_t *machine_data(void *);
uint8_t *machine_flash(void *);
void machine_eeprom(void *, uint8_t *);
void machine_exact(void *);
bool machine_run_to_address(void *, uint32_t, uint64_t);
"""


class Event(NamedTuple):
    """One of the drive's ports changed: B, E or G."""

    cycle: int
    port: str
    value: int


@cache
def _loaded() -> tuple[Any, Any]:
    ffi = cffi.FFI()
    ffi.cdef(_CALLS)
    return ffi, ffi.dlopen(str(glue_library()))


@cache
def ports() -> dict[str, tuple[str, int]]:
    """Return the port and bit of each signal, as pins.toml has them."""
    pins = tomllib.loads(IMAGE.with_name("pins.toml").read_text(encoding="utf-8"))["pin"]
    return {pin["signal"]: (pin["port"][1], int(pin["port"][2])) for pin in pins}


class Board:
    """A board that was just powered.

    Args:
        image: what is in its flash; None: the shipped firmware.
        eeprom: what its EEPROM keeps from before; None: it is empty.

    Raises:
        DeviceMissingError: there is no simavr, no compiler or no image.
    """

    def __init__(self, image: bytes | None = None, eeprom: bytes | None = None) -> None:
        self._ffi, self._lib = _loaded()
        flash = read_image() if image is None else image
        kept = self._ffi.NULL if eeprom is None else eeprom
        machine = self._lib.machine_new(flash, len(flash), kept)
        if machine == self._ffi.NULL:
            raise DeviceMissingError("simavr does not take this image: it is larger than the flash")
        self._machine = self._ffi.gc(machine, self._lib.machine_free)
        self._data = self._lib.machine_data(self._machine)
        self._said = self._ffi.new("uint8_t[]", _SAID)
        self._noted = self._ffi.new("machine_event_t[]", _EVENTS)
        self._levels: dict[str, bool] = {}

    @property
    def cycle(self) -> int:
        """Cycles since power-on, 16,000 a millisecond."""
        return int(self._lib.machine_cycle(self._machine))

    @property
    def resets(self) -> int:
        """How often its watchdog has reset it."""
        return int(self._lib.machine_resets(self._machine))

    @property
    def stack_bytes(self) -> int:
        """How deep the stack has been."""
        return RAM_END - int(self._lib.machine_lowest_sp(self._machine))

    @property
    def pc(self) -> int:
        """The address of the instruction that comes next, in bytes."""
        return int(self._lib.machine_pc(self._machine))

    @property
    def eeprom(self) -> bytes:
        """What its EEPROM keeps."""
        bytes_ = self._ffi.new("uint8_t[]", EEPROM_BYTES)
        self._lib.machine_eeprom(self._machine, bytes_)
        return bytes(self._ffi.buffer(bytes_))

    def run_to(self, cycle: int) -> None:
        """Run up to a cycle. Raises RuntimeError: the processor has stopped for ever."""
        if not self._lib.machine_run(self._machine, cycle):
            raise RuntimeError(f"the processor stopped at {self.pc:#x}")

    def exact(self) -> None:
        """Go one instruction at a time from now on, so that `events` are told to the cycle."""
        self._lib.machine_exact(self._machine)

    def poke(self, address: int, value: int) -> None:
        """Write a byte of the data space, past the program."""
        self._data[address] = value

    def run_to_address(self, address: int, cycle: int) -> bool:
        """Run until the instruction at an address, in bytes, comes next; False: it did not come up to this cycle."""
        return bool(self._lib.machine_run_to_address(self._machine, address, cycle))

    def put(self, signal: str, high: bool) -> None:
        """Put a level on an input, now."""
        if self._levels.get(signal) is not high:
            self._levels[signal] = high
            port, bit = ports()[signal]
            self._lib.machine_pin(self._machine, ord(port), bit, high)

    def put_at(self, cycle: int, signal: str, high: bool) -> None:
        """Put a level on an input at a cycle to come."""
        self._levels[signal] = high
        port, bit = ports()[signal]
        if not self._lib.machine_pin_at(self._machine, cycle, ord(port), bit, high):
            raise RuntimeError("more than 64 changes wait")

    def sense(self, channel: int, millivolts: float) -> None:
        """Put a voltage on a channel of the converter: 0 angle A, 1 angle B, 2 current."""
        self._lib.machine_sense(self._machine, channel, round(millivolts))

    def hear(self, data: bytes) -> int:
        """Hand bytes to its receiver, which takes them as fast as a line brings them; return how many it took."""
        return int(self._lib.machine_hear(self._machine, data, len(data)))

    def said(self) -> bytes:
        """Return what it has sent since the last call."""
        length = self._lib.machine_said(self._machine, self._said)
        return bytes(self._ffi.buffer(self._said, length))

    def events(self) -> list[Event]:
        """Return the changes of the drive's ports since the last call; to the cycle after `exact`."""
        count = self._lib.machine_events(self._machine, self._noted)
        return [Event(e.cycle, chr(e.port), e.value) for e in self._noted[0:count]]

    def high(self, signal: str) -> bool:
        """Return whether it drives an output high; one that floats is pulled down outside."""
        port, bit = ports()[signal]
        address = _PORTS[port]
        return bool(self._data[address] & self._data[address - 1] & 1 << bit)

    @property
    def duty(self) -> float:
        """The share of the time for which the PWM pin is high, 0 … 1."""
        if not self._data[_TCCR1A] & _COM1A1:
            return float(self.high("drive_pwm"))
        return float(self._word(_OCR1A) / (self._word(_ICR1) + 1))

    @property
    def lamps(self) -> int:
        """Lamps that are lit; bits as in `safety.signals`."""
        data = self._data
        low, high = _PORTS["K"], _PORTS["C"]
        return int(data[low] & data[low - 1] | (data[high] & data[high - 1] & 0x7F) << 8)

    @property
    def buzzer_hz(self) -> int:
        """The pitch of the buzzer, to ten hertz as it is asked for; 0: silent."""
        if not self._data[_TCCR4A] & _COM4A0:
            return 0
        return 10 * round(_TIMER_HZ / 20 / (self._word(_OCR4A) + 1))

    def patch(self, address: int, word: int) -> None:
        """Put another instruction into the flash; for whoever wants to see it hang."""
        flash = self._lib.machine_flash(self._machine)
        flash[address], flash[address + 1] = word & 0xFF, word >> 8

    def memory(self, address: int, length: int) -> bytes:
        """Return bytes of the data space."""
        return bytes(self._ffi.buffer(self._data + address, length))

    def _word(self, address: int) -> int:
        return int(self._data[address] | self._data[address + 1] << 8)
