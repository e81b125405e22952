"""Builds what stands between Python and simavr, once, from `glue.c` and Debian's library."""

import hashlib
import os
import shlex
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from config.errors import DeviceMissingError
from firmware_bridge.guard_build import NO_COMPILER, compiler, library_folder

GLUE: Final = Path(__file__).with_name("glue.c")
FLAGS: Final = ("-std=gnu99", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")
LIBRARIES: Final = ("-lsimavr", "-lelf")
NO_SIMAVR: Final = (
    "The table that runs the microcontroller's own program needs simavr: install it "
    "(apt-get install libsimavr-dev libelf-dev); --table in-process and --table wire need nothing."
)
_SLOWEST_S: Final = 120


@cache
def glue_library() -> Path:
    """Return the path of the library, built if need be.

    Raises:
        DeviceMissingError: there is no compiler or no simavr, or nothing can be written.
    """
    digest = hashlib.sha256("\0".join((*FLAGS, *LIBRARIES, os.uname().machine)).encode())
    digest.update(GLUE.read_bytes())
    target = library_folder() / f"machine-code-{digest.hexdigest()[:16]}.so"
    if target.is_file():
        return target
    command = compiler()
    if command is None:
        raise DeviceMissingError(NO_COMPILER)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            built = Path(folder) / target.name
            words = [*command, *FLAGS, "-o", str(built), str(GLUE), *LIBRARIES]
            done = subprocess.run(words, capture_output=True, text=True, timeout=_SLOWEST_S, check=False)
            if done.returncode:
                if "simavr" in done.stderr or "lelf" in done.stderr:
                    raise DeviceMissingError(NO_SIMAVR)
                first = next((line for line in done.stderr.splitlines() if "error" in line), "it does not say why")
                raise DeviceMissingError(f"{shlex.join(command)} does not build {GLUE.name}: {first}")
            built.replace(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceMissingError(f"{GLUE.name} cannot be built in {target.parent}: {error}") from error
    return target
