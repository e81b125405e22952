"""The table's side of the link, in C: what the page says, held against the C that will run on the microcontroller."""

import random
import zlib
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI
from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.frames import HostFrames
from safety.signals import Command, Signals
from tests.firmware_bridge.building import FIRMWARE, library
from tests.firmware_bridge.wire import DOCUMENT, FRAMES, NAMES, REFUSED, on_wire, packed

pytestmark = pytest.mark.needs("cc")
SOURCES = [FIRMWARE / "frame.c", FIRMWARE / "table_link.c"]
REASONS = ("cobs", "length", "crc", "type", "version", "sequence", "value", "stale", "busy")
NOTHING, READY = 0, 1
Built = tuple[FFI, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return library(tmp_path_factory.mktemp("link"), SOURCES, FIRMWARE / "table_link.h")


class Table:
    """A table's side of the link, with a guard that says what it is told to say."""

    def __init__(self, built: Built) -> None:
        self.ffi, self.lib = built
        self.link = self.ffi.new("table_link_t *")
        self.pins = self.ffi.new("guard_pins_t *")
        self.out = self.ffi.new("guard_out_t *")
        self.command = self.ffi.new("guard_command_t *")
        self.request = self.ffi.new("guard_request_t *")
        self.identity = self.ffi.new("table_link_identity_t *", {"firmware": [1, 2, 3], "reset_cause": 1})
        self.now_ms = 0
        self.lib.table_link_begin(self.link, self.identity)

    def takes(self, wire: bytes) -> bool:
        """Whether the guard gets a command out of these bytes that it may follow."""
        command = self.take(wire)
        return bool(command.fresh and command.demand <= 5)

    def take(self, wire: bytes) -> Any:
        """Hand bytes to the table, and take what comes out for the guard."""
        for byte in wire:
            self.lib.table_link_byte(self.link, byte, self.now_ms)
        self.lib.table_link_take(self.link, self.command, self.request)
        return self.command

    def settle(self, answer: int = 0, **said: int) -> None:
        self.out.answer = answer
        for name, value in said.items():
            setattr(self.out, name, value)
        self.lib.table_link_settle(self.link, self.out)
        self.out.answer = 0

    def sent(self, wait_ms: int = 0) -> bytes:
        """Every frame that is due after a wait."""
        self.now_ms = (self.now_ms + wait_ms) & 0xFFFFFFFF
        wire = self.ffi.new("uint8_t[58]")
        stream = b""
        while length := self.lib.table_link_next(self.link, self.pins, self.out, self.now_ms, wire):
            stream += bytes(wire[0:length])
        return stream

    def rejected(self) -> dict[str, int]:
        return {reason: count for reason, count in zip(REASONS, self.link.rejected, strict=True) if count}

    def greet(self, nonce: int = 7, version: int = protocol.VERSION) -> bytes:
        """Shake hands; return what the table answers."""
        self.sent()
        hello = on_wire(packed("HELLO", 10, {"version": version, "nonce": nonce}))
        self.take(hello)
        self.settle()
        return self.sent()

    def ready(self) -> HostFrames:
        """Shake hands, and return a host whose frames are taken; `echo` is what they echo."""
        self.greet()
        self.sent(10)
        return HostFrames(11)

    @property
    def echo(self) -> int:
        return int(self.link.next_sequence) - 1


def pieces(stream: bytes) -> list[bytes]:
    return [cobs.decode(piece) for piece in stream.split(b"\0") if piece]


def fields_of(kind: str, frame: bytes) -> dict[str, Any]:
    _, _, *values = protocol.LAYOUTS[getattr(protocol, kind)].unpack(frame[:-4])
    return dict(zip(NAMES[kind], values, strict=False))


# Framing.


def parsed(built: Built, stream: bytes) -> list[bytes | int]:
    """What the parser makes of a stream: a frame's bytes, or why there is none."""
    ffi, lib = built
    parser = ffi.new("frame_parser_t *")
    lib.frame_begin(parser)
    found: list[bytes | int] = []
    for byte in stream:
        result = lib.frame_take(parser, byte)
        if result == READY:
            found.append(bytes(parser.bytes[0 : parser.length]))
        elif result != NOTHING:
            found.append(result)
    return found


@pytest.mark.parametrize("example", FRAMES, ids=lambda example: str(example["name"]))
def test_every_example_of_the_page_is_made_and_taken_byte_by_byte(built: Built, example: dict[str, Any]) -> None:
    ffi, lib = built
    frame, wire = bytes.fromhex(example["frame"]), bytes.fromhex(example["wire"])
    made = ffi.new("uint8_t[58]")
    length = lib.frame_make(made, frame[0], int.from_bytes(frame[1:3], "little"), frame[3:-4], len(frame) - 7)
    assert bytes(made[0:length]) == wire
    assert parsed(built, wire) == [frame]


def test_framing_and_check_sum_are_those_of_the_libraries(built: Built) -> None:
    ffi, lib = built
    source = random.Random(1)
    made = ffi.new("uint8_t[58]")
    for _ in range(2000):
        body = bytes(source.choice((0, 0, 1, 255, source.randrange(256))) for _ in range(source.randrange(50)))
        kind, sequence = source.randrange(256), source.randrange(0x10000)
        frame = bytes([kind]) + sequence.to_bytes(2, "little") + body
        frame += zlib.crc32(frame).to_bytes(4, "little")
        assert lib.frame_crc32(body, len(body)) == zlib.crc32(body)
        length = lib.frame_make(made, kind, sequence, body, len(body))
        assert bytes(made[0:length]) == bytes(cobs.encode(frame)) + b"\0"


def test_a_body_that_is_too_long_is_not_sent(built: Built) -> None:
    ffi, lib = built
    made = ffi.new("uint8_t[58]")
    assert lib.frame_make(made, 1, 1, bytes(49), 49) == 58
    assert lib.frame_make(made, 1, 1, bytes(50), 50) == 0


def test_after_any_garbage_the_next_whole_frame_is_taken(built: Built) -> None:
    wire = bytes.fromhex(FRAMES[0]["wire"])
    source = random.Random(2)
    for _ in range(500):
        garbage = source.randbytes(source.randrange(200))
        assert parsed(built, garbage + b"\0" + wire)[-1] == bytes.fromhex(FRAMES[0]["frame"])


def test_the_parser_refuses_what_the_library_refuses(built: Built) -> None:
    source = random.Random(3)
    for _ in range(3000):
        piece = bytes(
            source.choice((1, 2, 3, 5, 57, 58, source.randrange(1, 256))) for _ in range(source.randrange(1, 70))
        )
        (verdict,) = parsed(built, piece + b"\0")
        assert not isinstance(verdict, bytes)
        try:
            length = len(cobs.decode(piece))
            expected = 3 if length < 7 or length > 56 else 4
        except cobs.DecodeError:
            expected = 2
        assert verdict == (3 if len(piece) > 57 else expected)


# What the host sends.


def at_echo(built: Built, echo: int, sequence: int) -> Table:
    """A table that takes this number next and has just sent telemetry with that one."""
    table = Table(built)
    table.ready()
    table.link.next_sequence = (echo + 1) & 0xFFFF
    table.link.sent_ms[echo % 64] = table.now_ms
    table.link.newest = (sequence - 1) & 0xFFFF
    return table


@pytest.mark.parametrize("example", [e for e in FRAMES if e["type"] == "COMMAND"], ids=lambda e: str(e["name"]))
def test_a_command_is_understood_as_the_page_says(built: Built, example: dict[str, Any]) -> None:
    fields = example["fields"]
    table = at_echo(built, fields["echo"], example["sequence"])
    command = table.take(bytes.fromhex(example["wire"]))
    assert command.fresh
    for name in ("echo", "session_id", "velocity_cdeg_s", "demand", "stop_cause"):
        assert getattr(command, name) == fields[name]
    flags = fields["flags"]
    assert (command.plan_return, command.presence_fresh) == (bool(flags & 1), bool(flags & 2))
    assert (table.link.panel.tone, table.link.panel.alarm) == (bool(flags & 4), flags >> 4)
    assert not table.takes(b"")
    assert table.rejected() == {}


@pytest.mark.parametrize("kind", ["ARM", "DISARM", "CONFIGURE"])
def test_a_request_is_understood_as_the_page_says(built: Built, kind: str) -> None:
    (example,) = [example for example in FRAMES if example["type"] == kind]
    fields = example["fields"]
    table = at_echo(built, fields["echo"], example["sequence"])
    table.take(bytes.fromhex(example["wire"]))
    request = table.request
    assert (request.arm, request.disarm, request.configure) == (kind == "ARM", kind == "DISARM", kind == "CONFIGURE")
    flags = fields.get("flags", 0)
    if kind == "ARM":
        assert {name: getattr(request.arming, name) for name in NAMES["ARM"][1:-1]} == {
            name: fields[name] for name in NAMES["ARM"][1:-1]
        }
        assert (request.arming.strap_wait, request.arming.held_tilt) == (bool(flags & 1), bool(flags & 2))
    elif kind == "DISARM":
        assert request.disarm_session_id == fields["session_id"]
    else:
        assert request.config.hash == fields["config_hash"]
        assert {name: getattr(request.config, name) for name in NAMES["CONFIGURE"][2:-1]} == {
            name: fields[name] for name in NAMES["CONFIGURE"][2:-1]
        }
        assert (request.config.has_battery, request.config.brake_on_motor_side) == (bool(flags & 1), bool(flags & 2))
    table.take(b"")
    assert not (table.request.arm or table.request.disarm or table.request.configure)


def test_constants_that_do_not_match_their_hash_are_no_request(built: Built) -> None:
    (example,) = [example for example in FRAMES if example["type"] == "CONFIGURE"]
    fields = {**example["fields"], "stall_ma": example["fields"]["stall_ma"] + 1}
    table = at_echo(built, fields["echo"], 4)
    table.take(on_wire(packed("CONFIGURE", 4, fields)))
    assert not table.request.configure
    assert table.rejected() == {"value": 1}


@pytest.mark.parametrize(
    "example", [bad for bad in REFUSED if bad["refused_by"] in ("table", "both")], ids=lambda bad: str(bad["name"])
)
def test_a_bad_frame_is_counted_by_its_reason(built: Built, example: dict[str, Any]) -> None:
    table = at_echo(built, 500, 11)
    assert not table.takes(bytes.fromhex(example["wire"]))
    assert table.rejected() == {example["reason"]: 1}
    assert table.link.rejected_in_all == 1


def test_what_echoes_old_telemetry_is_stale(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    old = table.echo
    for late_ms in (0, 150):
        table.now_ms += late_ms
        assert table.takes(frames.command(Command(echo=old), Signals()))
    table.now_ms += 1
    assert not table.takes(frames.command(Command(echo=old), Signals()))
    assert not table.takes(frames.command(Command(echo=table.echo + 1), Signals()))
    assert not table.takes(frames.disarm(5, old))
    assert not table.request.disarm
    assert table.rejected() == {"stale": 3}


def test_before_a_handshake_of_this_version_nothing_is_taken(built: Built) -> None:
    table, frames = Table(built), HostFrames(20)
    table.sent()
    assert not table.takes(frames.command(Command(echo=0), Signals()))
    table.greet(version=2)
    table.sent(10)
    assert not table.takes(frames.command(Command(echo=table.echo), Signals()))
    assert table.rejected() == {"version": 3}


def test_another_versions_handshake_is_answered_with_ours(built: Built) -> None:
    table = Table(built)
    table.sent()
    frame = packed("HELLO", 10, {"version": 9, "nonce": 7})[:-4] + b"more of version 9"
    table.take(on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")))
    (told,) = pieces(table.sent())
    assert told[0] == protocol.HELLO_REPLY
    assert fields_of("HELLO_REPLY", told)["version"] == protocol.VERSION


def test_a_handshake_says_what_the_table_is(built: Built) -> None:
    table = Table(built)
    table.identity.boot_count, table.identity.reset_cause = 300, 4
    table.lib.table_link_begin(table.link, table.identity)
    table.now_ms = 12_345
    table.settle(config_hash=0x12345678)
    (told,) = [frame for frame in pieces(table.greet(nonce=0xABCDEF01)) if frame[0] == protocol.HELLO_REPLY]
    version, firmware, cause, boots, clock_ms, nonce, config_hash, *limits = protocol.LAYOUTS[
        protocol.HELLO_REPLY
    ].unpack(told[:-4])[2:]
    assert (version, firmware, cause, boots) == (1, b"\1\2\3", 4, 300)
    assert (clock_ms, nonce, config_hash) == (12_345, 0xABCDEF01, 0x12345678)
    assert limits == [value for _, value in protocol.HARD_LIMITS]


def test_a_handshake_that_comes_again_is_not_a_second_one(built: Built) -> None:
    table = Table(built)
    table.greet(nonce=5)
    table.sent(100)
    assert table.greet(nonce=5) == b""
    assert protocol.HELLO_REPLY in {frame[0] for frame in pieces(table.greet(nonce=6))}
    assert table.rejected() == {"sequence": 1}


def test_handshakes_in_a_flood_are_not_answered(built: Built) -> None:
    table = Table(built)
    replies = 0
    for nonce in range(100):
        table.sent(1)
        replies += sum(frame[0] == protocol.HELLO_REPLY for frame in pieces(table.greet(nonce=nonce + 1)))
    assert replies == 2


def test_after_a_handshake_nothing_from_before_is_taken(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    table.now_ms += 60
    before = frames.command(Command(echo=table.echo), Signals())
    table.take(on_wire(packed("HELLO", 10, {"version": 1, "nonce": 99})))
    assert not table.takes(before)
    assert table.rejected() == {"stale": 1}


def test_frames_that_are_refused_tell_the_guard_that_somebody_is_there(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    assert not table.take(b"").fresh
    old = frames.command(Command(velocity_cdeg_s=-100, echo=table.echo), Signals())
    assert table.takes(old)
    for refused in (old, b"noise\0", bytes.fromhex(REFUSED[0]["wire"])):
        command = table.take(refused)
        assert (command.fresh, command.demand, command.velocity_cdeg_s, command.session_id) == (True, 0xFF, 0, 0)
        assert not table.take(b"").fresh


# What the table sends.


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


def test_both_sides_have_the_same_numbers(tmp_path: Path) -> None:
    header = (FIRMWARE / "table_link.h").read_text(encoding="utf-8")
    frame = (FIRMWARE / "frame.h").read_text(encoding="utf-8")
    for name, value in (
        ("VERSION", protocol.VERSION),
        ("PERIOD_MS", protocol.TELEMETRY_MS),
        ("FRESH_MS", protocol.FRESH_MS),
        ("PERSON", protocol.PERSON),
    ):
        assert f"#define TABLE_LINK_{name} {value}u" in header
    for name in NAMES:
        assert f"#define TABLE_LINK_{name} 0x{getattr(protocol, name):02X}u" in header
    for name, value in (("OVERHEAD", protocol.OVERHEAD), ("LARGEST", protocol.LARGEST)):
        assert f"#define FRAME_{name} {value}u" in frame
    assert DOCUMENT["protocol"] == protocol.VERSION
    assert REASONS == protocol.REASONS
