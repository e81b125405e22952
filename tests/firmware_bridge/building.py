"""Builds C of ours for this machine and makes it callable, its own headers read as they are."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cffi import FFI

from tests.test_architecture import ROOT

FIRMWARE = ROOT / "firmware_bridge" / "firmware"
HELPERS = ROOT / "tests" / "firmware"
STRICT = "-std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion".split()
# Whatever is undefined ends the process, so that no test passes over it.
SANITIZED = "-O2 -fsanitize=undefined -fno-sanitize-recover=all".split()
# A folder in which what is built leaves word of the lines and branches that ran; see test_link_coverage.py.
COVERAGE = "INVERSION_TABLE_TEST_COVERAGE"


def compiler() -> str:
    """The C compiler of this machine; tests that ask are marked with needs("cc")."""
    found = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    assert found, "no C compiler"
    return found


def declarations(header: Path, folder: Path) -> str:
    """What a header declares, its macros replaced, without what it takes from the system."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    for name in ("stdint.h", "stdbool.h", "stddef.h"):
        (empty / name).touch()
    command = [compiler(), "-E", "-P", "-nostdinc", f"-I{empty}", f"-I{FIRMWARE}", str(header)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def library(
    folder: Path,
    sources: Sequence[Path],
    header: Path,
    extra: str = "",
    planted: dict[str, tuple[str, str]] | None = None,
) -> tuple[FFI, Any]:
    """Build sources into a library and return it with its declarations.

    `extra` are declarations beside those of the header. `planted` maps a source's name to a piece of its text and what
    stands there instead: a defect that some test is to find.
    """
    built = []
    for source in sources:
        used = source
        if planted and source.name in planted:
            text = source.read_text(encoding="utf-8")
            right, wrong = planted[source.name]
            assert right in text, f"{source.name} no longer has what was to be spoilt: {right}"
            used = folder / source.name
            used.write_text(text.replace(right, wrong), encoding="utf-8")
        built.append(str(used))
    target = folder / "built.so"
    # What is spoilt on purpose is only run to be caught, and need not be looked at closely.
    how = ["-O1"] if planted else [*STRICT, *SANITIZED]
    if where := os.environ.get(COVERAGE):
        target, how = Path(where) / "built.so", ["-O0", "--coverage"]
    command = [compiler(), *how, "-shared", "-fPIC", f"-I{FIRMWARE}", *built, "-o", str(target)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    ffi = FFI()
    ffi.cdef(re.sub(r"\b(\d+|0x[0-9A-Fa-f]+)u\b", r"\1", declarations(header, folder)) + extra)
    return ffi, ffi.dlopen(str(target))
