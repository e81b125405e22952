"""What hangs on each wire between a table and the board that drives it: `circuits.toml`, checked.

Which pin a wire goes to is the board's matter: `firmware_bridge.pin_map` for the microcontroller, a profile's `[gpio]`
for a Raspberry Pi. Loaded by commands and generators, never in a tick.
"""

import functools
from collections.abc import Iterator
from importlib import resources
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from config.quantities import Contradiction, Model, refuse
from config.reading import parse, read_shipped
from config.words import PRINTABLE, Title

Signal = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
Words = Annotated[str, StringConstraints(pattern=PRINTABLE, min_length=4, max_length=300)]
Kind = Literal["contact", "analogue", "output", "bus"]
Group = Literal[
    "angles",
    "table-switches",
    "straps",
    "stops",
    "buttons",
    "lamps",
    "drive",
    "brake",
    "relay",
    "supply",
    "host",
    "bus",
]

# A plug for each, in the order in which a table is wired: what stops it first.
GROUPS: Final[dict[str, str]] = {
    "stops": "e-stop and patient's own button",
    "brake": "brake",
    "drive": "drive",
    "relay": "safety relay",
    "table-switches": "switches worked by the table",
    "angles": "angle sensors",
    "straps": "straps",
    "supply": "supply",
    "buttons": "panel, buttons",
    "lamps": "panel, lamps and buzzer",
    "bus": "converter and expanders (SPI)",
    "host": "host",
}


class Circuit(Model):
    """One wire.

    `name` is what code and messages call it, `title` what people read, `group` the plug it belongs to. `kind` says what
    it is: `contact`, `analogue`, `output` or `bus`. `only` names the board that alone has it so, empty for each.
    `carries` is the field of readings, command or signals that it becomes or comes from. `open_is` is what a contact
    says while its circuit is open, `open_reads` the same in words for any kind, and `why` why that is the safe answer.
    `to` says what is connected.
    """

    name: Signal
    title: Title
    group: Group
    kind: Kind
    only: Literal["", "mega-2560", "raspberry-pi"] = ""
    carries: Title
    open_is: bool | None = None
    to: Words
    open_reads: Words
    why: Words


class Circuits(Model):
    """Every wire that a table can have."""

    format: Literal["inversion-table/circuits@1"]
    circuits: tuple[Circuit, ...] = Field(alias="circuit", strict=False, min_length=1, max_length=200)

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        refuse(list(self._contradictions()))
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        """Yield wires of one name, and contacts of which nobody said what a break reads as."""
        seen: set[tuple[str, str]] = set()
        for circuit in self.circuits:
            if (circuit.name, circuit.only) in seen:
                bound = "each name once for each board"
                yield Contradiction((f"{circuit.name}.name",), circuit.name, bound, "stands more than once")
            seen.add((circuit.name, circuit.only))
            if (circuit.open_is is not None) != (circuit.kind == "contact"):
                told = "missing" if circuit.open_is is None else str(circuit.open_is).lower()
                bound = "true or false for a contact, none for any other kind"
                yield Contradiction((f"{circuit.name}.open_is",), told, bound, "does not go with its kind")


@functools.cache
def circuits() -> tuple[Circuit, ...]:
    """Return every wire.

    Raises:
        ConfigurationError: the installation is broken.
        pydantic.ValidationError: the file that is shipped is wrong, which a test would have told.
    """
    file = resources.files("firmware_bridge").joinpath("circuits.toml")
    return Circuits.model_validate(parse(read_shipped(file), "circuits.toml")).circuits


def circuits_of(board: str) -> dict[str, Circuit]:
    """Return the wires that one board may have, by name: those of every board, and its own in their place."""
    return {circuit.name: circuit for only in ("", board) for circuit in circuits() if circuit.only == only}
