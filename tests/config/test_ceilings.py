"""Nothing that can be configured lies beyond a ceiling, and every end is where the hazard page has it."""

import itertools
from typing import Any

import pytest
from pydantic import BaseModel

from config import limits
from config.device_limits import DeviceLimits
from config.keys import keys_of, quantity, submodel
from config.limits import BOUNDS, Limits
from config.loading import load_profile
from config.pins import PinNumber
from config.plan import Plan
from config.profile import Profile
from config.quantities import Quantity
from tests.config.writing import PINS, PLAN, PROFILE, changed

# The hazard page's own figures, written out once more: whoever changes a ceiling has to change it here too.
PAGE = {
    "cap_cdeg": (-6000, None),
    "boarding_cdeg": (None, 8500),
    "speed_cdeg_s": (None, 200),
    "degraded_cdeg_s": (None, 100),
    "slow_cdeg_s": (80, 100),
    "above_cdeg_s": (None, 150),
    "first_degree_cdeg_s": (None, 50),
    "set_limit_s": (None, 540),
    "hold_limit_s": (None, 300),
    "sets_limit": (None, 3),
    "hold_a_day_s": (None, 900),
    "rest_s": (60, None),
    "lease_ms": (None, 250),
    "brake_ms": (None, 60),
}
# Where a limit comes from in a profile, when not from the key of the same name in `[limits]`.
ELSEWHERE = {
    "boarding_cdeg": "geometry.boarding_cdeg",
    "hold_limit_s": "limits_table.hold_s",
    "sets_limit": "limits_table.sets",
    "backlash_cdeg": "drive.backlash_cdeg",
    "stall_ma": "drive.stall_ma",
    "idle_ma": "drive.idle_ma",
    "brake_ms": "brake.set_ms",
}
# These are made from other figures; that the result is within is tested below.
MADE = {"thermal_budget_ma2_s", "thermal_leak_ma2", "thermal_reserve_permille"}


def figure_of(path: str) -> Quantity:
    table: type[BaseModel] = Profile
    *names, last = path.split(".")
    for name in names:
        inner = submodel(table.model_fields[name])
        assert inner is not None
        table = inner
    found = quantity(table.model_fields[last])
    assert found is not None
    return found


@pytest.mark.parametrize("name", PAGE)
def test_an_end_of_the_bounds_is_the_hazard_pages(name: str) -> None:
    for ours, page in zip(BOUNDS[name], PAGE[name], strict=True):
        assert page is None or ours == page


def test_the_bounds_are_the_ceilings() -> None:
    assert BOUNDS["cap_cdeg"][0] == limits.DEEPEST_CAP_CDEG
    assert BOUNDS["boarding_cdeg"][1] == limits.HIGHEST_BOARDING_CDEG
    assert BOUNDS["speed_cdeg_s"][1] == limits.FASTEST_CDEG_S
    assert BOUNDS["degraded_cdeg_s"][1] == BOUNDS["slow_cdeg_s"][1] == limits.FASTEST_DEGRADED_CDEG_S
    assert BOUNDS["above_cdeg_s"][1] == limits.FASTEST_ABOVE_CDEG_S
    assert BOUNDS["first_degree_cdeg_s"][1] == limits.FIRST_DEGREE_CDEG_S
    assert BOUNDS["set_limit_s"][1] == limits.LONGEST_SET_S
    assert BOUNDS["hold_limit_s"][1] == limits.LONGEST_HOLD_S
    assert BOUNDS["sets_limit"][1] == limits.MOST_SETS
    assert BOUNDS["hold_a_day_s"][1] == limits.MOST_HOLD_A_DAY_S
    assert BOUNDS["rest_s"][0] == limits.SHORTEST_REST_S
    assert BOUNDS["lease_ms"][1] == limits.LONGEST_LEASE_MS
    assert BOUNDS["brake_ms"][1] == limits.LONGEST_BRAKE_MS


@pytest.mark.parametrize("name", [name for name in BOUNDS if name not in MADE])
def test_a_profiles_key_ends_where_the_limit_ends(name: str) -> None:
    figure = figure_of(ELSEWHERE.get(name, f"limits_table.{name}"))
    assert (figure.low, figure.high) == BOUNDS[name]


def test_every_key_of_the_limits_is_a_limit() -> None:
    for name in DeviceLimits.model_fields:
        assert ELSEWHERE.get(name) is None
        assert {"hold_s": "hold_limit_s", "sets": "sets_limit"}.get(name, name) in BOUNDS


@pytest.mark.parametrize("name", [name for name in BOUNDS if name not in MADE])
def test_each_end_is_allowed_and_one_step_more_is_not(name: str) -> None:
    for end, step in zip(BOUNDS[name], (-1, 1), strict=True):
        assert getattr(Limits(**{name: end}), name) == end  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=name):
            Limits(**{name: end + step})  # type: ignore[arg-type]


def test_what_is_made_from_other_figures_stays_within_too() -> None:
    made_from = [
        figure_of(f"drive.{key}") for key in ("thermal_budget_a2_s", "continuous_ma", "thermal_reserve_percent")
    ]
    for budget, current, reserve in itertools.product(*((figure.low, figure.high) for figure in made_from)):
        Limits(
            thermal_budget_ma2_s=budget * 1_000_000,
            thermal_leak_ma2=current**2,
            thermal_reserve_permille=reserve * 10,
        )


def figures(model: type[BaseModel], prefix: str = "") -> list[tuple[str, Quantity]]:
    """Every figure of a model by its dotted key."""
    found: list[tuple[str, Quantity]] = []
    for key, field in keys_of(model).items():
        inner = submodel(field)
        figure = quantity(field)
        if inner is not None:
            found += figures(inner, f"{prefix}{key}.")
        elif figure is not None and not isinstance(figure, PinNumber):
            found.append((prefix + key, figure))
    return found


def offences(data: dict[str, Any], model: type[BaseModel]) -> list[str]:
    """The dotted keys that are out of range by themselves; what they contradict does not count here."""
    from pydantic import ValidationError

    try:
        model.model_validate(data)
    except ValidationError as error:
        return [".".join(map(str, one["loc"])) for one in error.errors() if one["type"] == "quantity"]
    return []


@pytest.mark.parametrize(
    ("model", "data", "key", "figure"),
    [
        pytest.param(model, data, key, figure, id=key)
        for model, data in ((Profile, PINS), (Plan, changed(PLAN, {"staged": {"step_deg": 10.0, "wait_s": 30}})))
        for key, figure in figures(model)
    ],
)
def test_every_key_is_refused_one_step_beyond_each_end(
    model: type[BaseModel], data: dict[str, Any], key: str, figure: Quantity
) -> None:
    for end, step in ((figure.low, -1), (figure.high, 1)):
        assert offences(changed(data, {key: end / figure.scale}), model) == []
        assert offences(changed(data, {key: (end + step) / figure.scale}), model) == [key]


def test_a_profile_that_says_nothing_of_limits_has_the_defaults() -> None:
    bare = Profile.model_validate(changed(PROFILE, {"limits": {}}))
    plain = Limits()
    for name in DeviceLimits.model_fields:
        limit = {"hold_s": "hold_limit_s", "sets": "sets_limit"}.get(name, name)
        assert getattr(bare.limits(), limit) == getattr(plain, limit)


@pytest.mark.parametrize(
    ("change", "limit", "expected"),
    [
        ({"limits.cap_deg": -45.25}, "cap_cdeg", -4525),
        ({"geometry.boarding_deg": 60.0}, "boarding_cdeg", 6000),
        ({"limits.speed_deg_s": 1.25}, "speed_cdeg_s", 125),
        ({"limits.degraded_deg_s": 0.95}, "degraded_cdeg_s", 95),
        ({"limits.slow_deg_s": 0.85}, "slow_cdeg_s", 85),
        ({"limits.above_deg_s": 0.75}, "above_cdeg_s", 75),
        ({"limits.first_degree_deg_s": 0.3}, "first_degree_cdeg_s", 30),
        ({"limits.set_limit_s": 300}, "set_limit_s", 300),
        ({"limits.hold_s": 120}, "hold_limit_s", 120),
        ({"limits.sets": 2}, "sets_limit", 2),
        ({"limits.hold_a_day_s": 600}, "hold_a_day_s", 600),
        ({"limits.rest_s": 90}, "rest_s", 90),
        ({"limits.lease_ms": 120}, "lease_ms", 120),
        ({"limits.deceleration_deg_s2": 0.4}, "deceleration_cdeg_s2", 40),
        ({"limits.tone_ms": 2000}, "tone_ms", 2000),
        ({"drive.backlash_deg": 0.45}, "backlash_cdeg", 45),
        ({"drive.stall_ma": 13_000}, "stall_ma", 13_000),
        ({"drive.idle_ma": 175}, "idle_ma", 175),
        ({"drive.continuous_ma": 4000}, "thermal_leak_ma2", 16_000_000),
        ({"drive.thermal_budget_a2_s": 7000}, "thermal_budget_ma2_s", 7_000_000_000),
        ({"drive.thermal_reserve_percent": 55}, "thermal_reserve_permille", 550),
        ({"brake.set_ms": 45}, "brake_ms", 45),
        ({"battery": {"fitted": False, "capacity_mah": 0}}, "has_battery", False),
        ({"session.issuers": ["declared"]}, "issuers", ("declared",)),
    ],
)
def test_a_key_sets_its_limit_and_the_hash_but_no_other_limit(
    change: dict[str, Any], limit: str, expected: object
) -> None:
    before, after = load_profile().limits(), Profile.model_validate(changed(PROFILE, change)).limits()
    assert getattr(after, limit) == expected
    assert getattr(before, limit) != expected
    differing = {name for name in limits.LIMIT_NAMES if getattr(before, name) != getattr(after, name)}
    assert differing == {limit, "profile_hash"}
