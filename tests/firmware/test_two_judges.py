"""The Python judge and the C guard on common inputs: neither allows for long what the other forbids.

Where they differ is listed and argued in docs/two-judges.md; that table is what these tests allow, and no more.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from config.limits import Limits
from firmware_bridge import guard_build
from firmware_bridge.guard_build import FIRMWARE, FLAGS, GUARD_SOURCES
from safety import angle, people, straps, supply
from safety.signals import RAISE, STOP, TILT, Demand
from sim import guard as guard_binding
from tests.firmware import two_judges
from tests.firmware.bench import codes
from tests.firmware.two_judges import LAG_MS, Difference, Parting, World, compare, stages
from tests.test_architecture import ROOT

pytestmark = pytest.mark.needs("cc")

PAGE = ROOT / "docs" / "two-judges.md"
TICKS = 250_000
NIGHTLY_TICKS = 2_500_000
PLANTED_TICKS = 60_000
LAGS_MS = {"H10": 700, "H13": 300, "H14": 600, "H15": 600, "H16": 300}
"""Longer than the usual lag: H10, H14 and H15 are judged by half windows, which may begin a sample apart, H13 b takes
250 ms, and the guard counts heat in steps of 80 ms and 32 mA."""


@cache
def listed() -> dict[Difference, int]:
    """The differences that are argued, and how often each may come in `TICKS`."""
    rows = re.findall(
        r"^\| (H\d\d|the same) \| (host|guard) \| [^|]{9,} \| (\d+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    found = {Difference(what, stricter): int(most) for what, stricter, most in rows}
    assert len(found) == len(rows) == PAGE.read_text("utf-8").count("\n|") - 2, "a row that nobody can read"
    return found


def too_many(partings: list[Parting], ticks: int) -> list[str]:
    """The partings that no row of the page allows."""
    counts = Counter(parting.difference for parting in partings)
    allowed = listed()
    share = max(ticks / TICKS, 0.5)
    bad = {what for what, count in counts.items() if count > allowed.get(what, 0) * share}
    return [str(parting) for parting in partings if parting.difference in bad]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_in_a_million_common_inputs_neither_allows_what_the_other_forbids(seed: int) -> None:
    episodes, partings = compare(TICKS, seed, LAGS_MS)
    assert episodes > 200
    assert too_many(partings, TICKS) == []


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_in_the_common_inputs_of_a_night_neither_allows_what_the_other_forbids(seed: int) -> None:
    _, partings = compare(NIGHTLY_TICKS, seed, LAGS_MS)
    assert too_many(partings, NIGHTLY_TICKS) == []


def test_both_find_a_return_that_an_end_switch_keeps_from_starting() -> None:
    world = World.at(stages()["holding at -3000"])
    world.run(100, end_up=True, patient_open=True)
    found_ms: dict[str, int] = {}
    while world.t_ms < 60_000 and len(found_ms) < 2:
        world.run(10)
        if "H10" in [cause.code for cause in world.decision.causes]:
            found_ms.setdefault("host", world.t_ms)
        if "H10" in codes(world.out.causes):
            found_ms.setdefault("guard", world.t_ms)
    assert len(found_ms) == 2
    assert abs(found_ms["host"] - found_ms["guard"]) <= LAG_MS
    assert world.decision.demand == world.out.demand == Demand.HOLD


# A planted difference ----------------------------------------------------------------------------------------------

IN_THE_GUARD = {
    "a strap that opens below five degrees": (
        "guard.c",
        "bool open = inverted(g) && guard_straps_open",
        "bool open = false && guard_straps_open",
    ),
    "contacts that disagree for twice as long": (
        "guard_people.c",
        "#define DISAGREE_MS 200u",
        "#define DISAGREE_MS 400u",
    ),
    "a sensor that jumps by twice as much": ("guard_eyes.c", "#define JUMP_CDEG 150", "#define JUMP_CDEG 300"),
    "mains away for twice as long": ("guard.c", "#define MAINS_MS 500u", "#define MAINS_MS 1000u"),
    "a patient's button that nobody hears": ("guard.c", "g->people.patient_open && (armed(g) || below(g))", "false"),
    "a motion without a command": (
        "guard_drive.c",
        "eyes->b.slope_500, SLOPE_500(50))) {\n        find",
        "eyes->b.slope_500, SLOPE_500(5000))) {\n        find",
    ),
}
IN_THE_HOST = {
    "contacts that disagree for twice as long": (straps, "DISAGREE_MS", 400),
    "a sensor that jumps by twice as much": (angle, "JUMP_CDEG", 300),
    "mains away for twice as long": (supply, "MAINS_MS", 1000),
    "two commands at once": (people, "MOVES", TILT | RAISE | STOP),
}


def is_found() -> bool:
    """Whether some thousand inputs show more differences than the page allows."""
    _, partings = compare(PLANTED_TICKS, 5, LAGS_MS, lambda found: too_many(found, PLANTED_TICKS) != [])
    return too_many(partings, PLANTED_TICKS) != []


@pytest.fixture
def _afresh() -> Iterator[None]:
    """Forget guard and beginnings before and after: they are made by what is planted."""
    for cached in (guard_binding._loaded, stages):
        cached.cache_clear()
    yield
    for cached in (guard_binding._loaded, stages):
        cached.cache_clear()


@pytest.mark.usefixtures("_afresh")
@pytest.mark.parametrize("what", IN_THE_GUARD)
def test_a_difference_planted_in_the_guard_is_found(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (*GUARD_SOURCES, *(path.name for path in FIRMWARE.glob("*.h"))):
        shutil.copy(FIRMWARE / source, tmp_path / source)
    name, right, wrong = IN_THE_GUARD[what]
    text = (tmp_path / name).read_text("utf-8")
    assert text.count(right) == 1, f"{name} no longer has just once what was to be spoilt: {right}"
    (tmp_path / name).write_text(text.replace(right, wrong), "utf-8")
    command = guard_build.compiler()
    assert command is not None
    spoilt = tmp_path / "spoilt.so"
    flags = tuple(flag for flag in FLAGS if flag != "-Werror")
    guard_build._compile(command, flags, [str(tmp_path / source) for source in GUARD_SOURCES], spoilt)
    monkeypatch.setattr(guard_binding, "guard_library", lambda: spoilt)
    assert is_found()


@pytest.mark.usefixtures("_afresh")
@pytest.mark.parametrize("what", IN_THE_HOST)
def test_a_difference_planted_in_the_host_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, value = IN_THE_HOST[what]
    assert getattr(module, name) != value
    monkeypatch.setattr(module, name, value)
    assert is_found()


def test_another_table_for_one_of_them_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_judges, "LIMITS", Limits(thermal_budget_ma2_s=600_000_000, backlash_cdeg=0))
    assert is_found()


def test_without_anything_planted_the_same_inputs_show_nothing() -> None:
    assert not is_found()
