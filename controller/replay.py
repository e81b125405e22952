"""A recording before today's judge: would it decide as it did?

What was read and wished goes through `safety.judge.step` again, from the judge's state as it was recorded, with the
limits of then or others. The decisions are compared field by field with those of then. From the first difference on the
table would have done something else than what was recorded, so that what follows tells less and less.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from config.limits import Limits
from controller.journal import Stretch
from safety.judge import step
from safety.judged import Judged
from safety.signals import Cause, Command, Decision

MOST_TOLD: Final = 10
OTHER: Final = "other"

_DECISION: Final = tuple(one.name for one in msgspec.structs.fields(Decision) if one.name != "command")
_COMMAND: Final = tuple(one.name for one in msgspec.structs.fields(Command))
_FIELDS: Final = tuple(f"decision.{name}" for name in _DECISION) + tuple(
    f"decision.command.{name}" for name in _COMMAND
)


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a decision: what it was and what it would be today."""

    name: str
    was: Any
    today: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One tick that would be judged otherwise. `codes` are those of the causes that came, went or changed."""

    tick: int
    t_ms: int
    codes: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(slots=True)
class Replayed:
    """What came of it.

    `ticks` were judged again; `unreachable` could not be, since no state of the judge was recorded before them;
    `differing` came out otherwise. `first` are the beginnings of such stretches, `codes` counts ticks by code (`other`
    where no cause differs).
    """

    ticks: int = 0
    unreachable: int = 0
    differing: int = 0
    first: list[Difference] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def same(self) -> bool:
        """Whether something was judged, and all of it as it was."""
        return self.ticks > 0 and not self.differing


def replay(stretches: Iterable[Stretch], judged: Mapping[int, bytes], limits: Limits, first: int = 0) -> Replayed:
    """Judge recorded ticks anew, in order.

    `judged` has the judge's state just after some of the ticks, as JSON. Ticks before `first` only lead up to it.
    """
    result = Replayed()
    state: Judged | None = None
    last = -1
    differed = False
    for stretch in stretches:
        recorded = [name for name in _FIELDS if name in stretch.columns]
        for snapshot in stretch.snapshots:
            if snapshot.number != last + 1:
                state, differed = None, False
            last = snapshot.number
            if state is None:
                state = _remembered(judged.get(last - 1))
                if state is None:
                    result.unreachable += last >= first
                    continue
            state, decision = step(state, snapshot.readings, snapshot.wish, limits)
            if last < first:
                continue
            result.ticks += 1
            if decision == snapshot.decision:
                differed = False
                continue
            changes = _changes(snapshot.decision, decision, recorded)
            if not changes:
                continue
            result.differing += 1
            codes = _codes(snapshot.decision.causes, decision.causes)
            result.codes.update(codes or [OTHER])
            if not differed and len(result.first) < MOST_TOLD:
                result.first.append(Difference(last, snapshot.t_ms, codes, changes))
            differed = True
    return result


def _remembered(text: bytes | None) -> Judged | None:
    """Return a recorded state of the judge; None where there is none, or today's judge remembers other things."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=Judged)
    except msgspec.DecodeError:
        return None


def _changes(was: Decision, today: Decision, recorded: Iterable[str]) -> tuple[Change, ...]:
    """Return the fields that differ, of those that were recorded."""
    changes = []
    for name in recorded:
        path = name.split(".")[1:]
        before: Any = was
        now: Any = today
        for part in path:
            before, now = getattr(before, part), getattr(now, part)
        if before != now:
            changes.append(Change(".".join(path), before, now))
    return tuple(changes)


def _codes(was: tuple[Cause, ...], today: tuple[Cause, ...]) -> tuple[str, ...]:
    apart = [cause for cause in (*was, *today) if (cause in was) != (cause in today)]
    return tuple(sorted({cause.code for cause in apart}))
