"""What the table's side of the link sends, in C: telemetry, and the answers to requests."""

import zlib
from typing import Any

import pytest

from firmware_bridge import protocol
from safety.signals import Command, Signals
from tests.firmware_bridge.table_side import Built, Table, fields_of, pieces
from tests.firmware_bridge.wire import FRAMES, on_wire, packed

pytestmark = pytest.mark.needs("cc")


def example_of(kind: str) -> dict[str, Any]:
    (example,) = [example for example in FRAMES if example["type"] == kind]
    return dict(example["fields"])


@pytest.mark.parametrize("example", [e for e in FRAMES if e["type"] == "TELEMETRY"], ids=lambda e: str(e["name"]))
def test_telemetry_is_sent_as_the_page_says(built: Built, example: dict[str, Any]) -> None:
    fields, table = example["fields"], Table(built)
    pins, out, link = table.pins, table.out, table.link
    link.next_sequence = example["sequence"]
    link.command_sequence, link.rejected_in_all = fields["echo"], fields["rejected"]
    pins.angle_a_cdeg, pins.angle_b_cdeg = fields["angle_a_cdeg"], fields["angle_b_cdeg"]
    pins.current_ma, pins.buttons = fields["current_ma"], fields["buttons"]
    names = ("patient_open", "level_switch_below", "end_down", "end_up", "mains", "battery", "drive_fault")
    for bit, name in enumerate(names):
        setattr(pins, name, bool(fields["switches"] >> bit & 1))
    for shift, name in ((0, "strap_left"), (2, "strap_right"), (4, "estop")):
        setattr(pins, name, fields["contacts"] >> shift & 3)
    out.applied_cdeg_s = fields["applied_cdeg_s"]
    out.brake_released, out.drive_power = bool(fields["outputs"] & 1), bool(fields["outputs"] & 2)
    out.tone, out.alarm = fields["outputs"] >> 2 & 3, fields["outputs"] >> 4
    out.state, out.demand = fields["state_demand"] & 15, fields["state_demand"] >> 4
    for name in ("first_cause", "first_value", "causes", "session_id", "inverted_s"):
        setattr(out, name, fields[name])
    table.now_ms = fields["clock_ms"]
    assert table.sent().hex() == example["wire"]
    assert len(bytes.fromhex(example["wire"])) == 44


def test_telemetry_goes_out_a_hundred_times_a_second(built: Built) -> None:
    table = Table(built)
    table.sent()
    frames = [frame for _ in range(1000) for frame in pieces(table.sent(1))]
    assert len(frames) == 100
    numbers = [int.from_bytes(frame[1:3], "little") for frame in frames]
    assert numbers == list(range(1, 101))
    assert (table.link.sent_type, table.link.sent_sequence) == (protocol.TELEMETRY, 100)


def test_an_edge_is_sent_at_once_but_never_in_a_flood(built: Built) -> None:
    table = Table(built)
    table.sent()
    assert table.sent(4) == b""
    table.settle(edge=1)
    table.out.edge = 0
    assert len(pieces(table.sent(0))) == 1
    sent = 0
    for _ in range(300):
        table.settle(edge=1)
        sent += len(pieces(table.sent(1)))
    assert sent == 100
    table.settle(edge=1)
    table.settle(edge=0)
    assert table.sent() == b""
    assert len(pieces(table.sent(3))) == 1
    assert table.sent(3) == b""


def test_a_contact_that_chatters_leaves_room_for_answers(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    sent: list[int] = []
    for ms in range(1, 300):
        table.settle(edge=1)
        # The line is never free for long: a frame takes 4 ms of it.
        if ms % 4 == 0:
            table.now_ms += 4
            wire = table.ffi.new("uint8_t[58]")
            table.lib.table_link_next(table.link, table.pins, table.out, table.now_ms, wire)
            sent.append(table.link.sent_type)
            table.echo = table.link.sent_sequence if sent[-1] == protocol.TELEMETRY else table.echo
        if ms == 100:
            table.take(on_wire(packed("HELLO", 10, {"version": protocol.VERSION, "nonce": 99})))
        if ms == 200:
            table.take(frames.disarm(1, table.echo))
            table.settle(answer=1, edge=1)
    assert [sent.count(kind) for kind in (protocol.HELLO_REPLY, protocol.ANSWER)] == [1, 1]
    assert sent.index(protocol.HELLO_REPLY) - 100 // 4 <= 2
    assert sent.index(protocol.ANSWER) - 200 // 4 <= 2


def test_an_edge_does_not_wait_for_an_answer(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    table.sent(10)
    table.now_ms += 5
    table.take(frames.disarm(1, table.echo))
    table.settle(answer=1, edge=1)
    assert [frame[0] for frame in pieces(table.sent())] == [protocol.TELEMETRY, protocol.ANSWER]


def test_the_clock_may_go_round(built: Built) -> None:
    table = Table(built)
    table.now_ms = 0xFFFFFFFB
    frames = table.ready()
    sent = 0
    for _ in range(20):
        sent += len(pieces(table.sent(1)))
        assert table.takes(frames.command(Command(echo=table.echo), Signals()))
    assert sent == 2


# Requests and their answers.


def ask(table: Table, wire: bytes, answer: int, **said: int) -> dict[str, Any]:
    """Send a request, let the guard answer, and return what the table sends back."""
    table.take(wire)
    table.settle(answer, **said)
    (told,) = [frame for frame in pieces(table.sent()) if frame[0] == protocol.ANSWER]
    return fields_of("ANSWER", told)


def test_an_answer_names_its_request_and_what_spoke_against_it(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    request = frames.disarm(77, table.echo)
    told = ask(table, request, 2, refusals_low=1 << 32 - 1 | 1 << 7, refusals_high=1 << 4, session_id=77)
    assert told == {
        "request": protocol.DISARM,
        "request_sequence": frames.sequence,
        "accepted": 0,
        "refusals": (1 << 31 | 1 << 7 | 1 << 36).to_bytes(5, "little"),
        "config_hash": 0,
        "session_id": 77,
    }
    told = ask(table, frames.disarm(77, table.echo), 1, session_id=0)
    assert (told["accepted"], told["refusals"], told["session_id"]) == (1, bytes(5), 0)


def test_a_request_whose_answer_was_lost_is_answered_again_without_the_guard(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    (example,) = [example for example in FRAMES if example["type"] == "ARM"]

    def arm() -> bytes:
        return on_wire(packed("ARM", table.link.newest + 1, {**example["fields"], "echo": table.echo}))

    session_id = example["fields"]["session_id"]
    assert ask(table, arm(), 2, session_id=0)["accepted"] == 0
    assert ask(table, arm(), 1, session_id=session_id)["accepted"] == 1
    again = arm()
    table.take(again)
    assert not table.request.arm
    assert ask(table, again, 2)["accepted"] == 1
    # Another session has ended meanwhile: then it is a new question.
    table.settle(session_id=0)
    assert ask(table, arm(), 2)["accepted"] == 0
    assert frames.sequence == 10


@pytest.mark.parametrize("kind", ["CONFIGURE", "DISARM"])
def test_whatever_was_accepted_and_holds_is_answered_again(built: Built, kind: str) -> None:
    table = Table(built)
    table.ready()
    fields = example_of(kind)

    def request(**changed: int) -> bytes:
        return on_wire(packed(kind, table.link.newest + 1, {**fields, "echo": table.echo, **changed}))

    held = {"config_hash": fields["config_hash"]} if kind == "CONFIGURE" else {"session_id": 0}
    lost = {"config_hash": 0} if kind == "CONFIGURE" else {"session_id": 9}
    assert ask(table, request(), 1, **held)["accepted"] == 1
    assert ask(table, request(), 2)["accepted"] == 1
    table.settle(**lost)
    assert ask(table, request(), 2)["accepted"] == 0
    if kind == "DISARM":
        table.settle(**held)
        assert ask(table, request(session_id=77), 2)["accepted"] == 0


def test_a_command_and_noise_in_one_millisecond_are_a_command(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    assert table.takes(b"noise\0" + frames.command(Command(echo=table.echo), Signals()))


def test_a_handshake_that_is_too_short_is_none(built: Built) -> None:
    table = Table(built)
    frame = bytes([protocol.HELLO, 0, 0, 1])
    table.take(on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")))
    assert table.rejected() == {"length": 1}


def test_one_request_at_a_time(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    wire = frames.disarm(1, table.echo) + frames.disarm(2, table.echo)
    assert ask(table, wire, 1)["request_sequence"] == 11
    assert table.rejected() == {"busy": 1}


def test_a_guard_that_does_not_answer_is_asked_again(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    table.take(frames.disarm(1, table.echo))
    table.settle(0)
    assert protocol.ANSWER not in {frame[0] for frame in pieces(table.sent())}
    assert ask(table, frames.disarm(1, table.echo), 1)["accepted"] == 1


def test_counters_stay_at_their_end(built: Built) -> None:
    table = Table(built)
    table.link.rejected[2] = 0xFFFE
    for _ in range(3):
        table.take(on_wire(b"\1" * 12))
    assert table.link.rejected[2] == 0xFFFF
