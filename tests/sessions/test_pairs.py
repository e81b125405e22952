"""Two faults at once, in either order: nobody is left inverted, still and unannounced, and what always holds holds.

A sample is drawn anew from each seed; every day the same few, at night every ordered pair.
"""

import random
from itertools import permutations

import pytest

from safety.signals import State
from sim.faults.catalogue import KINDS
from tests.sessions.invariants import violations
from tests.sessions.runs import in_phase

NAMES = [name for name, kind in KINDS.items() if not kind.at_boot]
STAYS_MS = {
    State.STRAPPED: 4000,
    State.TILTING: 9000,
    State.HOLDING: 4500,
    State.RETURNING: 9000,
    State.RESTING: 5000,
}
"""How long the brief plan stays in each state: the first fault comes at a random moment of one of them."""

LATEST_MS = 20_000
EVERY_DAY, EACH = 6, 5
ORDERED = list(permutations(NAMES, 2))
NIGHTS = 40


def breaches_of(first: str, second: str, rng: random.Random) -> list[str]:
    """Run a session in which one fault follows another at random, and return what must not be, if anything."""
    state = rng.choice(list(STAYS_MS))
    offset_ms = rng.randrange(0, STAYS_MS[state], 10)
    later_ms = rng.randrange(0, LATEST_MS, 10)
    watched = in_phase(state, offset_ms)
    watched.rig.inject(first)
    if later_ms:
        watched.until(lambda _: False, later_ms / 1000)
    watched.rig.inject(second)
    run = watched.finish(150, watch_ms=1000)
    told = f"{first}@{state}+{offset_ms / 1000:g}s, {second} {later_ms} ms later"
    return [f"{told}: {found}" for found in violations(run)]


@pytest.mark.parametrize("number", range(EVERY_DAY))
def test_a_few_pairs_of_faults_leave_nobody_behind(number: int) -> None:
    rng = random.Random(f"pairs {number}")
    found = [breach for pair in rng.sample(ORDERED, EACH) for breach in breaches_of(*pair, rng)]
    assert found == []


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(NIGHTS))
def test_every_ordered_pair_of_faults_leaves_nobody_behind(number: int) -> None:
    rng = random.Random(f"night {number}")
    found = [breach for pair in ORDERED[number::NIGHTS] for breach in breaches_of(*pair, rng)]
    assert found == []
