"""Mistakes in files: every one is told, at once, with the key that was meant."""

from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigurationError, Problem
from config.keys import submodel, walk
from config.loading import load_file, load_plan
from config.plan import Plan
from config.profile import Profile
from tests.config.writing import GONE, PINS, PLAN, PROFILE, SCREENING, Literal, changed, save


def problems(folder: Path, data: dict[str, Any], changes: dict[str, Any]) -> list[Problem]:
    path = save(folder, changed(data, changes))
    with pytest.raises(ConfigurationError) as caught:
        load_file(path)
    return [problem for problem in caught.value.problems if problem.file == str(path)]


def told(folder: Path, data: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    return [str(problem).removeprefix(f"{problem.file}: ") for problem in problems(folder, data, changes)]


@pytest.mark.parametrize(
    ("data", "changes", "expected"),
    [
        (PLAN, {"angle_deg": -75.0}, "angle_deg = -75.0: is below the lowest allowed (allowed: -60 … -5 °)"),
        (PLAN, {"hold_s": 1200}, "hold_s = 1200: is above the highest allowed (allowed: 1 … 300 s)"),
        (PLAN, {"hold_s": "60"}, 'hold_s = "60": is text, a number is wanted (without quotes) (allowed: 1 … 300 s)'),
        (PLAN, {"hold_s": True}, "hold_s = true: is a yes or no, a number is wanted (allowed: 1 … 300 s)"),
        (PLAN, {"hold_s": 60.5}, "hold_s = 60.5: is no whole number of steps of 1 s (allowed: 1 … 300 s)"),
        (PLAN, {"hold_s": Literal("nan")}, "hold_s = NaN: is no finite number (allowed: 1 … 300 s)"),
        (PLAN, {"hold_s": Literal("-inf")}, "hold_s = -Infinity: is no finite number (allowed: 1 … 300 s)"),
        (
            PLAN,
            {"hold_s": Literal("2026-11-23")},
            "hold_s = 2026-11-23: is a date or time of day, a number is wanted (allowed: 1 … 300 s)",
        ),
        (PLAN, {"hold_s": [60]}, "hold_s = a list of 1: is a list, a number is wanted (allowed: 1 … 300 s)"),
        (PLAN, {"angle_deg": 20.0}, "angle_deg = 20.0: is above the highest allowed (allowed: -60 … -5 °)"),
        (
            PLAN,
            {"angle_deg": Literal("-20.005")},
            "angle_deg = -20.005: is no whole number of steps of 0.01 ° (allowed: -60 … -5 °)",
        ),
        (PLAN, {"rest_s": 59}, "rest_s = 59: is below the lowest allowed (allowed: 60 … 3600 s)"),
        (PLAN, {"rest_s": GONE}, "rest_s: is missing (allowed: 60 … 3600 s)"),
        (PLAN, {"sets": 4}, "sets = 4: is above the highest allowed (allowed: 1 … 3)"),
        (PLAN, {"staged": 10}, "staged = 10: a table is wanted"),
        (
            PLAN,
            {"staged": {"step_deg": 0.0, "wait_s": 30}},
            "staged.step_deg = 0.0: is below the lowest allowed (allowed: 1 … 30 °)",
        ),
        (
            PLAN,
            {"name": "First Visit"},
            (
                'name = "First Visit": has not the form of a name '
                "(allowed: small letters, digits and single hyphens, such as first-visit)"
            ),
        ),
        (
            PLAN,
            {"title": "a\x1b[2Jb"},
            'title = "a\\x1b[2Jb": cannot be shown as it is (allowed: one line of printable characters)',
        ),
        (PLAN, {"title": ""}, 'title = "": is too short (allowed: at least 1 characters)'),
        (PLAN, {"title": 7}, "title = 7: text in quotes is wanted"),
        (PROFILE, {"brake.set_ms": 61}, "brake.set_ms = 61: is above the highest allowed (allowed: 1 … 60 ms)"),
        (
            PROFILE,
            {"geometry.boarding_deg": 85.01},
            "geometry.boarding_deg = 85.01: is above the highest allowed (allowed: 0 … 85 °)",
        ),
        (PROFILE, {"sensors.bits": 11}, "sensors.bits = 11: is below the lowest allowed (allowed: 12 … 24 bits)"),
        (
            PROFILE,
            {"bridge": "in-proces"},
            (
                'bridge = "in-proces": is none of the known words (allowed: in-process, wire, serial, gpio); '
                "did you mean in-process?"
            ),
        ),
        (
            PROFILE,
            {"bridge": "can"},
            'bridge = "can": is none of the known words (allowed: in-process, wire, serial, gpio)',
        ),
        (
            PROFILE,
            {"session.held_tilt": "yes"},
            'session.held_tilt = "yes": true or false is wanted (without quotes) (allowed: true or false)',
        ),
        (
            PROFILE,
            {"session.issuers": ["simulatd"]},
            (
                'session.issuers.0 = "simulatd": is none of the known words (allowed: clinic, declared, simulated); '
                "did you mean simulated?"
            ),
        ),
        (
            PROFILE,
            {"session.issuers": []},
            "session.issuers = a list of 0: is too short (allowed: at least 1 entries)",
        ),
        (
            PROFILE,
            {"session.issuers": "simulated"},
            'session.issuers = "simulated": a list is wanted (allowed: clinic, declared, simulated)',
        ),
        (PROFILE, {"drive": GONE}, "drive: is missing"),
        (SCREENING, {"version": 0}, "version = 0: is below the lowest allowed (allowed: 1 … 1000000)"),
        (SCREENING, {"items": []}, "items = a list of 0: is too short (allowed: at least 1 entries)"),
    ],
)
def test_a_mistake_is_told_with_its_value_and_what_is_allowed(
    data: dict[str, Any], changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert told(tmp_path, data, changes) == [expected]


@pytest.mark.parametrize(
    ("data", "key", "expected"),
    [
        (PROFILE, "limits.cap_rad", "did you mean cap_deg (-60 … -1 °)?"),
        (PROFILE, "limits.speed_rpm", "did you mean speed_deg_s (0.1 … 2 °/s)?"),
        (PROFILE, "drive.stal_ma", "did you mean stall_ma (100 … 60000 mA)?"),
        (PROFILE, "drive.stall_a", "did you mean stall_ma (100 … 60000 mA)?"),
        (PROFILE, "stall_ma", "did you mean drive.stall_ma (100 … 60000 mA)?"),
        (PROFILE, "limits.boarding_deg", "did you mean geometry.boarding_deg (0 … 85 °)?"),
        (PROFILE, "sesion", "did you mean session?"),
        (PROFILE, "session.held_tild", "did you mean held_tilt (true or false)?"),
        (PROFILE, "bride", "did you mean bridge (in-process, wire, serial, gpio)?"),
        (PLAN, "angle", "did you mean angle_deg (-60 … -5 °)?"),
        (PLAN, "angle_rad", "did you mean angle_deg (-60 … -5 °)?"),
        (PLAN, "hold_min", "did you mean hold_s (1 … 300 s)?"),
        (PLAN, "hold", "did you mean hold_s (1 … 300 s)?"),
        (PLAN, "step_deg", "did you mean staged.step_deg (1 … 30 °)?"),
        (SCREENING, "versoin", "did you mean version (1 … 1000000)?"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_known_one_and_its_unit(
    data: dict[str, Any], key: str, expected: str, tmp_path: Path
) -> None:
    (line,) = told(tmp_path, data, {key: 1})
    assert line == f"{key}: is no known key; {expected}"


def test_a_key_like_no_other_is_told_with_all_that_are_known_there(tmp_path: Path) -> None:
    (line,) = told(tmp_path, PROFILE, {"brake.zzz": 1})
    assert line == "brake.zzz: is no known key; known here: set_ms, side, hold_nm"


def test_a_wrong_unit_leaves_the_right_key_missing_and_both_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, PLAN, {"hold_s": GONE, "hold_min": 1}) == [
        "hold_s: is missing (allowed: 1 … 300 s)",
        "hold_min: is no known key; did you mean hold_s (1 … 300 s)?",
    ]


def typos(word: str) -> set[str]:
    """A letter left out, doubled, or swapped with its neighbour."""
    left_out = {word[:i] + word[i + 1 :] for i in range(len(word))}
    doubled = {word[: i + 1] + word[i:] for i in range(len(word))}
    swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return (left_out | doubled | swapped) - {word, ""}


# Of pairs such as strap_left_1 and strap_left_2 a slip in the last letter leads to either.
@pytest.mark.parametrize(("model", "data", "most"), [(Profile, PINS, 10), (Plan, PLAN, 3)])
def test_a_slip_of_the_pen_in_any_key_leads_to_that_key(
    model: type[Profile | Plan], data: dict[str, Any], most: int, tmp_path: Path
) -> None:
    paths = [path for path, field in walk(model) if submodel(field) is None]
    known = set(paths)
    lost = []
    for path in paths:
        table, _, name = path.rpartition(".")
        if table == "staged":
            continue
        wrong = {f"{table}.{typo}" if table else typo: 1 for typo in typos(name)}
        wrong = {key: value for key, value in wrong.items() if key not in known}
        found = {problem.key: problem.nearest for problem in problems(tmp_path, data, wrong)}
        lost += [key for key in wrong if found[key].partition(" ")[0] != name]
    # One letter of a short word may lead elsewhere; nearly all must lead home.
    assert len(lost) <= most, lost


def test_every_mistake_of_a_file_is_told_at_once_and_contradictions_too(tmp_path: Path) -> None:
    changes = {
        "limits.cap_rad": -1,
        "drive.stall_ma": 90_000,
        "drive.idle_ma": "150",
        "brake.set_ms": 61,
        "brake.hold_nm": 100,
        "geometry.boarding_deg": 80.0,
        "switches.end_up_deg": 82.0,
        "sensors": GONE,
        "session.issuers": ["nobody"],
    }
    keys = [problem.key for problem in problems(tmp_path, PROFILE, changes)]
    assert keys == [
        "drive.stall_ma",
        "drive.idle_ma",
        "brake.set_ms",
        "sensors",
        "limits.cap_rad",
        "session.issuers.0",
        "geometry.boarding_deg",
        "brake.hold_nm",
    ]


def test_what_is_wrong_itself_is_not_told_as_a_contradiction_too(tmp_path: Path) -> None:
    # With the right stall_ma in its place nothing contradicts; with the wrong one nothing can be said.
    assert [problem.key for problem in problems(tmp_path, PROFILE, {"drive.stall_ma": 1})] == ["drive.stall_ma"]
    assert [problem.key for problem in problems(tmp_path, PLAN, {"hold_s": 301, "rest_s": 1})] == ["hold_s", "rest_s"]


def test_a_value_is_never_held_against_what_only_stands_in_for_a_wrong_one(tmp_path: Path) -> None:
    # 13 A for ever contradicts the 12 A of the shipped file, but not what may have been meant here.
    changes = {"drive.stall_ma": "20 A", "drive.continuous_ma": 13_000}
    assert [problem.key for problem in problems(tmp_path, PROFILE, changes)] == ["drive.stall_ma"]
    changes = {"drive": {"stall_ma": 20_000}, "brake.hold_nm": 100}
    assert {problem.key.partition(".")[0] for problem in problems(tmp_path, PROFILE, changes)} == {"drive"}


def test_a_plan_is_told_its_time_below_five_degrees_beside_other_mistakes(tmp_path: Path) -> None:
    changes = {"angle_deg": -60.0, "hold_s": 300, "staged": {"step_deg": 10.0, "wait_s": 30}, "tittle": "x"}
    first, second = problems(tmp_path, PLAN, changes)
    assert first.key == "tittle"
    assert (second.key, second.value, second.bound) == ("hold_s", "300", "up to 540 s below -5°, the ceiling")
    assert second.message.startswith("one set needs ")


def test_a_file_found_by_name_must_have_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.names.SITE", tmp_path)
    (tmp_path / "plans").mkdir()
    path = save(tmp_path / "plans", changed(PLAN, {"hold_s": 301}), "evening.toml")
    with pytest.raises(ConfigurationError) as caught:
        load_plan("evening")
    assert [str(problem) for problem in caught.value.problems] == [
        f'{path}: name = "first-visit": differs from the file\'s own name (allowed: "evening")',
        f"{path}: hold_s = 301: is above the highest allowed (allowed: 1 … 300 s)",
    ]


def test_a_thousand_mistakes_are_told_quickly_and_counted(tmp_path: Path) -> None:
    path = save(tmp_path, PLAN | {f"{'x' * 30}{number}": 1 for number in range(1000)})
    with pytest.raises(ConfigurationError) as caught:
        load_file(path)
    assert len(caught.value.problems) == 1000
    assert str(caught.value).endswith("… and 900 more")
