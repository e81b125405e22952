"""The lease: silence, zeros, stale echoes, wrong sessions, a host that dies or lies; who drives (H17, H18, H29)."""

import pytest

from config.limits import Limits
from safety.signals import ACK, RETURN, TILT, Demand, GuardState
from tests.firmware.bench import Bench

pytestmark = pytest.mark.needs("cc")


def comes_back(b: Bench, most_s: float = 60) -> float:
    """Let the guard bring the table to level by itself."""
    return b.until(lambda bench: bench.angle >= -65 and not bench.applied, most_s)


def tilting(at_cdeg: int = -1500) -> Bench:
    """Return a table on its way down, TILT held."""
    b = Bench().armed()
    b.run(5.2).put(buttons=TILT)
    b.until(lambda bench: bench.angle < at_cdeg, host_velocity=-200)
    return b


@pytest.mark.parametrize("lease_ms", [50, 150, 250])
def test_silence_begins_the_ramp_at_the_end_of_the_lease(lease_ms: int) -> None:
    b = Bench(limits=Limits(lease_ms=lease_ms)).armed()
    b.run(5.2).put(buttons=TILT).run(6, host_velocity=-100)
    assert b.applied <= -99
    b.tick()
    ms = 10
    while b.demand is Demand.ALLOW:
        b.guard.step(1, *b.pins())
        ms += 1
    assert ms == lease_ms + 2  # the command came in the first of the ten


def test_h17_silence_while_inverted_stops_sounds_and_returns_after_three_seconds() -> None:
    b = tilting()
    b.run(0.2, send=False)
    assert b.causes == {"H17"} and b.demand is Demand.STOP and b.out.tone == 2
    b.run(2.8)
    assert b.demand is Demand.STOP and b.applied == 0
    b.run(0.4)
    assert b.demand is Demand.RETURN and b.out.tone == 1
    assert comes_back(b) < 30
    assert b.state is GuardState.STOP


@pytest.mark.parametrize("back_s", [1.1, 2.0, 4.0])
def test_h17_past_a_second_the_count_goes_on_even_if_frames_come_back(back_s: float) -> None:
    b = tilting().run(0.15 + back_s, send=False)
    b.run(0.1, send=True)
    assert "H17" in b.causes
    b.run(3.5)
    assert b.demand is Demand.RETURN
    comes_back(b)
    b.run(2, buttons=0, host_velocity=0).reset()
    assert not b.causes


def test_a_lapse_under_a_second_clears_by_itself_but_deeper_needs_a_fresh_tilt() -> None:
    b = tilting().run(0.5, send=False)
    assert b.demand is Demand.STOP
    b.run(2, send=True)
    assert b.demand is Demand.ALLOW and b.applied == 0
    b.run(1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0


def test_a_third_lapse_within_a_minute_is_latched() -> None:
    b = tilting()
    for latched in (False, False, True):
        b.run(0.3, send=False).run(2, send=True)
        assert ("H17" in b.causes) == latched
    late = tilting()
    for _ in range(3):
        late.run(0.3, send=False).run(31, send=True)
    assert not late.causes


def test_zeros_renew_the_lease_and_are_no_stop() -> None:
    b = Bench().at(-2000).run(20, host_velocity=0)
    assert not b.seen


def test_h18_an_echo_older_than_150_ms_renews_nothing() -> None:
    b = tilting()
    old = b.sequence
    b.put(host_echo=old)
    took = b.until(lambda bench: bench.demand is Demand.STOP, 1)
    assert 0.28 <= took <= 0.33
    assert b.causes == {"H18"}, "frames come, but none that counts"
    b.run(3.5)
    assert b.demand is Demand.RETURN
    comes_back(b)


def test_h18_another_session_renews_nothing() -> None:
    b = tilting().run(0.3, host_session=8)
    assert b.causes == {"H18"} and b.demand is Demand.STOP
    none = tilting().run(0.3, host_session=0)
    assert none.demand is Demand.STOP


def test_an_echo_that_was_never_sent_renews_nothing() -> None:
    b = tilting().put(host_echo=60_000).run(0.3)
    assert b.demand is Demand.STOP


def test_the_plans_return_is_finished_by_the_guard_when_the_host_dies() -> None:
    b = Bench().at(-3000)
    b.until(lambda bench: bench.applied >= 150, 20, host_velocity=200, host_plan_return=True)
    for _ in range(100):
        b.put(send=False).tick()
        assert b.applied > 100, "it never stops on the way"
    assert b.demand is Demand.RETURN and b.out.tone == 1
    comes_back(b)


def test_a_return_of_the_hosts_own_is_finished_too() -> None:
    b = Bench().at(-3000).run(3, host_velocity=100, host_demand=Demand.RETURN)
    assert b.applied == 100
    assert b.demand is Demand.ALLOW, "it is the host's, not ours"
    assert b.state is GuardState.RETURN
    b.put(send=False)
    comes_back(b)


def test_a_host_that_marks_a_return_and_sends_zeros_does_not_keep_the_patient_down() -> None:
    b = Bench().at(-3000).run(12, host_demand=Demand.RETURN, host_velocity=0)
    assert b.applied == 0, "its tone and a pause"
    b.run(6)
    assert b.applied > 0
    comes_back(b)


@pytest.mark.parametrize("velocity", [0, -200, 200, -7000])
def test_nothing_that_a_host_sends_stops_or_turns_a_return_of_the_guards(velocity: int) -> None:
    b = Bench().at(-3000).run(3, patient_open=True)
    was = b.angle
    b.put(host_velocity=velocity, host_demand=Demand.ALLOW, buttons=TILT)
    while b.angle < -60:
        b.tick()
        assert b.angle >= was
        was = b.angle
    assert b.t_ms < 90_000


def test_a_host_that_asks_for_seventy_degrees_gets_the_cap() -> None:
    b = Bench().armed(cap_cdeg=-1000)
    b.run(5.2).put(buttons=TILT).run(30, host_velocity=-7000)
    assert -1010 < b.angle


@pytest.mark.parametrize("restart_s", [1, 2, 4])
@pytest.mark.parametrize("phase", ["tilting", "holding", "returning"])
def test_a_host_that_is_restarted_finds_the_table_on_its_way_to_level(phase: str, restart_s: float) -> None:
    b = tilting() if phase == "tilting" else Bench().at(-2000)
    if phase == "returning":
        b.run(4, host_velocity=200, host_plan_return=True)
    b.run(restart_s, send=False, host_plan_return=False)
    # The new host watches and renews no lease below level.
    b.put(send=True, host_session=0, host_velocity=0)
    comes_back(b, 30)


@pytest.mark.parametrize("demand", [Demand.HOLD, Demand.CUT])
def test_the_hosts_hold_and_cut_are_taken_over_and_kept_when_it_dies(demand: Demand) -> None:
    b = Bench().at(-2000).run(0.05, host_demand=demand, host_cause=11)
    assert b.state is GuardState[demand.name]
    assert b.first == "H11"
    b.run(6, send=False)
    assert b.demand is demand and b.applied == 0


@pytest.mark.parametrize("demand", [Demand.HOLD, Demand.CUT])
def test_the_hosts_hold_for_a_cause_that_was_kept_here_for_less_outlives_the_host_too(demand: Demand) -> None:
    b = Bench().at(-2000).run(0.05, patient_open=True).run(1, patient_open=False)
    assert (b.demand, b.first) == (Demand.RETURN, "H22")
    b.run(0.05, host_demand=demand, host_cause=22).run(6, send=False)
    assert b.demand is demand and b.applied == 0
    assert b.first == "H22", "it came first"


def test_a_lesser_demand_of_the_host_eases_nothing() -> None:
    b = Bench().at(-2000).run(0.05, host_demand=Demand.CUT, host_cause=11)
    b.run(0.3, send=False).run(0.05, send=True, host_demand=Demand.HOLD).run(1, send=False)
    assert b.demand is Demand.CUT


def test_reset_is_not_undone_by_a_host_that_has_not_followed_yet() -> None:
    b = Bench().at(-2000).run(1, host_demand=Demand.HOLD, host_cause=15)
    b.put(buttons=RETURN)
    b.run(3)
    assert b.applied > 0
    comes_back(b)
    b.run(1, buttons=0).reset()
    assert not b.causes and b.demand is Demand.ALLOW
    assert b.state is GuardState.HOLD, "while the host still demands it"
    b.run(0.1, host_demand=Demand.ALLOW)
    assert b.state is GuardState.ARMED


def test_below_a_hold_the_guard_ignores_the_hosts_velocities() -> None:
    b = Bench(-1500).run(3, host_velocity=200, host_demand=Demand.RETURN)
    assert b.applied == 0


def test_two_faults_at_once_with_the_host_dead_still_end_at_level() -> None:
    b = tilting().put(send=False, buttons=0)
    b.run(1, mains=False).run(1, patient_open=True)
    comes_back(b)
    strap = tilting().put(send=False, buttons=0).run(2, left=1)
    comes_back(strap)


def test_unarmed_at_level_silence_is_no_alarm() -> None:
    b = Bench(send=False).run(20)
    assert not b.seen and b.state is GuardState.IDLE and b.out.tone == 0


def test_unarmed_above_level_the_end_of_the_lease_stops_and_a_fresh_press_goes_on() -> None:
    b = Bench(2000).run(1)
    b.put(buttons=TILT).run(2, host_velocity=-100)
    b.run(1.5, send=False)
    assert b.applied == 0 and not b.seen
    b.run(1, send=True)
    assert b.applied == 0
    b.run(0.1, buttons=0).run(1, buttons=TILT)
    assert b.applied < 0


def test_the_guards_tone_when_alone_is_paused_by_ack_but_the_return_comes() -> None:
    b = tilting().run(1.3, send=False, buttons=0)
    assert b.out.tone == 2
    b.press(ACK, 0.6)
    assert b.out.tone == 0
    b.run(2)
    assert b.out.tone == 1 and b.applied > 0


def test_an_edge_asks_for_telemetry_at_once() -> None:
    b = Bench().at(-1000)
    before = b.edges
    b.run(1)
    assert b.edges == before
    b.run(0.02, left=1)
    assert b.edges > before


def test_a_reset_of_the_guard_below_level_forgets_the_session_and_holds() -> None:
    b = Bench().at(-2000)
    b.guard.boot(*b.pins())
    b.run(1)
    assert b.out.session_id == 0 and b.demand is Demand.HOLD and b.first == "H19"
