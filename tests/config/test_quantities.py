"""Figures with units become exact integers, or are refused in words."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from config.quantities import Quantity, deg, degrees, told, whole

ANGLE = degrees(-6000, -100)


def test_every_hundredth_of_a_degree_is_read_exactly() -> None:
    angle = degrees(-7200, 9200)
    for cdeg in range(-7200, 9201):
        assert angle.convert(cdeg / 100) == cdeg
        assert angle.convert(Decimal(deg(cdeg))) == cdeg


@pytest.mark.parametrize("value", [-60, -60.0, Decimal("-60"), Decimal("-60.000"), Decimal("-6e1")])
def test_a_number_may_be_written_in_any_way(value: Any) -> None:
    assert ANGLE.convert(value) == -6000


@pytest.mark.parametrize(("value", "inside"), [(-60.01, False), (-60.0, True), (-1.0, True), (-0.99, False)])
def test_both_ends_are_allowed_and_nothing_beyond(value: float, inside: bool) -> None:
    if inside:
        assert ANGLE.convert(value) == round(100 * value)
    else:
        with pytest.raises(PydanticCustomError, match=r"the (lowest|highest) allowed"):
            ANGLE.convert(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes or no"),
        (False, "yes or no"),
        ("60", "text"),
        ("", "text"),
        (float("nan"), "no finite number"),
        (float("inf"), "no finite number"),
        (float("-inf"), "no finite number"),
        (Decimal("NaN"), "no finite number"),
        (Decimal("sNaN"), "no finite number"),
        (-20.001, "no whole number of steps of 0.01 °"),
        (Decimal("-20.00000000000000000000000000001"), "no whole number of steps of 0.01 °"),
        (Decimal("1e-999999999"), "too many digits"),
        (Decimal("-20." + "0" * 40), "too many digits"),
        (Decimal("1e999999999"), "far too large"),
        pytest.param(10**5000, "above the highest", id="5001 digits"),
        pytest.param(-(10**5000), "below the lowest", id="minus 5001 digits"),
        (dt.date(2026, 1, 1), "date"),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "date"),
        (dt.time(1, 2), "date or time of day"),
        ({}, "a table"),
        ([1], "a list"),
        (None, "no number"),
        (b"60", "no number"),
        (1j, "no number"),
    ],
)
def test_anything_but_a_number_within_is_refused_in_words(value: Any, words: str) -> None:
    with pytest.raises(PydanticCustomError, match=words):
        ANGLE.convert(value)


@given(st.one_of(st.floats(), st.integers(), st.decimals(), st.text(), st.booleans(), st.none()))
def test_whatever_is_converted_lies_within_and_was_exact(value: Any) -> None:
    try:
        stored = ANGLE.convert(value)
    except PydanticCustomError:
        return
    assert type(stored) is int
    assert -6000 <= stored <= -100
    assert Decimal(stored) == Decimal(str(value)) * 100


def test_whole_units_take_no_fraction() -> None:
    seconds = whole("s", 1, 300)
    assert seconds.convert(60) == seconds.convert(60.0) == 60
    with pytest.raises(PydanticCustomError, match="no whole number of steps of 1 s"):
        seconds.convert(60.5)


def test_the_bound_is_told_in_the_persons_unit() -> None:
    assert ANGLE.bound == "-60 … -1 °"
    assert degrees(-5, 250).bound == "-0.05 … 2.5 °"
    assert Quantity("", 1, 1, 3).bound == "1 … 3"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (-75, "-75"),
        (Decimal("-75.0"), "-75.0"),
        ("a\x1bb", '"a\\x1bb"'),
        pytest.param(16**6000, "a number of more than 30 digits", id="6000 hexadecimal digits"),
        ([1, 2], "a list of 2"),
        ({}, "an empty table"),
        ({"a": 1}, "a table"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (None, "NoneType"),
    ],
)
def test_any_value_can_be_told(value: Any, text: str) -> None:
    assert told(value) == text


def test_a_value_nested_beyond_recursion_can_be_told() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert told(nested) == "a list of 1"
    # Unwound by hand: the interpreter would recurse to free it.
    while nested:
        nested = nested.pop()
