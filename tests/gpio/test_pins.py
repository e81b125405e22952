"""The pins and the SPI that the simulated table gives to gpiozero."""

import pytest
from gpiozero import MCP3208, Device, DigitalInputDevice, DigitalOutputDevice, GPIOPinInUse, PWMOutputDevice

from sim.gpio_chips import Expanders, Mcp3208
from sim.gpio_pins import TableFactory


def test_what_is_put_on_a_pin_reaches_what_hangs_on_it_and_a_closed_pin_floats() -> None:
    factory = TableFactory()
    seen: list[float | None] = []
    factory.wire(17).drives = seen.append
    device = PWMOutputDevice(17, pin_factory=factory, frequency=2000)
    device.value = 0.3
    device.value = 0.3
    device.close()
    assert seen == [False, 0.3, 0.0, None]


def test_a_pin_remembers_nothing() -> None:
    factory = TableFactory()
    device = DigitalOutputDevice(17, pin_factory=factory)
    for _ in range(100):
        device.toggle()
    assert len(device.pin.states) == 1
    device.close()


def test_an_input_follows_what_hangs_on_it_whenever_that_was_put_there() -> None:
    factory = TableFactory()
    factory.wire(5).put(False)
    factory.wire(6).put(None)
    closed = DigitalInputDevice(5, pull_up=True, pin_factory=factory)
    open_ = DigitalInputDevice(6, pull_up=True, pin_factory=factory)
    assert (closed.pin.state, open_.pin.state) == (0, 1)
    factory.wire(5).put(None)
    factory.wire(6).put(False)
    assert (closed.pin.state, open_.pin.state) == (1, 0)
    closed.close()
    open_.close()


def test_an_input_calls_when_it_changes() -> None:
    factory = TableFactory()
    seen: list[float | None] = []
    device = DigitalInputDevice(5, pull_up=True, pin_factory=factory)

    def activated() -> None:
        seen.append(device.value)

    device.when_activated = activated
    factory.wire(5).put(False)
    assert seen == [1]
    device.close()


def test_gpiozeros_own_converter_reads_the_words_of_ours() -> None:
    factory = TableFactory()
    factory.chips[8] = Mcp3208({0: lambda: 1234, 7: lambda: 4095})
    first, last, none = (MCP3208(channel, pin_factory=factory) for channel in (0, 7, 3))
    assert [first.raw_value, last.raw_value, none.raw_value] == [1234, 4095, 0]
    for device in (first, last, none):
        device.close()


@pytest.mark.parametrize("shift", range(-4, 6))
def test_a_conversion_comes_wherever_the_start_bit_stands(shift: int) -> None:
    converter = Mcp3208({5: lambda: 0xABC})
    asked = (0b11_101 << 14 << shift) if shift >= 0 else 0b11_101 << 14 >> -shift
    length = 4 if shift > 5 else 3
    answer = converter.transfer([asked >> 8 * (length - 1 - place) & 0xFF for place in range(length)])
    word = int.from_bytes(bytes(answer), "big")
    assert (word >> shift if shift >= 0 else word << -shift) & 0xFFF == (
        0xABC if shift >= 0 else 0xABC >> -shift << -shift
    )


def test_a_converter_that_is_gone_reads_high_and_a_broken_bus_raises() -> None:
    factory = TableFactory()
    factory.chips[8] = converter = Mcp3208({0: lambda: 1234})
    spi = factory.spi(port=0, device=0)
    converter.absent = True
    assert spi.transfer([0x06, 0, 0]) == [0xFF, 0xFF, 0xFF]
    converter.absent, converter.broken = False, True
    with pytest.raises(OSError, match="Input/output"):
        spi.transfer([0x06, 0, 0])
    spi.close()


def test_a_pin_of_the_bus_is_nobody_elses() -> None:
    factory = TableFactory()
    spi = factory.spi(port=0, device=0)
    with pytest.raises(GPIOPinInUse):
        DigitalOutputDevice(8, pin_factory=factory)
    with pytest.raises(GPIOPinInUse):
        factory.spi(port=0, device=0)
    other = factory.spi(port=0, device=1)
    other.close()
    spi.close()
    again = factory.spi(port=0, device=0)
    again.close()


def test_two_tables_share_no_pin_and_gpiozeros_default_is_left_alone() -> None:
    one, other = TableFactory(), TableFactory()
    first = DigitalOutputDevice(17, initial_value=True, pin_factory=one)
    second = DigitalOutputDevice(17, pin_factory=other)
    assert (first.value, second.value) == (1, 0)
    assert Device.pin_factory is None
    first.close()
    second.close()


# Expanders ------------------------------------------------------------------------------------------------------------

WRITE, READ = 0x40, 0x41
IODIRA, IOCON, GPPUA, GPIOA, OLATA = 0x00, 0x0A, 0x0C, 0x12, 0x14


def addressed() -> Expanders:
    """Two expanders that look at their address pins."""
    expanders = Expanders(2)
    expanders.transfer([WRITE, IOCON, 0x08])
    return expanders


def test_expanders_are_told_apart_only_after_they_were_told_to() -> None:
    expanders = Expanders(2)
    expanders.transfer([WRITE, GPPUA, 0x11])
    expanders.transfer([WRITE, IOCON, 0x08])
    expanders.transfer([WRITE | 2, GPPUA, 0x22])
    assert expanders.transfer([READ, GPPUA, 0])[2] == 0x11
    assert expanders.transfer([READ | 2, GPPUA, 0])[2] == 0x22
    assert expanders.transfer([READ | 4, GPPUA, 0])[2] == 0xFF


def test_a_contact_reads_low_when_closed_and_an_open_one_needs_its_pull_up() -> None:
    expanders = addressed()
    expanders.chips[0].closed = 0x0101
    assert expanders.transfer([READ, GPIOA, 0, 0])[2:] == [0x00, 0x00]
    expanders.transfer([WRITE, GPPUA, 0xFF, 0xFF])
    assert expanders.transfer([READ, GPIOA, 0, 0])[2:] == [0xFE, 0xFE]


def test_only_outputs_light_and_a_reset_puts_them_out() -> None:
    expanders = addressed()
    chip = expanders.chips[1]
    expanders.transfer([WRITE | 2, OLATA, 0x0F, 0xF0])
    assert chip.outputs == 0
    expanders.transfer([WRITE | 2, IODIRA, 0x00, 0x0F])
    assert chip.outputs == 0xF00F
    chip.reset()
    assert chip.outputs == 0
    assert not chip.answers(1)
