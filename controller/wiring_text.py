"""A table's wiring in words: for a terminal, as Markdown, and as one object for programs."""

import re
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, Final

from controller.wiring import Connector, Row, Wiring
from controller.wiring_rules import checks_of, rules_of

SCHEMA: Final = "inversion-table.wiring/1"
# Column heads, and the least each takes.
HEADS: Final = ("pin", "signal", "electrical", "a broken wire reads as")


def title_of(wiring: Wiring) -> str:
    """Return the headline."""
    return f"Wiring of {wiring.profile.name}: {wiring.profile.title}"


def introduction(wiring: Wiring) -> str:
    """Return what has to be known before the first wire."""
    if wiring.board == "mega-2560":
        places = "pins are printed on the board, behind them what the chip calls them"
        chips = ""
    else:
        places = "pins count along the header of 40, behind them the GPIO's number"
        expanders = "; X0, X1: an MCP23S17" if wiring.has("spi_expanders") else ""
        chips = f" ADC: the converter, an MCP3208{expanders}; the number is the chip's pin."
    return (
        f"The board is the {wiring.board_title}; {places}.{chips} A contact is a switch between its pin and ground: "
        "closed reads low, open and broken read high. Not a certified medical device: whoever builds it answers for it."
    )


def place_of(row: Row) -> str:
    """Return where a wire is put, with the chip's name for it: `2 PE4 INT4`, `32 GPIO12`."""
    return " ".join(word for word in (row.pin, row.port, row.function) if word)


# A terminal ----------------------------------------------------------------------------------------------------------


def lines_of(wiring: Wiring, width: int) -> Iterator[str]:
    """Yield the lines of the page for a terminal, none longer than `width`, which is 72 or more."""
    yield title_of(wiring)
    yield from textwrap.wrap(introduction(wiring), width)
    for connector in wiring.connectors:
        yield ""
        yield from _plug(connector, width)
    yield ""
    yield "WHAT HAS TO BE IN HARDWARE, whatever the program does"
    for rule in rules_of(wiring):
        yield ""
        yield from textwrap.wrap(f"* {rule.title}", width, subsequent_indent="  ")
        yield from textwrap.wrap(rule.text, width, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield "WHAT TO MEASURE FIRST, in this order; nobody lies on the table meanwhile"
    for number, check in enumerate(checks_of(wiring), start=1):
        yield ""
        yield from textwrap.wrap(f"{number:>2}. {check.do}", width, subsequent_indent="    ")
        yield from textwrap.wrap(f"-> {check.see}", width, initial_indent="    ", subsequent_indent="       ")


def _plug(connector: Connector, width: int) -> Iterator[str]:
    cells = [HEADS, *((place_of(row), row.signal, row.electrical, row.open_reads) for row in connector.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    left = sum(widths) + 2 * 3 + 2
    yield f"{connector.name}  {connector.title.upper()}"
    for number, line in enumerate(cells):
        start = "  " + "".join(f"{cell:<{room + 2}}" for cell, room in zip(line[:3], widths, strict=True))
        yield from textwrap.wrap(line[3], width, initial_indent=start, subsequent_indent=" " * left)
        if number:
            yield from textwrap.wrap(
                connector.rows[number - 1].to, width, initial_indent="      ", subsequent_indent="      "
            )


# Markdown ------------------------------------------------------------------------------------------------------------


def markdown_of(wiring: Wiring, picture: str, level: int = 1) -> str:
    """Return the page as Markdown; `picture` is the drawing's file, `level` how deep the headline stands."""
    mark = "#" * level
    parts = [f"{mark} {title_of(wiring)}", "", introduction(wiring), "", f"![block diagram]({picture})", ""]
    for connector in wiring.connectors:
        parts += [f"{mark}# {connector.name}: {connector.title}", ""]
        parts += _table(("pin", "signal", "wire to", "electrical", "a broken wire reads as", "and why that is safe"))
        parts += [
            _cells((place_of(row), f"`{row.signal}`", row.to, row.electrical, row.open_reads, row.why))
            for row in connector.rows
        ]
        parts.append("")
    parts += [f"{mark}# What has to be in hardware, whatever the program does", ""]
    for rule in rules_of(wiring):
        parts += [f"**{rule.title}.** {_marked(rule.text, wiring)}", ""]
    parts += [f"{mark}# What to measure first, in this order", "", "Nobody lies on the table meanwhile.", ""]
    parts += _table(("", "do this", "this must be seen"))
    for number, check in enumerate(checks_of(wiring), start=1):
        parts.append(_cells((str(number), _marked(check.do, wiring), check.see)))
    return "\n".join([*parts, ""])


def _table(heads: Sequence[str]) -> list[str]:
    return [_cells(heads), "|---" * len(heads) + "|"]


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _marked(text: str, wiring: Wiring) -> str:
    """Set the names of wires in the type of code: their underscores would be taken for emphasis."""
    names = "|".join(sorted((row.signal for row in wiring.rows if "_" in row.signal), key=len, reverse=True))
    return re.sub(rf"\b(?:{names}|commissioning\.\w+|drive\.self_locking)\b", r"`\g<0>`", text)


# Programs ------------------------------------------------------------------------------------------------------------


def object_of(wiring: Wiring) -> dict[str, Any]:
    """Return all of it as one object."""
    return {
        "schema": SCHEMA,
        "profile": wiring.profile.name,
        "profile_hash": wiring.profile.hash,
        "table_id": wiring.profile.table_id,
        "bridge": wiring.profile.bridge,
        "board": wiring.board,
        "drive": wiring.drive,
        "fuse_a": wiring.fuse_a,
        "copper_mm2": float(wiring.copper_mm2),
        "connectors": [
            {
                "name": connector.name,
                "title": connector.title,
                "wires": [
                    {
                        "signal": row.signal,
                        "title": row.title,
                        "kind": row.kind,
                        "pin": row.pin,
                        "port": row.port,
                        "function": row.function,
                        "electrical": row.electrical,
                        "to": row.to,
                        "open_reads": row.open_reads,
                        "why": row.why,
                    }
                    for row in connector.rows
                ],
            }
            for connector in wiring.connectors
        ],
        "hardware": [{"name": rule.name, "title": rule.title, "text": rule.text} for rule in rules_of(wiring)],
        "checks": [{"do": check.do, "see": check.see} for check in checks_of(wiring)],
    }
