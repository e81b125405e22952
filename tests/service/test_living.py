"""A simulated table that outlives its controller: it waits for the next one, and ends when nobody came."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from config.loading import load_profile
from safety.signals import Host
from sim.living import LivingTable, Where, record_of
from sim.wire import PseudoTerminal, WireServer
from sim.wire_hands import HandsServer
from sim.wired import WiredTable, build_wired

pytestmark = pytest.mark.needs("cc")

PROFILE = load_profile("wire")
ALONE_MS = 2_000
WATCHED_MS = 6_000


def left_alone(tmp_path: Path, start_deg: float, each: Callable[[WiredTable, PseudoTerminal], None]) -> int:
    """Run a table without a controller, as fast as it goes; return when it ended, at most WATCHED_MS."""
    table = build_wired(PROFILE, start_deg=start_deg)
    line = PseudoTerminal()
    hands = HandsServer(tmp_path / "hands.sock", table, lambda: table.clock.ms)

    served: list[WireServer] = []

    def now_ns() -> int:
        if served:
            each(table, line)
            if table.clock.ms >= WATCHED_MS:
                served[0].stop()
        return (table.clock.ms + 50) * 1_000_000 if served else 0

    server = WireServer(table, line, hands, now_ns, alone_ms=ALONE_MS)
    served.append(server)
    try:
        server.run()
    finally:
        hands.close()
        line.close()
    return table.clock.ms


def test_it_ends_when_no_controller_came_and_the_patient_lies_at_level(tmp_path: Path) -> None:
    assert ALONE_MS <= left_alone(tmp_path, 0.0, lambda table, line: None) < ALONE_MS + 300


def test_it_stays_as_long_as_the_patient_is_below_level(tmp_path: Path) -> None:
    assert left_alone(tmp_path, -10.0, lambda table, line: None) >= WATCHED_MS


def test_it_stays_as_long_as_a_controller_speaks(tmp_path: Path) -> None:
    def speak(table: WiredTable, line: PseudoTerminal) -> None:
        client = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
        os.write(client, b"\0")
        os.close(client)

    assert left_alone(tmp_path, 0.0, speak) >= WATCHED_MS


def test_what_is_written_down_of_a_table_that_was_killed_is_not_believed(tmp_path: Path) -> None:
    record = record_of(tmp_path, "wire")
    assert LivingTable._living(record) is None
    record.write_text("{")
    assert LivingTable._living(record) is None
    where = Where("/dev/pts/99999", str(tmp_path / "nobody.sock"), "wire", 1)
    record.write_bytes(msgspec.json.encode(where))
    assert LivingTable._living(record) is None


def test_a_table_whose_controller_is_gone_is_found_again_and_ends_when_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    options = ["--profile=wire", f"--state={tmp_path}", "--at-deg=3"]
    first = LivingTable(PROFILE, tmp_path, options)
    assert not first.found
    assert first.ended() == ""
    first.leave()
    second = LivingTable(PROFILE, tmp_path, options)
    try:
        assert second.found
        assert second.where == first.where
        readings = second.bridge.read(second.clock.now_ms() + 1000, Host())
        assert 250 < (readings.angle_a_cdeg or 0) < 350
        second.leave()
    finally:
        first.end()
    assert LivingTable._living(record_of(tmp_path, "wire")) is None
    assert not record_of(tmp_path, "wire").exists()
