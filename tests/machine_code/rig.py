"""Boards for tests: at rest with everything in order, or in mid-session on a table."""

import functools
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, cast

from firmware_bridge.image import IMAGE
from sim.machine_code.board import CYCLES_A_MS, Board
from sim.machine_code.table import MachineTable, build_machine
from tests.wire.lockstep import TableEnd
from tests.wire.rig import PROFILE, WireRig

if TYPE_CHECKING:
    from sim.wired import WiredTable

ROOT = Path(__file__).resolve().parents[2]
LEVEL_MV = ((0, 2250.0), (1, 2750.0), (2, 2500.0))
STRAPS = tuple(f"strap_{side}_{number}" for side in ("left", "right") for number in (1, 2))
CLOSED = (
    *("estop_1", "estop_2", "patient_button", "end_down", "end_up", "level_switch", "mains", "battery"),
    *("supply_rail", "drive_fault", "button_return", "button_stop"),
    *STRAPS,
)
OPEN = tuple(f"button_{key}" for key in ("tilt", "raise", "presence", "ack", "confirm", "plan_up", "plan_down"))


def resting() -> Board:
    """A board at a table at level, everything in order, a quarter of a second after power-on."""
    board = Board()
    for channel, millivolts in LEVEL_MV:
        board.sense(channel, millivolts)
    for signal in CLOSED:
        board.put(signal, False)
    for signal in OPEN:
        board.put(signal, True)
    board.run_to(250 * CYCLES_A_MS)
    return board


def machine(start_deg: float = 0.0, mass_kg: float = 75.0, offset_cm: float = 3.0) -> MachineTable:
    """A table with the shipped image."""
    return build_machine(PROFILE, start_deg=start_deg, mass_kg=mass_kg, offset_cm=offset_cm)


def rig_on(table: MachineTable) -> WireRig:
    """A session with people on it."""
    # Of a table on a line the rig asks only what both kinds have.
    return WireRig(TableEnd(cast("WiredTable", table)))


def built(folder: Path) -> tuple[Path, Path]:
    """The image and the ELF file that the sources make now; needs the compiler."""
    command = [sys.executable, "scripts/build_firmware.py", "--into", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / IMAGE.name, folder / IMAGE.with_suffix(".elf").name


@functools.cache
def symbols() -> dict[str, int]:
    """The address of each function and variable of the image, in bytes; needs the compiler."""
    with tempfile.TemporaryDirectory() as name:
        image, elf = built(Path(name))
        assert image.read_bytes() == IMAGE.read_bytes()
        said = subprocess.run(["avr-nm", str(elf)], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in said.splitlines()]
    return {row[2].split(".")[0]: int(row[0], 16) & 0x7FFFFF for row in rows if len(row) == 3}
