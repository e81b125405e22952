"""What a journal says, for people and as JSON: lists, one visit in full, a comparison with today's judge."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from controller.journal import EventEntry, RunEntry, VisitEntry
from controller.journal_visits import CUT_OFF
from controller.recording import limit_of, measure, trips_of
from controller.replay import OTHER, Change, Replayed
from controller.result import minutes
from safety.signals import Snapshot

SCHEMA: Final = "inversion-table.journal/1"
HEAD: Final = ("N", "began", "plan", "result", "deepest", "inverted", "trips")
# What the text of an event says already, or people have no use for.
UNTOLD: Final = (
    "value",
    "limit",
    "unit",
    "demand",
    "alarm",
    "where",
    "from",
    "to",
    "input",
    "is",
    "session",
    "armed",
    "step",
    "visit",
)
UNITS: Final = {"_cdeg": "cdeg", "_cdeg_s": "cdeg/s", "_ms": "ms", "_s": "s", "_ma": "mA"}
MOST_CHANGES: Final = 3


def listed(visits: Sequence[VisitEntry]) -> list[str]:
    """Return the visits as a table, a line each, the oldest first."""
    rows = [HEAD] + [
        (
            str(visit.number),
            when(visit.began_ms),
            visit.plan or "none",
            result_of(visit),
            deg(visit.deepest_cdeg),
            minutes(visit.inverted_ms / 1000),
            ", ".join(visit.causes) or "none",
        )
        for visit in visits
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = []
    for row in rows:
        cells = [row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def shown(visit: VisitEntry, run: RunEntry, events: Sequence[EventEntry], snapshots: Sequence[Snapshot]) -> list[str]:
    """Return one visit in full: what it came to, and what happened, in order; times count from its first tick."""
    start_ms, end_ms = (snapshots[0].t_ms, snapshots[-1].t_ms) if snapshots else (0, 0)
    lasted = "not ended" if visit.ended_ms is None else f"lasted {minutes((end_ms - start_ms) / 1000)}"
    ticks = visit.last_tick - visit.first_tick + 1
    whole = "whole" if len(snapshots) == ticks else f"of {ticks}; the others are missing"
    trips = trips_of(snapshots)
    lines = [
        f"Visit {visit.number}: {visit.plan or 'no plan'}, {result_of(visit)}",
        f"  began           {when(visit.began_ms, seconds=True)}, {lasted}",
        f"  table           {run.table_id}, profile {run.profile or 'unknown'}, guard: {run.guard or 'unknown'}",
        f"  person          {visit.person or 'unknown'}",
        f"  deepest angle   {deg(visit.deepest_cdeg)}",
        f"  inverted        {minutes(visit.inverted_ms / 1000)} in {visit.sets} set{'' if visit.sets == 1 else 's'}",
        f"  recorded        {len(snapshots)} ticks, {whole}",
        "  trips           none" if not trips else "  trips",
    ]
    for trip in trips:
        cause = trip.cause
        first = "first " if trip.first else "then  "
        figures = f"{measure(cause.value, cause.unit)} (limit {limit_of(cause)})"
        lines.append(
            f"    {first}{cause.code} at {moment(trip.t_ms - start_ms)} in {trip.state.replace('_', ' ')}, by the"
            f" {cause.by}: {figures}, {cause.demand.name}"
        )
    lines += ["", "  what happened"] if events else ["", "  no event was recorded"]
    for event in events:
        who = f" [{event.who}]" if event.who not in ("", "host") else ""
        figures = told_figures(event)
        measured = f" ({figures})" if figures else ""
        lines.append(f"  {moment(event.t_ms - start_ms):>10}  {event.kind:<8} {event.text}{measured}{who}")
    return lines


def told_figures(event: EventEntry) -> str:
    """Return what was measured in an event, with units."""
    said = dict(event.figures)
    told = []
    value, limit, unit = said.get("value"), said.get("limit"), said.get("unit")
    if isinstance(value, int) and isinstance(limit, int) and isinstance(unit, str):
        if measure(value, unit) in event.text:
            return ""
        told.append(f"{measure(value, unit)}, limit {measure(limit, unit)}")
    for name, figure in said.items():
        if name in UNTOLD or figure in (None, "") or (isinstance(figure, str) and figure in event.text):
            continue
        ending = next((end for end in sorted(UNITS, key=len, reverse=True) if name.endswith(end)), "")
        with_unit = measure(figure, UNITS[ending]) if ending and isinstance(figure, int) else str(figure)
        told.append(f"{name.removesuffix(ending).replace('_', ' ')} {with_unit}")
    return ", ".join(told)


def compared(visit: VisitEntry, result: Replayed, start_ms: int) -> list[str]:
    """Return what today's judge says to a visit."""
    if not result.ticks:
        return [f"visit {visit.number}: no tick can be judged again, since no state of the judge was recorded with it"]
    lines = []
    if result.same:
        lines.append(f"visit {visit.number}: {result.ticks} ticks judged again, every decision as it was")
    else:
        by_code = ", ".join(f"{code}: {ticks}" for code, ticks in sorted(result.codes.items()))
        lines.append(
            f"visit {visit.number}: {result.differing} of {result.ticks} ticks would be decided otherwise today"
            f" ({by_code})"
        )
        for difference in result.first:
            codes = " ".join(difference.codes) or OTHER
            lines.append(f"  tick {difference.tick} at {moment(difference.t_ms - start_ms)}, {codes}")
            lines += [f"    {told_change(change)}" for change in difference.changes[:MOST_CHANGES]]
            if len(difference.changes) > MOST_CHANGES:
                lines.append(f"    … and {len(difference.changes) - MOST_CHANGES} more fields")
        lines.append("  Behind the first difference the table would have done otherwise than it was recorded to.")
    if result.unreachable:
        lines.append(
            f"  {result.unreachable} more ticks cannot be judged again: no state of the judge was recorded before them"
        )
    return lines


def told_change(change: Change) -> str:
    """Return one field that differs."""
    return f"{change.name} was {_plain(change.was)}, would be {_plain(change.today)}"


# As JSON -------------------------------------------------------------------------------------------------------------


def visit_json(visit: VisitEntry) -> dict[str, Any]:
    """Return a visit as JSON: labels in UTC, angles in degrees."""
    return {
        "visit": visit.number,
        "run": visit.run,
        "began": iso(visit.began_ms),
        "ended": None if visit.ended_ms is None else iso(visit.ended_ms),
        "plan": visit.plan,
        "person": visit.person,
        "result": visit.result,
        "end_reason": visit.end_reason,
        "sets": visit.sets,
        "deepest_deg": None if visit.deepest_cdeg is None else visit.deepest_cdeg / 100,
        "inverted_s": visit.inverted_ms / 1000,
        "trips": list(visit.causes),
    }


def event_json(event: EventEntry) -> dict[str, Any]:
    """Return an event as JSON."""
    return event._asdict() | {"figures": dict(event.figures)}


def replayed_json(visit: VisitEntry, result: Replayed) -> dict[str, Any]:
    """Return what today's judge says to a visit as JSON."""
    return {
        "schema": SCHEMA,
        "visit": visit.number,
        "same": result.same,
        "ticks": result.ticks,
        "differing": result.differing,
        "unreachable": result.unreachable,
        "codes": dict(result.codes),
        "first": [
            {
                "tick": one.tick,
                "t_ms": one.t_ms,
                "codes": list(one.codes),
                "changes": {
                    change.name: {"was": msgspec.to_builtins(change.was), "today": msgspec.to_builtins(change.today)}
                    for change in one.changes
                },
            }
            for one in result.first
        ],
    }


# Words ---------------------------------------------------------------------------------------------------------------


def result_of(visit: VisitEntry) -> str:
    """Return what a visit came to, in a word or two."""
    if visit.ended_ms is None:
        return "not ended"
    if visit.result == CUT_OFF:
        return "cut off: control ended"
    return f"{visit.result} ({visit.end_reason})" if visit.end_reason not in ("", visit.result) else visit.result


def when(wall_ms: int, seconds: bool = False) -> str:
    """Return a label as people here read it, in the machine's own time zone."""
    moment = datetime.fromtimestamp(wall_ms / 1000, UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z" if seconds else "%Y-%m-%d %H:%M")


def iso(wall_ms: int) -> str:
    """Return a label as ISO 8601, UTC."""
    return datetime.fromtimestamp(wall_ms / 1000, UTC).isoformat(timespec="milliseconds")


def moment(ms: int) -> str:
    """Return a time since the visit's first tick: `+1:07.25`."""
    sign, ms = ("−" if ms < 0 else "+"), abs(ms)
    return f"{sign}{ms // 60_000}:{ms % 60_000 / 1000:05.2f}"


def deg(angle_cdeg: int | None) -> str:
    """Return an angle for people."""
    return "unknown" if angle_cdeg is None else measure(angle_cdeg, "cdeg")


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(str(getattr(one, "code", one)) for one in value) or "nothing"
    if isinstance(value, msgspec.Struct):
        return type(value).__name__
    return getattr(value, "name", None) or str(value)
