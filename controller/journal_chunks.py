"""Ticks as the journal stores them: a stretch of snapshots as one object of columns, compressed.

`zlib` holds a JSON object: `ticks`, how many there are, and a key for each field of a snapshot (`decision.region`).
Its value is the list of every tick's values; or, where that is shorter, `{"same": value}`, `{"from": 1, "by": 2}` or
`{"runs": [[value, ticks], …]}`. Side by side the values of one field compress to a quarter of what whole snapshots
do. Nothing here knows files. Errors: `ChunkError` (an `InversionTableError` and a `ValueError`).
"""

import operator
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, groupby, repeat
from typing import Any, Final

import msgspec

from config.errors import InversionTableError, shorten
from safety.signals import Command, Decision, Readings, Signals, Snapshot, Wish

# zlib's own default: a second of ticks takes 1.2 ms here, and level 9 saves 2 % for three times that.
LEVEL: Final = 6
FEWEST_TICKS_A_RUN: Final = 4


class ChunkError(InversionTableError, ValueError):
    """Stored ticks that cannot be read; the text says why."""

    exit_code = 2


def _names(kind: type[msgspec.Struct], prefix: str = "", but: str = "") -> list[str]:
    return [prefix + field.name for field in msgspec.structs.fields(kind) if field.name != but]


# What is spread into columns: the structs that are there in each tick. What may be missing stays a value.
_GROUPS: Final[dict[str, list[str]]] = {
    "": ["number", "t_ms"],
    "readings.": _names(Readings),
    "wish.": _names(Wish),
    "decision.": _names(Decision, but="command"),
    "decision.command.": _names(Command),
    "signals.": _names(Signals),
}
COLUMNS: Final = tuple(prefix + name for prefix, names in _GROUPS.items() for name in names)
"""The name of each column, in the order in which it is written."""

_GETTERS: Final[tuple[tuple[str, Callable[[Snapshot], Any]], ...]] = tuple(
    (name, operator.attrgetter(name)) for name in COLUMNS
)
_encode = msgspec.json.Encoder().encode


def pack(snapshots: Sequence[Snapshot]) -> bytes:
    """Return one or more ticks, in order, as compressed columns."""
    columns: dict[str, Any] = {"ticks": len(snapshots)}
    for name, get in _GETTERS:
        columns[name] = _shortened(list(map(get, snapshots)))
    return zlib.compress(_encode(columns), LEVEL)


def columns_of(data: bytes) -> dict[str, Any]:
    """Return the columns of stored ticks as they are written, each shortened or not. Raises ChunkError."""
    try:
        columns = msgspec.json.decode(zlib.decompress(data))
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ChunkError(f"stored ticks are damaged ({error})") from error
    if not isinstance(columns, dict) or "ticks" not in columns:
        raise ChunkError("stored ticks are damaged (no columns)")
    return columns


def unpack(data: bytes, count: int) -> list[Snapshot]:
    """Return the `count` ticks of stored columns; columns that this version does not know are left aside.

    Raises:
        ChunkError: the data are damaged, or hold another number of ticks.
    """
    columns = columns_of(data)
    if columns["ticks"] != count:
        raise ChunkError(f"stored ticks are damaged ({shorten(str(columns['ticks']))} of them where {count} are named)")
    try:
        groups = {prefix: _rows(columns, prefix, names, count) for prefix, names in _GROUPS.items()}
        whole = []
        for row, readings, wish, decision, command, signals in zip(*groups.values(), strict=True):
            decision["command"] = command
            row |= {"readings": readings, "wish": wish, "decision": decision, "signals": signals}
            whole.append(row)
        return msgspec.convert(whole, list[Snapshot])
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise ChunkError(f"stored ticks cannot be read ({error})") from error


def _shortened(values: list[Any]) -> Any:
    """Return a column in the shortest of its forms."""
    first, count = values[0], len(values)
    if values.count(first) == count:
        return {"same": first}
    if type(first) is int and type(values[1]) is int:
        step = values[1] - first
        if step and values == list(range(first, first + step * count, step)):
            return {"from": first, "by": step}
    runs = [[value, len(list(same))] for value, same in groupby(values)]
    return {"runs": runs} if len(runs) * FEWEST_TICKS_A_RUN <= count else values


def _lengthened(column: Any, count: int) -> Iterable[Any]:
    """Return every tick's value of a column, however it was shortened."""
    if isinstance(column, list):
        return column
    if "same" in column:
        return repeat(column["same"], count)
    if "by" in column:
        return range(column["from"], column["from"] + column["by"] * count, column["by"])
    runs = column["runs"]
    if sum(ticks for _, ticks in runs) != count:
        raise ValueError(f"a column of another length than {count}")
    return chain.from_iterable(repeat(value, ticks) for value, ticks in runs)


def _rows(columns: dict[str, Any], prefix: str, names: list[str], count: int) -> list[dict[str, Any]]:
    """Return one dictionary a tick for one of the structs; a field without a column keeps its default."""
    here = [name for name in names if prefix + name in columns]
    values = [_lengthened(columns[prefix + name], count) for name in here]
    rows = [dict(zip(here, row, strict=True)) for row in zip(*values, strict=True)]
    if not here:
        return [{} for _ in range(count)]
    if len(rows) != count:
        raise ValueError(f"{len(rows)} ticks where {count} are named")
    return rows
