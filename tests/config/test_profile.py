"""A profile: what its figures must be to one another."""

import re
from typing import Any

import pytest

from config.errors import ConfigurationError
from config.loading import load_profile
from config.profile import Profile
from config.quantities import Model
from tests.config.writing import PROFILE, changed, save


def refusal(change: dict[str, Any]) -> str:
    with pytest.raises(ValueError) as caught:
        Profile.model_validate(changed(PROFILE, change))
    return str(caught.value)


def allowed(change: dict[str, Any]) -> Profile:
    return Profile.model_validate(changed(PROFILE, change))


@pytest.mark.parametrize(
    ("just", "beyond", "told"),
    [
        (
            {"limits.cap_deg": -57.0, "switches.end_down_deg": -60.0},
            {"limits.cap_deg": -57.01, "switches.end_down_deg": -60.0},
            (
                "limits.cap_deg = -57.01: is deeper than the end switch leaves room for "
                "(allowed: -57 ° or less deep: 3° before the end switch at -60 °)"
            ),
        ),
        (
            {"geometry.boarding_deg": 85.0},
            {"geometry.boarding_deg": 85.0, "switches.end_up_deg": 87.99},
            (
                "geometry.boarding_deg = 85: is higher than the end switch leaves room for "
                "(allowed: up to 84.99 °: 3° before the end switch at 87.99 °)"
            ),
        ),
        (
            {"geometry.hard_stop_down_deg": -65.01},
            {"geometry.hard_stop_down_deg": -65.0},
            "switches.end_down_deg = -65: lies beyond the hard stop (allowed: less deep than the hard stop at -65 °)",
        ),
        (
            {"geometry.hard_stop_up_deg": 88.01},
            {"geometry.hard_stop_up_deg": 88.0},
            "switches.end_up_deg = 88: lies beyond the hard stop (allowed: lower than the hard stop at 88 °)",
        ),
        (
            {"geometry.pivot_height_mm": 1007},
            {"geometry.pivot_height_mm": 1006},
            (
                "geometry.pivot_height_mm = 1006: the head end would come to the floor before the hard stop "
                "(allowed: 1007 mm or more)"
            ),
        ),
        (
            {"drive.top_speed_deg_s": 2.0},
            {"drive.top_speed_deg_s": 1.99},
            (
                "limits.speed_deg_s = 2: is faster than drive.top_speed_deg_s "
                "(allowed: up to 1.99 °/s, which is drive.top_speed_deg_s)"
            ),
        ),
        (
            {"limits.speed_deg_s": 1.0},
            {"limits.speed_deg_s": 0.99},
            "limits.degraded_deg_s = 1: is faster than limits.speed_deg_s",
        ),
        (
            {"limits.degraded_deg_s": 0.9},
            {"limits.degraded_deg_s": 0.89},
            "limits.slow_deg_s = 0.9: is faster than limits.degraded_deg_s",
        ),
        (
            {"drive.stall_ma": 9933},
            {"drive.stall_ma": 9932},
            (
                "drive.stall_ma = 9932: the drive does not hold twice the rated load (135 kg at 150 mm, 199 Nm) "
                "(allowed: 9933 mA or more)"
            ),
        ),
        (
            {"brake.hold_nm": 398},
            {"brake.hold_nm": 397},
            (
                "brake.hold_nm = 397: the brake does not hold twice the rated load (135 kg at 150 mm, 199 Nm) "
                "(allowed: 398 Nm or more)"
            ),
        ),
        (
            {"drive.idle_ma": 9999, "drive.stall_ma": 10_000},
            {"drive.idle_ma": 10_000, "drive.stall_ma": 10_000},
            "drive.idle_ma = 10000: a drive that turns freely would look blocked",
        ),
        (
            {"drive.continuous_ma": 12_000},
            {"drive.continuous_ma": 12_001},
            "drive.continuous_ma = 12001: is more than the drive ever takes",
        ),
        (
            {"drive.continuous_ma": 4000, "drive.thermal_budget_a2_s": 1733},
            {"drive.continuous_ma": 4000, "drive.thermal_budget_a2_s": 1732},
            (
                "drive.thermal_budget_a2_s = 1732: the 40 % kept of it are too little for a return of the rated load "
                "(135 kg at 150 mm, 199 Nm) (allowed: 1733 A²·s or more)"
            ),
        ),
        (
            {"battery.capacity_mah": 267},
            {"battery.capacity_mah": 266},
            "battery.capacity_mah = 266: is too little for a return at the current limit (allowed: 267 mAh or more)",
        ),
        (
            {"battery": {"fitted": False, "capacity_mah": 0}},
            {"battery": {"fitted": False, "capacity_mah": 1}},
            "battery.capacity_mah = 1: no battery is fitted (allowed: 0 where battery.fitted = false)",
        ),
        (
            {"session.issuers": ["declared", "simulated"]},
            {"session.issuers": ["declared", "declared"]},
            "session.issuers = declared, declared: an issuer stands more than once (allowed: each issuer once)",
        ),
    ],
)
def test_a_contradiction_is_refused_and_what_just_agrees_is_not(
    just: dict[str, Any], beyond: dict[str, Any], told: str
) -> None:
    allowed(just)
    assert told in refusal(beyond)


def test_every_contradiction_is_told_at_once() -> None:
    told = refusal(
        {
            "limits.cap_deg": -60.0,
            "switches.end_down_deg": -50.0,
            "brake.hold_nm": 10,
            "drive.idle_ma": 10_000,
            "drive.stall_ma": 5000,
        }
    )
    for key in ("limits.cap_deg", "brake.hold_nm", "drive.idle_ma", "drive.stall_ma"):
        assert f"{key} = " in told


def test_a_contradiction_is_told_with_its_file(tmp_path: Any) -> None:
    path = save(tmp_path, changed(PROFILE, {"switches.end_down_deg": -50.0}))
    with pytest.raises(ConfigurationError) as caught:
        load_profile(path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.key, problem.value) == (str(path), "limits.cap_deg", "-60")


def leaves(data: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in data.items():
        found += leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return found


# Where a little less, the opposite, or a few letters more would contradict something else.
OTHERS = {
    "geometry.hard_stop_down_deg": -69.99,
    "geometry.pivot_height_mm": 1051,
    "brake.side": "table",
    "brake.hold_nm": 401,
    "sensors.bits": 13,
    "switches.end_down_deg": -64.99,
    "limits.cap_deg": -59.99,
}
ONLY_ONE = {"format", "bridge", "sensors.b_slope", "battery.fitted"}


@pytest.mark.parametrize(("key", "value"), [pair for pair in leaves(PROFILE) if pair[0] not in ONLY_ONE])
def test_the_hash_changes_with_any_key(key: str, value: Any) -> None:
    other: Any = OTHERS.get(key)
    if key in OTHERS:
        pass
    elif isinstance(value, bool):
        other = not value
    elif isinstance(value, int | float):
        other = round(value - (0.01 if "_deg" in key else 1), 2)
    elif isinstance(value, list):
        other = value[:1]
    else:
        other = f"{value}-x"
    assert allowed({key: other}).hash != allowed({}).hash


def test_the_hash_is_sixteen_hexadecimal_digits_and_stands_in_the_limits() -> None:
    profile = allowed({})
    assert re.fullmatch(r"[0-9a-f]{16}", profile.hash)
    assert profile.limits().profile_hash == profile.hash


def test_every_part_is_strict_closed_and_frozen() -> None:
    kinds = [Model]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert kind.model_config["strict"]
        assert kind.model_config["extra"] == "forbid"
        assert kind.model_config["frozen"]
    assert len(kinds) > 10
