"""They do the visit that is offered, and leave at once when they are told to, letting go of everything."""

import os
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from controller.client import Client
from firmware_bridge.hands import HandsClient
from safety.signals import State
from sim import visitors
from sim.habits import Habits
from sim.visitors import Visitors, main
from sim.wire_hands import HandsServer
from tests.api.peers import Served, short_folder

LOOK_TICKS = 2


class Bench:
    """A served table whose hands are a socket, and the people at it; time passes by ticks."""

    def __init__(self, folder: Path) -> None:
        self.served = Served(folder)
        rig = self.served.rig
        self.path = folder / "h.sock"
        self.door = HandsServer(self.path, rig.table, lambda: rig.table.clock.ms)
        self.client = self.served.while_asking(lambda: Client(self.served.path, "people", 10))
        self.hands = HandsClient(str(self.path))
        self.parent, self.child = os.pipe()
        self.people = Visitors(self.client, self.hands, Habits(boards_at_deg=0.0))

    def pass_ticks(self, ticks: int) -> None:
        for _ in range(ticks):
            self.served.pump()
            self.serve_hands()

    def serve_hands(self) -> None:
        while ready := select.select(self.door.descriptors, [], [], 0)[0]:
            for descriptor in ready:
                self.door.serve(descriptor)
        self.door.end_leases()

    def close(self) -> None:
        self.client.close()
        self.hands.close()
        self.door.close()
        self.served.close()
        os.close(self.parent)
        os.close(self.child)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with short_folder() as folder:
        made = Bench(folder)
        waited = select.select

        def instead(wanted: Any, *_: Any) -> Any:
            # Instead of waiting, the table goes on.
            made.pass_ticks(LOOK_TICKS)
            return waited(wanted, [], [], 0)

        class Select:
            select = staticmethod(instead)

        made.pass_ticks(600)
        made.served.while_asking(lambda: made.client.watch(20))
        monkeypatch.setattr(visitors, "select", Select)
        yield made
        made.close()


def test_they_do_the_visit_that_is_offered(bench: Bench) -> None:
    bench.served.rig.offer()
    assert bench.people.do_the_visit(bench.parent) == 0
    assert bench.people.leaving == ""
    assert bench.served.rig.events("visit")[-1].values["result"] == "completed"
    assert -1 < bench.served.rig.true_deg < 1


def test_they_leave_and_let_go_in_mid_tilt_when_whoever_started_them_is_gone(bench: Bench) -> None:
    rig = bench.served.rig
    rig.offer()
    usual = bench.pass_ticks

    def until_tilting(ticks: int) -> None:
        usual(ticks)
        if rig.snapshot.wish.state is State.TILTING and rig.true_deg < -3:
            os.write(bench.child, b"x")

    bench.pass_ticks = until_tilting  # type: ignore[method-assign]
    assert bench.people.do_the_visit(bench.parent) == 7, "not at level"
    assert bench.people.leaving == "whoever started them is gone"
    assert "TILT" in rig.table.hands.held()
    bench.hands.close()
    usual(30)
    assert list(rig.table.hands.held()) == []


def test_told_to_leave_they_leave(bench: Bench) -> None:
    bench.people.leaving = "SIGTERM"
    assert bench.people.do_the_visit(bench.parent) == 6


def test_without_a_control_process_they_say_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--socket", str(tmp_path / "none.sock"), "--hands", str(tmp_path / "none.hands")]) == 5
    assert "no control process is at" in capsys.readouterr().out
