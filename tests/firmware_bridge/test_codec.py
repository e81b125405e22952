"""The host's codec: what is whole, valid and new is read, in any split of the stream; the rest is counted by reason."""

import itertools
import random
import subprocess
import sys
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import protocol
from firmware_bridge.codec import Answer, HelloReply, HostCodec
from firmware_bridge.frames import HostFrames
from firmware_bridge.protocol import TableConstants, hazard_code, hazard_codes, hazard_number
from safety.signals import (
    Alarm,
    Arm,
    Command,
    Contacts,
    Demand,
    Guard,
    GuardState,
    Host,
    Issuer,
    Permit,
    Readings,
    Signals,
)
from tests.firmware_bridge.wire import (
    DOCUMENT,
    FRAMES,
    NONCE,
    REFUSED,
    answer,
    on_wire,
    opened,
    reply,
    telemetry,
)
from tests.test_architecture import ROOT

PERMIT = Permit("0" * 16, "p", 1, 0, 0, -2000, 120, None, None, Issuer.SIMULATED)


def of_type(kind: str) -> list[dict[str, Any]]:
    return [frame for frame in FRAMES if frame["type"] == kind]


def named(frame: dict[str, Any]) -> str:
    return str(frame["name"])


def arm_of(fields: dict[str, int]) -> Arm:
    return Arm(
        session_id=fields["session_id"],
        plan_hash="0" * 16,
        cap_cdeg=fields["cap_cdeg"],
        hold_s=fields["hold_today_s"] - 20,
        set_limit_s=fields["set_limit_s"],
        sets=fields["sets"],
        rest_s=120,
        speed_cdeg_s=fields["speed_cdeg_s"],
        travel_limit_ms=fields["travel_limit_s"] * 1000 - 999,
        used_today_s=20,
        permit=PERMIT,
        strap_wait=bool(fields["flags"] & protocol.STRAP_WAIT),
        held_tilt=bool(fields["flags"] & protocol.HELD_TILT),
    )


def rejected(codec: HostCodec) -> dict[str, int]:
    return {reason: count for reason, count in codec.rejected.items() if count}


# The page's examples.


def test_the_examples_are_those_of_the_layouts() -> None:
    command = [sys.executable, "scripts/protocol_vectors.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_there_is_an_example_of_every_type() -> None:
    assert {getattr(protocol, frame["type"]) for frame in FRAMES} == set(protocol.LAYOUTS)


@pytest.mark.parametrize("example", of_type("COMMAND"), ids=named)
def test_a_command_is_sent_as_the_page_says(example: dict[str, Any]) -> None:
    fields = example["fields"]
    command = Command(
        velocity_cdeg_s=fields["velocity_cdeg_s"],
        demand=Demand(fields["demand"]),
        stop_cause=hazard_code(fields["stop_cause"]) if fields["stop_cause"] else "",
        # The loop counts on where the wire's sixteen bits go round.
        echo=fields["echo"] + 3 * protocol.SEQUENCES,
        session_id=fields["session_id"],
        plan_return=bool(fields["flags"] & protocol.PLAN_RETURN),
        presence_fresh=bool(fields["flags"] & protocol.PRESENCE_FRESH),
    )
    signals = Signals(Alarm(fields["flags"] >> protocol.ALARM_SHIFT), bool(fields["flags"] & protocol.TONE))
    assert HostFrames(example["sequence"]).command(command, signals).hex() == example["wire"]


@pytest.mark.parametrize("kind", ["HELLO", "ARM", "DISARM", "CONFIGURE"])
def test_a_request_is_sent_as_the_page_says(kind: str) -> None:
    (example,) = of_type(kind)
    fields, frames = example["fields"], HostFrames(example["sequence"])
    made = {
        "HELLO": lambda: frames.hello(fields["nonce"]),
        "ARM": lambda: frames.arm(arm_of(fields), fields["config_hash"], fields["echo"]),
        "DISARM": lambda: frames.disarm(fields["session_id"], fields["echo"]),
        "CONFIGURE": lambda: frames.configure(constants_of(fields), fields["echo"]),
    }[kind]()
    assert made.hex() == example["wire"]
    assert frames.sequence == example["sequence"]


def constants_of(fields: dict[str, int]) -> TableConstants:
    known = {name: fields[name] for name in TableConstants.__struct_fields__ if name in fields}
    flags = {"has_battery": bool(fields["flags"] & 1), "brake_on_motor_side": bool(fields["flags"] & 2)}
    return msgspec.convert({**known, **flags}, TableConstants)


def test_the_constants_have_the_hash_of_the_page() -> None:
    (example,) = of_type("CONFIGURE")
    constants = constants_of(example["fields"])
    assert constants.packed().hex() == DOCUMENT["constants"]["packed"]
    assert constants.hash == DOCUMENT["constants"]["hash"] == example["fields"]["config_hash"]


def test_a_constant_that_does_not_fit_is_refused_in_words() -> None:
    (example,) = of_type("CONFIGURE")
    constants = constants_of({**example["fields"], "stall_ma": 65_536})
    with pytest.raises(ValueError, match="cannot hold a constant"):
        HostFrames().configure(constants, 0)


def test_an_arm_that_does_not_fit_is_refused_in_words() -> None:
    (example,) = of_type("ARM")
    with pytest.raises(ValueError, match="does not fit"):
        HostFrames().arm(arm_of({**example["fields"], "set_limit_s": 70_000}), 1, 0)


@pytest.mark.parametrize("example", of_type("TELEMETRY"), ids=named)
def test_telemetry_is_read_as_the_page_says(example: dict[str, Any]) -> None:
    fields, host = example["fields"], Host(config_ok=True)
    codec = opened(example["sequence"] - 1 & 0xFFFF, fields["clock_ms"])
    (readings,) = codec.feed(bytes.fromhex(example["wire"]), 50_007, 10, host)
    assert isinstance(readings, Readings)
    switches, contacts, outputs = fields["switches"], fields["contacts"], fields["outputs"]
    assert readings == Readings(
        elapsed_ms=10,
        sequence=readings.sequence,
        age_ms=7,
        slow_age_ms=7,
        angle_a_cdeg=fields["angle_a_cdeg"],
        angle_b_cdeg=None if fields["angle_b_cdeg"] == -0x8000 else fields["angle_b_cdeg"],
        applied_cdeg_s=fields["applied_cdeg_s"],
        strap_left=Contacts(contacts & 3),
        strap_right=Contacts(contacts >> 2 & 3),
        estop=Contacts(contacts >> 4 & 3),
        buttons=fields["buttons"],
        patient_button=bool(switches & 1),
        level_switch=bool(switches & 2),
        end_down=bool(switches & 4),
        end_up=bool(switches & 8),
        mains=bool(switches & 16),
        battery=bool(switches & 32),
        current_ma=None if fields["current_ma"] == 0xFFFF else fields["current_ma"],
        drive_fault=bool(switches & 64),
        brake_set=not outputs & 1,
        drive_power=bool(outputs & 2),
        guard=Guard(
            list(GuardState)[1 + (fields["state_demand"] & 15)],
            Demand(fields["state_demand"] >> 4),
            hazard_codes(fields["causes"], fields["first_cause"]),
            fields["session_id"],
            (),
            fields["first_value"],
            fields["inverted_s"],
        ),
        host=host,
    )
    assert readings.sequence & 0xFFFF == example["sequence"]
    assert (codec.echo, codec.refused_by_table) == (fields["echo"], fields["rejected"])
    assert rejected(codec) == {}


def test_the_first_cause_comes_first() -> None:
    assert hazard_codes(1 << 4 | 1 << 6 | 1 << 36, 6) == ("H06", "H04", "H36")
    assert hazard_codes(1 | 1 << 7, 99) == ("STOP", "H07")
    assert hazard_codes(0) == ()
    assert [hazard_number(code) for code in ("", "H04", "H36", "STOP")] == [0, 4, 36, 99]


def test_the_answer_to_a_handshake_is_read_as_the_page_says() -> None:
    (example,) = of_type("HELLO_REPLY")
    fields, codec = example["fields"], HostCodec()
    codec.expect(fields["nonce"])
    (event,) = codec.feed(bytes.fromhex(example["wire"]), 0)
    assert event == HelloReply(
        1,
        (1, 2, 3),
        fields["reset_cause"],
        fields["boot_count"],
        fields["clock_ms"],
        fields["config_hash"],
        tuple(fields["hard_limits"]),
    )
    assert codec.open


@pytest.mark.parametrize("example", of_type("ANSWER"), ids=named)
def test_an_answer_is_read_as_the_page_says(example: dict[str, Any]) -> None:
    fields = example["fields"]
    (event,) = opened(example["sequence"] - 1).feed(bytes.fromhex(example["wire"]), 50_000)
    assert event == Answer(
        fields["request"],
        fields["request_sequence"],
        bool(fields["accepted"]),
        hazard_codes(fields["refusals"]),
        fields["config_hash"],
        fields["session_id"],
    )


@pytest.mark.parametrize(
    "example", [bad for bad in REFUSED if bad["refused_by"] in ("host", "both")], ids=lambda bad: str(bad["name"])
)
def test_a_bad_frame_is_counted_by_its_reason(example: dict[str, Any]) -> None:
    codec = opened(sequence=10, clock_ms=0)
    assert codec.feed(bytes.fromhex(example["wire"]), 50_000) == []
    assert rejected(codec) == {example["reason"]: 1}


# The stream.


def whole_stream() -> bytes:
    good = b"".join(telemetry(number, 1000 + 10 * number) for number in range(1, 20))
    return b"\0" + good + b"garbage\0" + answer(20, 3, 4, accepted=True) + telemetry(21, 1210) + b"a torn end"


@given(st.lists(st.integers(0, 900), max_size=12))
def test_any_split_of_the_stream_reads_the_same(cuts: list[int]) -> None:
    stream, codec = whole_stream(), opened()
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    events = []
    for start, end in itertools.pairwise(places):
        events += codec.feed(stream[start:end], 50_100)
    assert events == opened().feed(stream, 50_100)
    assert len(events) == 21
    assert sum(codec.rejected.values()) == 1


def test_single_bytes_read_the_same() -> None:
    stream, codec = whole_stream(), opened()
    events = [event for at in range(len(stream)) for event in codec.feed(stream[at : at + 1], 50_100)]
    assert events == opened().feed(stream, 50_100)


@given(st.binary(max_size=300))
def test_no_garbage_is_a_frame_or_an_error(garbage: bytes) -> None:
    codec = opened()
    assert codec.feed(garbage + b"\0", 50_000) == []
    assert len(codec.feed(telemetry(1, 1000), 50_000)) == 1


def test_garbage_without_end_is_not_hoarded() -> None:
    codec = opened()
    for _ in range(1000):
        codec.feed(b"\x55" * 1000, 50_000)
    assert len(codec.feed(b"\0" + telemetry(1, 1000), 50_000)) == 1
    assert rejected(codec) == {"length": 1}


# Sequence numbers, ages, handshakes.


def test_sequence_numbers_go_round_and_readings_go_on_counting() -> None:
    codec = opened(sequence=0xFFF0)
    numbers = []
    for step in range(1, 40):
        (readings,) = codec.feed(telemetry(0xFFF0 + step, 1000 + 10 * step), 50_000 + 10 * step)
        assert isinstance(readings, Readings)
        numbers.append(readings.sequence)
    assert numbers == list(range(numbers[0], numbers[0] + 39))


def test_a_lost_frame_leaves_a_gap() -> None:
    codec = opened()
    first, second = (codec.feed(telemetry(number, 1000), 50_000)[0] for number in (1, 5))
    assert isinstance(first, Readings)
    assert isinstance(second, Readings)
    assert second.sequence - first.sequence == 4


def test_an_old_sample_is_old_and_after_150_ms_no_news() -> None:
    codec = opened(clock_ms=1000, now_ms=50_000)
    for number, late_ms in enumerate((0, 40, 149, 151, 300), start=1):
        events = codec.feed(telemetry(number, 1000), 50_000 + late_ms)
        assert [event.age_ms for event in events if isinstance(event, Readings)] == ([late_ms] if late_ms < 150 else [])
    assert rejected(codec) == {"stale": 2}


def test_a_clock_that_goes_back_or_leaps_ahead_brings_no_news_before_a_handshake() -> None:
    codec = opened(clock_ms=500_000)
    assert codec.feed(telemetry(1, 499_999), 50_010) == []
    assert codec.feed(telemetry(2, 300), 50_020) == []
    assert codec.feed(telemetry(3, 900_000), 50_030) == []
    assert rejected(codec) == {"stale": 3}
    codec.expect(9)
    codec.feed(reply(0, 300, nonce=9), 50_040)
    assert len(codec.feed(telemetry(1, 310), 50_050)) == 1


def test_the_sample_clock_may_go_round() -> None:
    codec = opened(clock_ms=0xFFFFFFFA)
    assert len(codec.feed(telemetry(1, 0x100000004), 50_010)) == 1
    assert rejected(codec) == {}


@pytest.mark.parametrize("percent", [-0.5, 0.5])
def test_clocks_half_a_percent_apart_make_no_sample_old(percent: float) -> None:
    codec = opened(clock_ms=0, now_ms=0)
    oldest_ms = 0
    for number in range(1, 60_000, 7):
        (readings,) = codec.feed(telemetry(number, round(10 * number * (1 + percent / 100))), 10 * number)
        assert isinstance(readings, Readings)
        oldest_ms = max(oldest_ms, readings.age_ms)
    assert oldest_ms <= 1


def test_a_delay_that_grows_is_seen() -> None:
    codec = opened(clock_ms=0, now_ms=0)
    ages = []
    for number in range(1, 100):
        # Each frame is held up 3 ms longer than the one before.
        events = codec.feed(telemetry(number, 10 * number), 13 * number)
        ages += [event.age_ms for event in events if isinstance(event, Readings)]
    assert ages[-1] > 140
    assert codec.rejected["stale"] > 40


def test_nothing_is_taken_before_the_handshake() -> None:
    codec = HostCodec()
    assert codec.feed(telemetry(1, 1000) + answer(2, 3, 4, accepted=True), 0) == []
    assert rejected(codec) == {"version": 2}
    assert not codec.open


def test_only_the_answer_to_our_own_newest_handshake_counts_and_only_once() -> None:
    codec = HostCodec()
    assert codec.feed(reply(0, 1000), 0) == []
    codec.expect(1)
    codec.expect(2)
    assert codec.feed(reply(1, 1000, nonce=1), 0) == []
    assert len(codec.feed(reply(2, 1000, nonce=2), 0)) == 1
    assert codec.feed(reply(3, 1000, nonce=2), 0) == []
    assert rejected(codec) == {"sequence": 3}


@pytest.mark.parametrize("length", [9, 43, 49])
def test_another_version_is_told_and_opens_nothing(length: int) -> None:
    frame = bytes([protocol.HELLO_REPLY, 0, 0, 2, *range(length - 8)])
    codec = HostCodec()
    codec.expect(NONCE)
    events = codec.feed(2 * on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")), 0)
    assert events == [HelloReply(2)]
    assert not codec.open
    assert rejected(codec) == {"version": 2}


def test_after_closing_a_new_handshake_is_needed() -> None:
    codec = opened()
    codec.feed(telemetry(1, 1000)[:20], 50_000)
    codec.close()
    assert codec.feed(telemetry(2, 1000), 50_000) == []
    codec.expect(NONCE)
    assert len(codec.feed(reply(3, 1000) + telemetry(4, 1000), 50_000)) == 2


def test_what_was_refused_stands_in_the_guards_report() -> None:
    codec = opened()
    reports = []
    for number, codes in enumerate([("H07", "H23"), ()], start=1):
        codec.refuse(codes)
        (readings,) = codec.feed(telemetry(number, 1000), 50_000)
        assert isinstance(readings, Readings)
        assert readings.guard is not None
        reports.append(readings.guard.refused)
    assert reports == [("H07", "H23"), ()]


def test_the_check_sum_is_the_common_one() -> None:
    given_, expected = bytes.fromhex(DOCUMENT["crc32"]["of"]), DOCUMENT["crc32"]["is"]
    assert zlib.crc32(given_) == expected == 0xCBF43926
    frame = random.Random(1).randbytes(40)
    assert zlib.crc32(frame + zlib.crc32(frame).to_bytes(4, "little")) == protocol.CRC_RESIDUE
