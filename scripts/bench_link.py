"""Measure codec and link on this machine and print the table; nothing passes or fails here.

The codec stands beside the parsers of other projects: each reads about 24 bytes of telemetry from a stream into
numbers, a message at a time, in interleaved rounds of one run, medians told. The peers live in an environment of their
own, .venv-bench, made at the first run; what cannot be installed is told and left out. Then comes the time from an
e-stop's frame to the stop frame, as bench_stop.py measures it.
"""

import binascii
import gc
import itertools
import json
import os
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Any, Final

from bench_stop import Row, last_line, reaction_rows, reply, telemetry
from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.codec import HostCodec
from safety.signals import Readings

ROOT: Final = Path(__file__).resolve().parent.parent
ENVIRONMENT: Final = ROOT / ".venv-bench"
# What pip is asked for, each line by itself, so that one that fails leaves the others. moteus names libraries that its
# parser does not use, 160 MB of them: it is installed without, and what it does use stands before it.
PEERS: Final = (
    ("pymodbus>=3.11,<4",),
    ("pyfirmata2>=2.5,<3",),
    ("telemetrix>=1.40,<2",),
    ("python-can>=4.5,<5",),
    ("importlib-metadata", "packaging", "pyserial", "pyelftools"),
    ("--no-deps", "moteus>=1,<2"),
)
ABSENT: Final = "Klipper msgproto: no package of it installs from the registry, so it is not measured here"
LEAST: Final = "0.9–1.0 µs on the machine where the goal was set"
ROUNDS: Final = 41
FRAMES: Final = 2000


def our_codec(pieces: int) -> Callable[[], float]:
    """Return a round that reads telemetry in so many pieces a frame and gives microseconds a frame."""
    timeline = []
    for at in range(FRAMES):
        frame = telemetry(1 + at, 1000 + 10 * at, -1234 - at % 50, echo=at)
        cuts = [len(frame) * piece // pieces for piece in range(pieces + 1)]
        timeline += [(frame[start:end], 50_000 + 10 * at) for start, end in itertools.pairwise(cuts)]

    def run() -> float:
        codec = HostCodec()
        codec.expect(1)
        codec.feed(reply(0, 1000, 1), 50_000)
        feed = codec.feed
        started = time.process_time_ns()
        for piece, now_ms in timeline:
            feed(piece, now_ms, 10)
        spent = time.process_time_ns() - started
        assert codec.echo == (FRAMES - 1) & 0xFFFF
        assert not any(codec.rejected.values())
        return spent / FRAMES / 1000

    return run


@dataclass(slots=True)
class Bare:
    """What the least codec makes of a frame."""

    kind: int
    sequence: int
    clock_ms: int
    angle_a_cdeg: int
    angle_b_cdeg: int
    applied_cdeg_s: int
    current_ma: int
    buttons: int
    rejected: int
    switches: int
    contacts: int
    outputs: int
    state_demand: int
    first_cause: int


def least_codec() -> Callable[[], float]:
    """Return a round of the least that can be done in Python: it tells how quick this machine is today.

    24 bytes with a sum of 16 bits; no ages, no flags, nothing refused but a wrong sum, nothing known of a session.
    """
    layout = struct.Struct("<BHIhhhHHBBBBBB")
    stream = []
    for at in range(FRAMES):
        frame = layout.pack(
            protocol.TELEMETRY, at & 0xFFFF, 10 * at, -1234 - at % 50, -1230, 0, 0, 0, 0, 48, 0, 0, 0, 0
        )
        stream.append(cobs.encode(frame + binascii.crc_hqx(frame, 0xFFFF).to_bytes(2, "little")) + b"\0")

    def run() -> float:
        rest, taken, decode, unpack, sum_of = b"", 0, cobs.decode, layout.unpack_from, binascii.crc_hqx
        started = time.process_time_ns()
        for data in stream:
            pieces = (rest + data).split(b"\0")
            rest = pieces.pop()
            for piece in pieces:
                frame = decode(piece)
                if sum_of(frame[:-2], 0xFFFF) == int.from_bytes(frame[-2:], "little"):
                    Bare(*unpack(frame))
                    taken += 1
        spent = time.process_time_ns() - started
        assert taken == FRAMES
        return spent / FRAMES / 1000

    return run


def peers_environment() -> tuple[Path, list[str]]:
    """Make the peers' environment unless it is there; return its interpreter and what could not be installed."""
    python, stamp = ENVIRONMENT / "bin" / "python", ENVIRONMENT / ".ready"
    wanted = json.dumps([str(ENVIRONMENT), sys.version, PEERS])
    with suppress(OSError):
        if stamp.read_text(encoding="utf-8") == wanted:
            return python, []
    print("bench: installing the peers into .venv-bench (once; about half a minute)", file=sys.stderr)
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    failed = []
    made = subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], capture_output=True, text=True, check=False)
    if made.returncode:
        return python, [f".venv-bench could not be made: {last_line(made.stderr or made.stdout)}"]
    for packages in PEERS:
        command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
        done = subprocess.run(
            [*command, "--retries", "1", *packages],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            failed.append(f"{packages[-1]} could not be installed: {last_line(done.stderr)}")
    if not failed:
        stamp.write_text(wanted, encoding="utf-8")
    return python, failed


class Peers:
    """The process in which the peers parse; without their environment nobody is here."""

    def __init__(self) -> None:
        self.missing: list[str]
        self.here: dict[str, str] = {}
        python, self.missing = peers_environment()
        self._process: subprocess.Popen[str] | None = None
        if not python.exists():
            return
        self._process = subprocess.Popen(
            [str(python), str(ROOT / "scripts" / "bench_peers.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self.missing.append("the peers' process ended without a word")
            return
        told = json.loads(line)
        self.here = told["here"]
        self.missing += [f"{name} did not start: {why}" for name, why in told["missing"].items()]

    def measure(self, name: str) -> float:
        """Return one round's microseconds a message."""
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{name}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.communicate()


def codec_rows() -> tuple[list[Row], list[str]]:
    """Measure our codec and every peer in turn, round by round, each on the same processor; ratios are within a round.

    The processors of a shared machine are now quick, now slow, and not all at once.
    """
    with one_processor():
        return _codec_rows()


def _codec_rows() -> tuple[list[Row], list[str]]:
    peers = Peers()
    runs: dict[str, Callable[[], float]] = {"whole": our_codec(1), "two": our_codec(2), "least": least_codec()}
    for name in peers.here:
        runs[name] = lambda name=name: peers.measure(name)  # type: ignore[misc]
    times: dict[str, list[float]] = {name: [] for name in runs}
    with quiet_memory():
        for _ in range(ROUNDS):
            for name, run in runs.items():
                times[name].append(run())
    peers.close()
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = {
        name: statistics.median(theirs / ours for theirs, ours in zip(values, times["whole"], strict=True))
        for name, values in times.items()
    }
    rows = [
        ("telemetry frame → typed readings, 44 bytes at once", f"{median['whole']:.2f} µs", "≤ 1.2 µs"),
        ("the same in two pieces", f"{median['two']:.2f} µs", ""),
        ("the least codec: 24 bytes, nothing judged", f"{median['least']:.2f} µs", LEAST),
    ]
    for name, version in peers.here.items():
        rows.append((f"24 bytes by {name} {version}", f"{median[name]:.1f} µs", f"{ratio[name]:.1f} × ours"))
    return rows, [*peers.missing, ABSENT]


def waste_rows() -> list[Row]:
    """Measure what the codec does not do: the same work in pure Python, by keywords, with checks meant for files."""
    from cobs.cobs import _cobs_py
    from pydantic import TypeAdapter

    frame = telemetry(1, 1000, -1234)[:-1]
    whole = cobs.decode(frame)
    table = crc_table()
    codec = HostCodec()
    codec.expect(1)
    (_, readings) = codec.feed(reply(0, 1000, 1) + telemetry(1, 1010), 50_000)
    assert isinstance(readings, Readings)
    values = {name: getattr(readings, name) for name in readings.__struct_fields__}
    frozen: Any = make_dataclass("Frozen", list(values), frozen=True)
    plain = {name: value for name, value in values.items() if isinstance(value, int)}
    checked: Any = TypeAdapter(make_dataclass("Checked", [(name, type(value)) for name, value in plain.items()]))
    by_place = tuple(values.values())
    pairs: tuple[tuple[str, Callable[[], object], Callable[[], object]], ...] = (
        ("COBS in pure Python", lambda: _cobs_py.decode(frame), lambda: cobs.decode(frame)),
        ("check sum by a table in Python", lambda: crc_by_table(table, whole), lambda: zlib.crc32(whole)),
        ("readings as a frozen dataclass, by keyword", lambda: frozen(**values), lambda: Readings(*by_place)),
        ("readings checked by pydantic", lambda: checked.validate_python(plain), lambda: Readings(*by_place)),
    )
    times: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name, *_ in pairs}
    with quiet_memory():
        for _ in range(ROUNDS):
            for name, wasteful, ours in pairs:
                times[name][0].append(timed(wasteful, 500))
                times[name][1].append(timed(ours, 2000))
    rows = []
    for name, (wasteful_us, ours_us) in times.items():
        slow, quick = statistics.median(wasteful_us), statistics.median(ours_us)
        rows.append((f"waste: {name}", f"{slow:.2f} µs", f"{slow / quick:.0f} × what is used"))
    return rows


def crc_table() -> list[int]:
    """Return the table of the common CRC-32."""
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0xEDB88320 if number & 1 else 0)  # noqa: PLW2901 each byte's register
        table.append(number)
    return table


def crc_by_table(table: list[int], data: bytes) -> int:
    """Return the common CRC-32, a byte at a time."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def timed(work: Callable[[], object], times: int) -> float:
    """Return microseconds for one time."""
    started = time.process_time_ns()
    for _ in range(times):
        work()
    return (time.process_time_ns() - started) / times / 1000


@contextmanager
def one_processor() -> Iterator[None]:
    """Stay on one processor, and whatever is started meanwhile too, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


class quiet_memory:  # noqa: N801 used as a verb, like contextlib.suppress
    """Collect garbage before, and not in between."""

    def __enter__(self) -> None:
        gc.collect()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        gc.enable()


def main() -> int:
    """Print the table."""
    extension = "C" if cobs._using_extension else "pure Python: slow, install a C compiler and make setup anew"
    version = f"{platform.python_version()}, {platform.machine()}"
    print(f"\nCodec and link; {version}; medians of {ROUNDS}; COBS in {extension}\n")
    rows, notes = codec_rows()
    rows += waste_rows()
    times, more = reaction_rows()
    rows += times
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>10}  {goal}")
    for note in (*notes, *more):
        print(f"({note})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
