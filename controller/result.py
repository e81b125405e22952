"""What a session came to: the result as JSON (`inversion-table.session/1`), and the summary for people.

Nothing here knows the wall clock: the same session gives the same bytes. Figures of the body are the plant's own
in simulation (`truth` is `plant`), the best reading on a real table (`sensors`).
"""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from controller.recording import Row, Trip, measure
from controller.sentences import message, refusal, what_to_do, wrong
from controller.session import (
    COMPLETED,
    EXIT_COMPLETED,
    EXIT_NOT_LEVEL,
    EXIT_REFUSED,
    EXIT_STOPPED,
    EXIT_TRIPPED,
    LEVEL_CDEG,
    REFUSED,
    STOPPED,
    TRIPPED,
    Outcome,
)

SCHEMA = "inversion-table.session/1"
INVERTED_CDEG = -500
SPEED_WINDOW_MS = 500
WIDTH = 100
MOST_TRIPS_TOLD = 8
_EXITS = {COMPLETED: EXIT_COMPLETED, TRIPPED: EXIT_TRIPPED, REFUSED: EXIT_REFUSED, STOPPED: EXIT_STOPPED}


@dataclass(frozen=True, slots=True)
class Figures:
    """What the body did. Angles are degrees, negative head-down; None where nobody knows."""

    deepest_deg: float | None
    final_deg: float | None
    max_speed_deg_s: float | None
    duration_s: float
    inverted_s: float
    truth: Literal["plant", "sensors"]

    @property
    def home(self) -> bool:
        """Whether the patient ended at level or above it; an unknown angle is neither."""
        return self.final_deg is not None and self.final_deg * 100 >= -LEVEL_CDEG


def figures_of(rows: Sequence[Row]) -> Figures:
    """Work out what the body did from a trace of one or more rows."""
    truth = rows[-1].true_angle_cdeg is not None
    known = [(row.t_ms, angle) for row in rows if (angle := row.angle_cdeg) is not None]
    speeds = [abs(row.true_velocity_cdeg_s) for row in rows if row.true_velocity_cdeg_s is not None]
    inverted_ms = 0
    for (before_ms, _), (t_ms, angle) in pairwise(known):
        if angle < INVERTED_CDEG:
            inverted_ms += t_ms - before_ms
    return Figures(
        deepest_deg=min(angle for _, angle in known) / 100 if known else None,
        final_deg=known[-1][1] / 100 if known and rows[-1].angle_cdeg is not None else None,
        max_speed_deg_s=max(speeds) / 100 if truth and speeds else _fastest(known),
        duration_s=(rows[-1].t_ms - rows[0].t_ms) / 1000,
        inverted_s=inverted_ms / 1000,
        truth="plant" if truth else "sensors",
    )


def _fastest(known: Sequence[tuple[int, int]]) -> float | None:
    """The fastest travel over half a second, which noise of a sensor does not reach."""
    speeds = []
    start = 0
    for t_ms, angle in known:
        while known[start + 1][0] <= t_ms - SPEED_WINDOW_MS:
            start += 1
        then_ms, then = known[start]
        if t_ms - then_ms >= SPEED_WINDOW_MS:
            speeds.append(abs(angle - then) * 1000 / (t_ms - then_ms))
    return round(max(speeds) / 100, 2) if speeds else None


@dataclass(frozen=True, slots=True)
class SessionResult:
    """A session's end, for people and for programs.

    `outcome` is the session's own word; `asked_by` says how a person ended it from outside (`Ctrl-C`), or nothing,
    and `gave_up` why the people stopped trying. `files` maps what was written to names relative to the folder.
    """

    outcome: Outcome
    plan: str
    profile: str
    table: str
    guard: str
    seed: int
    cap_cdeg: int
    manual_return_text: str
    figures: Figures
    trips: tuple[Trip, ...] = ()
    asked_by: str = ""
    gave_up: str = ""
    files: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """What the command ends with; a patient who is left below level comes before everything else."""
        return _EXITS[self.outcome.result] if self.figures.home else EXIT_NOT_LEVEL

    def as_json(self) -> dict[str, Any]:
        """Return the result as INTERFACES promises it; `refusals` is added to that."""
        figures = self.figures
        return {
            "schema": SCHEMA,
            "result": self.outcome.result,
            "end_reason": self.outcome.end_reason,
            "plan": self.plan,
            "profile": self.profile,
            "table": self.table,
            "guard": self.guard,
            "seed": self.seed,
            "cap_deg": self.cap_cdeg / 100,
            "deepest_deg": figures.deepest_deg,
            "final_deg": figures.final_deg,
            "max_speed_deg_s": figures.max_speed_deg_s,
            "duration_s": figures.duration_s,
            "inverted_s": figures.inverted_s,
            "truth": figures.truth,
            "trips": [self._trip(trip) for trip in self.trips],
            "refusals": [
                {"code": cause.code, "value": cause.value, "limit": cause.limit, "unit": cause.unit}
                | {"message": refusal(cause)}
                for cause in self.outcome.refusals
            ],
            "files": self.files,
        }

    def _trip(self, trip: Trip) -> dict[str, Any]:
        cause = trip.cause
        return {
            "code": cause.code,
            "first": trip.first,
            "demand": cause.demand.name,
            "alarm": cause.alarm.name,
            "by": cause.by,
            "state": str(trip.state),
            "at_s": trip.t_ms / 1000,
            "value": cause.value,
            "limit": cause.limit,
            "unit": cause.unit,
            "message": message(cause, self.manual_return_text, trip.moment),
        }

    def json_text(self) -> str:
        """Return the result as one JSON object, readable, without a last newline."""
        return json.dumps(self.as_json(), indent=2, ensure_ascii=False)

    # For people ------------------------------------------------------------------------------------------------------

    @property
    def headline(self) -> str:
        """How it ended, in a sentence without a full stop."""
        result, reason = self.outcome.result, self.outcome.end_reason
        first = next((trip.cause for trip in self.trips if trip.first), None)
        if result == TRIPPED and first is not None:
            told = f"ended by the safety layer: {first.code}, {_lowered(wrong(first.code, first.where, first.demand))}"
        elif result == STOPPED:
            told = f"ended by a person ({self.asked_by or reason})"
        else:
            told = {COMPLETED: "completed as planned", REFUSED: "refused to start"}.get(result, f"ended ({reason})")
        return f"{self.plan} on {self.profile}: {told}"

    @property
    def subtitle(self) -> str:
        """The figures in a line."""
        figures = self.figures
        return (
            f"deepest {_deg(figures.deepest_deg)}, inverted {minutes(figures.inverted_s)}, fastest"
            f" {_deg(figures.max_speed_deg_s)}/s, seed {self.seed}, table {self.table}, guard: {self.guard}"
        )

    def summary(self, folder: str = "", width: int = WIDTH) -> str:
        """Return what a person reads at the end; `folder` is where the files are, `width` how long a line may be."""
        figures = self.figures
        lines = [self.headline + "."]
        if not figures.home:
            lines += [
                "",
                *_wrapped(f"THE PATIENT IS NOT AT LEVEL ({_deg(figures.final_deg)}). {self._act_now()}", width),
                "",
            ]
        lines += [
            f"  deepest angle   {_deg(figures.deepest_deg)} (cap {_deg(self.cap_cdeg / 100)})",
            f"  inverted        {minutes(figures.inverted_s)} of {minutes(figures.duration_s)}",
            f"  fastest         {_deg(figures.max_speed_deg_s)}/s",
            f"  table           {self.table}, guard: {self.guard}, seed {self.seed}",
            f"  patient now     {_deg(figures.final_deg)}, {_where(figures.final_deg)}",
        ]
        lines.append("  trips           none" if not self.trips else "  trips")
        for trip in self.trips[:MOST_TRIPS_TOLD]:
            cause = trip.cause
            at = f"{trip.t_ms / 1000:.2f} s, {trip.state.replace('_', ' ')}"
            told = f"{cause.code} at {at} ({cause.demand.name}): {message(cause, self.manual_return_text, trip.moment)}"
            lines += _wrapped(told, width, "    first  " if trip.first else "    then   ", 11)
        if len(self.trips) > MOST_TRIPS_TOLD:
            lines.append(f"    … and {len(self.trips) - MOST_TRIPS_TOLD} more, all in result.json")
        if self.outcome.refusals:
            lines.append("  refused because")
            for cause in self.outcome.refusals:
                lines += _wrapped(f"{cause.code}: {refusal(cause)}", width, "    ", 4)
        if self.gave_up:
            lines += _wrapped(self.gave_up, width, "  given up        ", 18)
        if folder:
            lines += [
                f"  files           {', '.join(['result.json', *self.files.values()])}",
                f"  in              {folder}",
            ]
        return "\n".join(lines)

    def _act_now(self) -> str:
        """What somebody must do now: what the worst cause asks for, and the way back that needs no power."""
        by_hand = f"Without power: {self.manual_return_text}"
        if not self.trips:
            return f"Hold RETURN until level. {by_hand}"
        worst = max((trip.cause for trip in self.trips), key=lambda cause: cause.demand)
        told = what_to_do(worst, self.manual_return_text)
        return told if self.manual_return_text in told else f"{told} {by_hand}"


def minutes(seconds: float) -> str:
    """Return a time for people: `42 s`, `1 min 22 s`."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _deg(angle_deg: float | None) -> str:
    return "unknown" if angle_deg is None else measure(round(angle_deg * 100), "cdeg")


def _where(angle_deg: float | None) -> str:
    if angle_deg is None:
        return "nobody knows where"
    if abs(angle_deg) * 100 <= LEVEL_CDEG:
        return "at level"
    return "above level" if angle_deg > 0 else "BELOW LEVEL"


def _lowered(words: str) -> str:
    return words[:1].lower() + words[1:]


def _wrapped(words: str, width: int, first: str = "", indent: int = 0) -> list[str]:
    return textwrap.wrap(words, width, initial_indent=first, subsequent_indent=" " * indent, break_on_hyphens=False)
