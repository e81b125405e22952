"""Write the guard's limits from the host's: `firmware_bridge/firmware/guard_limits.h` out of `config/limits.py`.

    python scripts/guard_limits.py          write the header anew
    python scripts/guard_limits.py --check  exit 1 if the header is not what this script would write

Both judges read their limits from one file; this is how the one in C gets them.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from config import limits

HEADER = Path(__file__).resolve().parent.parent / "firmware_bridge" / "firmware" / "guard_limits.h"
# A whole number of the microcontroller's compiler holds 16 bits.
_INT16_MAX, _INT32_MAX = 2**15 - 1, 2**31 - 1
# The guard counts heat in these, so that 32 bits are enough; see guard_config_t.
_HEAT_MA2, _HEAT_PERIOD_MS = 1024, 80
_SKIPPED_BOUNDS = ("thermal_budget_ma2_s", "thermal_leak_ma2", "thermal_reserve_permille")


def number(value: int) -> str:
    """Return a C literal of a type that is wide enough on a machine whose int has 16 bits."""
    if -_INT16_MAX <= value <= _INT16_MAX:
        text = str(value)
    elif -_INT32_MAX <= value <= _INT32_MAX:
        text = f"{value}L"
    else:
        raise ValueError(f"{value} does not fit 32 bits")
    return f"({text})" if value < 0 else text


def names() -> Iterator[tuple[str, int]]:
    """Yield every name of the header with its value, in its order."""
    for name, value in vars(limits).items():
        if name.isupper() and isinstance(value, int):
            yield name, value
    for name, (low, high) in limits.BOUNDS.items():
        if name not in _SKIPPED_BOUNDS:
            yield f"{name.upper()}_LOW", low
            yield f"{name.upper()}_HIGH", high
    usual = limits.Limits()
    for name in limits.BOUNDS:
        if name not in _SKIPPED_BOUNDS:
            yield f"{name.upper()}_USUAL", getattr(usual, name)
    budget = usual.thermal_budget_ma2_s * 1000 // (_HEAT_MA2 * _HEAT_PERIOD_MS)
    yield "HEAT_SHIFT", (_HEAT_MA2.bit_length() - 1) // 2
    yield "HEAT_PERIOD_MS", _HEAT_PERIOD_MS
    yield "HEAT_BUDGET_USUAL", budget
    yield "HEAT_LIMIT_USUAL", budget * (1000 - usual.thermal_reserve_permille) // 1000
    yield "HEAT_LEAK_USUAL", usual.thermal_leak_ma2 // _HEAT_MA2


def text() -> str:
    """Return the whole header."""
    lines = [
        "/* Made by scripts/guard_limits.py from config/limits.py; a test compares them. Change it there, not here. */",
        "#ifndef INVERSION_TABLE_GUARD_LIMITS_H",
        "#define INVERSION_TABLE_GUARD_LIMITS_H",
        "",
        *(f"#define GUARD_{name} {number(value)}" for name, value in names()),
        "",
        "#endif",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write or check the header; return the exit status."""
    parser = argparse.ArgumentParser(description="Make the guard's limits from config/limits.py.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the header is out of date")
    wanted = text()
    if not parser.parse_args().check:
        HEADER.write_text(wanted, encoding="utf-8")
        return 0
    if HEADER.is_file() and HEADER.read_text(encoding="utf-8") == wanted:
        return 0
    print(f"{HEADER.name} is not what config/limits.py says: run python scripts/guard_limits.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
