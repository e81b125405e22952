"""Measures how much of the guard's C the tests reach: lines and branches, by gcov.

    python -m tests.firmware.coverage

It builds the guard with counters, runs the tests of this folder and the random steps on it, and prints each file's
share and every line and branch that was not reached. The exit status is 1 while there is one.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from firmware_bridge.guard_build import FIRMWARE, GUARD_SOURCES

HERE = Path(__file__).resolve().parent
FLAGS = ("-std=c99", "-O0", "-g", "-fPIC", "--coverage", f"-I{FIRMWARE}")
RANDOM_STEPS = 6_000_000
RUN_TESTS = """
import sys
from pathlib import Path
import pytest

class Instead:
    def pytest_sessionstart(self):
        import sim.guard
        sim.guard.guard_library = lambda: Path(sys.argv[1])

arguments = ["-q", "-p", "no:cacheprovider", "-x", *sys.argv[2:]]
raise SystemExit(pytest.main(arguments, plugins=[Instead()]))
"""


def measured() -> tuple[str, ...]:
    """Return the files that are the guard's own, without the host's helper and the panel's lights."""
    return tuple(source for source in GUARD_SOURCES if source.startswith("guard"))


def run(*command: str, folder: Path) -> str:
    """Run a command in a folder and return what it prints.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def unreached(report: str, source: str) -> list[str]:
    """Return one line for each line and branch of a gcov report that nothing reached."""
    found: list[str] = []
    line = ""
    for text in report.splitlines():
        if match := re.match(r"\s*(\S+):\s*(\d+):(.*)", text):
            line = f"{source}:{match[2]}: {match[3].strip()}"
            if match[1].startswith("#####"):
                found.append(f"never run     {line}")
        elif re.match(r"branch\s+\d+ (taken 0\b|never executed)", text):
            found.append(f"never taken   {line}  [{text.split('(')[0].strip()}]")
    return found


def measure() -> tuple[list[str], list[str]]:
    """Build with counters, run tests and random steps; return each file's share, and what nothing reached.

    Raises:
        RuntimeError: something does not build, or fails.
    """
    shares: list[str] = []
    missing: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in GUARD_SOURCES:
            run("gcc", *FLAGS, "-c", str(FIRMWARE / source), "-o", f"{Path(source).stem}.o", folder=folder)
        objects = [f"{Path(source).stem}.o" for source in GUARD_SOURCES]
        run("gcc", "--coverage", "-shared", *objects, "-o", "guard.so", folder=folder)
        steps = str(HERE / "random_steps.c")
        run("gcc", "-std=c99", "-O1", f"-I{FIRMWARE}", "--coverage", steps, *objects, "-o", "steps", folder=folder)
        tests = sorted(str(path) for path in HERE.glob("test_guard_[!r]*.py"))
        run(sys.executable, "-c", RUN_TESTS, str(folder / "guard.so"), *tests, folder=HERE.parent.parent)
        run(str(folder / "steps"), str(RANDOM_STEPS), "1", folder=folder)
        for source in measured():
            text = run("gcov", "-b", "-c", f"{Path(source).stem}.o", folder=folder)
            own = text[text.index(f"{source}'") :]
            shares.append(
                f"{source}: " + ", ".join(re.findall(r"(?:Lines exec|Taken at least)\w*.*?:\S+ of \d+", own)[:2])
            )
            missing += unreached((folder / f"{source}.gcov").read_text(encoding="utf-8"), source)
    return shares, missing


def main() -> int:
    """Report."""
    shares, missing = measure()
    print("\n".join(shares))
    print("\n".join(missing) if missing else "every line and branch was reached")
    return 1 if missing else 0


if __name__ == "__main__":
    if shutil.which("gcov") is None:
        raise SystemExit("coverage needs gcc and gcov")
    raise SystemExit(main())
