"""Figures with units: what a person writes in TOML becomes an exact integer, or is refused in words.

TOML holds degrees, seconds, milliamperes; the models hold centidegrees and other integers. Nothing is rounded: a
figure that is no whole number of the stored unit is refused, so that what is written is what is judged.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from config.errors import shorten

# Beyond these a decimal is refused before any arithmetic: `1e-999999999` would fill the memory.
_MOST_DIGITS_BEFORE_POINT = 18
_MOST_DIGITS_AFTER_POINT = 30
_LARGEST_PRINTED = 10**30


def told(value: object) -> str:
    """Return a value from a TOML file as short text, whatever it is."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            # Python refuses to print integers of more than 4,300 digits.
            return str(value) if abs(value) < _LARGEST_PRINTED else "a number of more than 30 digits"
        case str():
            return f'"{shorten(value)}"'
        case dict():
            return "a table" if value else "an empty table"
        case list() | tuple():
            return f"a list of {len(value)}"
        case Decimal() | float() | dt.date() | dt.time():
            return shorten(str(value), 30)
        case _:
            return type(value).__name__


def _fraction(value: object) -> Fraction:
    """Return a TOML number exactly, or raise the sentence that says what it is instead."""
    match value:
        case bool():
            raise PydanticCustomError("quantity", "is a yes or no, a number is wanted")
        case str():
            raise PydanticCustomError("quantity", "is text, a number is wanted (without quotes)")
        case int():
            return Fraction(value)
        case float() | Decimal():
            # The shortest decimal that gives this float is what the person wrote.
            number = value if isinstance(value, Decimal) else Decimal(repr(value))
            if not number.is_finite():
                raise PydanticCustomError("quantity", "is no finite number")
            exponent = number.as_tuple().exponent
            if number.adjusted() > _MOST_DIGITS_BEFORE_POINT:
                raise PydanticCustomError("quantity", "is far too large")
            if not isinstance(exponent, int) or exponent < -_MOST_DIGITS_AFTER_POINT:
                raise PydanticCustomError("quantity", "has too many digits after the point")
            return Fraction(number)
        case dt.date() | dt.time():
            raise PydanticCustomError("quantity", "is a date or time of day, a number is wanted")
        case dict():
            raise PydanticCustomError("quantity", "is a table, a number is wanted")
        case list() | tuple():
            raise PydanticCustomError("quantity", "is a list, a number is wanted")
        case _:
            raise PydanticCustomError("quantity", "is no number")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A figure of one unit between two ends, both included, as metadata of an `int` field.

    `unit` is what a person reads and `scale` how many stored integers make one of it; `low` and `high` are in
    stored integers.
    """

    unit: str
    scale: int
    low: int
    high: int

    @property
    def bound(self) -> str:
        """What is allowed, in the person's unit."""
        return f"{self.span} {self.unit}".rstrip()

    @property
    def span(self) -> str:
        """The same without its unit."""
        return f"{self.shown(self.low)} … {self.shown(self.high)}"

    def shown(self, stored: int) -> str:
        """Return a stored integer in the person's unit, without superfluous zeros."""
        if self.scale == 1:
            return str(stored)
        return f"{Decimal(stored) / self.scale:f}"

    def convert(self, value: object) -> int:
        """Return the stored integer.

        Raises:
            PydanticCustomError: no finite number, no whole number of the stored unit, or outside the ends.
        """
        stored = _fraction(value) * self.scale
        if stored.denominator != 1:
            step = f"{self.shown(1)} {self.unit}".rstrip()
            raise PydanticCustomError("quantity", "is no whole number of steps of {step}", {"step": step})
        whole = stored.numerator
        if not self.low <= whole <= self.high:
            which = "below the lowest" if whole < self.low else "above the highest"
            raise PydanticCustomError("quantity", "is {which} allowed", {"which": which})
        return whole

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic call `convert` and nothing else."""
        return core_schema.no_info_plain_validator_function(self.convert)


def degrees(low_cdeg: int, high_cdeg: int) -> Quantity:
    """Degrees, kept as centidegrees."""
    return Quantity("°", 100, low_cdeg, high_cdeg)


def degrees_per_second(low_cdeg_s: int, high_cdeg_s: int) -> Quantity:
    """Degrees a second, kept as centidegrees a second."""
    return Quantity("°/s", 100, low_cdeg_s, high_cdeg_s)


def degrees_per_second2(low_cdeg_s2: int, high_cdeg_s2: int) -> Quantity:
    """Degrees a second, each second; kept as centidegrees."""
    return Quantity("°/s²", 100, low_cdeg_s2, high_cdeg_s2)


def whole(unit: str, low: int, high: int) -> Quantity:
    """A whole number of any unit, kept as it is."""
    return Quantity(unit, 1, low, high)


def toml_key(name: str) -> str:
    """Return the key in TOML for the field of a model: the person writes degrees where we keep centidegrees."""
    return name.replace("_cdeg", "_deg")


class Model(BaseModel):
    """A table of TOML: strict types, unknown keys refused, never changed once made."""

    # The plugin cannot follow a computed alias; the models are made from TOML, never by keywords.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=toml_key)  # type: ignore[pydantic-alias]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Values that are each allowed and together are not; `keys` are dotted as in TOML, the first is to blame."""

    keys: tuple[str, ...]
    value: str
    bound: str
    message: str


def refuse(found: list[Contradiction]) -> None:
    """Raise one error with every contradiction, for pydantic to carry; nothing if there is none."""
    if found:
        text = "; ".join(f"{one.keys[0]} = {one.value}: {one.message} (allowed: {one.bound})" for one in found)
        raise PydanticCustomError("contradiction", "{text}", {"text": text, "found": found})


def deg(stored_cdeg: int) -> str:
    """Return centidegrees (or centidegrees a second) as degrees, such as `-45` or `0.5`."""
    return f"{Decimal(stored_cdeg) / 100:f}"
