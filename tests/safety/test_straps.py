"""The ankle straps at the edges of their limits: proof and confirmation (H07), H04, H05, H06."""

import pytest

from safety.signals import Alarm, Contacts, Demand, Region
from tests.safety.table import Bench, arm_with, armed, ready, tilted

CLOSED, OPEN, DISCREPANT = Contacts
WAITS = arm_with(strap_wait=True)
SIDES = ("strap_left", "strap_right")


# Which side it is.


@pytest.mark.parametrize(
    ("left", "right", "where"), [(OPEN, CLOSED, "left"), (CLOSED, OPEN, "right"), (OPEN, OPEN, "both")]
)
@pytest.mark.parametrize(("bench", "code"), [(tilted(), "H04"), (armed(), "H05")])
def test_an_open_strap_is_named_by_its_side(
    left: Contacts, right: Contacts, where: str, bench: Bench, code: str
) -> None:
    bench = bench.copy()
    bench.run(10, strap_left=left, strap_right=right)
    assert bench.cause(code).where == where


@pytest.mark.parametrize(("bench", "demand"), [(tilted(), Demand.RETURN), (armed(), Demand.NO_DEEPENING)])
@pytest.mark.parametrize(("changes", "where"), [(SIDES[:1], "left"), (SIDES[1:], "right"), (SIDES, "both")])
def test_h06_is_named_by_its_side(bench: Bench, demand: Demand, changes: tuple[str, ...], where: str) -> None:
    bench = bench.copy()
    bench.run(250, **dict.fromkeys(changes, DISCREPANT))
    cause = bench.cause("H06")
    assert (cause.where, cause.demand, cause.value) == (where, demand, len(changes))


def test_a_latched_cause_keeps_its_side_and_names_both_once_the_other_opens_too() -> None:
    bench = tilted()
    bench.run(100, strap_left=OPEN)
    bench.run(100, strap_left=CLOSED)
    assert bench.cause("H04").where == "left"
    bench.run(10, strap_right=OPEN)
    assert (bench.cause("H04").where, bench.cause("H04").value) == ("both", 1)
    bench.run(1000, straps=CLOSED)
    assert bench.cause("H04").where == "both"


def test_a_wait_that_becomes_the_return_keeps_the_side() -> None:
    bench = tilted(arm=WAITS)
    bench.run(100, strap_right=OPEN)
    assert (bench.cause("H04").demand, bench.cause("H04").where) == (Demand.STOP, "right")
    bench.run(10_000)
    assert (bench.cause("H04").demand, bench.cause("H04").where) == (Demand.RETURN, "right")


# H07: the proof, its confirmation, the read-back.


def strapped(open_ms: int = 1100, closed_ms: int = 2100) -> Bench:
    bench = Bench()
    bench.run(open_ms)
    bench.run(closed_ms, straps=CLOSED)
    return bench


@pytest.mark.parametrize(("open_ms", "proven"), [(1000, False), (1010, True)])
def test_h07_a_strap_must_have_been_open_for_a_second(open_ms: int, proven: bool) -> None:
    # The first frame is the first moment at which it is seen open.
    assert strapped(open_ms).proved("straps_proven") is proven


@pytest.mark.parametrize(("closed_ms", "proven"), [(2000, False), (2010, True)])
def test_h07_a_strap_must_then_have_been_closed_for_two_seconds(closed_ms: int, proven: bool) -> None:
    assert strapped(closed_ms=closed_ms).proved("straps_proven") is proven


@pytest.mark.parametrize("side", SIDES)
def test_h07_each_side_has_its_own_proof(side: str) -> None:
    other = SIDES[1 - SIDES.index(side)]
    bench = Bench()
    bench.put(**{side: CLOSED}).run(1100)
    bench.run(3000, **{other: CLOSED})
    assert not bench.proved("straps_proven")


@pytest.mark.parametrize("between", [OPEN, DISCREPANT, None])
def test_h07_the_two_seconds_and_the_one_second_are_of_one_piece(between: Contacts | None) -> None:
    bench = strapped(closed_ms=1500)
    bench.run(10, strap_left=between)
    bench.run(1500, strap_left=CLOSED)
    assert not bench.proved("straps_proven")
    bench = Bench()
    bench.run(600)
    bench.run(10, strap_left=CLOSED if between is OPEN else between)
    bench.run(600, strap_left=OPEN)
    bench.run(3000, straps=CLOSED)
    assert not bench.proved("straps_proven")


@pytest.mark.parametrize("side", SIDES)
def test_h07_any_opening_starts_over(side: str) -> None:
    bench = ready()
    assert bench.proved("read_back")
    bench.run(10, **{side: OPEN})
    bench.run(3000, **{side: CLOSED})
    proofs = bench.decision.proofs
    assert (proofs.straps_proven, proofs.straps_confirmed, proofs.read_back) == (False, False, False)
    assert proofs.patient_button


@pytest.mark.parametrize(("wait_ms", "counts"), [(2990, False), (3000, True)])
def test_h07_confirm_counts_three_seconds_after_the_proof(wait_ms: int, counts: bool) -> None:
    bench = strapped(closed_ms=2010)
    bench.run(wait_ms - 10)
    bench.press("CONFIRM")
    assert bench.proved("straps_confirmed") is counts


@pytest.mark.parametrize(("wait_ms", "counts"), [(990, False), (1000, True)])
def test_h31_the_read_back_is_a_press_of_its_own(wait_ms: int, counts: bool) -> None:
    bench = strapped()
    bench.run(3000)
    bench.hold("CONFIRM").run(20)
    assert not bench.proved("read_back")
    bench.let_go().run(wait_ms - 20)
    bench.hold("CONFIRM").run(10)
    assert bench.proved("read_back") is counts


def test_h07_a_confirm_that_is_held_is_one_press() -> None:
    bench = strapped()
    bench.hold("CONFIRM").run(10_000)
    assert not bench.proved("straps_confirmed")
    bench.let_go().run(100)
    bench.hold("CONFIRM").run(5000)
    assert bench.proved("straps_confirmed")
    assert not bench.proved("read_back")


def test_h07_disarm_forgets_every_proof() -> None:
    bench = armed()
    bench.run(10, disarm=True)
    assert bench.decision.armed is None
    proofs = bench.decision.proofs
    assert not (proofs.straps_proven or proofs.straps_confirmed or proofs.read_back or proofs.patient_button)
    bench.run(5000)
    assert not bench.proved("straps_proven")


# H04: a strap opens while inverted.


@pytest.mark.parametrize("side", SIDES)
def test_h04_an_open_strap_below_five_degrees_is_a_slow_return_at_once(side: str) -> None:
    bench = tilted()
    bench.run(10, **{side: OPEN})
    cause = bench.cause("H04")
    assert (cause.demand, cause.alarm, cause.value, cause.slow) == (Demand.RETURN, Alarm.HIGH, 1, True)
    assert bench.demand == Demand.RETURN
    bench.commands.clear()
    bench.wait(45)
    assert max(bench.commands) == 90
    assert bench.decision.region == Region.LEVEL


def test_h04_counts_both_straps() -> None:
    assert tilted().run(10, straps=OPEN).causes[0].value == 2


def test_h04_stays_when_the_strap_is_fastened_again() -> None:
    bench = tilted()
    bench.run(10, strap_left=OPEN)
    bench.run(1000, strap_left=CLOSED)
    assert bench.demand == Demand.RETURN


@pytest.mark.parametrize(("angle", "code"), [(-500, "H05"), (-501, "H04")])
def test_h04_and_h05_part_at_five_degrees(angle: int, code: str) -> None:
    bench = tilted(-400, obeys=False)
    bench.glide(angle)
    assert bench.run(10, strap_left=OPEN).causes[0].code == code


def test_h04_holds_unarmed_as_well() -> None:
    bench = Bench()
    bench.run(10)
    bench.press("PRESENCE")
    bench.glide(-501)
    assert "H04" in bench.codes


@pytest.mark.parametrize("refastened", [True, False])
def test_h04_under_the_policy_wait_stops_for_ten_seconds_then_returns_refastened_or_not(refastened: bool) -> None:
    bench = tilted(-3000, WAITS)
    bench.press("PRESENCE")
    bench.run(10, strap_left=OPEN)
    assert (bench.cause("H04").demand, bench.demand, bench.decision.alarm) == (Demand.STOP, Demand.STOP, Alarm.HIGH)
    bench.run(9990, strap_left=CLOSED if refastened else OPEN)
    assert bench.demand == Demand.STOP
    bench.run(10)
    assert bench.demand == Demand.RETURN
    bench.commands.clear()
    bench.run(6000)
    assert max(bench.commands) == 90


@pytest.mark.parametrize(("presence_ms", "demand"), [(20_000, Demand.STOP), (20_010, Demand.RETURN)])
def test_h04_waits_only_while_presence_is_fresh(presence_ms: int, demand: Demand) -> None:
    bench = tilted(-3000, WAITS)
    bench.run(presence_ms - bench.decision.presence_ms - 10)
    bench.run(10, strap_left=OPEN)
    assert bench.decision.presence_ms == presence_ms
    assert bench.cause("H04").demand == demand


def test_h04_stops_waiting_when_presence_grows_old() -> None:
    bench = tilted(-3000, WAITS)
    bench.run(15_000 - bench.decision.presence_ms)
    bench.run(10, strap_left=OPEN)
    bench.run(4990)
    assert bench.demand == Demand.STOP
    bench.run(10)
    assert bench.demand == Demand.RETURN


def test_h04_waits_only_while_frames_come() -> None:
    bench = tilted(-3000, WAITS)
    bench.run(10, strap_left=OPEN)
    bench.silence(150)
    assert bench.cause("H04").demand == Demand.STOP
    bench.silence(160)
    assert bench.cause("H04").demand == Demand.RETURN


def test_h04_a_wait_once_used_is_not_given_again() -> None:
    bench = tilted(-3000, WAITS)
    bench.press("PRESENCE")
    bench.run(10, strap_left=OPEN)
    bench.run(10_100, strap_left=CLOSED)
    bench.press("PRESENCE")
    bench.run(10, strap_right=OPEN)
    assert bench.cause("H04").demand == Demand.RETURN


# H05: a strap opens, armed, not inverted.


@pytest.mark.parametrize("side", SIDES)
def test_h05_an_open_strap_at_level_stops_and_ends_the_session(side: str) -> None:
    bench = armed()
    bench.run(10, **{side: OPEN})
    cause = bench.cause("H05")
    assert (cause.demand, cause.alarm, cause.value) == (Demand.STOP, Alarm.MEDIUM, 1)
    assert bench.decision.over
    bench.run(1000, **{side: CLOSED})
    assert bench.demand == Demand.STOP


def test_h05_is_no_alarm_unarmed_where_straps_are_opened_and_closed() -> None:
    assert ready().run(100, straps=OPEN).causes == ()


def test_h05_above_level_held_motion_is_refused_until_the_strap_is_closed() -> None:
    bench = armed()
    bench.glide(2000)
    bench.obeys = True
    bench.run(1000)
    bench.run(10, strap_left=OPEN)
    bench.run(1000)
    bench.hold("TILT").run(1000, velocity_cdeg_s=-100)
    assert set(bench.commands[-100:]) == {0}
    bench.let_go().run(100, strap_left=CLOSED)
    bench.hold("TILT").run(1000)
    assert bench.velocity == -50


@pytest.mark.parametrize("contacts", [OPEN, DISCREPANT, None])
def test_no_deepening_unless_both_straps_are_closed(contacts: Contacts | None) -> None:
    bench = armed()
    bench.put(strap_right=contacts)
    bench.hold("TILT").run(150, velocity_cdeg_s=-200)
    assert set(bench.commands[-15:]) == {0}


# H06: contacts of one strap disagree.


@pytest.mark.parametrize("contacts", [DISCREPANT, None])
@pytest.mark.parametrize("side", SIDES)
def test_h06_two_hundred_milliseconds_are_bouncing_and_more_are_a_cause(side: str, contacts: Contacts | None) -> None:
    bench = tilted()
    bench.put(**{side: contacts})
    bench.run(210)  # the first frame only starts the clock
    assert bench.codes == ()
    bench.run(10)
    cause = bench.cause("H06")
    assert (cause.demand, cause.alarm, cause.value) == (Demand.RETURN, Alarm.MEDIUM, 1)
    assert bench.demand == Demand.RETURN


def test_h06_armed_but_not_inverted_only_forbids_deepening() -> None:
    bench = armed()
    bench.run(220, strap_left=DISCREPANT)
    assert (bench.cause("H06").demand, bench.demand) == (Demand.NO_DEEPENING, Demand.NO_DEEPENING)
    assert not bench.decision.over
    bench.put(strap_left=CLOSED)
    bench.hold("TILT").run(300, velocity_cdeg_s=-200)
    assert set(bench.commands[-30:]) == {0}


def test_h06_clears_by_both_open_then_both_closed_and_not_by_closing_alone() -> None:
    bench = armed()
    bench.run(220, strap_left=DISCREPANT)
    bench.run(1000, strap_left=CLOSED)
    assert bench.codes == ("H06",)
    bench.run(10, strap_left=OPEN)
    assert "H06" in bench.codes
    bench.run(10, strap_left=CLOSED)
    assert "H06" not in bench.codes


def test_h06_while_fastening_is_a_prompt_after_three_seconds_and_no_cause() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(3010, strap_left=DISCREPANT)
    assert bench.run(0).prompts == ()
    assert bench.run(10).prompts == ("H06",)
    assert bench.run(3010, strap_left=CLOSED, strap_right=DISCREPANT).prompts == ()
    assert bench.run(10).prompts == ("H06",)
    assert bench.codes == ()


def test_a_frame_after_a_gap_is_no_proof_that_the_strap_stood_still_meanwhile() -> None:
    bench = Bench()
    bench.run(10)
    bench.tick(1500)
    bench.put(straps=CLOSED).run(2100)
    assert not bench.proved("straps_proven")


# After RESET.


def test_after_reset_a_strap_left_open_at_level_is_no_new_alarm_but_a_closed_and_opened_one_is() -> None:
    bench = armed()
    bench.run(10, strap_left=OPEN)
    bench.run(1000)
    bench.hold("ACK").run(2200)
    bench.let_go().run(100)
    assert (bench.codes, bench.demand) == ((), Demand.ALLOW)
    bench.run(100, strap_left=CLOSED)
    bench.run(10, strap_left=OPEN)
    assert bench.codes == ("H05",)


def test_after_reset_an_excused_strap_that_bounces_does_not_hide_the_other_one() -> None:
    bench = armed()
    bench.run(100, strap_left=OPEN)
    bench.hold("ACK").run(2100)
    assert bench.codes == ()
    bench.let_go().run(10, strap_left=DISCREPANT, strap_right=OPEN)
    assert (bench.cause("H05").value, bench.cause("H05").where) == (1, "right")


def test_after_reset_an_excused_strap_does_not_hide_the_other_one() -> None:
    bench = armed()
    bench.run(10, strap_left=OPEN)
    bench.run(1000)
    bench.hold("ACK").run(2200)
    bench.let_go().run(100)
    bench.run(10, strap_right=OPEN)
    assert (bench.codes, bench.cause("H05").value) == (("H05",), 1)
