"""Measure the control process: what its local socket costs a tick, and how late ticks come, idle and under load.

Run by bench.py; prints its rows. Lateness is of a whole `inversion-table serve` on a simulated table, by itself and
beside programs that take all the processor time they get.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from config.loading import load_profile
from controller.api import Server
from controller.messages import Welcome
from controller.service import Served, Service
from controller.visits import Rules
from safety.signals import Host
from sim.table import build

TICKS: Final = 3000
SERVED_S: Final = 20
BUSY: Final = "while True: sum(range(10000))"
HELLO: Final = {"do": "hello", "version": 1, "name": "bench"}


class Peer:
    """A client that asks for frames and may read them."""

    def __init__(self, path: Path, every_ms: int) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.connect(str(path))
        self.line.setblocking(False)
        self.say(**HELLO)
        self.say(do="watch", id=1, every_ms=every_ms)

    def say(self, **message: Any) -> None:
        """Send a message, if it is taken now."""
        with contextlib.suppress(BlockingIOError):
            self.line.send(json.dumps(message).encode())

    def read(self) -> None:
        """Take everything that has come."""
        with contextlib.suppress(BlockingIOError):
            while self.line.recv(200_000):
                pass


def cost_us(clients: int, reads: bool = True, floods: bool = False) -> float:
    """Return what `poll` takes of a tick with so many clients that watch at 20 Hz, in microseconds."""
    table = build(load_profile("simulated"))
    limits = load_profile("simulated").limits()
    welcome = Welcome(1, "bench", "sim", "A table", "simulated", "host build", "b", 1, True, "")
    service = Service(
        Served(
            bridge=table.bridge,
            clock=table.clock,
            limits=limits,
            host=Host(clock_ok=True, config_ok=True, started_table=True, wall_s=1_800_000_000, records_ok=True),
            rules=Rules(),
            welcome=welcome,
            wall_ms=lambda: 1_800_000_000_000,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "b.sock"
        server = Server(path, service)
        peers = []
        for _ in range(clients):
            peers.append(Peer(path, 50))
            for _ in range(3):
                service.tick()
                server.poll()
        spent = 0.0
        for tick in range(TICKS):
            service.tick()
            if reads and tick % 5 == 0:
                for peer in peers:
                    peer.read()
            if floods:
                for number, peer in enumerate(peers):
                    peer.say(
                        do="events" if number % 2 else "acknowledge", id=tick, **({} if number % 2 else {"seen": 0})
                    )
            began = time.perf_counter()
            server.poll()
            spent += time.perf_counter() - began
        server.close()
        for peer in peers:
            peer.line.close()
    return spent / TICKS * 1e6


@contextlib.contextmanager
def beside(busy: bool) -> Iterator[None]:
    """Run something that takes a whole core beside it, or not."""
    with contextlib.ExitStack() as ends:
        for _ in range((os.cpu_count() or 1) if busy else 0):
            process = ends.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            ends.callback(process.kill)
        yield


def lateness(busy: bool) -> str:
    """Return what `serve` says of its ticks after a while."""
    program = Path(sys.executable).with_name("inversion-table")
    with tempfile.TemporaryDirectory() as folder, beside(busy):
        environment = {**os.environ, "RUNTIME_DIRECTORY": folder}
        command = [str(program), "serve", "--state", folder]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(SERVED_S)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
    found = re.search(r"one every (\d+ ms); 99.9 % within (\d+ ms); (\d+) were late", told)
    missing = "" if "Not in real time" not in told else ", real time not permitted"
    return f"{found[1]}, {found[2]}, {found[3]} late{missing}" if found else "?"


def main() -> int:
    """Measure and print."""
    rows = [
        ("local socket a tick, nobody connected", f"{cost_us(0):.1f} us", ""),
        ("the same, one client at 20 Hz", f"{cost_us(1):.1f} us", ""),
        ("the same, 8 clients", f"{cost_us(8):.1f} us", ""),
        ("the same, 64 clients", f"{cost_us(64):.1f} us", ""),
        ("the same, 64 clients that never read", f"{cost_us(64, reads=False):.1f} us", ""),
        (
            "the same, 64 clients that flood",
            f"{cost_us(64, floods=True):.1f} us",
            "bounded: 16 packets, 1 costly answer",
        ),
        (f"serve for {SERVED_S} s: gap p50, p99.9, late", lateness(busy=False), "0 late"),
        ("the same, every core taken by others", lateness(busy=True), "p99 0.19 ms late with SCHED_FIFO (design)"),
    ]
    width = max(len(row[0]) for row in rows)
    for what, measured, goal in rows:
        print(f"{what:<{width}}  {measured:>10}  {goal}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
