"""What a trace is: one row a tick, how rows are kept while the table moves, written as CSV and read back.

In a tick `Recorder` only keeps references (about 0.2 µs); text is made afterwards, when nobody waits for it.
Nothing here knows the wall clock, so the same ticks always give the same bytes.
Errors: `TraceError` (an `InversionTableError` and a `ValueError`) for a file that is no trace.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from config.errors import InversionTableError
from safety.signals import (
    BUTTONS,
    PRESENCE,
    RAISE,
    RETURN,
    TILT,
    Alarm,
    Cause,
    Decision,
    Demand,
    Region,
    Signals,
    Snapshot,
)

Truth = Callable[[], tuple[float | None, float | None, str]]
"""What the simulated plant knows of itself now: angle in cdeg, velocity in cdeg/s, active faults joined by `+`."""

MOTION_BUTTONS = (("TILT", TILT), ("RAISE", RAISE), ("RETURN", RETURN))
ALL_BUTTONS = 2 * max(BUTTONS.values())


class TraceError(InversionTableError, ValueError):
    """A file is not a trace; the message says which file, which line and what was expected."""


class Row(NamedTuple):
    """One tick of a session, as a trace holds it; None, or an empty text, is what nobody knows.

    Angles are centidegrees (0 level, negative head-down), velocities centidegrees a second. `true_*` is the
    simulated plant's own word. `causes`, `injected`, `held_button` and `prompts` are joined by `+`, the first
    cause first. `estop`, `strap_*`: `closed`, `open` or `discrepant`. Zero or one: `patient_button` (its
    circuit is open: pressed or broken), `presence` (that button is held), `level_switch` (says "below"), `mains`.
    `lamps` has a bit for each lamp that is lit now (`LAMPS`), `buzzer_hz` is the pitch that sounds now, 0 for none.
    From `set_number` on: columns that only this project's own tools promise to understand.
    """

    t_ms: int
    state: str
    wish_cdeg_s: int
    command_cdeg_s: int
    applied_cdeg_s: int | None
    demand: str
    causes: str
    alarm: str
    angle_a_cdeg: int | None
    angle_b_cdeg: int | None
    true_angle_cdeg: int | None
    true_velocity_cdeg_s: int | None
    brake: str
    drive_power: str
    current_ma: int | None
    strap_left: str
    strap_right: str
    estop: str
    patient_button: int | None
    held_button: str
    presence: int | None
    level_switch: int | None
    mains: int | None
    guard_state: str
    injected: str
    set_number: int | None = None
    planned_cdeg: int | None = None
    cap_cdeg: int | None = None
    judged_angle_cdeg: int | None = None
    inverted_ms: int | None = None
    presence_age_ms: int | None = None
    prompts: str = ""
    lamps: int | None = None
    buzzer_hz: int | None = None

    @property
    def angle_cdeg(self) -> int | None:
        """The best word on where the body is: the plant's own, else the judge's, else either sensor's."""
        for angle in (self.true_angle_cdeg, self.judged_angle_cdeg, self.angle_a_cdeg, self.angle_b_cdeg):
            if angle is not None:
                return angle
        return None


COLUMNS = Row._fields
PROMISED = COLUMNS[: COLUMNS.index("set_number")]
TEXT_COLUMNS = frozenset(name for name, kind in Row.__annotations__.items() if kind is str)


class Moment(NamedTuple):
    """What held when a cause appeared, as far as it changes what is said of it.

    `in_force` is the demand that held then, a cause's own or a worse one, ALLOW where nobody knows; `worst` the code
    that asked for it, empty where a press did. `home`: at level or above, and no return was under way.
    """

    in_force: Demand = Demand.ALLOW
    worst: str = ""
    home: bool = False


UNKNOWN_MOMENT: Final = Moment()


def moment_of(decision: Decision) -> Moment:
    """Return the moment of a decision."""
    demand = decision.demand
    worst = next((cause.code for cause in decision.causes if cause.demand == demand), "")
    return Moment(demand, worst, decision.region in (Region.LEVEL, Region.ABOVE) and not decision.returning)


class Trip(NamedTuple):
    """One cause that stopped the table or brought it back, at the moment it appeared.

    `first` is true when no other such cause was in force then; `state` is the session's state just before.
    """

    cause: Cause
    first: bool
    state: str
    t_ms: int
    moment: Moment = UNKNOWN_MOMENT


_SCALED = {"cdeg": "°", "cdeg/s": "°/s"}
_UNIT = re.compile(r"(cdeg/s|cdeg|ms|s|mA|%)(?![\w/])")
_FIRST_PLURAL = re.compile(r"^(\w{3,})s\b")


def measure(value: int, unit: str) -> str:
    """Return a figure as people read it: centidegrees as degrees, long milliseconds as seconds, `1 sensor`.

    `unit` may say more than a unit (`cdeg prescribed`); what it says is kept.
    """
    sign, size = ("−" if value < 0 else ""), abs(value)
    known = _UNIT.match(unit)
    if known is None:
        counted = _FIRST_PLURAL.sub(r"\1", unit) if size == 1 else unit
        return f"{sign}{size} {counted}"
    rest = unit[known.end() :]
    if known[0] in _SCALED:
        return f"{sign}{size / 100:g}{_SCALED[known[0]]}{rest}"
    if known[0] == "ms" and size >= 1000:
        return f"{sign}{size / 1000:g} s{rest}"
    return f"{sign}{size} {unit}"


def limit_of(cause: Cause) -> str:
    """Return the limit of a cause as people read it: with its unit, but what is counted is not named again."""
    known = _UNIT.match(cause.unit)
    return measure(cause.limit, known[0]) if known else str(cause.limit)


class Recorder:
    """Keeps every tick of one session, in order; give `recorder.observe` to the control loop.

    `truth` is asked in each tick for what the plant knows of itself; without it the truth stays unknown.
    """

    def __init__(self, truth: Truth | None = None) -> None:
        """Begin with nothing kept."""
        self.snapshots: list[Snapshot] = []
        self._truths: list[tuple[float | None, float | None, str]] = []
        keep, keep_truth, ask = self.snapshots.append, self._truths.append, truth or _nobody_knows

        def observe(snapshot: Snapshot) -> None:
            """Keep one tick."""
            keep(snapshot)
            keep_truth(ask())

        # A closure over the bound methods: 0.1 µs a tick, where a method that looks them up takes 0.3.
        self.observe: Callable[[Snapshot], None] = observe

    def rows(self) -> list[Row]:
        """Return the trace so far, one row a tick."""
        return list(rows_of(self.snapshots, self._truths))

    def trips(self) -> list[Trip]:
        """Return each cause that demanded STOP or worse, in the order in which they appeared."""
        return trips_of(self.snapshots)


def _nobody_knows() -> tuple[None, None, str]:
    return None, None, ""


def _held_names() -> list[tuple[str, str]]:
    """What `held_button` says for each set of buttons, without and with the patient's own."""
    names = []
    for buttons in range(ALL_BUTTONS):
        held = [name for name, bit in MOTION_BUTTONS if buttons & bit]
        names.append(("+".join(held) or "none", "+".join([*held, "PATIENT"])))
    return names


_HELD = _held_names()
_CONTACTS = ("closed", "open", "discrepant")
_DEMANDS = tuple(demand.name for demand in Demand)
_ALARMS = ("", *(alarm.name for alarm in Alarm if alarm))
_BRAKE = ("released", "set")
_POWER = ("off", "on")
_LINE = ",".join(["%s"] * len(COLUMNS)) + "\n"
_NEEDS_CARE = re.compile('[",\\r\\n]|None')


def rows_of(snapshots: Iterable[Snapshot], truths: Iterable[tuple[float | None, float | None, str]]) -> Iterator[Row]:
    """Yield the row of each tick; the fields are spelt out in one place because 26,000 of them are made at once."""
    contacts, demands, alarms, held, brake, power = _CONTACTS, _DEMANDS, _ALARMS, _HELD, _BRAKE, _POWER
    row, presence = Row._make, PRESENCE
    seen_causes: tuple[Cause, ...] = ()
    seen_signals: Signals | None = None
    causes, lamps, buzzer_hz = "", 0, 0
    for snapshot, (true_angle, true_velocity, injected) in zip(snapshots, truths, strict=True):
        said, wish, decision = snapshot.readings, snapshot.wish, snapshot.decision
        if snapshot.signals is not seen_signals:
            seen_signals = snapshot.signals
            lamps, buzzer_hz = seen_signals.lamps, seen_signals.buzzer_hz
        if decision.causes is not seen_causes:
            seen_causes = decision.causes
            causes = "+".join([cause.code for cause in seen_causes])
        armed, guard, buttons, patient = decision.armed, said.guard, said.buttons, said.patient_button
        left, right, estop = said.strap_left, said.strap_right, said.estop
        yield row(
            (
                snapshot.t_ms,
                wish.state,
                wish.velocity_cdeg_s,
                decision.command.velocity_cdeg_s,
                said.applied_cdeg_s,
                demands[decision.demand],
                causes,
                alarms[decision.alarm],
                said.angle_a_cdeg,
                said.angle_b_cdeg,
                None if true_angle is None else round(true_angle),
                None if true_velocity is None else round(true_velocity),
                "" if said.brake_set is None else brake[said.brake_set],
                "" if said.drive_power is None else power[said.drive_power],
                said.current_ma,
                "" if left is None else contacts[left],
                "" if right is None else contacts[right],
                "" if estop is None else contacts[estop],
                None if patient is None else +patient,
                "" if buttons is None else held[buttons][bool(patient)],
                None if buttons is None else 1 if buttons & presence else 0,
                None if said.level_switch is None else +said.level_switch,
                None if said.mains is None else +said.mains,
                "" if guard is None else guard.state,
                injected,
                wish.set_number,
                wish.planned_cdeg,
                None if armed is None else armed.cap_cdeg,
                decision.angle_cdeg,
                decision.inverted_ms,
                decision.presence_ms,
                "+".join(decision.prompts) if decision.prompts else "",
                lamps,
                buzzer_hz,
            )
        )


def trips_of(snapshots: Iterable[Snapshot]) -> list[Trip]:
    """Return each cause that demanded STOP or worse, once for each time it appeared or grew worse."""
    trips: list[Trip] = []
    worst: dict[tuple[str, str], Demand] = {}
    seen: tuple[Cause, ...] = ()
    before = ""
    for snapshot in snapshots:
        causes = snapshot.decision.causes
        if causes is not seen:
            seen = causes
            if worst:
                here = {(cause.code, cause.by) for cause in causes}
                worst = {key: demand for key, demand in worst.items() if key in here}
            for cause in causes:
                key = (cause.code, cause.by)
                if cause.demand >= Demand.STOP and cause.demand > worst.get(key, Demand.ALLOW):
                    state = before or snapshot.wish.state
                    trips.append(Trip(cause, not worst, state, snapshot.t_ms, moment_of(snapshot.decision)))
                    worst[key] = cause.demand
        before = snapshot.wish.state
    return trips


def csv_text(rows: Sequence[Row]) -> str:
    """Return the trace as CSV text: a header, one line a row, lines ended by a single newline."""
    spoken = {(row.causes, row.injected, row.prompts) for row in rows}
    if _NEEDS_CARE.search("+".join(["+".join(texts) for texts in sorted(spoken)])) is None:
        # One format operation a row takes half of what csv.writer does; every other text is one of our own words.
        line = _LINE
        return ",".join(COLUMNS) + "\n" + "".join([line % row for row in rows]).replace("None", "")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return out.getvalue()


def write_trace(path: Path, rows: Sequence[Row]) -> None:
    """Write the trace to `path`, UTF-8. Raises OSError where the file cannot be written."""
    path.write_text(csv_text(rows), encoding="utf-8", newline="")


def read_trace(path: Path) -> list[Row]:
    """Return the rows of a trace file; columns that follow the promised ones may be missing or unknown.

    Raises:
        OSError: the file cannot be read.
        TraceError: the file is no trace, or one that was cut or damaged; with the line and the column.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TraceError(f"{path} is not a trace: not UTF-8 text at byte {error.start}") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, None)
        if not header:
            raise TraceError(f"{path} is not a trace: it is empty")
        picks = _picks(path, header)
        rows = []
        last_ms = None
        for fields in reader:
            if len(fields) != len(header):
                raise TraceError(
                    f"{path}, line {reader.line_num}: {len(fields)} fields where the header names {len(header)};"
                    " the file was cut or changed"
                )
            row = _row(path, reader.line_num, fields, picks)
            if last_ms is not None and row.t_ms <= last_ms:
                raise TraceError(f"{path}, line {reader.line_num}: t_ms goes from {last_ms} to {row.t_ms}, not forward")
            last_ms = row.t_ms
            rows.append(row)
    except csv.Error as error:
        raise TraceError(f"{path}, line {reader.line_num}: not CSV ({error})") from error
    if not rows:
        raise TraceError(f"{path} is a trace without a single row")
    return rows


def _picks(path: Path, header: list[str]) -> list[int]:
    """Where each column of a row stands in the file; a missing one that only we promise is −1."""
    where = {name: index for index, name in reversed(list(enumerate(header)))}
    missing = [name for name in PROMISED if name not in where]
    if missing:
        raise TraceError(f"{path} is not a trace: its header has no {', '.join(missing)}")
    return [where.get(name, -1) for name in COLUMNS]


def _row(path: Path, line: int, fields: list[str], picks: list[int]) -> Row:
    values: list[Any] = []
    for name, index in zip(COLUMNS, picks, strict=True):
        text = fields[index] if index >= 0 else ""
        if name in TEXT_COLUMNS:
            values.append(text)
        elif text == "":
            values.append(None)
        else:
            try:
                values.append(int(text))
            except ValueError as error:
                raise TraceError(f"{path}, line {line}: {name} is {text[:40]!r}, not a whole number") from error
    if values[0] is None:
        raise TraceError(f"{path}, line {line}: t_ms is empty")
    return Row._make(values)
