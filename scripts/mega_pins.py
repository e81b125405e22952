"""Write firmware_bridge/firmware/mega_pins.h, the microcontroller's pins as C sees them, from pins.toml.

`--check` writes nothing, and fails where the file is another.
"""

import sys
import tomllib
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[1] / "firmware_bridge" / "firmware"
TARGET = FIRMWARE / "mega_pins.h"
HEAD = """/* Made by scripts/mega_pins.py from pins.toml; a test compares them. Change it there, not here.
 *
 * ON_x(R) is the register R (PORT, PIN or DDR) of the port that the signal x is on, BIT_x its bit.
 */
#ifndef INVERSION_TABLE_MEGA_PINS_H
#define INVERSION_TABLE_MEGA_PINS_H

"""
MASKS = """
/* What of each port is an output, and what is a contact, whose pull-up is on. Pins that are free have theirs on too. */
"""
PORTS = "ABCDEFGHJKL"
# Port G has six bits.
BITS = dict.fromkeys(PORTS, 8) | {"G": 6}


def text() -> str:
    """Return what the file should hold."""
    pins = tomllib.loads((FIRMWARE / "pins.toml").read_text(encoding="utf-8"))["pin"]
    lines = []
    outputs, floating = dict.fromkeys(PORTS, 0), dict.fromkeys(PORTS, 0)
    for pin in pins:
        name, port, bit = pin["signal"].upper(), pin["port"][1], int(pin["port"][2])
        lines += [f"#define ON_{name}(R) R##{port}", f"#define BIT_{name} {bit}"]
        if pin["kind"] == "output":
            outputs[port] |= 1 << bit
        elif pin["kind"] != "contact":
            floating[port] |= 1 << bit
    for port in PORTS:
        every = (1 << BITS[port]) - 1
        lines.append(f"#define OUTPUTS_{port} 0x{outputs[port]:02X}u")
        lines.append(f"#define PULL_UPS_{port} 0x{every & ~outputs[port] & ~floating[port]:02X}u")
    split = len(lines) - 2 * len(PORTS)
    return HEAD + "\n".join(lines[:split]) + "\n" + MASKS + "\n".join(lines[split:]) + "\n\n#endif\n"


def main() -> int:
    """Write the file; with `--check` only say whether it is as it should be."""
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") == text():
            return 0
        print(f"{TARGET.name} is not what pins.toml makes: run scripts/mega_pins.py", file=sys.stderr)
        return 1
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
