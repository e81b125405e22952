"""The stream that a host reads: any split of it, sequence numbers that go round, ages, handshakes."""

import itertools
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import protocol
from firmware_bridge.codec import HelloReply, HostCodec
from safety.signals import (
    Readings,
)
from tests.firmware_bridge.wire import (
    DOCUMENT,
    NONCE,
    answer,
    on_wire,
    opened,
    reply,
    telemetry,
)


def rejected(codec: HostCodec) -> dict[str, int]:
    return {reason: count for reason, count in codec.rejected.items() if count}


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
    frame = bytes([protocol.HELLO_REPLY, 0, 0, 1, *range(length - 8)])
    codec = HostCodec()
    codec.expect(NONCE)
    events = codec.feed(2 * on_wire(frame + zlib.crc32(frame).to_bytes(4, "little")), 0)
    assert events == [HelloReply(1)]
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
