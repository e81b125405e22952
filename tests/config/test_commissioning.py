"""What was proven on a table, and what of it does not suffice."""

import datetime as dt
from typing import Any

import pytest

from config.commissioning import outdated, unproven
from config.loading import load_profile
from config.profile import Profile
from tests.config.writing import GONE, PINS, PROFILE, changed

DAY = dt.date(2026, 11, 2)


def reasons(change: dict[str, Any], pins: bool = True) -> list[str]:
    return list(unproven(Profile.model_validate(changed(PINS, change)), pins))


def age(change: dict[str, Any], today: dt.date) -> list[str]:
    return list(outdated(Profile.model_validate(changed(PINS, change)), today))


def test_what_suffices_is_not_spoken_against() -> None:
    assert reasons({}) == []
    assert reasons({"commissioning.relay_drop_ms": 250, "commissioning.self_locking_kg": 135}) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"commissioning": GONE}, "[commissioning] is missing"),
        (
            {"commissioning.table_id": "other"},
            'commissioning.table_id = "other": is another table; this one is "pi-gpio"',
        ),
        ({"commissioning.relay_drop_ms": GONE}, "commissioning.relay_drop_ms is missing: measure it"),
        ({"commissioning.relay_drop_ms": 251}, "commissioning.relay_drop_ms = 251: the safety relay is too slow"),
        ({"commissioning.self_locking_kg": GONE}, "commissioning.self_locking_kg is missing"),
        (
            {"commissioning.self_locking_kg": 134},
            "commissioning.self_locking_kg = 134: less than the rated load of 135",
        ),
        ({"drive.self_locking": False}, "drive.self_locking = false"),
    ],
)
def test_each_thing_unproven_is_a_reason(change: dict[str, Any], told: str) -> None:
    (reason,) = reasons(change)
    assert reason.startswith(told)


def test_every_reason_is_told() -> None:
    change = {"drive.self_locking": False, "commissioning.relay_drop_ms": 900, "commissioning.self_locking_kg": 0}
    assert len(reasons(change)) == 3


def test_relay_and_self_locking_are_asked_of_a_table_on_pins_only() -> None:
    gone = {"commissioning.relay_drop_ms": GONE, "commissioning.self_locking_kg": GONE}
    assert reasons({**gone, "drive.self_locking": False}, pins=False) == []
    assert reasons({"commissioning": GONE}, pins=False) != []
    assert reasons({"commissioning.table_id": "other"}, pins=False) != []


@pytest.mark.parametrize(
    ("days", "told"), [(-1, "lies in the future"), (0, ""), (365, ""), (366, "366 days ago, and it holds for 365")]
)
def test_it_holds_for_a_year(days: int, told: str) -> None:
    found = age({}, DAY + dt.timedelta(days=days))
    assert bool(found) == bool(told)
    assert all(told in one for one in found)


def test_it_may_hold_for_less_and_never_for_more() -> None:
    assert age({"commissioning.valid_days": 30}, DAY + dt.timedelta(days=30)) == []
    assert age({"commissioning.valid_days": 30}, DAY + dt.timedelta(days=31)) != []
    with pytest.raises(ValueError, match="above the highest"):
        Profile.model_validate(changed(PINS, {"commissioning.valid_days": 366}))


def test_what_was_never_proven_is_told_once() -> None:
    assert age({"commissioning": GONE}, DAY) == []


def test_the_shipped_tables_of_this_world_are_proven_by_nobody() -> None:
    for name in ("pi-gpio", "mega-serial"):
        assert load_profile(name).commissioning is None


def test_a_simulated_table_need_not_be_proven() -> None:
    assert Profile.model_validate(PROFILE).commissioning is None
