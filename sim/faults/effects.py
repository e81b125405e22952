"""What several faults at once do to one part of a table, and what is left of it when one of them ends.

Each effect holds one attribute of one part (a sensor, the brake, the panel). While nobody holds it, it has the
value with which the table was built; while several do, it has what `blend` makes of them in the order in which
they came. So faults may overlap and end in any order, and the last one to end leaves a healthy part behind.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

BRIEF_MS = 500

Blend = Callable[[Any, Sequence[Any]], Any]


def newest(_healthy: Any, held: Sequence[Any]) -> Any:
    """The fault that came last decides."""
    return held[-1]


def added(healthy: Any, held: Sequence[Any]) -> Any:
    """Every fault adds its part to the healthy value: shifts, drifts, holds of bits."""
    total = healthy
    for value in held:
        total = total + value
    return total


def united(healthy: Any, held: Sequence[Any]) -> Any:
    """Sets and bit masks: what any fault holds is held."""
    total = healthy
    for value in held:
        total = total | value
    return total


def by_place(healthy: Any, held: Sequence[Any]) -> Any:
    """Pairs of contacts: for each contact the fault that came last and says something of it decides."""
    pair = list(healthy)
    for value in held:
        pair = [new if new is not None else old for old, new in zip(pair, value, strict=True)]
    return tuple(pair)


def merged(healthy: Any, held: Sequence[Any]) -> Any:
    """Dictionaries of altered values: for each name the fault that came last and alters it decides."""
    total = dict(healthy)
    for value in held:
        total.update(value)
    return total


def multiplied(healthy: Any, held: Sequence[Any]) -> Any:
    """Gains: every fault multiplies the healthy value."""
    total = healthy
    for value in held:
        total = total * value
    return total


@dataclass(frozen=True, slots=True)
class Effect:
    """One attribute of one part of a table, the value that a fault gives it, and how several are blended.

    A `brief` one is what a finger does: it ends `BRIEF_MS` after it began, though the fault goes on.
    """

    part: object
    attribute: str
    value: Any
    blend: Blend = newest
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done once when a fault begins, and undone when it ends, that people may undo before."""

    do: Callable[[], None]
    undo: Callable[[], None]


@dataclass(slots=True)
class _Held:
    """One attribute while at least one fault holds it."""

    part: object
    healthy: Any
    blend: Blend
    claims: list[tuple[object, Effect]] = field(default_factory=list)

    def settle(self, attribute: str) -> None:
        values = [effect.value for _, effect in self.claims]
        setattr(self.part, attribute, self.blend(self.healthy, values) if values else self.healthy)


class Effects:
    """Who holds which attribute of one table's parts now."""

    def __init__(self) -> None:
        """Begin with a healthy table."""
        self._held: dict[tuple[int, str], _Held] = {}
        self._active: dict[object, tuple[Effect | Deed, ...]] = {}

    def start(self, holder: object, effects: Sequence[Effect | Deed]) -> None:
        """Let `holder` have these effects from now on; a holder that is active already changes nothing."""
        if holder in self._active:
            return
        self._active[holder] = tuple(effects)
        for effect in effects:
            if isinstance(effect, Deed):
                effect.do()
                continue
            key = (id(effect.part), effect.attribute)
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = _Held(effect.part, getattr(effect.part, effect.attribute), effect.blend)
            held.claims.append((holder, effect))
            held.settle(effect.attribute)

    def end_brief(self, holder: object) -> None:
        """Take away what this holder does with a finger only; it stays active."""
        mine = self._active.get(holder, ())
        for effect in mine:
            if isinstance(effect, Effect) and effect.brief:
                self._leave(holder, effect)
        if mine:
            self._active[holder] = tuple(effect for effect in mine if isinstance(effect, Deed) or not effect.brief)

    def end(self, holder: object) -> None:
        """Take this holder's effects away; one that is not active changes nothing."""
        for effect in self._active.pop(holder, ()):
            if isinstance(effect, Deed):
                effect.undo()
            else:
                self._leave(holder, effect)

    def active(self) -> tuple[object, ...]:
        """Return who is active, in the order in which they came."""
        return tuple(self._active)

    def _leave(self, holder: object, effect: Effect) -> None:
        key = (id(effect.part), effect.attribute)
        held = self._held[key]
        held.claims = [claim for claim in held.claims if claim[0] is not holder or claim[1] is not effect]
        held.settle(effect.attribute)
        if not held.claims:
            del self._held[key]
