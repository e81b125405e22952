"""Files for tests: a right file of each kind as a dict, changed in places and written as TOML."""

import copy
import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

from config.names import shipped_file

PROFILE: dict[str, Any] = tomllib.loads(shipped_file("profiles", "simulated.toml").read_text("utf-8"))
PINS: dict[str, Any] = tomllib.loads(shipped_file("profiles", "pi-gpio.toml").read_text("utf-8"))
PINS["commissioning"] = {
    "date": dt.date(2026, 11, 2),
    "by": "A. Integrator",
    "table_id": "pi-gpio",
    "relay_drop_ms": 180,
    "self_locking_kg": 140,
}
PLAN: dict[str, Any] = tomllib.loads(shipped_file("plans", "first-visit.toml").read_text("utf-8"))
DECLARED: dict[str, Any] = tomllib.loads(shipped_file("declared.toml").read_text("utf-8"))
SCREENING: dict[str, Any] = tomllib.loads(shipped_file("screening.toml").read_text("utf-8"))


class Literal(str):
    """A value that is written into TOML as it stands."""

    __slots__ = ()


class Gone:
    """Stands for a key that is to be left out."""


GONE = Gone()


def changed(data: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a copy with each dotted key set, or left out where the value is `GONE`."""
    result = copy.deepcopy(data)
    for path, value in changes.items():
        here = result
        *tables, last = path.split(".")
        for table in tables:
            here = here.setdefault(table, {})
        if value is GONE:
            del here[last]
        else:
            here[last] = value
    return result


def quoted(text: str) -> str:
    """Return text as a TOML string."""
    return '"' + "".join(c if " " <= c < "\x7f" and c not in '"\\' else f"\\U{ord(c):08x}" for c in text) + '"'


def written(value: Any) -> str:
    """Return one value as TOML, tables inline."""
    match value:
        case Literal():
            return str(value)
        case dt.date():
            return value.isoformat()
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case list():
            return "[\n" + ",\n".join(written(one) for one in value) + "]"
        case dict():
            return "{" + ", ".join(f"{quoted(key)} = {written(one)}" for key, one in value.items()) + "}"
        case _:
            return repr(value)


def document(data: dict[str, Any], path: str = "") -> str:
    """Return a whole document as TOML, its tables with headings."""
    lines = [f"{quoted(key)} = {written(value)}\n" for key, value in data.items() if not isinstance(value, dict)]
    for name, table in data.items():
        if isinstance(table, dict):
            heading = f"{path}.{quoted(name)}" if path else quoted(name)
            lines.append(f"[{heading}]\n{document(table, heading)}")
    return "".join(lines)


def save(folder: Path, data: dict[str, Any], name: str = "file.toml") -> Path:
    """Write a document and return its path."""
    path = folder / name
    path.write_text(document(data), encoding="utf-8")
    return path
