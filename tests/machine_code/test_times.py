"""The cycle-exact worst cases: emulated cycles are exact, so they are asserted, over at least 300 phases each."""

import pytest

from sim.machine_code.board import CYCLES_A_MS
from tests.machine_code.rig import resting

pytestmark = pytest.mark.needs("simavr")

PHASES = 320
ESTOP_CYCLES = 160  # 10 µs
# Five cycles from the vector to its first instruction are the chip's, and the emulator does not count them.
ENTRY_CYCLES = 5
# Port, its address in data space, and the legs or the brake on it.
OUTPUTS = (("B", 0x25, 0x50), ("G", 0x34, 0x20))


@pytest.mark.parametrize("contact", ["estop_1", "estop_2"])
def test_the_estop_takes_legs_and_brake_within_ten_microseconds_whatever_runs(contact: str) -> None:
    board = resting()
    board.exact()
    took = []
    for phase in range(PHASES):
        # Every part of a millisecond is met, and every slot of the guard's ten.
        at = (board.cycle // CYCLES_A_MS + 2) * CYCLES_A_MS + 53 * phase % CYCLES_A_MS
        board.run_to(at)
        for _, address, mask in OUTPUTS:
            board.poke(address, board.memory(address, 1)[0] | mask)
        board.events()
        at = board.cycle + 1
        board.put_at(at, contact, True)
        board.run_to(at + 4 * ESTOP_CYCLES)
        events = board.events()
        for port, address, mask in OUTPUTS:
            off = [event.cycle for event in events if event.port == port and not event.value & mask]
            # Where the program itself switched it off in this very instruction there is nothing to see.
            assert off or not board.memory(address, 1)[0] & mask, f"{port} stayed on"
            took += [cycle - at + ENTRY_CYCLES for cycle in off[:1]]
        board.put(contact, False)
    print(f"{contact}: {min(took)} … {max(took)} cycles, at most {max(took) / 16:.1f} µs")
    assert len(took) >= 2 * PHASES - 10
    assert max(took) <= ESTOP_CYCLES


def test_the_stack_stays_far_from_the_variables() -> None:
    board = resting()
    board.run_to(2_000 * CYCLES_A_MS)
    assert 100 < board.stack_bytes < 2_048
    assert board.resets == 0
