"""The control process under load, in real time: late ticks are counted and acted on, memory stays, everybody is served.

Beside the people of a visit there are a client that never reads, one that floods, one that keeps coming and going, and
a program that takes all the processor time it is given. No duration is asserted: what is, is that nothing goes unseen.
"""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.loading import load_plan, load_profile
from controller import permits
from controller.client import Client, ClientError
from controller.journal import Journal
from controller.messages import Frame
from controller.startup import label_ms
from safety.link import LATE_MS
from safety.signals import Demand, Region
from tests.api.peers import short_folder
from tests.journal.recording import ended
from tests.service.rig import as_in_a_file
from tests.service.test_process import PATIENCE_S, TABLE, Run, last_snapshot, of_state, visitors

pytestmark = pytest.mark.needs("cc")

LIMITS = load_profile("wire").limits()
SHORT = load_plan("short", LIMITS)
SETTLED_MS = 25_000
MOST_GROWTH_BYTES = 6_000_000
BUSY = "while True: sum(range(10000))"


class Deaf:
    """A client that asks for everything and never reads."""

    def __init__(self, path: Path) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.connect(str(path))
        self.line.setblocking(False)
        for message in ({"do": "hello", "version": 1, "name": "deaf"}, {"do": "watch", "id": 1, "every_ms": 10}):
            self.say(**message)

    def say(self, **message: object) -> None:
        with contextlib.suppress(BlockingIOError):
            self.line.send(json.dumps(message).encode())

    def close(self) -> None:
        self.line.close()


def resident_bytes(pid: int) -> int:
    """The memory of a process that is not shared with its files: what grows when something is forgotten."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) * 1024


def offered_again(client: Client) -> bool:
    permit = permits.simulated(SHORT, LIMITS.screening_version, label_ms() // 1000)
    return client.offer(as_in_a_file(SHORT), permit).ok


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """A program beside it that takes what it gets."""
    with subprocess.Popen([sys.executable, "-c", BUSY]) as process:
        try:
            yield
        finally:
            process.kill()


def a_soak(state: Path, for_ms: int) -> None:
    path = state / f"{TABLE}.sock"
    with contextlib.ExitStack() as ends:
        serve = ends.enter_context(Run(state, "serve", "--offer", "short"))
        serve.until("Ctrl-C brings")
        watching = ends.enter_context(Client(path, "watching", PATIENCE_S))
        watching.watch(100)
        people = ends.enter_context(visitors(state, watching.welcome.hands))
        deaf, flood = Deaf(path), Deaf(path)
        ends.callback(deaf.close)
        ends.callback(flood.close)
        ends.enter_context(busy())
        pid, newest, turns, visits = serve.process.pid, 0, 0, 0
        last: Frame | None = None
        settled: int | None = None
        while newest < for_ms:
            turns += 1
            for number in range(30):
                flood.say(do="events" if number % 2 else "configuration", id=number)
            with contextlib.suppress(ClientError), Client(path, f"visitor {turns}", PATIENCE_S) as passing:
                assert passing.welcome.table_id == TABLE
            for one in watching.receive(PATIENCE_S):
                if isinstance(one, Frame):
                    newest, last = one.snapshot.t_ms, one
                elif one.event.kind == "visit" and one.event.values.get("step") == "ended":
                    visits += 1
            if people.poll() is not None and offered_again(watching):
                people = ends.enter_context(visitors(state, watching.welcome.hands))
            if settled is None and newest > SETTLED_MS:
                settled = resident_bytes(pid)
        assert last is not None
        assert settled is not None
        grown = resident_bytes(pid) - settled
        code = serve.end(signal.SIGTERM)
    assert code == 0, serve.said
    assert grown < MOST_GROWTH_BYTES, f"{grown} bytes in {newest} ms"
    ended(*of_state(state))
    assert last_snapshot(state).decision.region in (Region.LEVEL, Region.ABOVE)
    late_ticks_were_acted_on(state, last)
    if for_ms > 600_000:
        assert visits >= for_ms // 200_000


def late_ticks_were_acted_on(state: Path, last: Frame) -> None:
    """What the recorder has of every tick, against what the control process counted and did (H27)."""
    with Journal(state / "journal" / f"{TABLE}.sqlite3") as journal:
        ticks = [tick for tick in journal.snapshots(1, 1, 2**31) if tick.number <= last.snapshot.number]
    late = [tick for tick in ticks if tick.readings.elapsed_ms > LATE_MS]
    assert len(late) <= last.service.overruns
    numbers = {tick.number: tick for tick in ticks}
    for tick in late:
        for after in range(tick.number, tick.number + 5):
            seen = numbers.get(after)
            if seen is not None and seen.decision.armed is not None:
                assert seen.decision.demand >= Demand.NO_DEEPENING, f"tick {after} after {tick.readings.elapsed_ms} ms"


@pytest.mark.timeout(300)
def test_a_minute_under_load() -> None:
    with short_folder() as state:
        a_soak(state, 60_000)


@pytest.mark.nightly
@pytest.mark.timeout(5000)
def test_an_hour_under_load() -> None:
    with short_folder() as state:
        a_soak(state, 3_600_000)
