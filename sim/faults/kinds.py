"""What a fault is: a kind with its parameters, and one occurrence of it with a moment and a duration.

All are frozen; whatever changes while a fault is active belongs to the table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from weakref import WeakKeyDictionary

from config.errors import UsageError
from safety.signals import State
from sim.faults.effects import Deed, Effect, Effects
from sim.panel import Panel
from sim.table import TableParts

Value = float | int | str
Values = Mapping[str, Value]


class FaultError(UsageError):
    """A fault that is written wrongly, or that a table cannot have; one sentence, exit code 2."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One thing that can be chosen about a fault.

    `default` tells the type: text is one of `choices`, a number lies within `low` … `high`, both in `unit`.
    """

    name: str
    meaning: str
    default: Value
    unit: str = ""
    low: float = 0
    high: float = 0
    choices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return what `inversion-table faults --json` tells of this parameter."""
        told: dict[str, object] = {"default": self.default, "unit": self.unit, "meaning": self.meaning}
        return told | ({"choices": list(self.choices)} if self.choices else {"low": self.low, "high": self.high})


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way in which a table, a person or a paper can fail, named after what happens.

    `hazard` is the row of the hazard table that it provokes first; `effects` tells which parts of a table it
    holds, and how. `at_boot` marks what must be so before the first tick, `momentary` what has no duration, `of_host`
    what the host does or knows of itself, which a table in another process cannot have.
    """

    name: str
    hazard: str
    meaning: str
    effects: Callable[[TableParts, Values], tuple[Effect | Deed, ...]]
    parameters: tuple[Parameter, ...] = ()
    at_boot: bool = False
    momentary: bool = False
    of_host: bool = False

    def as_json(self) -> dict[str, object]:
        """Return what `inversion-table faults --json` tells of this kind."""
        return {
            "name": self.name,
            "hazard": self.hazard,
            "meaning": self.meaning,
            "parameters": {parameter.name: parameter.as_json() for parameter in self.parameters},
        }


@dataclass(frozen=True, slots=True)
class When:
    """The moment of a fault: `offset_ms` after the entry of `state`, or after the first motion below level.

    `state` None means the first motion below level, which is when the table is first driven below −1°.
    """

    state: State | None
    offset_ms: int = 0

    def __str__(self) -> str:
        """Write it as on the command line."""
        seconds = f"{self.offset_ms / 1000:g}s"
        if self.state is None:
            return seconds
        return f"{self.state}+{seconds}" if self.offset_ms else str(self.state)


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One occurrence: what, when, for how long (None: until the end), with which parameters.

    `values` has every parameter of the kind. Faults compare by identity, so that the same one may come twice.
    """

    kind: FaultKind
    when: When
    duration_ms: int | None
    values: Values

    def __post_init__(self) -> None:
        """Freeze the parameters too."""
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    @property
    def name(self) -> str:
        """The kind's name."""
        return self.kind.name

    @property
    def hazard(self) -> str:
        """The hazard that it provokes first, such as `H04`."""
        return self.kind.hazard

    def start(self, table: TableParts) -> None:
        """Let it begin on `table`; starting a fault that is already active changes nothing."""
        effects_of(table).start(self, self.kind.effects(table, self.values))
        _name_active(table)

    def let_go(self, table: TableParts) -> None:
        """End what the fault does with a finger only; the rest of it goes on."""
        effects_of(table).end_brief(self)

    def end(self, table: TableParts) -> None:
        """Let it go: what it held returns to what the other active faults, or the healthy table, make of it."""
        effects_of(table).end(self)
        _name_active(table)

    def __str__(self) -> str:
        """Write it as on the command line, without the parameters that have their default."""
        lasts = "" if self.duration_ms is None else f"+{self.duration_ms / 1000:g}s"
        if lasts and self.when.state is not None and not self.when.offset_ms:
            lasts = "+0s" + lasts  # a lone time after a state is the time in it
        return f"{self.name}@{self.when}{lasts}{self._chosen()}"

    @property
    def text_now(self) -> str:
        """Write it as `Hands.inject` takes it: without a moment."""
        lasts = "" if self.duration_ms is None else f"+{self.duration_ms / 1000:g}s"
        return f"{self.name}{lasts}{self._chosen()}"

    def _chosen(self) -> str:
        chosen = [
            f"{parameter.name}={self.values[parameter.name]}"
            for parameter in self.kind.parameters
            if self.values[parameter.name] != parameter.default
        ]
        return ":" + ",".join(chosen) if chosen else ""


# A table's panel lives exactly as long as the table, and is the one part of it that nothing else compares or copies.
_EFFECTS: WeakKeyDictionary[Panel, Effects] = WeakKeyDictionary()


def effects_of(table: TableParts) -> Effects:
    """Return what faults do to this table now."""
    effects = _EFFECTS.get(table.panel)
    if effects is None:
        effects = _EFFECTS[table.panel] = Effects()
    return effects


def active_faults(table: TableParts) -> tuple[Fault, ...]:
    """Return the faults that a table has now, in the order in which they came."""
    return tuple(fault for fault in effects_of(table).active() if isinstance(fault, Fault))


def _name_active(table: TableParts) -> None:
    """Tell the table the names of its faults, for the trace."""
    table.active.clear()
    table.active.update((fault.name, fault) for fault in active_faults(table))
