"""Read profiles, plans, screening lists and declarations, by name or from a file, with every mistake told at once."""

import functools
import os
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from config import declared as declarations
from config import plan as plans
from config import profile as profiles
from config import screening as screenings
from config.declared import Declared
from config.errors import ConfigurationError, Problem, nearest, shorten
from config.limits import Limits
from config.mistakes import from_contradiction, problems_of
from config.names import Source, file_source, find, shipped_file
from config.plan import Plan
from config.profile import Profile
from config.quantities import Model, told
from config.reading import parse, read_shipped
from config.screening import Screening

DEFAULT_PROFILE: Final = "simulated"
FORMATS: Final[dict[str, type[Model]]] = {
    profiles.FORMAT: Profile,
    plans.FORMAT: Plan,
    screenings.FORMAT: Screening,
    declarations.FORMAT: Declared,
}
# One file of each kind that is right: what stands in for a wrong value when the others are looked at.
_RIGHT: Final[dict[type[Model], tuple[str, ...]]] = {
    Profile: ("profiles", "simulated.toml"),
    Plan: ("plans", "first-visit.toml"),
    Screening: ("screening.toml",),
    Declared: ("declared.toml",),
}
# A profile with a table of pins; the other one has none to offer.
_PINS: Final = ("profiles", "pi-gpio.toml")
_Loaded = TypeVar("_Loaded", bound=Model)


def load_profile(name_or_path: str | os.PathLike[str] = DEFAULT_PROFILE) -> Profile:
    """Return a profile by its name or from a file.

    Raises:
        UnknownNameError: no file is meant and no profile has this name.
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    return load_source(Profile, find("profile", name_or_path))


def load_plan(name_or_path: str | os.PathLike[str], limits: Limits | None = None) -> Plan:
    """Return a plan by its name or from a file; with `limits`, one that they allow.

    Raises:
        UnknownNameError: no file is meant and no plan has this name.
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    source = find("plan", name_or_path)
    plan = load_source(Plan, source)
    if limits is not None:
        check_plan(plan, limits, source.label)
    return plan


def check_plan(plan: Plan, limits: Limits, label: str = "") -> None:
    """Refuse a plan that a table's limits do not allow; `label` is the file that messages name.

    Raises:
        ConfigurationError: with every limit that is exceeded.
    """
    found = plan.contradictions(limits, "this table's limit")
    problems = [from_contradiction(one, label or plan.name) for one in found]
    if problems:
        raise ConfigurationError(problems)


@functools.cache
def load_screening() -> Screening:
    """Return the shipped screening list.

    Raises:
        ConfigurationError: the installation is broken.
    """
    return load_source(Screening, Source("screening.toml", "", "shipped", shipped_file("screening.toml")))


def load_declared(path: str | os.PathLike[str]) -> Declared:
    """Return what a supervisor declared in a file.

    Raises:
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    return load_source(Declared, file_source(path))


def load_file(path: str | os.PathLike[str]) -> Profile | Plan | Screening | Declared:
    """Return whatever of ours a file holds, by its `format` line.

    Raises:
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    source = file_source(path)
    data = parse(source.read(), source.label)
    model = FORMATS.get(_format_of(data))
    if model is None:
        raise ConfigurationError([_format_problem(source.label, data, list(FORMATS))])
    loaded = _validated(model, data, source)
    assert isinstance(loaded, Profile | Plan | Screening | Declared)
    return loaded


def load_source(model: type[_Loaded], source: Source) -> _Loaded:
    """Return one source as one model.

    Raises:
        ConfigurationError: the file cannot be used; it carries every reason.
    """
    data = parse(source.read(), source.label)
    wanted = next(text for text, one in FORMATS.items() if one is model)
    if _format_of(data) != wanted:
        raise ConfigurationError([_format_problem(source.label, data, [wanted])])
    return _validated(model, data, source)


@functools.cache
def _right(*parts: str) -> dict[str, Any]:
    """Return a shipped file that is right; read once, since the control process asks in the middle of its work."""
    return parse(read_shipped(shipped_file(*parts)), "shipped")


def _format_of(data: dict[str, Any]) -> str:
    value = data.get("format")
    return value if isinstance(value, str) else ""


def _format_problem(label: str, data: dict[str, Any], wanted: list[str]) -> Problem:
    """Say what is wrong with the `format` line."""
    bound = " or ".join(f'"{one}"' for one in wanted)
    if "format" not in data:
        near = nearest("format", data)
        message = f"the line is missing{f' (there is a key {shorten(near)})' if near else ''}"
        return Problem(label, "format", "", bound, message)
    value = _format_of(data)
    if value in FORMATS:
        return Problem(label, "format", told(value), bound, f"this is a {FORMATS[value].__name__.lower()}")
    near = nearest(value, wanted)
    return Problem(label, "format", told(data["format"]), bound, "is no format of ours", near and f'"{near}"')


def plan_of(data: dict[str, Any], label: str) -> Plan:
    """Return the plan that came as data, not as a file; `label` is what messages call it.

    Raises:
        ConfigurationError: it cannot be used; it carries every reason.
    """
    if _format_of(data) != plans.FORMAT:
        raise ConfigurationError([_format_problem(label, data, [plans.FORMAT])])
    return _validated(Plan, data, Source(label, "", "file", shipped_file("plans")))


def _validated(model: type[_Loaded], data: dict[str, Any], source: Source) -> _Loaded:
    """Return the model, or raise every problem of the file at once."""
    problems: list[Problem] = []
    # Found by its file's name, so the name inside must be the same, or messages and records would tell another.
    if source.name and isinstance(data.get("name"), str) and data["name"] != source.name:
        problems.append(
            Problem(source.label, "name", told(data["name"]), f'"{source.name}"', "differs from the file's own name")
        )
    try:
        loaded = model.model_validate(data)
    except ValidationError as error:
        right = _right(*(_PINS if model is Profile and "gpio" in data else _RIGHT[model]))
        problems.extend(problems_of(model, data, error, right, source.label))
        raise ConfigurationError(problems) from None
    if problems:
        raise ConfigurationError(problems)
    return loaded
