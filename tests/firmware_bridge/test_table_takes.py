"""What the table's side of the link takes from a host, in C: commands, requests, handshakes, and what it refuses."""

import zlib
from typing import Any

import pytest

from firmware_bridge import protocol
from firmware_bridge.frames import HostFrames
from safety.signals import ALL_LAMPS, LAMPS, Alarm, Command, Signals
from tests.firmware_bridge.table_side import Built, Table, fields_of, pieces
from tests.firmware_bridge.wire import DOCUMENT, FRAMES, NAMES, REFUSED, on_wire, packed

pytestmark = pytest.mark.needs("cc")


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
    panel = table.link.panel
    assert (panel.tone, panel.alarm) == (bool(flags & 4), flags >> 4)
    assert (panel.lamps, panel.buzzer) == (fields["lamps"], fields["buzzer"])
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


def example_of(kind: str) -> dict[str, Any]:
    (example,) = [example for example in FRAMES if example["type"] == kind]
    return dict(example["fields"])


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("CONFIGURE", {"stall_ma": 12_001}),
        ("CONFIGURE", {"config_hash": 0}),
        ("CONFIGURE", {"flags": 4}),
        ("ARM", {"session_id": 0}),
        ("ARM", {"flags": 4}),
    ],
)
def test_a_request_that_this_version_does_not_know_is_none(built: Built, kind: str, wrong: dict[str, int]) -> None:
    fields = {**example_of(kind), **wrong}
    if "flags" in wrong and kind == "CONFIGURE":
        fields["config_hash"] = zlib.crc32(packed(kind, 4, fields)[9:-4])
    table = at_echo(built, fields["echo"], 4)
    table.take(on_wire(packed(kind, 4, fields)))
    assert not (table.request.configure or table.request.arm)
    assert table.rejected() == {"value": 1}


def with_a_sum_of_zero(packed_constants: bytes) -> bytes:
    """The same constants with another heat budget, so that their check sum is 0: it is affine in each bit."""
    rest = packed_constants[4:]
    at_zero = zlib.crc32(bytes(4) + rest)
    basis: dict[int, tuple[int, int]] = {}
    for bit in range(32):
        value, made = zlib.crc32((1 << bit).to_bytes(4, "little") + rest) ^ at_zero, 1 << bit
        while value and value.bit_length() in basis:
            value, made = value ^ basis[value.bit_length()][0], made ^ basis[value.bit_length()][1]
        basis[value.bit_length()] = (value, made)
    left, found = at_zero, 0
    while left:
        value, made = basis[left.bit_length()]
        left, found = left ^ value, found ^ made
    return found.to_bytes(4, "little") + rest


def test_constants_whose_sum_is_zero_have_the_hash_one(built: Built) -> None:
    constants = with_a_sum_of_zero(bytes.fromhex(DOCUMENT["constants"]["packed"]))
    assert zlib.crc32(constants) == 0
    for config_hash, taken in ((0, False), (1, True)):
        table = at_echo(built, 79, 4)
        frame = protocol.REQUEST.pack(protocol.CONFIGURE, 4, 79, config_hash) + constants
        table.take(on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")))
        assert table.request.configure == taken


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


def test_only_telemetry_may_be_echoed(built: Built) -> None:
    table = Table(built)
    table.greet()
    frames = HostFrames(11)
    assert table.link.sent_type == protocol.HELLO_REPLY
    assert not table.takes(frames.command(Command(echo=table.link.sent_sequence), Signals()))
    table.sent(10)
    table.take(frames.disarm(1, table.echo))
    table.settle(answer=1)
    table.sent()
    assert table.link.sent_type == protocol.ANSWER
    assert not table.takes(frames.command(Command(echo=table.link.sent_sequence), Signals()))
    assert table.rejected() == {"stale": 2}
    assert table.takes(frames.command(Command(echo=table.echo), Signals()))


def panel_of(table: Table) -> Signals:
    panel = table.link.panel
    return Signals(Alarm(panel.alarm), panel.tone, panel.lamps, 10 * panel.buzzer)


@pytest.mark.parametrize("lamps", [0, *LAMPS.values(), ALL_LAMPS])
def test_every_lamp_reaches_the_panel_and_no_other(built: Built, lamps: int) -> None:
    table = Table(built)
    signals = Signals(lamps=lamps, buzzer_hz=lamps % 2 * 150)
    assert table.takes(table.ready().command(Command(echo=table.echo), signals))
    assert panel_of(table) == signals


@pytest.mark.parametrize("wrong", [{"lamps": 0x8000}, {"lamps": 0xFFFF}, {"buzzer": 1}, {"buzzer": 14}], ids=str)
def test_a_command_with_a_lamp_or_a_pitch_that_there_is_not_is_none(built: Built, wrong: dict[str, int]) -> None:
    table = Table(built)
    frames = table.ready()
    right = Signals(Alarm.LOW, lamps=4, buzzer_hz=150)
    assert table.takes(frames.command(Command(echo=table.echo), right))
    fields = {**dict.fromkeys(NAMES["COMMAND"], 0), "echo": table.echo, **wrong}
    assert not table.takes(on_wire(packed("COMMAND", frames.sequence + 1, fields)))
    assert table.rejected() == {"value": 1}
    assert panel_of(table) == right


def test_each_command_replaces_the_lamps_of_the_last(built: Built) -> None:
    table = Table(built)
    frames = table.ready()
    for signals in (Signals(Alarm.HIGH, True, ALL_LAMPS, 2550), Signals()):
        assert table.takes(frames.command(Command(echo=table.echo), signals))
        assert panel_of(table) == signals


def test_before_a_handshake_of_this_version_nothing_is_taken(built: Built) -> None:
    table, frames = Table(built), HostFrames(20)
    table.sent()
    assert not table.takes(frames.command(Command(echo=0), Signals()))
    table.greet(version=1)
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


def test_only_another_versions_handshake_may_be_longer(built: Built) -> None:
    table = Table(built)
    frame = packed("HELLO", 10, {"version": protocol.VERSION, "nonce": 7})[:-4] + b"more"
    table.take(on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")))
    assert protocol.HELLO_REPLY not in {told[0] for told in pieces(table.sent())}
    assert table.rejected() == {"length": 1}


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
    assert (version, firmware, cause, boots) == (protocol.VERSION, b"\1\2\3", 4, 300)
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
    table.take(on_wire(packed("HELLO", 10, {"version": protocol.VERSION, "nonce": 99})))
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
