"""Measure speed on this machine and print the table; nothing passes or fails here.

Each figure is the best of several rounds, since a shared machine only ever makes them worse. Goals and references are
those of the design; what does not exist yet is not listed.
"""

import gc
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.limits import Limits
from safety.judge import step
from safety.judged import INITIAL
from safety.signals import Contacts, Guard, GuardState, Host, Readings, Wish
from sim.habits import Habits
from sim.pytest_plugin import Rig

ROUNDS = 5
RESTING_TICKS = 20_000


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the shortest processor time of several runs, in seconds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


def visit(rounds: int = ROUNDS) -> tuple[float, float, int]:
    """Return processor seconds, virtual seconds and ticks of a whole first visit, lowered from 75°."""
    spent = []
    for _ in range(rounds):
        rig = Rig("first-visit", habits=Habits())
        gc.collect()
        started = time.process_time()
        rig.finish()
        spent.append(time.process_time() - started)
    return min(spent), rig.table.clock.now_ms() / 1000, rig.session.loop.ticks


def resting_step() -> float:
    """Return microseconds for one step of the judge over a resting table."""
    limits, wish, host = Limits(), Wish(), Host(True, True, True, 0)
    contacts, closed, guard = Contacts.OPEN, Contacts.CLOSED, Guard(GuardState.ABSENT)
    readings = [
        Readings(
            10, number, 0, 0, 5, 5, 0, contacts, contacts, closed, 0, False, False, False, False, True, True, 0, False,
            True, False, guard, host,
        )
        for number in range(RESTING_TICKS)
    ]  # fmt: skip

    def run() -> None:
        state = INITIAL
        for reading in readings:
            state, _ = step(state, reading, wish, limits)

    return best(run) / RESTING_TICKS * 1e6


def start_up(*arguments: str) -> float:
    """Return milliseconds of wall time from starting the command to its end."""
    command = str(Path(sys.executable).parent / "inversion-table")
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([command, *arguments], capture_output=True, check=False)
        times.append(time.perf_counter() - started)
    return min(times) * 1000


def main() -> int:
    """Print the table."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}; best of {ROUNDS}\n")
    rows: list[tuple[str, str, str]] = []
    spent, virtual, ticks = visit()
    rows.append(("a whole first visit in virtual time", f"{spent:.3f} s", "≤ 0.45 s, goal 0.3 s"))
    rows.append(("the same, × real time", f"{virtual / spent:,.0f}", "≥ 640 (RoSys: 600 s in 0.94 s)"))
    rows.append(("one tick of it, everything in it", f"{spent / ticks * 1e6:.1f} µs", ""))
    rows.append(("one step of the judge, table at rest", f"{resting_step():.1f} µs", ""))
    rows.append(("inversion-table --help", f"{start_up('--help'):.0f} ms", "≤ 200 ms"))
    rows.append(("make demo's session, from start to exit", f"{start_up('session', '--fast', '--json'):.0f} ms", ""))
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>10}  {goal}", flush=True)
    return subprocess.run([sys.executable, Path(__file__).with_name("bench_link.py")], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
