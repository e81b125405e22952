"""Bad frames by the million: not one is taken as a new command by the table, nor as new readings by the host."""

from pathlib import Path
from typing import Any

import pytest
from cffi import FFI

from firmware_bridge import protocol
from firmware_bridge.codec import HostCodec
from safety.signals import Readings
from tests.firmware_bridge.building import FIRMWARE, HELPERS, library
from tests.firmware_bridge.wire import opened

pytestmark = pytest.mark.needs("cc")
SOURCES = [HELPERS / "bad_frames.c", FIRMWARE / "frame.c", FIRMWARE / "table_link.c"]
KINDS = "bits bytes burst truncated dropped inserted spliced repeated reordered stale echoed garbage".split()
EXTRA = """
typedef struct { uint32_t sent[12]; uint32_t wrong[12]; uint32_t genuine; uint32_t taken; } tally_t;
void to_the_table(uint32_t count, bool old_hellos, uint64_t seed, tally_t *tally);
uint32_t to_the_host(uint8_t *stream, uint32_t room, uint32_t count, uint16_t first, uint32_t clock_ms,
                     uint32_t stale_ms, uint64_t seed, uint16_t *next, tally_t *tally);
"""
ROOM = 200_000
Built = tuple[FFI, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return library(tmp_path_factory.mktemp("bad"), SOURCES, FIRMWARE / "table_link.h", EXTRA)


def wrong_at_the_table(built: Built, count: int, seed: int, *, old_hellos: bool) -> tuple[dict[str, int], int]:
    """Send the table bad frames; return what it took of them, by kind, and how many genuine ones it did not take."""
    ffi, lib = built
    tally = ffi.new("tally_t *")
    lib.to_the_table(count, old_hellos, seed, tally)
    assert min(tally.sent) > count // 200
    assert sum(tally.sent) >= count
    return {kind: n for kind, n in zip(KINDS, tally.wrong, strict=True) if n}, tally.genuine - tally.taken


def wrong_at_the_host(built: Built, count: int, codec: HostCodec) -> tuple[int, int]:
    """Send the host bad frames; return how many of them it took for news, and how many genuine ones it did not take."""
    ffi, lib = built
    stream, after, tally = ffi.new(f"uint8_t[{ROOM}]"), ffi.new("uint16_t *", 1), ffi.new("tally_t *")
    sent = wrong = missed = chunk = 0
    while sent < count:
        chunk += 1
        passed_ms = 10 * chunk
        length = lib.to_the_host(stream, ROOM, 3000, after[0], 1000 + passed_ms, 170, chunk, after, tally)
        news = codec.feed(ffi.buffer(stream, length)[:], 50_000 + passed_ms)
        # What is genuine says so by its current: 1 mA.
        good = sum(isinstance(event, Readings) and event.current_ma == 1 for event in news)
        wrong += len(news) - good
        missed += tally.genuine - good
        sent += sum(tally.sent)
    return wrong, missed


def test_a_million_bad_frames_move_no_table(built: Built) -> None:
    assert wrong_at_the_table(built, 700_000, 1, old_hellos=False) == ({}, 0)
    # Where old handshakes come again genuine commands may be lost, but no bad one is taken.
    assert wrong_at_the_table(built, 300_000, 2, old_hellos=True)[0] == {}


def test_a_million_bad_frames_are_no_news_to_the_host(built: Built) -> None:
    codec = opened()
    assert wrong_at_the_host(built, 1_000_000, codec) == (0, 0)
    assert min(codec.rejected[reason] for reason in ("cobs", "crc", "length", "type", "sequence", "stale")) > 10_000


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_ten_million_bad_frames(built: Built) -> None:
    assert wrong_at_the_table(built, 7_000_000, 3, old_hellos=False) == ({}, 0)
    assert wrong_at_the_table(built, 3_000_000, 4, old_hellos=True)[0] == {}
    assert wrong_at_the_host(built, 10_000_000, opened()) == (0, 0)


PLANTED = {
    "no check sum": ("frame.c", "parser->crc != CRC_GOOD", "false", "bits"),
    "half a check sum": ("frame.c", "parser->crc != CRC_GOOD", "((parser->crc ^ CRC_GOOD) & 0xFFu) != 0u", "bits"),
    "the same again is new": ("table_link.c", "ahead != 0u && ahead <=", "ahead <=", "repeated"),
    "any number is new": ("table_link.c", "ahead != 0u && ahead <= INT16_MAX", "ahead != 0u", "reordered"),
    "no echo is old": (
        "table_link.c",
        "!echo_is_fresh(link, get16(body),",
        "!echo_is_fresh(link, link->sent_sequence,",
        "stale",
    ),
    "an old handshake brings back what followed it": ("table_link.c", "link->sent = 0;", "", "repeated"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_defect_is_found(planted: str, tmp_path: Path) -> None:
    name, right, wrong, kind = PLANTED[planted]
    spoilt = library(tmp_path, SOURCES, FIRMWARE / "table_link.h", EXTRA, {name: (right, wrong)})
    assert kind in wrong_at_the_table(spoilt, 50_000, 5, old_hellos=True)[0]


SPOILT_CODEC = {
    "_crc32": lambda frame: protocol.CRC_RESIDUE,
    "_NEWEST_AHEAD": 0x10000,
    "_TOO_EARLY": -(10**14),
}


@pytest.mark.parametrize("name", SPOILT_CODEC)
def test_a_spoilt_codec_is_found(built: Built, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"firmware_bridge.codec.{name}", SPOILT_CODEC[name])
    wrong, missed = wrong_at_the_host(built, 50_000, opened())
    assert wrong or missed
