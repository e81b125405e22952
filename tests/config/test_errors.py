"""The tree of errors: every leaf is a builtin too, and knows the exit code that it means."""

import pickle

import pytest

from config import errors
from config.errors import (
    ConfigurationError,
    DeviceMissingError,
    IllegalStepError,
    InversionTableError,
    Problem,
    RefusedError,
    TooLateError,
    UnknownNameError,
    UsageError,
    nearest,
    shorten,
)

TREE = [
    (UsageError, ValueError, 2),
    (UnknownNameError, LookupError, 2),
    (ConfigurationError, ValueError, 2),
    (RefusedError, RuntimeError, 4),
    (DeviceMissingError, OSError, 5),
    (IllegalStepError, RuntimeError, 1),
    (TooLateError, TimeoutError, 1),
]


@pytest.mark.parametrize(("leaf", "builtin", "exit_code"), TREE)
def test_a_leaf_is_a_builtin_and_carries_its_exit_code(
    leaf: type[InversionTableError], builtin: type[Exception], exit_code: int
) -> None:
    assert issubclass(leaf, InversionTableError)
    assert issubclass(leaf, builtin)
    assert leaf.exit_code == exit_code
    assert leaf.__name__ in (errors.__doc__ or "")


def test_no_leaf_is_missing_here() -> None:
    ours = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, InversionTableError)}
    assert ours == {leaf for leaf, _, _ in TREE} | {InversionTableError}


def test_a_problem_is_one_line_with_file_key_value_bound_and_nearest_key() -> None:
    problem = Problem("table.toml", "drive.stall_ma", "90000", "100 … 60000 mA", "is above the highest allowed")
    assert str(problem) == "table.toml: drive.stall_ma = 90000: is above the highest allowed (allowed: 100 … 60000 mA)"
    typo = Problem("table.toml", "drive.stall", "", "", "is no known key", "stall_ma (100 … 60000 mA)")
    assert str(typo) == "table.toml: drive.stall: is no known key; did you mean stall_ma (100 … 60000 mA)?"
    assert str(Problem("table.toml", "", "", "", "is empty")) == "table.toml: is empty"


def test_a_configuration_error_has_a_line_for_each_problem() -> None:
    error = ConfigurationError([Problem("a", "k", "1", "", "is odd"), Problem("a", "l", "2", "", "is even")])
    assert str(error).splitlines() == ["a: k = 1: is odd", "a: l = 2: is even"]


def test_after_a_hundred_problems_the_rest_is_counted() -> None:
    lines = str(ConfigurationError([Problem("a", "k", str(n), "", "is odd") for n in range(130)])).splitlines()
    assert len(lines) == 101
    assert lines[-1] == "… and 30 more"


def test_an_unknown_name_tells_the_nearest_and_all() -> None:
    error = UnknownNameError("plan", "standart", ["standard", "short"])
    assert str(error) == 'no plan is called "standart". Did you mean standard? Known: short, standard.'
    assert error.nearest == "standard"
    assert str(UnknownNameError("plan", "x", [])) == 'no plan is called "x". There is none.'


def test_errors_survive_the_way_between_processes() -> None:
    for error in (
        ConfigurationError([Problem("a", "k", "1", "", "is odd")]),
        UnknownNameError("plan", "standart", ["standard"], "A hint."),
        DeviceMissingError("no cable"),
    ):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)


def test_text_from_outside_is_made_printable_and_short() -> None:
    assert shorten("a\x1b[31mb\n\u202ec") == "a\\x1b[31mb\\n\\u202ec"
    assert shorten("\udc80") == "\\udc80"
    assert len(shorten("x" * 10_000_000)) == 80
    assert len(shorten("\x00" * 10_000_000)) == 80
    assert shorten("ä" * 80) == "ä" * 80


def test_the_nearest_word_is_near_or_none() -> None:
    assert nearest("hold_min", ["hold_s", "rest_s"]) == "hold_s"
    assert nearest("zzz", ["hold_s", "rest_s"]) == ""
    assert nearest("x" * 1_000_000, ["hold_s"]) == ""
