"""What a visit is, by what its ticks show and by what the control process says of it."""

import msgspec

from controller.journal_visits import VisitBook
from controller.messages import Event
from safety.signals import Alarm, Arm, Cause, Demand, Issuer, Permit, Region, Snapshot
from tests.journal.recording import WALL_MS, tick

PERMIT = Permit("abc", "P-7", 1, 0, 0, -2000, 60, None, None, Issuer.DECLARED)
ARM = Arm(7, "abc", -2000, 10, 60, 1, 60, 200, 9000, 0, PERMIT)
STRAP = Cause("H04", Demand.RETURN, Alarm.HIGH, 2, 1, "contacts open")
PATIENT = Cause("H22", Demand.RETURN, Alarm.MEDIUM, 1, 0, "contacts open")
LATE = Cause("H27", Demand.NO_DEEPENING, Alarm.LOW, 60, 50, "ms")


class Followed:
    """A book, and a run that goes on tick by tick."""

    def __init__(self) -> None:
        self.book = VisitBook()
        self.number = 0

    def take(
        self,
        arm: Arm | None = ARM,
        *causes: Cause,
        angle_cdeg: int = 0,
        region: Region = Region.LEVEL,
        inverted_ms: int = 0,
        sets: int = 1,
    ) -> None:
        self.number += 1
        plain: Snapshot = tick(self.number, angle_cdeg=angle_cdeg)
        decision = msgspec.structs.replace(
            plain.decision, armed=arm, causes=causes, region=region, inverted_ms=inverted_ms
        )
        wish = msgspec.structs.replace(plain.wish, plan="short", set_number=sets)
        self.book.take(msgspec.structs.replace(plain, decision=decision, wish=wish), WALL_MS + 10 * self.number)

    def say(self, step: str, **values: str) -> None:
        self.book.happened(Event(1, 0, WALL_MS + 10 * self.number, "visit", step, values={"step": step, **values}))


def test_without_events_a_visit_is_what_lies_between_arm_and_disarm() -> None:
    run = Followed()
    run.take(None)
    run.take(angle_cdeg=-1800, inverted_ms=3000)
    run.take(angle_cdeg=-1200, inverted_ms=4000)
    run.take(angle_cdeg=-900, inverted_ms=500, sets=2)
    run.take(None, angle_cdeg=-20)
    (visit,) = run.book.changed()
    assert (visit.first_tick, visit.last_tick, visit.plan, visit.person) == (2, 5, "short", "P-7")
    assert (visit.deepest_cdeg, visit.inverted_ms, visit.sets) == (-1800, 4500, 2)
    assert (visit.result, visit.ended_ms, visit.causes) == ("completed", WALL_MS + 50, [])
    assert run.book.open is None
    assert run.book.changed() == []


def test_the_result_is_that_of_a_session() -> None:
    for causes, sets, result in (
        ((), 1, "completed"),
        ((), 0, "stopped"),
        ((PATIENT,), 1, "stopped"),
        ((STRAP,), 1, "tripped"),
        ((PATIENT, STRAP), 1, "tripped"),
        ((LATE,), 1, "completed"),
    ):
        run = Followed()
        run.take(ARM, *causes, sets=sets)
        run.take(None)
        assert run.book.changed()[0].result == result


def test_a_session_that_is_lost_below_level_has_not_ended() -> None:
    run = Followed()
    run.take(region=Region.INVERTED)
    run.take(None, region=Region.INVERTED)
    assert run.book.open is not None
    run.take(None, region=Region.LEVEL)
    assert run.book.open is None


def test_what_the_control_process_says_of_a_visit_holds() -> None:
    run = Followed()
    run.take(None)
    run.say("offered", plan="gentle", person="P-9")
    assert run.book.open is not None
    assert (run.book.open.first_tick, run.book.open.plan, run.book.open.person) == (1, "gentle", "P-9")
    run.take()
    run.take(None)
    run.say("ended", result="stopped", end_reason="supervisor")
    (visit,) = run.book.changed()
    assert (visit.result, visit.end_reason) == ("stopped", "supervisor")
    assert run.book.open is None


def test_a_visit_that_began_at_the_panel_is_named_when_it_is_armed_and_lasts_until_the_patient_is_off() -> None:
    run = Followed()
    run.take(None)
    run.take()
    run.say("offered", plan="gentle", person="P-9")
    run.take()
    run.take(None)
    run.take(None)
    run.take(None)
    run.say("ended", result="completed", end_reason="completed")
    (visit,) = run.book.changed()
    assert (visit.first_tick, visit.last_tick, visit.result) == (2, 6, "completed")
    assert visit.ended_ms == WALL_MS + 60
    run.take()
    assert run.book.open is not None
    assert run.book.open is not visit


def test_an_offer_that_is_taken_back_is_a_visit_too() -> None:
    run = Followed()
    run.take(None)
    run.say("offered", plan="gentle")
    run.say("withdrawn")
    (visit,) = run.book.changed()
    assert (visit.result, visit.causes) == ("withdrawn", [])


def test_two_visits_of_one_run_are_two() -> None:
    run = Followed()
    for _ in range(2):
        run.take(ARM, STRAP, inverted_ms=900)
        run.take(None)
    first, second = run.book.changed()
    assert (first.first_tick, second.first_tick) == (1, 3)
    assert second.inverted_ms == 900
