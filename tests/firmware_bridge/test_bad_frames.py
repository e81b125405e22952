"""Bad frames by the million: not one is taken as a new command by the table, nor as new readings by the host."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI

import firmware_bridge.codec
from firmware_bridge import protocol
from safety.signals import Readings
from tests.firmware_bridge.building import FIRMWARE, HELPERS, library
from tests.firmware_bridge.wire import NONCE, opened, reply

pytestmark = pytest.mark.needs("cc")
SOURCES = [HELPERS / "bad_frames.c", FIRMWARE / "frame.c", FIRMWARE / "table_link.c"]
KINDS = "bits bytes burst truncated dropped inserted spliced repeated reordered stale echoed garbage".split()
# What bad frames are refused for, on both sides.
REASONS = ("cobs", "length", "crc", "type", "sequence", "stale")
EXTRA = """
typedef struct { uint32_t sent[12]; uint32_t wrong[12]; uint32_t genuine; uint32_t taken;
                 uint32_t refused[9]; } tally_t;
void to_the_table(uint32_t count, bool old_hellos, uint64_t seed, tally_t *tally);
uint32_t to_the_host(uint8_t *stream, uint32_t room, uint32_t count, uint16_t first, uint32_t clock_ms,
                     uint32_t stale_ms, uint64_t seed, uint16_t *next, tally_t *tally);
"""
ROOM = 200_000
Built = tuple[FFI, Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return library(tmp_path_factory.mktemp("bad"), SOURCES, FIRMWARE / "table_link.h", EXTRA)


def wrong_at_the_table(
    built: Built, count: int, seed: int, *, old_hellos: bool
) -> tuple[dict[str, int], int, dict[str, int]]:
    """Send the table bad frames among genuine ones.

    Returns:
        What it took of the bad ones, by kind; how many genuine ones it did not take; how many it refused, by reason.
    """
    ffi, lib = built
    tally = ffi.new("tally_t *")
    lib.to_the_table(count, old_hellos, seed, tally)
    assert min(tally.sent) > count // 200
    assert sum(tally.sent) >= count
    refused = dict(zip(protocol.REASONS, tally.refused, strict=True))
    return {kind: n for kind, n in zip(KINDS, tally.wrong, strict=True) if n}, tally.genuine - tally.taken, refused


def wrong_at_the_host(built: Built, count: int, codec: Any) -> tuple[int, int]:
    """Send the host bad frames; return how many of them it took for news, and how many genuine ones it did not take.

    Every fifth piece of the stream comes so late that nothing in it is news.
    """
    ffi, lib = built
    stream, after, tally = ffi.new(f"uint8_t[{ROOM}]"), ffi.new("uint16_t *", 1), ffi.new("tally_t *")
    wrong = missed = chunk = 0
    sent = [0] * len(KINDS)
    while sum(sent) < count:
        chunk += 1
        passed_ms = 200 * chunk
        late_ms = 180 if chunk % 5 == 0 else 0
        length = lib.to_the_host(stream, ROOM, 3000, after[0], 1000 + passed_ms, 170, chunk, after, tally)
        news = codec.feed(ffi.buffer(stream, length)[:], 50_000 + passed_ms + late_ms)
        # What is genuine says so by its current: 1 mA.
        good = 0 if late_ms else sum(isinstance(event, Readings) and event.current_ma == 1 for event in news)
        wrong += len(news) - good
        missed += 0 if late_ms else tally.genuine - good
        sent = [one + other for one, other in zip(sent, tally.sent, strict=True)]
    assert min(sent) > count // 200
    return wrong, missed


def test_a_million_bad_frames_move_no_table(built: Built) -> None:
    wrong, lost, refused = wrong_at_the_table(built, 700_000, 1, old_hellos=False)
    assert (wrong, lost) == ({}, 0)
    assert min(refused[reason] for reason in REASONS) > 10_000, refused
    # Where old handshakes come again genuine commands may be lost, but no bad one is taken.
    assert wrong_at_the_table(built, 300_000, 2, old_hellos=True)[0] == {}


def test_a_million_bad_frames_are_no_news_to_the_host(built: Built) -> None:
    codec = opened()
    assert wrong_at_the_host(built, 1_000_000, codec) == (0, 0)
    assert min(codec.rejected[reason] for reason in REASONS) > 10_000, codec.rejected


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_ten_million_bad_frames(built: Built) -> None:
    assert wrong_at_the_table(built, 7_000_000, 3, old_hellos=False)[:2] == ({}, 0)
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
    assert kind in wrong_at_the_table(spoilt, 300_000, 5, old_hellos=True)[0]


SPOILT_CODEC = {
    "no check sum": ("_crc32(frame) != _RESIDUE", "False"),
    "half a check sum": ("_crc32(frame) != _RESIDUE", "(_crc32(frame) ^ _RESIDUE) & 0xFF"),
    "no number is old": ("not 0 < ahead <= _NEWEST_AHEAD", "False"),
    "the same again is new": ("not 0 < ahead <=", "not 0 <= ahead <="),
    "half a circle ahead is not behind": ("not 0 < ahead <= _NEWEST_AHEAD", "not 0 < ahead"),
    "a clock may go back": ("late < _TOO_EARLY", "False"),
    "no sample is old": ("late <= _OLDEST", "late"),
}


@pytest.mark.parametrize("planted", SPOILT_CODEC)
def test_a_spoilt_codec_is_found(built: Built, planted: str, tmp_path: Path) -> None:
    right, wrong = SPOILT_CODEC[planted]
    text = Path(firmware_bridge.codec.__file__).read_text(encoding="utf-8")
    assert right in text, f"the codec no longer has what was to be spoilt: {right}"
    file = tmp_path / "spoilt_codec.py"
    file.write_text(text.replace(right, wrong), encoding="utf-8")
    spoilt = runpy.run_path(str(file))["HostCodec"]()
    spoilt.expect(NONCE)
    spoilt.feed(reply(0, 1000), 50_000)
    assert wrong_at_the_host(built, 50_000, spoilt) != (0, 0)
