"""Each fault, in each phase of a session, gives what the hazard page says, and what must hold in every run holds."""

import tomllib
from pathlib import Path
from typing import cast

import pytest

from safety.signals import Cause, Demand, State
from sim.faults.catalogue import KINDS, parse
from tests.sessions.cases import CASES, PHASES, Case, Impossible, Minor, Prompts, Quiet, Refused, Shows, Trips
from tests.sessions.invariants import violations
from tests.sessions.runs import Run, Watched, in_phase

ROOT = Path(__file__).resolve().parent.parent.parent
HAZARDS = tomllib.loads((ROOT / "safety/hazards.toml").read_text(encoding="utf-8"))["hazard"]
POSSIBLE = [case for case in CASES if not isinstance(case.expects, Impossible)]
RUNS = [pytest.param(case, id=case.id) for case in POSSIBLE]
LONGEST_S = 150
RAISED_CDEG = 150


def run_of(case: Case) -> Run:
    if case.is_usual:
        # What goes before the fault is the same in every such run, so it is run once.
        fault = parse(case.text)
        assert fault.when.state is not None
        watched = in_phase(fault.when.state, fault.when.offset_ms)
        watched.rig.inject(case.text_now)
    else:
        watched = Watched(case.plan, [case.text], case.habits, case.person)
    run = watched.finish(LONGEST_S, watch_ms=round(case.watch_s * 1000))
    assert run.unreached == ()
    return run


def causes_since_the_fault(run: Run, case: Case) -> list[tuple[Cause, Demand]]:
    """Each cause once for each demand it made, in order of appearance, with the demand then in force."""
    name = case.fault.partition(":")[0]
    found: list[tuple[Cause, Demand]] = []
    there = False
    for tick in run.ticks:
        there = there or name in tick.injected.split("+")
        for cause in tick.seen.decision.causes:
            new = all((cause.code, cause.demand) != (old.code, old.demand) for old, _ in found)
            if there and new:
                found.append((cause, tick.seen.decision.demand))
    return found


@pytest.mark.parametrize("case", RUNS)
def test_a_fault_leads_to_what_the_hazard_page_says(case: Case) -> None:
    run = run_of(case)
    causes = causes_since_the_fault(run, case)
    trips = [(cause, demand) for cause, demand in causes if cause.demand >= Demand.STOP]
    told = [(cause.code, cause.demand.name, cause.alarm.name, cause.value, cause.limit) for cause, _ in causes]
    match case.expects:
        case Trips(codes, demand, alarm, worst):
            assert trips, f"nothing tripped; shown was {told}"
            first, in_force = trips[0]
            assert first.code in codes, told
            named = [cause for cause, _ in trips if cause.code in codes]
            assert (demand, alarm) in [(cause.demand, cause.alarm) for cause in named], told
            at_level = in_force == Demand.STOP and first.demand == Demand.RETURN
            assert in_force >= first.demand or at_level, told
            assert max(cause.demand for cause, _ in trips) >= (worst or demand), told
        case Shows(code, alarm, at_least):
            mine = [(cause, demand) for cause, demand in causes if cause.code == code]
            assert mine, told
            assert mine[0][0].alarm == alarm, told
            assert max(demand for _, demand in causes) >= at_least, told
        case Minor(code, demand, alarm):
            assert trips == [], told
            assert (code, demand, alarm) in [(cause.code, cause.demand, cause.alarm) for cause, _ in causes], told
        case Prompts(code):
            assert max(tick.angle_cdeg for tick in run.ticks) <= RAISED_CDEG, "raised by a button held before"
            assert code in {shown for tick in run.ticks for shown in tick.seen.decision.prompts}, told
            assert trips == [], told
        case Refused(code):
            assert all(tick.seen.decision.armed is None for tick in run.ticks), "it armed"
            assert code in run.refused or not code, run.refused
        case Quiet():
            assert trips == [], told
    assert violations(run) == []


@pytest.mark.parametrize("name", ["strap-opens", "angle-lost", "mains-lost", "host-late"])
def test_a_branched_run_is_the_run_itself(name: str) -> None:
    straight = Watched(faults=[f"{name}@tilting+6s"])
    straight.until(lambda tick: tick.seen.t_ms >= 40_000, 100)
    branched = in_phase(State.TILTING, 6000)
    branched.rig.inject(name)
    branched.until(lambda tick: tick.seen.t_ms >= 40_000, 100)
    assert [tick._replace(injected="") for tick in branched.ticks] == [t._replace(injected="") for t in straight.ticks]


# The table of cases is whole


def test_every_fault_has_a_case_in_every_phase() -> None:
    wanted = {(name, phase) for name in KINDS for phase in PHASES}
    assert {(case.fault.partition(":")[0], case.phase) for case in CASES} == wanted


def provoked(cases: list[Case]) -> set[str]:
    """The hazards that these cases expect to see, as first cause, among others, as prompt or as reason to refuse."""
    found: set[str] = set()
    for case in cases:
        match case.expects:
            case Trips(codes, _, _, _):
                found.update(codes)
            case Shows(code, _, _) | Minor(code, _, _) | Prompts(code):
                found.add(code)
            case Refused(code):
                found.add(code or KINDS[case.fault.partition(":")[0]].hazard)
    return found | {KINDS[case.fault.partition(":")[0]].hazard for case in cases if _later(case)}


def _later(case: Case) -> bool:
    """Whether a case names a demand that comes later than its first cause: H03 after a person's STOP."""
    return isinstance(case.expects, Trips) and case.expects.worst is not None


# What only a control process can meet: a restart in mid-visit, records, requests over the socket. No fault of the table
# is among them; each is provoked where that process is tested.
OF_THE_SERVICE = frozenset({"H29", "H33", "H35"})


def provoked_by_the_service(hazard: dict[str, object]) -> bool:
    """Whether a test of the control process that the register names for this hazard is there and speaks of it."""
    named = [ROOT / str(path) for path in cast("list[str]", hazard["tests"]) if str(path).startswith("tests/service/")]
    return any(path.is_file() and str(hazard["id"]) in path.read_text(encoding="utf-8") for path in named)


def unprovoked(hazards: list[dict[str, object]], cases: list[Case]) -> list[str]:
    """Active hazards that no case provokes; H32 is what raising does, seen in `raised-early`."""
    seen = provoked(cases) | {KINDS[case.fault.partition(":")[0]].hazard for case in cases if case.watch_s}
    seen |= {str(it["id"]) for it in hazards if it["id"] in OF_THE_SERVICE and provoked_by_the_service(it)}
    return [str(hazard["id"]) for hazard in hazards if hazard["status"] == "active" and hazard["id"] not in seen]


def test_every_active_hazard_is_provoked_by_a_case() -> None:
    assert unprovoked(HAZARDS, CASES) == []


def test_a_new_hazard_without_a_case_is_noticed() -> None:
    planted = [*HAZARDS, {"id": "H99", "status": "active"}, {"id": "H98", "status": "planned"}]
    assert unprovoked(planted, CASES) == ["H99"]
    without = [{**it, "tests": ["tests/service/test_gone.py"]} if it["id"] == "H33" else it for it in HAZARDS]
    assert unprovoked(without, CASES) == ["H33"]
    assert "H04" in unprovoked(HAZARDS, [case for case in CASES if not case.fault.startswith("strap-opens")])
