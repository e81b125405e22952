"""What may be asked of the control process, by whom, and on how old a picture (H35, H26, H24, DESIGN §9)."""

from typing import Any

import pytest

from controller import messages as say
from controller import permits
from controller.messages import Answer, Offer
from controller.service import MOST_TOLD, WARN_MS
from safety.signals import Demand, Issuer, Permit, Region, Snapshot, State
from tests.service.rig import LIMITS, ME, SHORT, WALL_S, Rig, as_in_a_file


def stood_by() -> Rig:
    rig = Rig()
    rig.forward(2)
    return rig


def come_to(state: State, after_s: float = 0.5) -> Rig:
    rig = stood_by()
    assert rig.offer().ok
    rig.come()
    rig.until_state(state)
    rig.forward(after_s)
    return rig


def left_alone(rig: Rig) -> Rig:
    """The people take their hands off and watch no more."""
    rig.people = None
    for button in list(rig.table.hands.held()):
        rig.table.hands.release(button)
    return rig


# Offers.


def test_no_request_is_a_motion() -> None:
    fields = {field for request in say.Request.__args__ for field in request.__struct_fields__}
    assert not {field for field in fields if "velocity" in field or "cdeg" in field or "speed" in field}
    rig = stood_by()
    for request in (say.Stop(1, rig.seen, "x"), say.Return(2, rig.seen, "x"), say.Acknowledge(3, rig.seen)):
        rig.ask(request)
    rig.forward(5)
    assert all(seen.decision.command.velocity_cdeg_s == 0 for seen in rig.records.snapshots)


@pytest.mark.parametrize(
    ("changes", "codes", "told"),
    [
        ({"plan_hash": "0123456789abcdef"}, ("H31",), "plan"),
        ({"prescribed_cdeg": -1900}, ("H31",), ""),
        ({"prescribed_hold_s": 1}, ("H31",), ""),
        ({"last_cdeg": -900}, ("H31",), ""),
        ({"screening_version": 99}, ("H34",), ""),
        ({"valid_until_s": WALL_S - 1}, ("H34",), ""),
        ({"pseudonym": ""}, ("H34",), ""),
        ({"issuer": Issuer.CLINIC, "pseudonym": "", "last_cdeg": -900}, ("H31", "H34"), ""),
        ({"inverted_today_s": 899}, ("H03",), ""),
    ],
)
def test_an_offer_that_the_judge_would_refuse_is_refused_with_every_reason(
    changes: dict[str, Any], codes: tuple[str, ...], told: str
) -> None:
    rig = stood_by()
    answer = rig.offer(**changes)
    assert not answer.ok
    assert answer.codes == codes
    assert len(answer.why) >= len(codes)
    assert all(sentence.endswith(".") for sentence in answer.why)
    assert told in " ".join(answer.why)
    assert rig.service.state.visit == 0
    assert rig.service.watcher.recent[-1].kind == "refused"


def test_a_simulated_permit_is_for_a_table_that_the_program_started() -> None:
    rig = Rig(simulated=False)
    rig.forward(2)
    answer = rig.offer()
    assert (answer.ok, answer.codes) == (False, ("H34",))
    assert rig.offer(issuer=Issuer.DECLARED).ok


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"angle_deg": -80.0}, "angle_deg"),
        ({"hold_s": 10_000}, "hold_s"),
        ({"format": "inversion-table/plan@9"}, "format"),
        ({"sets": "one"}, "sets"),
        ({"unknown": 1}, "unknown"),
        ({"name": None}, "name"),
    ],
)
def test_a_plan_with_a_mistake_is_refused_by_the_key_that_is_wrong(change: dict[str, Any], told: str) -> None:
    rig = stood_by()
    answer = rig.offer(data=as_in_a_file(SHORT) | change)
    assert not answer.ok
    assert told in " ".join(answer.why)


@pytest.mark.parametrize("data", [{}, {"format": 7}, {"plan": {}}, {str(n): n for n in range(500)}])
def test_what_is_no_plan_is_refused(data: dict[str, Any]) -> None:
    assert not stood_by().offer(data=data).ok


def test_one_offer_at_a_time_and_none_while_armed() -> None:
    rig = stood_by()
    assert rig.offer().ok
    assert "take the offer back" in rig.offer().why[0]
    rig = come_to(State.HOLDING)
    assert not rig.offer().ok
    assert rig.snapshot.wish.state is State.HOLDING


def test_before_the_first_tick_nothing_is_accepted_but_a_stop_and_a_return() -> None:
    rig = Rig()
    assert rig.ask(say.Offer(1, 0, as_in_a_file(SHORT), a_permit())).codes == ("H35",)
    assert rig.ask(say.Stop(2, 0, "")).ok
    assert rig.ask(say.Return(3, 0, "")).ok
    assert rig.forward(1).wish.state is State.STOPPED


# Who, and on which picture.


def ages(rig: Rig) -> tuple[int, int]:
    """Return the numbers of the oldest snapshot that is still fresh, and of the newest that is not."""
    now_ms = rig.snapshot.t_ms
    fresh = [seen.number for seen in rig.records.snapshots if now_ms - seen.t_ms <= 500]
    return fresh[0], fresh[0] - 1


@pytest.mark.parametrize("what", [say.Disarm, say.Acknowledge, say.Offer])
def test_h35_what_changes_something_is_refused_on_a_picture_older_than_500_ms(what: Any) -> None:
    rig = stood_by()
    fresh, stale = ages(rig)

    def ask(seen: int) -> Answer:
        if what is Offer:
            return rig.ask(Offer(9, seen, as_in_a_file(SHORT), a_permit()))
        return rig.ask(what(9, seen) if what is say.Acknowledge else what(9, seen, "x"))

    refused = ask(stale)
    assert (refused.ok, refused.codes) == (False, ("H35",))
    assert "510 ms old" in refused.why[0]
    assert ask(fresh).codes != ("H35",)


def a_permit() -> Permit:
    return permits.simulated(SHORT, LIMITS.screening_version, WALL_S)


@pytest.mark.parametrize("seen", [0, -1, 10**9])
def test_h35_a_picture_that_never_was_is_no_picture(seen: int) -> None:
    rig = stood_by()
    answer = rig.ask(say.Acknowledge(9, seen))
    assert (answer.ok, answer.codes) == (False, ("H35",))


def test_h35_a_request_that_was_recorded_and_is_sent_again_is_refused() -> None:
    rig = stood_by()
    request = Offer(1, rig.seen, as_in_a_file(SHORT), a_permit())
    assert rig.ask(request).ok
    assert rig.disarm().ok
    rig.forward(1)
    assert rig.ask(request).codes == ("H35",)


def test_h35_another_user_may_look_stop_and_return_and_no_more() -> None:
    rig = come_to(State.HOLDING)
    for request in (say.Disarm(1, rig.seen, "x"), say.Acknowledge(2, rig.seen)):
        answer = rig.ask(request, "nobody (uid 65534)", trusted=False)
        assert (answer.ok, answer.codes) == (False, ("H35",))
        event = rig.service.watcher.recent[-1]
        assert (event.kind, event.code, event.by) == ("refused", "H35", "nobody (uid 65534)")
    assert rig.ask(say.Configuration(3), "nobody", trusted=False).ok
    assert rig.ask(say.Events(4), "nobody", trusted=False).ok
    assert rig.ask(say.Stop(5, rig.seen, "x"), "nobody", trusted=False).ok


def test_each_answer_bears_its_requests_number() -> None:
    rig = stood_by()
    asked = (say.Configuration(71), say.Events(72), say.Watch(73), say.Stop(74, 0, ""), say.Disarm(75, rig.seen, ""))
    assert [rig.ask(request).id for request in asked] == [71, 72, 73, 74, 75]


def test_hello_is_said_once() -> None:
    assert not stood_by().ask(say.Hello(1, "x")).ok


def test_configuration_and_events_are_read() -> None:
    rig = stood_by()
    assert rig.ask(say.Configuration(1)).value == {"profile": "simulated"}
    assert rig.offer().ok
    rig.forward(0.1)
    events = rig.ask(say.Events(2)).value
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert rig.ask(say.Events(3, since=events[-2].number)).value == [events[-1]]
    assert rig.ask(say.Events(4, most=1)).value == [events[0]]
    assert rig.ask(say.Events(5, since=10**6)).value == []


def test_who_asks_all_the_time_fills_no_record() -> None:
    rig = stood_by()
    before = len(rig.service.watcher.recent)
    for _ in range(500):
        rig.ask(say.Acknowledge(1, 0))
    assert len(rig.service.watcher.recent) - before == MOST_TOLD
    assert rig.service.watcher.recent[-1].values["more_follow"] == 1
    rig.forward(1.1)
    rig.ask(say.Acknowledge(1, 0))
    assert rig.service.watcher.recent[-1].kind == "refused"


# STOP and RETURN.


def test_stop_stops_the_tilt_and_presence_over_the_socket_is_none() -> None:
    rig = left_alone(come_to(State.TILTING, 4))
    assert rig.stop().ok
    rig.forward(3)
    assert rig.snapshot.wish.state is State.STOPPED
    assert rig.codes() == ["STOP"]
    for _ in range(50):
        rig.forward(1)
        rig.stop()
        rig.ask(say.Acknowledge(1, rig.seen))
    # H24: nobody in the room pressed anything, so the table brought the patient back.
    assert "H24" in {event.code for event in rig.events("cause")}
    assert rig.snapshot.decision.region is Region.LEVEL


def test_stop_is_accepted_on_any_picture_and_by_anybody() -> None:
    rig = left_alone(come_to(State.TILTING, 4))
    assert rig.ask(say.Stop(1, 0, ""), "stranger", trusted=False).ok
    rig.forward(1)
    assert rig.snapshot.decision.demand is Demand.STOP


def tones(rig: Rig, since: int) -> int:
    """Return for how many milliseconds a tone sounded before the table moved toward level."""
    sounded = 0
    for seen in rig.records.snapshots[since:]:
        if (seen.readings.applied_cdeg_s or 0) > 0:
            return sounded
        if seen.wish.tone or seen.decision.tone:
            sounded += seen.readings.elapsed_ms
    raise AssertionError("it never moved")


def returned(rig: Rig) -> Snapshot:
    return rig.until(lambda snapshot: snapshot.wish.state is State.RESTING, 90)


def test_a_return_on_a_fresh_picture_has_the_tables_own_tone() -> None:
    rig = come_to(State.HOLDING)
    since = len(rig.records.snapshots)
    assert rig.bring_back().ok
    returned(rig)
    assert tones(rig, since) < WARN_MS


@pytest.mark.parametrize("state", [State.HOLDING, State.TILTING, State.STOPPED])
def test_a_return_on_an_old_picture_sounds_a_tone_of_3_s_first_and_deepens_nothing(state: State) -> None:
    rig = come_to(State.TILTING, 6) if state is not State.HOLDING else come_to(State.HOLDING)
    if state is State.STOPPED:
        left_alone(rig)
        rig.stop()
        rig.forward(2)
    since, angle = len(rig.records.snapshots), rig.true_deg
    assert rig.bring_back(seen=1).ok
    returned(rig)
    assert tones(rig, since) >= WARN_MS
    assert min(seen.decision.angle_cdeg or 0 for seen in rig.records.snapshots[since:]) / 100 > angle - 1.2
    assert -1 < rig.true_deg < 1


def test_whoever_asks_again_on_old_pictures_does_not_put_the_return_off() -> None:
    rig = come_to(State.HOLDING)
    since = len(rig.records.snapshots)
    for _ in range(8):
        assert rig.bring_back(seen=1).ok
        rig.forward(0.5)
    returned(rig)
    assert tones(rig, since) < WARN_MS + 2000


def test_an_old_return_does_not_disturb_one_that_is_under_way() -> None:
    rig = come_to(State.HOLDING)
    assert rig.bring_back().ok
    rig.until(lambda snapshot: (snapshot.readings.applied_cdeg_s or 0) > 100, 20)
    assert rig.bring_back(seen=1).ok
    rig.forward(1)
    assert (rig.snapshot.readings.applied_cdeg_s or 0) > 100


def test_a_return_ends_the_visit_by_a_person() -> None:
    rig = come_to(State.HOLDING)
    assert rig.bring_back().ok
    returned(rig)
    rig.until(lambda _: rig.ended() == 1, 300)
    assert rig.events("visit")[-1].values["result"] == "stopped"


# DISARM.


def test_below_level_disarm_is_refused() -> None:
    rig = come_to(State.HOLDING)
    answer = rig.disarm()
    assert not answer.ok
    assert "bring the patient back first" in answer.why[0]
    rig.forward(1)
    assert rig.snapshot.decision.armed is not None


def test_before_the_rest_is_over_disarm_is_refused() -> None:
    rig = come_to(State.RESTING, 5)
    answer = rig.disarm()
    assert (answer.ok, answer.codes) == (False, ("H32",))


def test_at_level_before_a_tilt_disarm_ends_the_session() -> None:
    rig = come_to(State.STRAPPED)
    assert rig.disarm().ok
    rig.forward(1)
    assert rig.snapshot.decision.armed is None
    assert rig.snapshot.wish.state is State.IDLE
    rig.until(lambda _: rig.ended() == 1, 300)
    assert rig.events("visit")[-1].values["result"] == "stopped"


def test_with_nothing_offered_there_is_nothing_to_disarm() -> None:
    assert not stood_by().disarm().ok


def test_acknowledging_pauses_the_sound_and_neither_lamp_nor_cause() -> None:
    rig = come_to(State.HOLDING)
    left_alone(rig)
    rig.table.hands.estop(True)
    rig.forward(2)
    assert rig.ask(say.Acknowledge(1, rig.seen), ME).ok
    rig.forward(0.1)
    assert any("paused" in event.text for event in rig.events("alarm"))
    assert rig.codes() == ["H20"]
    assert rig.snapshot.signals.alarm.name == "HIGH"


# The end.


def test_leaving_at_level_is_at_once() -> None:
    rig = stood_by()
    rig.service.leave("SIGTERM")
    rig.forward(0.2)
    assert rig.service.may_leave
    assert not rig.offer().ok


def test_leaving_in_a_hold_brings_the_patient_back_first() -> None:
    rig = come_to(State.HOLDING)
    rig.service.leave("SIGTERM")
    assert not rig.service.may_leave
    assert "on the way to level" in rig.service.state.stays
    rig.until(lambda _: rig.service.may_leave, 60)
    assert -1 < rig.true_deg < 1
    assert rig.snapshot.decision.still


def test_leaving_under_a_cut_waits_until_somebody_has_brought_the_patient_back_and_says_so() -> None:
    rig = come_to(State.HOLDING)
    people, rig.people = rig.people, None
    for button in list(rig.table.hands.held()):
        rig.table.hands.release(button)
    rig.table.hands.estop(True)
    rig.forward(1)
    rig.service.leave("Ctrl-C")
    rig.forward(120)
    assert not rig.service.may_leave
    assert "the drive is cut" in rig.service.state.stays
    rig.service.leave("Ctrl-C")
    assert "Leaving now would leave a person" in rig.service.state.stays
    rig.people = people
    rig.until(lambda _: rig.service.may_leave, 200)
    assert -1.5 < rig.true_deg < 1.5


def test_leaving_while_armed_at_level_disarms_first() -> None:
    rig = come_to(State.STRAPPED)
    left_alone(rig)
    rig.service.leave("SIGHUP")
    rig.until(lambda _: rig.service.may_leave, 10)
    assert rig.snapshot.decision.armed is None


def test_leaving_takes_an_offer_back() -> None:
    rig = stood_by()
    assert rig.offer().ok
    rig.service.leave("SIGTERM")
    rig.forward(0.1)
    assert rig.events("visit")[-1].values["step"] == "withdrawn"
    assert rig.service.state.leaving
