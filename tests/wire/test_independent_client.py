"""A client of another make, written from the protocol's page alone, works a table from the handshake to DISARM."""

import ast
import os
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from sim.panel import Panel
from sim.wired import build_wired
from tests.wire import independent_client
from tests.wire.independent_client import Client
from tests.wire.lockstep import PATIENCE_S, TableEnd
from tests.wire.rig import PROFILE, Watch, guard_of

TARGET_CDEG = -1000
PRESENCE_EVERY_MS = 15_000


class Hands:
    """Somebody in the room who does what the page says that people must do; `each` is called in each millisecond."""

    def __init__(self, panel: Panel, client: Client) -> None:
        self._panel = panel
        self._client = client
        self._script = self._life()
        self._due_ms = 0
        self._ms = 0

    def each(self) -> None:
        self._ms += 1
        if self._ms >= self._due_ms:
            self._due_ms = self._ms + next(self._script, 1000)

    def _tap(self, button: str) -> Iterator[int]:
        self._panel.press(button)
        yield 400
        self._panel.release(button)
        yield 400

    def _life(self) -> Iterator[int]:
        yield 1500
        for side in ("left", "right"):
            self._panel.strap(side, closed=True)
            yield 500
        yield 6000
        yield from self._tap("CONFIRM")
        yield from self._tap("PATIENT")
        while self._client.step != "tilting":
            yield 100
        yield 5500
        self._panel.press("TILT")
        while self._client.step == "tilting":
            yield 100
        self._panel.release("TILT")
        while True:
            yield from self._tap("PRESENCE")
            yield PRESENCE_EVERY_MS


@pytest.mark.needs("cc")
def test_it_arms_tilts_returns_and_disarms() -> None:
    end = TableEnd(build_wired(PROFILE))
    end.hosts = 1
    client = Client(TARGET_CDEG, hold_ms=3000)
    watch, hands = Watch(end.table), Hands(end.table.hands, client)
    steps: list[str] = []
    sent = read = now_ms = 0
    with serial.Serial(end.line.path, 115_200, timeout=0) as port:
        while not client.done and now_ms < 180_000:
            hands.each()
            watch()
            _, written = end.step(1, sent)
            now_ms += 1
            data = b""
            while read + len(data) < written:
                assert select.select([port], [], [], PATIENCE_S)[0]
                data += os.read(port.fileno(), 4096)
            read += len(data)
            out = client.take(data, now_ms)
            if out:
                sent += os.write(port.fileno(), out)
            if not steps or steps[-1] != client.step:
                steps.append(client.step)
    end.close()
    assert steps == ["greeting", "configuring", "arming", "tilting", "holding", "returning", "disarming", "done"], (
        client,
        guard_of(end.table),
    )
    assert abs(watch.deepest_cdeg - TARGET_CDEG) < 100
    assert watch.home
    assert (guard_of(end.table).session_id, guard_of(end.table).causes) == (0, ())
    assert end.table.guard.rejected == 0


def test_it_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(independent_client.__file__).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"struct", "zlib", "collections.abc", "dataclasses"}
