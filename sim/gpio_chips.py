"""The chips between a Raspberry Pi and the simulated table: converter and expanders, word by word.

As their data sheets have them: Microchip DS21298 for the MCP3208, DS20001952 for the MCP23S17.
"""

from collections.abc import Callable, Sequence
from typing import Final

FLOATING: Final = 0xFF

# Registers of a MCP23S17 with IOCON.BANK = 0: pairs, port A first.
IODIR: Final = 0x00
IPOL: Final = 0x02
IOCON: Final = 0x0A
GPPU: Final = 0x0C
GPIO: Final = 0x12
OLAT: Final = 0x14
REGISTERS: Final = 0x16
BANK: Final = 0x80
SEQOP: Final = 0x20
HAEN: Final = 0x08

# The first two words that ask for a channel so that its word ends with the third: start bit, single-ended, channel.
_USUAL: Final = {(0x06 | channel >> 2, (channel & 3) << 6): channel for channel in range(8)}


class Mcp3208:
    """An eight-channel 12-bit converter, as its data sheet clocks it: start bit, single-ended, channel; null bit, word.

    Attributes:
        channels: what each channel converts to, asked at each conversion: a word, 0…4095.
        stuck: every channel returns this word, as a converter does whose input has latched; None: it works.
        absent: nobody answers: the line stays high.
        broken: the bus itself fails, and every transfer raises OSError.
        conversions: how many there were.
    """

    def __init__(self, channels: dict[int, Callable[[], int]]) -> None:
        self.channels = channels
        self.stuck: int | None = None
        self.absent = False
        self.broken = False
        self.conversions = 0

    def transfer(self, words: Sequence[int]) -> list[int]:
        """Answer one or more words with a conversion. Raises OSError when the bus is broken."""
        if self.broken:
            raise OSError(5, "Input/output error")
        length = len(words)
        if self.absent:
            return [FLOATING] * length
        if length == 3 and self.stuck is None:
            # Nearly all of them: a channel asked for so that its word ends with the last bit.
            channel = _USUAL.get((words[0], words[1]))
            if channel in self.channels:
                self.conversions += 1
                word = self.channels[channel]()
                return [0, word >> 8, word & 0xFF]
        asked = 0
        for word in words:
            asked = asked << 8 | word
        # Counted from the start bit: single-ended, three bits of channel, one to sample, the null bit, twelve of word.
        start = asked.bit_length() - 1
        shift = start - 18
        if start < 4 or not asked >> (start - 1) & 1:
            return [0] * length
        self.conversions += 1
        asks = self.channels.get(asked >> (start - 4) & 7)
        word = self.stuck if self.stuck is not None else 0 if asks is None else asks()
        answer = word << shift if shift >= 0 else word >> -shift
        if length == 3:
            return [answer >> 16 & 0xFF, answer >> 8 & 0xFF, answer & 0xFF]
        return [answer >> 8 * (length - 1 - place) & 0xFF for place in range(length)]


class Mcp23S17:
    """A sixteen-line expander: registers, pull-ups, directions.

    Attributes:
        address: what its address pins are wired to.
        closed: bits of the lines whose contact to ground is closed now.
        absent: it does not answer.
    """

    def __init__(self, address: int) -> None:
        self.address = address
        self.closed = 0
        self.absent = False
        self._registers = [0] * REGISTERS
        self.reset()

    def reset(self) -> None:
        """Lose every register, as at power-up or after a dip of the supply: every line an input without a pull-up."""
        self._registers = [0] * REGISTERS
        self._registers[IODIR] = self._registers[IODIR + 1] = 0xFF

    @property
    def outputs(self) -> int:
        """Bits of the lines that are outputs and high."""
        registers = self._registers
        latch = registers[OLAT] | registers[OLAT + 1] << 8
        return latch & ~(registers[IODIR] | registers[IODIR + 1] << 8)

    def answers(self, address: int) -> bool:
        """Whether an opcode with this address is meant for it; until it is told to, it does not look at its pins."""
        return not self.absent and address == (self.address if self._registers[IOCON] & HAEN else 0)

    def talk(self, words: Sequence[int]) -> list[int]:
        """Carry out one opcode that is meant for it, and answer."""
        reading, pointer, count = words[0] & 1, words[1], len(words) - 2
        one_after_another = not self._registers[IOCON] & SEQOP
        if reading and one_after_another and pointer + count <= REGISTERS:
            registers = self._registers
            registers[GPIO], registers[GPIO + 1] = self._levels(0), self._levels(1)
            return [FLOATING, FLOATING, *registers[pointer : pointer + count]]
        answer = [FLOATING, FLOATING]
        for word in words[2:]:
            answer.append(self._read(pointer) if reading else FLOATING)
            if not reading:
                self._write(pointer, word)
            pointer = (pointer + 1) % REGISTERS if one_after_another else pointer ^ 1
        return answer

    def _read(self, register: int) -> int:
        if register >= REGISTERS:
            return 0
        return self._levels(register - GPIO) if GPIO <= register <= GPIO + 1 else self._registers[register]

    def _levels(self, port: int) -> int:
        """Return what the lines of a port read now."""
        registers = self._registers
        inputs = registers[IODIR + port]
        # An open contact without a pull-up floats, and reads as whatever is worst: as one that is closed.
        levels = ~(self.closed >> 8 * port) & registers[GPPU + port] ^ registers[IPOL + port]
        return (levels & inputs | registers[OLAT + port] & ~inputs) & 0xFF

    def _write(self, register: int, word: int) -> None:
        if IOCON <= register <= IOCON + 1:
            if word & BANK:
                raise NotImplementedError("this model knows the registers in pairs only (IOCON.BANK = 0)")
            self._registers[IOCON] = self._registers[IOCON + 1] = word
        elif GPIO <= register <= GPIO + 1:
            self._registers[OLAT + register - GPIO] = word
        elif register < REGISTERS:
            self._registers[register] = word


class Expanders:
    """Expanders that share one select pin, told apart by their address.

    Attributes:
        chips: the expanders, by address.
        broken: the bus itself fails, and every transfer raises OSError.
    """

    def __init__(self, count: int) -> None:
        self.chips = [Mcp23S17(address) for address in range(count)]
        self.broken = False

    def transfer(self, words: Sequence[int]) -> list[int]:
        """Hand one opcode to whom it is meant for. Raises OSError when the bus is broken."""
        if self.broken:
            raise OSError(5, "Input/output error")
        answer: list[int] = []
        if len(words) >= 2 and words[0] >> 4 == 0b0100:
            address = words[0] >> 1 & 7
            for chip in self.chips:
                if chip.answers(address):
                    said = chip.talk(words)
                    # Two that speak at once pull the line low between them.
                    answer = [old & new for old, new in zip(answer, said, strict=True)] if answer else said
        return answer or [FLOATING] * len(words)
