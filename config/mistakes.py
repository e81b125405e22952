"""The mistakes of a file in words, all of them at once.

pydantic stops at the values that are wrong and does not look at what they contradict. So wrong values are replaced
by those of a file that is right, and the whole is looked at again: contradictions among the rest are told too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from config.errors import Problem, nearest, shorten
from config.keys import Location, bound_of, choices, dotted, field_at, keys_of, submodel, table_at, walk
from config.quantities import Contradiction, Model, told
from config.words import NAME

_WORDS: Final = {
    "string_type": "text in quotes is wanted",
    "bool_type": "true or false is wanted (without quotes)",
    "date_type": "a date is wanted, such as 2026-07-14 (without quotes)",
    "dict_type": "a table is wanted",
    "tuple_type": "a list is wanted",
    "model_type": "a table is wanted",
    "model_attributes_type": "a table is wanted",
}
_LENGTHS: Final = {
    "string_too_short": ("min_length", "at least {} characters", "is too short"),
    "string_too_long": ("max_length", "up to {} characters", "is too long"),
    "too_short": ("min_length", "at least {} entries", "is too short"),
    "too_long": ("max_length", "up to {} entries", "is too long"),
}


def problems_of(
    model: type[Model], data: dict[str, Any], error: ValidationError, right: Mapping[str, Any], label: str
) -> Iterator[Problem]:
    """Yield a problem for every error and every contradiction among values that are not wrong themselves.

    `data` is what the file holds, `error` what pydantic said of it, `right` a file of this kind that is right, `label`
    what messages call the file.
    """
    errors = _without_echoes(error.errors(include_url=False))
    wrong = [one["loc"] for one in errors if one["type"] != "contradiction"]
    for one in errors:
        if one["type"] != "contradiction":
            yield _from_error(model, one, label)
    if wrong:
        errors = _second_look(model, data, wrong, right)
    for one in errors:
        if one["type"] == "contradiction":
            for found in one["ctx"]["found"]:
                if not any(_touches(key, dotted(place)) for key in found.keys for place in wrong):
                    yield from_contradiction(found, label)


def _without_echoes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out that a list is too short where one of its entries is wrong: pydantic counts the right ones only."""
    lists = {one["loc"][:-1] for one in errors}
    return [one for one in errors if one["type"] != "too_short" or one["loc"] not in lists]


def from_contradiction(found: Contradiction, label: str) -> Problem:
    """Return a contradiction as a problem of one file."""
    return Problem(label, found.keys[0], found.value, found.bound, found.message)


def _touches(key: str, wrong: str) -> bool:
    """Tell whether a key is wrong itself, or lies in a table that is, or holds one that is."""
    return key == wrong or key.startswith(f"{wrong}.") or wrong.startswith(f"{key}.")


def _second_look(
    model: type[Model], data: dict[str, Any], wrong: list[Location], right: Mapping[str, Any]
) -> list[ErrorDetails]:
    """Validate again with every wrong value replaced by a right one; return the errors that come then."""
    mended = dict(data)
    for place in wrong:
        _mend(mended, right, place)
    try:
        model.model_validate(mended)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _mend(data: dict[str, Any], right: Mapping[str, Any], place: Location) -> None:
    """Put the right value where `place` points, or remove what stands there; only `data` itself is changed."""
    here, there = data, right
    for depth, step in enumerate(place[:-1], start=1):
        inner = here.get(str(step))
        if not isinstance(inner, dict):
            # A list with a wrong entry is replaced as a whole.
            place = place[:depth]
            break
        # Copied step by step: a hostile file may be nested beyond what a deep copy bears.
        here[str(step)] = here = dict(inner)
        beside = there.get(str(step))
        there = beside if isinstance(beside, dict) else {}
    last = str(place[-1])
    here.pop(last, None)
    if last in there:
        here[last] = there[last]


def _from_error(model: type[Model], error: ErrorDetails, label: str) -> Problem:
    """Put one of pydantic's errors into our words."""
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return _unknown_key(model, place, label)
    key, value = dotted(place), told(error["input"])
    field = field_at(model, place)
    bound = bound_of(field)
    if kind == "missing":
        return Problem(label, key, "", bound, "is missing")
    if kind == "literal_error" and field is not None:
        near = nearest(error["input"], choices(field.annotation)) if isinstance(error["input"], str) else ""
        return Problem(label, key, value, bound, "is none of the known words", near)
    if kind == "string_pattern_mismatch":
        if error.get("ctx", {}).get("pattern") == NAME:
            bound = "small letters, digits and single hyphens, such as first-visit"
            return Problem(label, key, value, bound, "has not the form of a name")
        return Problem(label, key, value, "one line of printable characters", "cannot be shown as it is")
    if kind in _LENGTHS:
        end, length, message = _LENGTHS[kind]
        return Problem(label, key, value, length.format(error.get("ctx", {}).get(end)), message)
    return Problem(label, key, value, bound, _WORDS.get(kind, shorten(error["msg"], 200)))


def _unknown_key(model: type[Model], place: Location, label: str) -> Problem:
    """Name the nearest known key with its unit: one of another table that is called just so, of this table, of any."""
    table = table_at(model, place[:-1])
    name = str(place[-1])
    here = [] if table is None else list(keys_of(table))
    leaves = {path.rpartition(".")[2]: path for path, one in walk(model) if submodel(one) is None}
    near = "" if name in leaves else nearest(name, here)
    if near:
        field = field_at(model, (*place[:-1], near))
    else:
        near = leaves.get(nearest(name, leaves), "")
        field = field_at(model, tuple(near.split(".")))
    bound = bound_of(field)
    guess = f"{near} ({bound})" if bound else near
    known = "" if near else f"; known here: {', '.join(here)}"
    return Problem(label, dotted(place), "", "", f"is no known key{known}", guess)
