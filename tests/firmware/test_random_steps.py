"""The guard under random steps, against what must hold in every run as far as one judge alone can see it."""

import re
from pathlib import Path

import pytest

from tests.firmware.random_run import built, run

pytestmark = pytest.mark.needs("cc")

STEPS = 5_000_000
NIGHTLY_STEPS = 250_000_000
PLANTED_STEPS = 20_000_000
# What the guard judges, and a person's STOP, but for H25, which takes longer than an episode.
CAUSES = {0, *range(1, 7), *range(8, 23), 26, 36}

PLANTED = {
    "a strap that opens is not looked at": (
        "guard_motion.c",
        "!guard_straps_shut(&g->people) || (g->people.stable & SW_MAINS) == 0u",
        "(g->people.stable & SW_MAINS) == 0u",
    ),
    "the cap is half a degree off": (
        "guard_motion.c",
        "(int16_t)(angle - g->armed.cap_cdeg), first",
        "(int16_t)(angle - g->armed.cap_cdeg + 50), first",
    ),
    "a tilt needs no rest": ("guard_motion.c", "g->eyes.still_ms >= still_ms ? DEEPEN", "still_ms > 0u ? DEEPEN"),
    "the lease is not looked at": (
        "guard.c",
        "link->lapsed = link->age_ms > g->config.lease_ms",
        "link->lapsed = false",
    ),
    "silence never becomes a return": (
        "guard.c",
        "g->link.lapse_ms > ALONE_MS ? GUARD_RETURN : GUARD_STOP",
        "GUARD_STOP",
    ),
    "the first cause is the last": (
        "guard.c",
        "    if (g->latched_any == 0u) {\n        g->first_cause = told_as(number);",
        "    {\n        g->first_cause = told_as(number);",
    ),
    "a CUT leaves the brake open": (
        "guard_actuate.c",
        "phase == GUARD_RUNNING || phase == GUARD_STILLING;",
        "phase != GUARD_RESTING && phase != GUARD_TAKING_UP && phase != GUARD_SETTING;",
    ),
    "the e-stop waits for its debounce": ("guard_people.c", "pins->estop != GUARD_CLOSED || (people", "(people"),
    "a stop is not slowed down to": ("guard_actuate.c", "rate = (int16_t)(rate - JERK);", "rate = (int16_t)(rate);"),
    "a reboot below level is forgotten": ("guard.c", "woke_below ? GUARD_HOLD", "woke_below ? GUARD_ALLOW"),
    "the time of a set is not counted": ("guard.c", "g->inverted_ms + SAMPLE_MS : LONGEST", "g->inverted_ms : LONGEST"),
    "a window forgets a sample": (
        "guard_eyes.c",
        "slide(&eye->over_250, 24, newest, back(eye, head, 25u))",
        "slide(&eye->over_250, 24, newest, back(eye, head, 24u))",
    ),
    "a held alarm is a lesser one": ("guard.c", "if (worse != 0u || (returns", "if ((returns"),
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("steps"))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_random_step_breaks_what_must_hold(program: Path, seed: int) -> None:
    done = run(program, STEPS, seed)
    assert done.returncode == 0, done.stdout
    told = re.fullmatch(
        r"(\d+) steps in \d+ episodes: armed (\d+), inverted (\d+), moving (\d+), causes (\w+)\n", done.stdout
    )
    assert told, done.stdout
    steps, armed, inverted, moving = (int(word) for word in told.groups()[:4])
    assert steps == STEPS
    assert min(armed, inverted, moving) > STEPS // 20, "and they are spent where there is something to break"
    assert {number for number in range(40) if int(told[5], 16) >> number & 1} >= CAUSES


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_no_random_step_of_a_night_breaks_what_must_hold(program: Path, seed: int) -> None:
    done = run(program, NIGHTLY_STEPS, seed)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_defect_is_found_by_random_steps(what: str, tmp_path: Path) -> None:
    done = run(built(tmp_path, PLANTED[what]), PLANTED_STEPS, 4)
    assert done.returncode == 1 and done.stdout.startswith("FAILED: "), done.stdout
