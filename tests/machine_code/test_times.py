"""The cycle-exact worst cases: emulated cycles are exact, so they are asserted, over at least 300 phases each."""

import pytest

from sim.machine_code.board import CYCLES_A_MS
from tests.machine_code.rig import resting, symbols

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


# What runs in each millisecond, the interrupt that counts them, and the wait for it.
TASKS = ("look", "hear", "judge", "drive", "show", "tell", "store", "mega_wait", "__vector_21")
JUMP_TO_ITSELF = 0xCFFF
HANG_MS = 40


@pytest.mark.needs("avr")
@pytest.mark.parametrize("task", TASKS)
def test_whichever_task_hangs_everything_that_moves_is_off_within_40_ms(task: str) -> None:
    worst = 0
    for phase in range(36):
        board = resting()
        # The watchdog was fed at another moment each time.
        board.run_to(board.cycle + 449 * phase)
        at = board.cycle
        board.patch(symbols()[task], JUMP_TO_ITSELF)
        for address, mask in ((0x25, 0x70), (0x2E, 0x08), (0x34, 0x20)):
            board.poke(address, board.memory(address, 1)[0] | mask)
        while not board.resets and board.cycle < at + 60 * CYCLES_A_MS:
            board.run_to(board.cycle + 160)
        worst = max(worst, board.cycle - at)
        assert board.resets == 1, f"{task} hung, and nothing noticed"
        # From the reset on no pin is an output, so that the resistors hold all of them low.
        assert not any(board.high(signal) for signal in MOVING)
    print(f"{task} hangs: off after at most {worst / CYCLES_A_MS:.1f} ms")
    assert worst <= HANG_MS * CYCLES_A_MS


MOVING = ("drive_up", "drive_down", "drive_pwm", "drive_enable", "brake_release")
HALF_A_TICK = 8_000


@pytest.mark.needs("avr")
def test_a_step_of_the_guard_and_all_the_rest_fit_into_a_tick() -> None:
    board = resting()
    board.exact()
    places = symbols()
    steps, ticks = [], []
    for _ in range(PHASES):
        assert board.run_to_address(places["look"], board.cycle + 3 * CYCLES_A_MS)
        began = board.cycle
        assert board.run_to_address(places["judge"], board.cycle + CYCLES_A_MS)
        judged = board.cycle
        assert board.run_to_address(places["drive"], board.cycle + CYCLES_A_MS)
        steps.append(board.cycle - judged)
        assert board.run_to_address(places["store"], board.cycle + CYCLES_A_MS)
        ticks.append(board.cycle - began)
    print(f"guard step with what interrupts it: at most {max(steps):,} cycles; the whole tick {max(ticks):,}")
    assert max(steps) <= HALF_A_TICK
    assert max(ticks) < CYCLES_A_MS


def test_the_stack_stays_far_from_the_variables() -> None:
    board = resting()
    board.run_to(2_000 * CYCLES_A_MS)
    assert 100 < board.stack_bytes < 2_048
    assert board.resets == 0
