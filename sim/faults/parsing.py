"""Reading a fault as it is written: `NAME@WHEN[+DURATION][:key=value,…]`.

WHEN is a time from the first motion below level (`40s`, `0.25s`), or a state of the session and, if wanted, a
time in it (`holding`, `holding+5s`); DURATION a time; both in steps of 10 ms. Numbers may carry their unit.
Whatever is wrong raises `FaultError` (a `UsageError` and a `ValueError`) with one sentence.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from config.errors import nearest, shorten
from safety.signals import State
from sim.faults.kinds import Fault, FaultError, FaultKind, Parameter, Value, When

STEP_MS = 10
LONGEST_MS = 24 * 3600 * 1000
_TIME = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)s", re.ASCII)
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))(.*)", re.ASCII)
_FORM = "NAME@WHEN[+DURATION][:key=value,…]"
_STATES = {str(state): state for state in State}


def parse_fault(text: str, kinds: Mapping[str, FaultKind]) -> Fault:
    """Read one fault as the command line has it.

    Raises:
        FaultError: with what is wrong, what is allowed and, for a name, the nearest known one.
    """
    head, values = _split(text)
    name, at, when = head.partition("@")
    kind = _kind(name, kinds)
    if not at or not when:
        raise FaultError(f'the fault "{shorten(text)}" does not say when it comes: write {_FORM}, such as {name}@40s')
    moment, duration_ms = _moment(kind, when)
    return Fault(kind, moment, duration_ms, _values(kind, values))


def parse_fault_now(text: str, kinds: Mapping[str, FaultKind]) -> Fault:
    """Read a fault that begins at once, `NAME[+DURATION][:key=value,…]`, as `Hands.inject` takes it.

    Raises:
        FaultError: as `parse_fault`; also for a fault that has to be there from the start.
    """
    head, values = _split(text)
    name, plus, lasts = head.partition("+")
    if "@" in name:
        raise FaultError(
            f'the fault "{shorten(text)}" begins now, so it takes no @WHEN: write {name.partition("@")[0]}'
        )
    kind = _kind(name, kinds)
    if kind.at_boot:
        raise FaultError(f"{kind.name} must be there from the start: give it as {kind.name}@idle")
    return Fault(kind, When(None), _duration(kind, lasts) if plus else None, _values(kind, values))


def _split(text: str) -> tuple[str, str]:
    head, colon, values = text.partition(":")
    if colon and not values:
        raise FaultError(f'the fault "{shorten(text)}" ends in a colon: write {_FORM}')
    return head, values


def _kind(name: str, kinds: Mapping[str, FaultKind]) -> FaultKind:
    kind = kinds.get(name)
    if kind is None:
        near = nearest(name, kinds)
        hint = f"did you mean {near}?" if near else "`inversion-table faults` lists them"
        raise FaultError(f'there is no fault "{shorten(name)}"; {hint}')
    return kind


def _moment(kind: FaultKind, text: str) -> tuple[When, int | None]:
    """Read WHEN[+DURATION]; after a state, one time is the time in it, and a second one the duration."""
    first, *rest = text.split("+")
    state = _STATES.get(first)
    if state is None:
        if not _TIME.fullmatch(first):
            near = nearest(first, _STATES)
            hint = f"did you mean {near}?" if near and first[:1].isalpha() else f"states are {', '.join(_STATES)}"
            raise FaultError(f'{kind.name}: "{shorten(first)}" is neither a time such as 40s nor a state; {hint}')
        when, lasts = When(None, _time(kind, first, "the time")), rest
    else:
        offset_ms = _time(kind, rest[0], "the time") if rest else 0
        when, lasts = When(state, offset_ms), rest[1:]
    if len(lasts) > 1:
        raise FaultError(f'{kind.name}: "{shorten(text)}" has more than a moment and a duration: write {_FORM}')
    if kind.at_boot and (when != When(State.IDLE) or lasts):
        raise FaultError(f"{kind.name} must be there from the start: write {kind.name}@idle")
    return when, _duration(kind, lasts[0]) if lasts else None


def _duration(kind: FaultKind, text: str) -> int:
    if kind.momentary:
        raise FaultError(f"{kind.name} happens at one moment and takes no duration")
    duration_ms = _time(kind, text, "the duration")
    if duration_ms == 0:
        raise FaultError(f"{kind.name}: a duration of 0s is none; the shortest is {STEP_MS / 1000:g}s")
    return duration_ms


def _time(kind: FaultKind, text: str, what: str) -> int:
    matched = _TIME.fullmatch(text)
    if not matched:
        raise FaultError(f'{kind.name}: {what} "{shorten(text)}" is no time; write seconds, such as 40s or 0.25s')
    if matched[1] == "-":
        raise FaultError(f"{kind.name}: {what} {text} is negative; a fault cannot come before it begins")
    milliseconds = Decimal(matched[2]) * 1000
    if milliseconds > LONGEST_MS:
        raise FaultError(f"{kind.name}: {what} {shorten(text)} is longer than a day ({LONGEST_MS // 1000}s)")
    if milliseconds % STEP_MS:
        raise FaultError(f"{kind.name}: {what} {shorten(text)} is not a multiple of {STEP_MS} ms, the table's tick")
    return int(milliseconds)


def _values(kind: FaultKind, text: str) -> dict[str, Value]:
    """Return every parameter of the kind, those of `text` as chosen there."""
    known = {parameter.name: parameter for parameter in kind.parameters}
    values = {parameter.name: parameter.default for parameter in kind.parameters}
    given: set[str] = set()
    for pair in text.split(",") if text else ():
        key, equals, value = pair.partition("=")
        if not equals or not value:
            raise FaultError(f'{kind.name}: "{shorten(pair)}" is not key=value')
        parameter = known.get(key)
        if parameter is None:
            near = nearest(key, known)
            listed = f"its parameters are {', '.join(known)}" if known else "it has none"
            raise FaultError(
                f'{kind.name} has no parameter "{shorten(key)}"; ' + (f"did you mean {near}?" if near else listed)
            )
        if key in given:
            raise FaultError(f"{kind.name}: {key} is given twice")
        given.add(key)
        values[key] = _value(kind, parameter, value)
    return values


def _value(kind: FaultKind, parameter: Parameter, text: str) -> Value:
    name = f"{kind.name}: {parameter.name} = {shorten(text)}"
    if parameter.choices:
        if text not in parameter.choices:
            raise FaultError(f"{name} is none of {', '.join(parameter.choices)}")
        return text
    matched = _NUMBER.fullmatch(text)
    if not matched:
        raise FaultError(f"{name} is no number{_in(parameter)}")
    if matched[2].strip() not in ("", parameter.unit):
        raise FaultError(f'{name} has the unit "{shorten(matched[2].strip())}", but it is told{_in(parameter)}')
    number = Decimal(matched[1])
    if not parameter.low <= float(number) <= parameter.high:
        raise FaultError(f"{name} lies outside {parameter.low:g} … {parameter.high:g}{_in(parameter)}")
    if isinstance(parameter.default, int):
        if number != number.to_integral_value():
            raise FaultError(f"{name} must be a whole number{_in(parameter)}")
        return int(number)
    return float(number)


def _in(parameter: Parameter) -> str:
    return f" in {parameter.unit}" if parameter.unit else ""
