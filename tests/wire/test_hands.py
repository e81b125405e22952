"""The hands socket: what is pressed there is pressed, by lease; whatever else is sent there harms nothing."""

import contextlib
import json
import select
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.errors import UnknownNameError, UsageError
from firmware_bridge.hands import HandsClient, HandsGoneError
from firmware_bridge.hands_messages import LEASE_MS, LONGEST_LINE
from safety.signals import ALL_LAMPS, CONFIRM, LAMPS, TILT, Command, Contacts, Signals
from sim.faults.schedule import FaultSchedule
from sim.table import SimulatedTable, build
from sim.wire_hands import MOST_CLIENTS, MOST_UNREAD, HandsServer
from tests.wire.rig import PROFILE

PATIENCE_S = 30


class Room:
    """A table, its hands socket, and a clock that the test turns; `client` makes hands that know that clock."""

    def __init__(self, folder: Path) -> None:
        self.table: SimulatedTable = build(PROFILE, guard=False)
        self.faults = FaultSchedule(self.table)
        self.server = HandsServer(folder / "hands.sock", self.table, lambda: self.table.clock.ms)
        self.path = str(self.server.path)
        self.clients: list[HandsClient] = []
        self.lines: list[Line] = []

    def client(self) -> HandsClient:
        client = HandsClient(self.path, now=lambda: self.table.clock.ms / 1000)
        self.clients.append(client)
        self.serve()
        return client

    def serve(self) -> None:
        """Take in everything that was sent by now; what local sockets carry is there at once."""
        while ready := select.select(self.server.descriptors, [], [], 0)[0]:
            for descriptor in ready:
                self.server.serve(descriptor)

    def pass_ms(self, ms: int, *, renewing: bool = True) -> None:
        for _ in range(ms // 10):
            self.table.forward_alone(10)
            for client in self.clients if renewing else ():
                client.renew()
            self.serve()
            self.server.tell(self.table.clock.ms)
            self.server.end_leases()
            self.faults.pass_to(self.table.clock.ms)
        for client in self.clients if renewing else ():
            client.renew()

    def line(self) -> "Line":
        line = Line(self)
        self.lines.append(line)
        return line


class Line:
    """Somebody who writes to the socket by hand."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(room.path)
        self.socket.settimeout(PATIENCE_S)
        room.serve()
        self._rest = b""

    def say(self, data: bytes | dict[str, Any]) -> None:
        self.socket.sendall(data if isinstance(data, bytes) else json.dumps(data).encode() + b"\n")
        self._room.serve()

    def answer(self) -> dict[str, Any]:
        while b"\n" not in self._rest:
            data = self.socket.recv(4096)
            if not data:
                return {}
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        return told


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    for client in room.clients:
        client.close()
    for line in room.lines:
        line.socket.close()
    room.server.close()
    assert not room.server.path.exists()


# What people do ------------------------------------------------------------------------------------------------------


def test_whoever_looks_sees_the_lamps_by_name_and_hears_the_buzzer(room: Room) -> None:
    line = room.line()

    def looked() -> tuple[list[str], int]:
        line.say({"do": "look"})
        truth = line.answer()["simulated_truth"]
        return truth["lamps"], truth["buzzer_hz"]

    assert looked() == ([], 0)
    signals = Signals(lamps=LAMPS["RED"] | LAMPS["TILT"] | LAMPS["BREATHE"], buzzer_hz=440)
    room.table.bridge.write(Command(), signals)
    assert looked() == (["RED", "TILT", "BREATHE"], 440)
    room.table.bridge.write(Command(), Signals(lamps=ALL_LAMPS))
    assert looked() == (list(LAMPS), 0)


def test_whoever_watches_sees_a_lamp_go_out(room: Room) -> None:
    hands = room.client()
    hands.watch()
    room.table.bridge.write(Command(), Signals(lamps=LAMPS["CONFIRM"], buzzer_hz=600))
    room.pass_ms(50)
    assert hands.truth is not None
    assert (hands.truth.lamps, hands.truth.buzzer_hz) == (("CONFIRM",), 600)
    room.pass_ms(200)
    assert (hands.truth.lamps, hands.truth.buzzer_hz) == ((), 0)


def test_a_button_is_held_as_long_as_it_is_renewed(room: Room) -> None:
    hands = room.client()
    hands.press("TILT")
    room.pass_ms(10 * LEASE_MS)
    assert room.table.panel.buttons == TILT
    hands.release("TILT")
    room.pass_ms(50)
    assert room.table.panel.buttons == 0
    assert hands.trouble == ""


def test_a_button_that_nobody_renews_is_let_go_within_the_lease(room: Room) -> None:
    room.client().press("CONFIRM")
    room.pass_ms(LEASE_MS - 50, renewing=False)
    assert room.table.panel.buttons == CONFIRM
    room.pass_ms(100, renewing=False)
    assert room.table.panel.held() == frozenset()


def test_whoever_disconnects_in_mid_press_lets_go(room: Room) -> None:
    hands = room.client()
    hands.press("TILT")
    hands.crank(True)
    room.pass_ms(100)
    assert room.table.plant.crank_turning
    hands.close()
    room.clients.clear()
    room.pass_ms(LEASE_MS + 50)
    assert room.table.panel.held() == frozenset()
    assert not room.table.plant.crank_turning


def test_what_two_hold_is_held_until_both_have_let_go(room: Room) -> None:
    one, other = room.client(), room.client()
    one.press("TILT")
    other.press("TILT")
    room.pass_ms(100)
    one.release("TILT")
    room.pass_ms(300)
    assert "TILT" in room.table.panel.held()
    other.release("TILT")
    room.pass_ms(50)
    assert room.table.panel.held() == frozenset()


def test_straps_and_the_emergency_stop_stay_as_they_are_left(room: Room) -> None:
    hands = room.client()
    hands.strap("left", closed=True)
    hands.estop(pressed=True)
    room.pass_ms(1000)
    assert (room.table.panel.strap_left, room.table.panel.strap_right) == (Contacts.CLOSED, Contacts.OPEN)
    assert room.table.plant.estop_open
    hands.estop(pressed=False)
    room.pass_ms(100)
    assert not room.table.plant.estop_open


def test_the_patients_own_button_is_a_hand_too(room: Room) -> None:
    hands = room.client()
    hands.press("PATIENT")
    room.pass_ms(500)
    assert room.table.panel.patient_open


def test_a_fault_begins_and_ends_when_its_time_has_come(room: Room) -> None:
    hands = room.client()
    hands.inject_later("drive-dead+1s")
    room.pass_ms(500)
    assert room.table.injected == "drive-dead"
    room.pass_ms(1000)
    assert room.table.injected == ""
    hands.inject_later("no-such-fault")
    room.pass_ms(50)
    assert "no-such-fault" in hands.trouble


def test_who_watches_hears_the_plants_own_word(room: Room) -> None:
    hands = room.client()
    hands.watch()
    hands.press("PRESENCE")
    room.pass_ms(100)
    assert hands.truth is not None
    assert hands.truth.t_ms == room.table.clock.ms
    assert hands.truth.held == ("PRESENCE",)
    assert hands.truth.angle_cdeg == pytest.approx(room.table.truth().angle_cdeg, abs=1)


@pytest.mark.parametrize("do", [lambda hands: hands.press("TLIT"), lambda hands: hands.strap("middle", True)])
def test_what_there_is_not_is_refused_before_it_is_sent(room: Room, do: Any) -> None:
    with pytest.raises(UnknownNameError):
        do(room.client())


def test_where_no_table_is_that_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(HandsGoneError, match="inversion-table sim") as told:
        HandsClient(str(tmp_path / "nobody.sock"))
    assert told.value.exit_code == 5


def test_a_table_that_goes_is_told_and_nothing_is_raised_at_who_holds(room: Room) -> None:
    hands = room.client()
    hands.press("TILT")
    room.pass_ms(50)
    room.server.close()
    hands.renew()
    hands.press("RETURN")
    hands.renew()
    assert "is gone" in hands.trouble
    with pytest.raises(HandsGoneError, match="is gone"):
        hands.look()


# What anybody may send -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff\xfe\n",
        b"TILT\n",
        b"{}\n",
        b'{"do":"fly"}\n',
        b'{"do":"press"}\n',
        b'{"do":"press","button":7}\n',
        b'{"do":"press","button":"TILT","for":"ever"}\n',
        b'{"do":"press","button":"NOPE"}\n',
        b'{"do":"release","button":"the crank"}\n',
        b'{"do":"strap","side":"left"}\n',
        b'{"do":"strap","side":"up","closed":true}\n',
        b'{"do":"inject","fault":"boots-below"}\n',
        b"[" * 500 + b"\n",
    ],
)
def test_what_is_no_request_is_answered_as_such_and_does_nothing(room: Room, line: bytes) -> None:
    before = (room.table.panel.held(), room.table.injected)
    somebody = room.line()
    somebody.say(line)
    told = somebody.answer()
    assert told["ok"] is False
    assert told["error"]
    somebody.say({"do": "look"})
    assert somebody.answer()["simulated_truth"]["angle_cdeg"] == pytest.approx(0, abs=50)
    assert (room.table.panel.held(), room.table.injected) == before


def test_a_request_may_come_in_pieces_and_several_at_once(room: Room) -> None:
    somebody = room.line()
    for piece in (b'{"do":"pr', b'ess","but', b'ton":"TILT"}\n\n{"do":"press","button":"RAISE"}\n'):
        somebody.say(piece)
    assert [somebody.answer()["ok"] for _ in range(2)] == [True, True]
    assert room.table.panel.held() == {"TILT", "RAISE"}


def test_a_line_without_an_end_ends_the_visit(room: Room) -> None:
    somebody = room.line()
    somebody.say(b"x" * (LONGEST_LINE + 1))
    assert "bytes at most" in somebody.answer()["error"]
    assert somebody.answer() == {}


def test_one_who_never_reads_is_let_go_and_keeps_nobody_waiting(room: Room) -> None:
    deaf, other = room.line(), room.line()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(50 * MOST_UNREAD // 60):
            deaf.say(b'{"do":"press","button":"NOPE"}\n')
    assert len(room.server.descriptors) == 2
    other.say({"do": "look"})
    assert other.answer()["ok"] is True


def test_a_watcher_who_never_reads_misses_lines_and_nothing_else(room: Room) -> None:
    room.line().say({"do": "watch"})
    for ms in range(10, 200_000, 10):
        room.server.tell(ms)
    assert len(room.server.descriptors) == 2


def test_more_visitors_than_there_is_room_for_are_turned_away(room: Room) -> None:
    lines = [room.line() for _ in range(MOST_CLIENTS + 1)]
    lines[-1].socket.settimeout(PATIENCE_S)
    assert lines[-1].answer() == {}
    lines[0].say({"do": "look"})
    assert lines[0].answer()["ok"] is True


def test_a_place_too_long_for_a_socket_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="too long for a socket"):
        HandsServer(tmp_path / ("x" * 120), build(PROFILE, guard=False), lambda: 0)


def test_a_socket_that_a_dead_table_left_is_replaced(room: Room, tmp_path: Path) -> None:
    left = tmp_path / "left.sock"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(left))
    dead.close()
    server = HandsServer(left, room.table, lambda: 0)
    with socket.socket(socket.AF_UNIX) as somebody:
        somebody.connect(str(left))
    server.close()
