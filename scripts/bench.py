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
from dataclasses import dataclass
from pathlib import Path

from config.loading import load_profile
from firmware_bridge.guard_build import guard_library
from safety.judge import step
from safety.judged import INITIAL
from sim.habits import Habits
from sim.pytest_plugin import Rig

ROUNDS = 5


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the shortest processor time of several runs, in seconds."""
    times = []
    for _ in range(rounds):
        gc.collect()
        started = time.process_time()
        run()
        times.append(time.process_time() - started)
    return min(times)


@dataclass(frozen=True, slots=True)
class Visit:
    """A whole first visit: processor seconds, of which the judge's, virtual seconds, ticks, ticks in motion."""

    spent_s: float
    judge_s: float
    virtual_s: float
    ticks: int
    moving: int


def visit(habits: Habits, guard: bool, rounds: int = ROUNDS) -> Visit:
    """Measure a whole first visit with these people, with or without the second judge in the loop."""
    spent = []
    for _ in range(rounds):
        rig = Rig("first-visit", habits=habits, guard=guard)
        gc.collect()
        started = time.process_time()
        rig.finish()
        spent.append(time.process_time() - started)
    loop, snapshots = rig.session.loop, rig.snapshots

    def judge() -> None:
        state = INITIAL
        for snapshot in snapshots:
            state, _ = step(state, snapshot.readings, snapshot.wish, loop.limits)

    moving = sum(bool(snapshot.readings.applied_cdeg_s) for snapshot in snapshots)
    return Visit(min(spent), best(judge, rounds), rig.table.clock.now_ms() / 1000, loop.ticks, moving)


def rows_of(what: str, visit: Visit, goal: str = "", ratio: str = "") -> list[tuple[str, str, str]]:
    """Return what is printed of one visit."""
    length = f"{visit.virtual_s:.0f} s virtual, {visit.ticks:,} ticks, {visit.moving:,} of them in motion"
    return [
        (what, f"{visit.spent_s:.3f} s", goal),
        ("  × real time", f"{visit.virtual_s / visit.spent_s:,.0f}", ratio),
        ("  one tick, everything in it", f"{visit.spent_s / visit.ticks * 1e6:.1f} µs", length),
        ("  of which one step of the judge", f"{visit.judge_s / visit.ticks * 1e6:.1f} µs", ""),
    ]


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
    # A whole visit begins where the patient steps on: near upright.
    boarding = Habits(boards_at_deg=load_profile("simulated").limits().boarding_cdeg / 100)
    usual = Habits()
    rows = rows_of(
        f"a whole first visit in virtual time, lowered from {boarding.boards_at_deg:g}°",
        visit(boarding, guard=False),
        "≤ 0.45 s, goal 0.3 s",
        "≥ 640 (RoSys: 600 s in 0.94 s)",
    )
    rows += rows_of(f"the same, lowered from {usual.boards_at_deg:g}° as in make demo", visit(usual, guard=False))
    if guard_library() is not None:
        rows += rows_of(f"the same from {usual.boards_at_deg:g}°, the guard in the loop", visit(usual, guard=True))
    rows.append(("inversion-table --help", f"{start_up('--help'):.0f} ms", "≤ 200 ms"))
    rows.append(("make demo's session, from start to exit", f"{start_up('session', '--fast', '--json'):.0f} ms", ""))
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>10}  {goal}", flush=True)
    for name in ("bench_service.py", "bench_link.py"):
        if code := subprocess.run([sys.executable, Path(__file__).with_name(name)], check=False).returncode:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
