"""Builds the guard's C for this machine, once: a plain shared library, kept beside the installed packages.

The compiler is `$CC`, else `cc`, `gcc` or `clang`, else the one that the package `ziglang` brings, if it is installed.
What is built is named by a check sum of sources and flags, so that it is built anew when they change; a finished
file appears under its name at once, so that processes may build at the same time.
"""

import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from config.errors import DeviceMissingError

FIRMWARE: Final = Path(__file__).resolve().parent / "firmware"
GUARD_SOURCES: Final = (
    "guard.c",
    "guard_actuate.c",
    "guard_drive.c",
    "guard_eyes.c",
    "guard_motion.c",
    "guard_people.c",
    "panel_lights.c",
    "host.c",
)
# What stands between the guard and a serial line.
LINK_SOURCES: Final = ("frame.c", "table_link.c", "wire.c")
_ALL: Final = (*GUARD_SOURCES, *LINK_SOURCES)
FLAGS: Final = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-fPIC", "-shared")
COMPILERS: Final = ("cc", "gcc", "clang")
NO_COMPILER: Final = (
    "There is no C compiler, so the guard cannot be built: install one (apt-get install gcc libc6-dev),"
    " or run .venv/bin/pip install ziglang."
)
_SLOWEST_S: Final = 300


def compiler() -> tuple[str, ...] | None:
    """Return the command that compiles C here, None when there is none."""
    named = shlex.split(os.environ.get("CC", ""))
    if named:
        return tuple(named) if shutil.which(named[0]) else None
    for name in COMPILERS:
        if found := shutil.which(name):
            return (found,)
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc")
    return None


def build(name: str, sources: Sequence[str], flags: Sequence[str] = FLAGS) -> Path:
    """Build some of the firmware's files into one shared library, unless that was done before, and return its path.

    Args:
        name: what the library is called.
        sources: C files in `firmware/`; every header there counts as used.
        flags: for the compiler.

    Raises:
        DeviceMissingError: there is no compiler, it does not accept the sources, or nothing can be written.
    """
    target = _target(name, sources, flags)
    if not target.is_file():
        command = compiler()
        if command is None:
            raise DeviceMissingError(NO_COMPILER)
        _compile(command, flags, [str(FIRMWARE / source) for source in sources], target)
    return target


@cache
def guard_library() -> Path | None:
    """Return the path of the guard's library, built if need be; None where there is neither it nor a compiler.

    Raises:
        DeviceMissingError: the compiler does not accept the sources, or nothing can be written.
    """
    if compiler() is None and not _target("guard", _ALL, FLAGS).is_file():
        return None
    return build("guard", _ALL)


def built() -> Path | None:
    """Return the path of the guard's library if it was built already; builds nothing."""
    target = _target("guard", _ALL, FLAGS)
    return target if target.is_file() else None


def prepare_guard(say: Callable[[str], None]) -> bool:
    """Build the guard's library if that was not done before; return whether there is one.

    `say` is told before the first building, which takes a second or two, and why there is none.
    """
    target = _target("guard", _ALL, FLAGS)
    command = compiler()
    if command is not None and not target.is_file():
        say(f"building the guard, the second judge, with {shlex.join(command)}; once, into {target.parent}")
    try:
        if guard_library() is not None:
            return True
        say(NO_COMPILER)
    except DeviceMissingError as error:
        say(str(error))
    return False


def _target(name: str, sources: Sequence[str], flags: Sequence[str]) -> Path:
    """Return where the library of these sources is kept, whichever compiler makes it."""
    return library_folder() / f"{name}-{_check_sum(sources, flags)}.so"


def library_folder() -> Path:
    """Return where libraries are kept: in the virtual environment, else in the user's cache."""
    inside = Path(sys.prefix) / "lib" / "inversion-table"
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return inside
    return user_cache_path("inversion-table")


def _check_sum(sources: Sequence[str], words: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join((*words, sys.platform, os.uname().machine)).encode())
    for path in sorted([FIRMWARE / source for source in sources] + list(FIRMWARE.glob("*.h"))):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(command: Sequence[str], flags: Sequence[str], sources: Sequence[str], target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            built = Path(folder) / target.name
            done = subprocess.run(
                [*command, *flags, "-o", str(built), *sources],
                capture_output=True,
                text=True,
                timeout=_SLOWEST_S,
                check=False,
            )
            if done.returncode:
                first = next((line for line in done.stderr.splitlines() if "error" in line), "it does not say why")
                raise DeviceMissingError(f"{shlex.join(command)} does not build the guard: {first}")
            built.replace(target)
    except (OSError, subprocess.TimeoutExpired) as error:
        if isinstance(error, DeviceMissingError):
            raise
        raise DeviceMissingError(f"the guard cannot be built in {target.parent}: {error}") from error
