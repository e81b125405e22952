"""Measures how much of the guard's C the tests reach: lines and branches, by gcov.

    python -m tests.firmware.coverage

It builds the guard with counters, runs the tests of this folder and the random steps on it, and prints each file's
share and every line and branch that was not reached. The exit status is 1 while there is one.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from firmware_bridge.guard_build import FIRMWARE, GUARD_SOURCES
from tests.firmware.gcov import Reached, reached

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


def measure() -> list[Reached]:
    """Build with counters, run tests and random steps; return what of each file was reached.

    Raises:
        RuntimeError: something does not build, or fails.
    """
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
        return [reached(folder, f"{Path(source).stem}.o", source) for source in measured()]


def main() -> int:
    """Report."""
    files = measure()
    missing = [line for file in files for line in file.missing]
    print("\n".join(map(str, files)))
    print("\n".join(missing) if missing else "every line and branch was reached")
    return 1 if missing else 0


if __name__ == "__main__":
    if shutil.which("gcov") is None:
        raise SystemExit("coverage needs gcc and gcov")
    raise SystemExit(main())
