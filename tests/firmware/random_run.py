"""Builds and runs the guard's random steps, with a piece of the guard spoilt if asked to."""

import shutil
import subprocess
from pathlib import Path

from firmware_bridge.guard_build import FIRMWARE, GUARD_SOURCES, compiler

STEPS = Path(__file__).resolve().parent / "random_steps.c"


def built(folder: Path, planted: tuple[str, str, str] | None = None) -> Path:
    """Build the random steps into a folder, and return the program.

    Args:
        folder: an empty one.
        planted: a source, a piece of its text, and what stands there instead: a defect that is to be found.
    """
    command = compiler()
    assert command is not None, "no C compiler"
    sources = [name for name in GUARD_SOURCES if name.startswith("guard")]
    for name in sources:
        shutil.copy(FIRMWARE / name, folder / name)
    if planted is not None:
        name, right, wrong = planted
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(right) == 1, f"{name} no longer has just once what was to be spoilt: {right}"
        (folder / name).write_text(text.replace(right, wrong), encoding="utf-8")
    program = folder / "steps"
    files = [str(folder / name) for name in sources]
    how = ["-std=c99", "-O1" if planted else "-O2", f"-I{FIRMWARE}", str(STEPS), *files, "-o", str(program)]
    done = subprocess.run([*command, *how], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def run(program: Path, steps: int, seed: int) -> subprocess.CompletedProcess[str]:
    """Take so many random steps; the exit status is 1 when one of them broke an invariant."""
    return subprocess.run([str(program), str(steps), str(seed)], capture_output=True, text=True, check=False)
