"""A visit as an MCAP file, which Foxglove and other tools for engineers open: topics with JSON messages and schemas.

Schemas are flat JSON Schemas of plain types, as such tools take them: a value that nobody knows is left out of its
message, an enumeration is a word. Times are nanoseconds since 1970: the run's monotonic clock, put where the label of
its first tick says, so that a jump of the wall clock changes nothing within a visit.
"""

import enum
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from mcap.writer import CompressionType, Writer

from controller.journal import EventEntry
from controller.recording import TEXT_COLUMNS, Row, rows_of
from safety.signals import Command, Decision, Readings, Signals, Snapshot, Wish

LIBRARY: Final = "inversion-table"
MS: Final = 1_000_000
_PLAIN: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}
_encode = msgspec.json.Encoder().encode


def write_mcap(
    path: Path,
    snapshots: Sequence[Snapshot],
    events: Iterable[EventEntry],
    began_ns: int,
    about: dict[str, str],
) -> dict[str, int]:
    """Write a visit, and return how many messages each topic has.

    `began_ns` is the label of the run's `t_ms` 0, `about` is kept as the file's metadata.

    Raises:
        OSError: the file cannot be written.
    """
    counts: dict[str, int] = {}
    with path.open("wb") as file:
        writer = Writer(file, compression=CompressionType.ZSTD)
        writer.start(profile="", library=LIBRARY)
        writer.add_metadata("visit", about)

        def topic(name: str, schema: dict[str, Any]) -> Callable[[int, Any], None]:
            schema_id = writer.register_schema(f"inversion_table.{name}", "jsonschema", _encode(schema))
            channel = writer.register_channel(f"/{name}", "json", schema_id)
            counts[f"/{name}"] = 0

            def put(t_ms: int, message: Any) -> None:
                at = began_ns + t_ms * MS
                counts[f"/{name}"] += 1
                writer.add_message(channel, at, _encode(message), at, counts[f"/{name}"])

            return put

        trace = topic("trace", _of_trace())
        structs = [
            (topic(name, schema_of(kind)), name, kind)
            for name, kind in (("readings", Readings), ("wish", Wish), ("decision", Decision), ("signals", Signals))
        ]
        command = topic("command", schema_of(Command))
        event = topic("event", _of_event())
        happened = sorted(events, key=lambda one: one.t_ms)
        place = 0
        unknown: tuple[None, None, str] = (None, None, "")
        for snapshot, row in zip(snapshots, rows_of(snapshots, [unknown] * len(snapshots)), strict=True):
            t_ms = snapshot.t_ms
            while place < len(happened) and happened[place].t_ms <= t_ms:
                _put_event(event, happened[place])
                place += 1
            trace(t_ms, _known(row))
            for put, name, kind in structs:
                put(t_ms, told(getattr(snapshot, name), kind))
            command(t_ms, told(snapshot.decision.command, Command))
        for one in happened[place:]:
            _put_event(event, one)
        writer.finish()  # type: ignore[no-untyped-call]
    return counts


def schema_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of what `told` makes of such a struct."""
    properties = {name: _schema(what) for name, what in _fields(kind).items()}
    return {"type": "object", "title": kind.__name__, "description": _first_line(kind), "properties": properties}


def told(value: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a struct as its message: words for enumerations, without what nobody knows."""
    message = {}
    for name in _fields(kind):
        field = getattr(value, name)
        if field is not None:
            message[name] = _word(field)
    return message


# Types ----------------------------------------------------------------------------------------------------------------

_KNOWN: dict[type, dict[str, Any]] = {}


def _fields(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a struct with their types, None taken away; a decision's command is a topic of its own."""
    if kind not in _KNOWN:
        hints = typing.get_type_hints(kind)
        _KNOWN[kind] = {
            one.name: _without_none(hints[one.name]) for one in msgspec.structs.fields(kind) if one.name != "command"
        }
    return _KNOWN[kind]


def _without_none(what: Any) -> Any:
    if isinstance(what, types.UnionType):
        (kept,) = [kind for kind in typing.get_args(what) if kind is not type(None)]
        return kept
    return what


def _schema(what: Any) -> dict[str, Any]:
    if typing.get_origin(what) is tuple:
        return {"type": "array", "items": _schema(typing.get_args(what)[0])}
    if isinstance(what, type) and issubclass(what, msgspec.Struct):
        return schema_of(what)
    if isinstance(what, type) and issubclass(what, enum.Enum):
        return {"type": "string", "enum": [_name(member) for member in what]}
    return {"type": _PLAIN[what]}


def _word(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return _name(value)
    if isinstance(value, msgspec.Struct):
        return told(value, type(value))
    if isinstance(value, tuple):
        return [_word(one) for one in value]
    return value


def _name(member: enum.Enum) -> str:
    """The word of an enumeration's member: its own text, or its name."""
    return member.value if isinstance(member.value, str) else member.name


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _of_trace() -> dict[str, Any]:
    """The schema of a trace's row, by the names of its columns."""
    properties = {name: {"type": "string" if name in TEXT_COLUMNS else "integer"} for name in Row._fields}
    return {"type": "object", "title": "Trace", "description": "One row of trace.csv.", "properties": properties}


def _known(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if value is not None}


def _of_event() -> dict[str, Any]:
    texts = ("kind", "text", "code", "who", "figures")
    properties = {"number": {"type": "integer"}, "t_ms": {"type": "integer"}} | {
        name: {"type": "string"} for name in texts
    }
    return {"type": "object", "title": "Event", "description": "Something that happened.", "properties": properties}


def _put_event(put: Callable[[int, Any], None], event: EventEntry) -> None:
    message = {name: getattr(event, name) for name in ("number", "t_ms", "kind", "text", "code", "who")}
    # What was measured has other names for each kind, which no schema could tell.
    put(event.t_ms, message | {"figures": _encode(dict(event.figures)).decode()})
