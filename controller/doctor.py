"""Whether this computer can run a table: each thing looked at, and what mends it. Nothing is opened that could move.

Every check takes a `Computer` and returns its findings; what is looked at is below one root, for tests.
"""

import importlib.util
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

from config.profile import Profile

LEAST_PYTHON: Final = (3, 11)
LEAST_FREE_BYTES: Final = 3_000_000_000
"""The journal may grow to 2 GB; the rest is for the system."""
LONGEST_SOCKET: Final = 107
LIBRARIES: Final = ("cffi", "cobs", "msgspec", "pydantic", "pyserial", "transitions")
PRIORITY: Final = 50
SERIAL_NAMES: Final = ("ttyACM*", "ttyUSB*")
LATENCY_MS: Final = 1
ROOM: Final = "leave room: delete what is not needed, or choose another disk with --state"


class Grade(StrEnum):
    """How well a thing is."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` says what to do where it is not well."""

    name: str
    grade: Grade
    words: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Computer:
    """What is looked at: a table's profile, where state and sockets are, and the system below `root`."""

    profile: Profile
    state: Path
    sockets: Path
    root: Path = field(default=Path("/"))


def examine(computer: Computer) -> Iterator[Finding]:
    """Yield every finding, in the order in which things have to be put right."""
    for check in CHECKS:
        try:
            yield from check(computer)
        except Exception as error:  # noqa: BLE001 one thing that cannot be looked at hides none of the others
            words = f"cannot be looked at: {str(error) or type(error).__name__}"
            yield Finding(check.__name__.replace("_", " "), Grade.WARNING, words, "look at it by hand")


def python(_: Computer) -> Iterator[Finding]:
    """Interpreter and system."""
    version = platform.python_version()
    if sys.version_info[:2] < LEAST_PYTHON:
        yield Finding("python", Grade.WRONG, version, "install Python 3.11 or later")
    elif not sys.platform.startswith("linux"):
        words = f"{version} on {platform.system()}: session runs here, serve and panel do not"
        yield Finding("python", Grade.WARNING, words, "take a computer with Linux for a table of your own")
    else:
        yield Finding("python", Grade.OK, f"{version}, Linux {platform.release()}, {platform.machine()}")


def libraries(_: Computer) -> Iterator[Finding]:
    """Libraries, and the one whose fast half may be missing."""
    told, missing = [], []
    for name in LIBRARIES:
        try:
            told.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("libraries", Grade.WRONG, f"{', '.join(missing)} not installed", "install again: make setup")
    else:
        yield Finding("libraries", Grade.OK, ", ".join(told))
    if importlib.util.find_spec("cobs.cobs._cobs_ext") is None:
        words = "the Python version of cobs is used: each frame takes about ten times as long"
        yield Finding("cobs", Grade.WARNING, words, "install a compiler and Python's headers, then cobs again")
    else:
        yield Finding("cobs", Grade.OK, "its C extension is there")


def guard(computer: Computer) -> Iterator[Finding]:
    """The guard's host build, which only simulated tables need."""
    from firmware_bridge.guard_build import built, compiler

    if computer.profile.bridge not in ("in-process", "wire"):
        return
    if (library := built()) is not None:
        yield Finding("guard", Grade.OK, f"its host build is at {library}")
    elif compiler() is not None:
        yield Finding("guard", Grade.OK, "its host build is made at the first start")
    else:
        words = "no C compiler: the simulated table runs without its guard"
        yield Finding("guard", Grade.WARNING, words, "install one: sudo apt-get install gcc libc6-dev")


def table(computer: Computer) -> Iterator[Finding]:
    """The table's profile, and the way to it."""
    profile = computer.profile
    yield Finding("profile", Grade.OK, f"{profile.name}: {profile.title} ({profile.table_id}), {profile.bridge}")
    if profile.bridge in ("serial", "gpio") and profile.commissioning is None:
        words = "nothing is proven of this table: nobody can be armed on it"
        mend = "measure what docs/wiring.md names, and write it into the profile's [commissioning]"
        yield Finding("commissioning", Grade.WARNING, words, mend)
    if profile.bridge == "serial":
        yield from _serial(computer)
    elif profile.bridge == "gpio":
        yield from _pins(computer)


def _serial(computer: Computer) -> Iterator[Finding]:
    devices = computer.root / "dev"
    port = computer.profile.port
    if port.startswith("/"):
        found = [path for path in [computer.root / port.lstrip("/")] if path.exists()]
    else:
        found = sorted(path for name in SERIAL_NAMES for path in devices.glob(name))
    if not found:
        words = f"{port}: no such port" if port.startswith("/") else "no USB serial port is there"
        yield Finding("port", Grade.WRONG, words, "plug the microcontroller in, and see that its cable carries data")
        return
    for path in found:
        if not os.access(path, os.R_OK | os.W_OK):
            mend = "sudo usermod -a -G dialout $USER, then log in again"
            yield Finding("port", Grade.WRONG, f"{path}: you may not open it", mend)
            continue
        yield Finding("port", Grade.OK, f"{path}: may be opened")
        timer = computer.root / "sys/class/tty" / path.name / "device" / "latency_timer"
        if timer.exists() and (timer_ms := int(timer.read_text())) > LATENCY_MS:
            words = f"{timer_ms} ms: what the table says comes so much later"
            mend = f"echo {LATENCY_MS} | sudo tee {timer}; the bridge tries it at each start"
            yield Finding("latency timer", Grade.WARNING, words, mend)


def _pins(computer: Computer) -> Iterator[Finding]:
    if importlib.util.find_spec("gpiozero") is None or importlib.util.find_spec("lgpio") is None:
        mend = "install it on the Pi: pip install 'inversion-table[gpio]' (docs/gpio.md)"
        yield Finding("gpiozero", Grade.WRONG, "gpiozero or lgpio is not installed", mend)
    for name, pattern, mend in (
        ("pins", "gpiochip*", "take a Raspberry Pi 4 or 5, and the group gpio: sudo usermod -a -G gpio $USER"),
        ("spi", "spidev*", "switch it on: sudo raspi-config nonint do_spi 0; and the group spi"),
    ):
        found = sorted((computer.root / "dev").glob(pattern))
        usable = [path for path in found if os.access(path, os.R_OK | os.W_OK)]
        if usable:
            yield Finding(name, Grade.OK, ", ".join(str(path) for path in usable))
        else:
            words = f"{found[0]}: you may not open it" if found else f"no /dev/{pattern} is there"
            yield Finding(name, Grade.WRONG, words, mend)


def clock(computer: Computer) -> Iterator[Finding]:
    """The date: permits are judged by it, and records carry it."""
    from controller.startup import label_ms, newest_label_s

    now_s, newest_s = label_ms() // 1000, newest_label_s(computer.state, computer.profile.table_id)
    if now_s < newest_s - 60:
        words = f"{newest_s - now_s} s before this table's newest record: nobody can be armed (H28)"
        yield Finding("clock", Grade.WRONG, words, "set the date: sudo timedatectl set-ntp true")
        return
    program = shutil.which("timedatectl")
    said = ""
    if program is not None:
        command = [program, "show", "-p", "NTPSynchronized", "--value"]
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5).stdout.strip()
    if said == "yes":
        yield Finding("clock", Grade.OK, "set by the network")
    elif said == "no":
        mend = "sudo timedatectl set-ntp true, or fit a battery-backed clock"
        yield Finding("clock", Grade.WARNING, "not set by the network", mend)
    else:
        yield Finding("clock", Grade.OK, "this computer does not say who sets it; no record is newer than now")


def disk(computer: Computer) -> Iterator[Finding]:
    """Where state is kept: room, and whether it can be written."""
    state = computer.state
    there = next(folder for folder in (state, *state.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK | os.X_OK):
        words = f"{there}: you may not write there, so nothing is recorded (H33)"
        yield Finding("disk", Grade.WRONG, words, "choose another place with --state")
    elif free < LEAST_FREE_BYTES:
        words = f"{free / 1e9:.1f} GB free at {there}, the journal may need 2 GB"
        yield Finding("disk", Grade.WARNING, words, ROOM)
    else:
        yield Finding("disk", Grade.OK, f"{free / 1e9:.0f} GB free at {there}")


def journal(computer: Computer) -> Iterator[Finding]:
    """The records of the last run."""
    from controller.journal import JournalError, last_run

    try:
        last = last_run(computer.state, computer.profile.table_id)
    except JournalError as error:
        words = f"cannot be read: {error}"
        yield Finding("journal", Grade.WARNING, words, "the next start sets it aside and begins a new one; keep it")
        return
    yield Finding("journal", Grade.OK, "there is none yet" if last is None else "the last run's can be read")


def sockets(computer: Computer) -> Iterator[Finding]:
    """Where sockets are, and who has the table."""
    folder, table_id = computer.sockets, computer.profile.table_id
    longest = len(os.fsencode(folder / f"{table_id}.hands.sock"))
    if longest > LONGEST_SOCKET:
        words = f"{folder}: {longest} bytes with a socket's name, at most {LONGEST_SOCKET} are allowed"
        yield Finding("sockets", Grade.WRONG, words, "choose a shorter --state, or set RUNTIME_DIRECTORY")
    else:
        yield Finding("sockets", Grade.OK, str(folder))
    if (holder := _holder(folder / f"{table_id}.lock")) is not None:
        yield Finding("lock", Grade.OK, f"process {holder} has the table")
    path = folder / f"{table_id}.sock"
    if not path.is_socket():
        yield Finding("control process", Grade.OK, "none runs for this table")
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.settimeout(1)
        try:
            line.connect(str(path))
        except ConnectionRefusedError:
            yield Finding("control process", Grade.OK, "the last one was killed; the next one takes its socket over")
        except PermissionError:
            mend = "ask as the user that it runs as, or as root"
            yield Finding("control process", Grade.WARNING, "one runs that you may not reach", mend)
        else:
            yield Finding("control process", Grade.OK, "one runs: inversion-table status tells how it is")


def _holder(lock: Path) -> str | None:
    """Return the number of the process that holds a lock; None where none does."""
    import fcntl

    try:
        with lock.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read(20).decode("ascii", "replace").strip() or "of unknown number"
    except OSError:
        return None
    return None


def real_time(_: Computer) -> Iterator[Finding]:
    """What the system permits of being on time."""
    missing = []
    if os.geteuid() != 0:
        if resource.getrlimit(resource.RLIMIT_RTPRIO)[0] < PRIORITY:
            missing.append("LimitRTPRIO=50")
        if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
            missing.append("LimitMEMLOCK=infinity")
    if missing:
        words = "not permitted: ticks may come late, which is counted and deepens nothing (H27)"
        mend = f"give the service's systemd unit {' and '.join(missing)}"
        yield Finding("real time", Grade.WARNING, words, mend)
    else:
        yield Finding("real time", Grade.OK, "permitted")


CHECKS: Final[tuple[Callable[[Computer], Iterator[Finding]], ...]] = (
    python,
    libraries,
    table,
    guard,
    disk,
    journal,
    clock,
    sockets,
    real_time,
)


def next_step(findings: list[Finding], profile: str) -> str:
    """Return the one thing to do next."""
    for grade in (Grade.WRONG, Grade.WARNING):
        for finding in findings:
            if finding.grade is grade:
                return f"{finding.name}: {finding.mend}"
    if any(finding.name == "control process" and finding.words.startswith("one runs") for finding in findings):
        return "look at the table: inversion-table panel"
    return f"start it: inversion-table serve --profile {profile}"
