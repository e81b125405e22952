"""Whole sessions on pins: the real bridge, judge and session, people at the table, and a declared permit."""

import pytest

from config.loading import load_plan
from controller.permits import simulated
from controller.recording import Row
from safety.signals import State
from sim.body import Person
from tests.gpio.conftest import RigFactory
from tests.gpio.rig import WALL_S, GpioRig
from tests.sessions.by_buttons import Hand, a_visit_ended_by_return, a_visit_of_sets
from tests.sessions.runs import BRIEF

HEAVY = [Person(135.0, 185.0, 15.0), Person(135.0, 185.0, -15.0)]
OTHERS = [Person(40.0, 150.0, 15.0), Person(40.0, 150.0, -15.0), Person(75.0, 175.0, 0.0)]
PEOPLE = [*HEAVY, *(pytest.param(person, marks=pytest.mark.nightly) for person in OTHERS)]
FIRST_CDEG_S = 50


def truth(rows: list[Row]) -> list[int]:
    return [row.true_angle_cdeg for row in rows if row.true_angle_cdeg is not None]


def fastest_in_the_first_degree(rig: GpioRig) -> float:
    """The greatest speed over any 250 ms of the tilt's first degree, in cdeg/s."""
    angles = truth([row for row in rig.rows if row.state == "tilting"])
    first = [angle for angle in angles if angle > angles[0] - 100]
    return max(abs(late - early) / 0.25 for early, late in zip(first, first[25:], strict=False))


def test_a_session_is_completed_by_a_declared_permit(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    outcome = rig.finish()
    assert (outcome.result, outcome.exit_code, outcome.at_level) == ("completed", 0, True)
    assert rig.causes_ever == {}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: f"{person.mass_kg:.0f}kg{person.offset_cm:+.0f}cm")
def test_nothing_trips_whoever_lies_on_the_table(on_pins: RigFactory, person: Person) -> None:
    rig = on_pins(BRIEF, person=person, seed=round(person.mass_kg))
    rig.forward(until=State.RESTING)
    rig.forward(2.0)
    assert rig.causes_ever == {}
    assert rig.speed_deg_s == 0.0
    assert rig.angle_deg == pytest.approx(-0.5, abs=0.5)
    angles = truth(rig.rows)
    assert BRIEF.angle_cdeg - 50 <= min(angles) <= BRIEF.angle_cdeg + 50
    assert max(angles) <= 20
    assert max(abs(row.true_velocity_cdeg_s or 0) for row in rig.rows) <= 230
    assert fastest_in_the_first_degree(rig) <= 1.3 * FIRST_CDEG_S


def test_simulated_people_vouch_for_nobody_on_pins(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF)
    permit = simulated(rig.plan, rig.profile.limits().screening_version, WALL_S)
    refused = on_pins(BRIEF, permit=permit)
    outcome = refused.finish()
    assert (outcome.result, outcome.exit_code) == ("refused", 4)
    assert "H34" in {cause.code for cause in outcome.refusals}
    assert truth(refused.rows) == [0] * len(refused.rows)


def test_one_seed_gives_one_run(on_pins: RigFactory) -> None:
    one, same, other = on_pins(BRIEF, seed=5), on_pins(BRIEF, seed=5), on_pins(BRIEF, seed=6)
    for rig in (one, same, other):
        rig.forward(12.0)
    assert one.rows == same.rows
    assert one.rows != other.rows


def test_whoever_stands_at_the_table_runs_a_whole_visit_by_its_buttons(on_pins: RigFactory) -> None:
    brief = load_plan("first-visit").model_copy(update={"rest_s": 60})
    rig = on_pins(brief, people=False)
    a_visit_ended_by_return(Hand(rig.session, rig.table.hands, rig.forward))
    outcome = rig.session.outcome()
    assert (outcome.result, outcome.end_reason, outcome.exit_code) == ("stopped", "supervisor", 6)
    assert outcome.causes == ()
    assert rig.angle_deg > 39.0


@pytest.mark.nightly
def test_three_sets_are_run_by_buttons_to_their_end(on_pins: RigFactory) -> None:
    rig = on_pins(load_plan("three-sets").model_copy(update={"hold_s": 5, "rest_s": 60}), people=False)
    a_visit_of_sets(Hand(rig.session, rig.table.hands, rig.forward), 3)
    assert (rig.session.outcome().result, rig.session.machine.sets_done) == ("completed", 3)
    assert rig.session.outcome().causes == ()


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(12))
def test_no_noise_and_no_load_trips_a_standard_session(on_pins: RigFactory, seed: int) -> None:
    person = Person(40.0 + 8.0 * seed, 175.0, -15.0 + 30.0 * (seed % 5) / 4.0)
    rig = on_pins("standard" if seed % 2 else "first-visit", person=person, seed=seed)
    assert rig.finish().result == "completed"
    assert rig.causes_ever == {}


@pytest.mark.nightly
def test_presence_stays_the_reason_to_go_deeper(on_pins: RigFactory) -> None:
    rig = on_pins(BRIEF.model_copy(update={"hold_s": 120}), faults=["supervisor-leaves@holding+1s"])
    rig.forward(until=State.EMERGENCY_RETURN)
    rig.forward(until=lambda _: rig.angle_deg > -1.0)
    assert rig.codes[:1] == ["H24"]
