"""The table's frames as the protocol's page describes them, packed for tests by hand."""

import json
import zlib
from typing import Any

from cobs import cobs

from firmware_bridge import protocol
from firmware_bridge.codec import HostCodec
from tests.test_architecture import ROOT

DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs/protocol-vectors.json").read_text(encoding="utf-8"))
FRAMES: list[dict[str, Any]] = DOCUMENT["frames"]
REFUSED: list[dict[str, Any]] = DOCUMENT["refused"]
NAMES: dict[str, list[str]] = {frame["type"]: list(frame["fields"]) for frame in FRAMES}
NONCE = 0xDEADBEEF
# A table at rest above level: its straps are open, everything is well.
CALM: dict[str, int] = next(frame["fields"] for frame in FRAMES if frame["type"] == "TELEMETRY")


def packed(kind: str, sequence: int, fields: dict[str, Any]) -> bytes:
    """A frame before COBS, its check sum included."""
    assert list(fields) == NAMES[kind]
    values: list[Any] = []
    for name, value in fields.items():
        if name == "firmware":
            values.append(bytes(value))
        elif name in ("causes", "refusals"):
            values.append(value.to_bytes(5, "little"))
        else:
            values += value if isinstance(value, list) else [value]
    number = getattr(protocol, kind)
    frame = protocol.LAYOUTS[number].pack(number, sequence, *values)
    return frame + zlib.crc32(frame).to_bytes(4, "little")


def on_wire(frame: bytes) -> bytes:
    """A frame as it goes over the wire."""
    return bytes(cobs.encode(frame)) + b"\0"


def telemetry(sequence: int, clock_ms: int, **fields: int) -> bytes:
    """One telemetry frame, of a table at rest but for the fields named."""
    return on_wire(packed("TELEMETRY", sequence & 0xFFFF, {**CALM, "clock_ms": clock_ms & 0xFFFFFFFF, **fields}))


def reply(sequence: int, clock_ms: int, nonce: int = NONCE, **fields: Any) -> bytes:
    """One HELLO_REPLY, of the very firmware that fits but for the fields named."""
    usual = {
        "version": protocol.VERSION,
        "firmware": [1, 0, 0],
        "reset_cause": 1,
        "boot_count": 5,
        "clock_ms": clock_ms & 0xFFFFFFFF,
        "nonce": nonce,
        "config_hash": 0,
        "hard_limits": [value for _, value in protocol.HARD_LIMITS],
    }
    return on_wire(packed("HELLO_REPLY", sequence & 0xFFFF, {**usual, **fields}))


def answer(sequence: int, request: int, asked: int, *, accepted: bool, refusals: int = 0, session_id: int = 0) -> bytes:
    """One ANSWER to the request with this type and number."""
    fields = {
        "request": request,
        "request_sequence": asked,
        "accepted": int(accepted),
        "refusals": refusals,
        "config_hash": 0,
        "session_id": session_id,
    }
    return on_wire(packed("ANSWER", sequence & 0xFFFF, fields))


def opened(sequence: int = 0, clock_ms: int = 1000, now_ms: int = 50_000) -> HostCodec:
    """A codec after its handshake, which took no time: telemetry of `clock_ms` is fresh at `now_ms`."""
    codec = HostCodec()
    codec.expect(NONCE)
    assert len(codec.feed(reply(sequence, clock_ms), now_ms)) == 1
    return codec
