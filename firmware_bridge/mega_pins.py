"""What the pins of an Arduino Mega 2560 are: facts of the board and its chip, nothing of ours.

Sources: the numbering of the pins is Arduino's (ArduinoCore-avr, variants/mega/pins_arduino.h); what each bit of a port
can do besides is chapter "Alternate Port Functions" of Microchip's data sheet of the ATmega640/1280/1281/2560/2561.
"""

from typing import Final

# By Arduino's number: 0 … 53, then A0 … A15 as 54 … 69.
PORTS: Final = tuple(
    """PE0 PE1 PE4 PE5 PG5 PE3 PH3 PH4 PH5 PH6 PB4 PB5 PB6 PB7 PJ1 PJ0 PH1 PH0 PD3 PD2 PD1 PD0
    PA0 PA1 PA2 PA3 PA4 PA5 PA6 PA7 PC7 PC6 PC5 PC4 PC3 PC2 PC1 PC0 PD7 PG2 PG1 PG0
    PL7 PL6 PL5 PL4 PL3 PL2 PL1 PL0 PB3 PB2 PB1 PB0
    PF0 PF1 PF2 PF3 PF4 PF5 PF6 PF7 PK0 PK1 PK2 PK3 PK4 PK5 PK6 PK7""".split()
)

# OCnx: output of timer n's compare unit; INTn: edge interrupt; ADCn: converter; RXDn, TXDn: UART.
FUNCTIONS: Final[dict[str, tuple[str, ...]]] = {
    "PB0": ("SS",),
    "PB1": ("SCK",),
    "PB2": ("MOSI",),
    "PB3": ("MISO",),
    "PB4": ("OC2A",),
    "PB5": ("OC1A",),
    "PB6": ("OC1B",),
    "PB7": ("OC0A", "OC1C"),
    "PD0": ("INT0", "SCL"),
    "PD1": ("INT1", "SDA"),
    "PD2": ("INT2", "RXD1"),
    "PD3": ("INT3", "TXD1"),
    "PD7": ("T0",),
    "PE0": ("RXD0",),
    "PE1": ("TXD0",),
    "PE3": ("OC3A", "AIN1"),
    "PE4": ("INT4", "OC3B"),
    "PE5": ("INT5", "OC3C"),
    "PG5": ("OC0B",),
    "PH0": ("RXD2",),
    "PH1": ("TXD2",),
    "PH3": ("OC4A",),
    "PH4": ("OC4B",),
    "PH5": ("OC4C",),
    "PH6": ("OC2B",),
    "PJ0": ("RXD3",),
    "PJ1": ("TXD3",),
    "PL0": ("ICP4",),
    "PL1": ("ICP5",),
    "PL2": ("T5",),
    "PL3": ("OC5A",),
    "PL4": ("OC5B",),
    "PL5": ("OC5C",),
    **{f"PF{bit}": (f"ADC{bit}",) for bit in range(8)},
    **{f"PK{bit}": (f"ADC{bit + 8}",) for bit in range(8)},
}

# The boot loader flashes the lamp on 13 and talks on 0 and 1; a programmer at the ICSP plug drives 50, 51 and 52.
NOT_QUIET: Final = frozenset({0, 1, 13, 50, 51, 52})
# Ports whose bits one instruction sets and clears (sbi, cbi); H to L need three, which an interrupt may part.
ONE_INSTRUCTION: Final = frozenset("ABCDEFG")


def printed(pin: int) -> str:
    """Return what is printed on the board beside a pin, such as `13` or `A0`."""
    return str(pin) if pin < 54 else f"A{pin - 54}"


def functions(port: str) -> tuple[str, ...]:
    """Return what a bit of a port can do besides being a plain pin."""
    return FUNCTIONS.get(port, ())
