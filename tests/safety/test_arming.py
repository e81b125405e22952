"""ARM at the edges of what it asks for: H07, H23, H25, H28, H30, H31, H34, and every other reason against it."""

from typing import Any

import msgspec
import pytest

from config.limits import Limits
from safety.angle import switch_agrees
from safety.signals import Contacts, Demand, Host, Issuer
from safety.supply import Supply
from tests.safety.table import ARM, HOST, Bench, arm_with, armed, permit_with, ready, tilted

CLOSED, OPEN, DISCREPANT = Contacts


def refusals(bench: Bench, arm: Any = ARM, **changes: Any) -> list[tuple[str, int, int, str]]:
    """Ask for ARM and say why not; nothing else may follow from it."""
    bench.run(10, arm=arm, **changes)
    decision = bench.decision
    assert (decision.armed is None) == bool(decision.refusals)
    assert (decision.command.arm is None) == bool(decision.refusals)
    assert all(cause.demand == Demand.NO_DEEPENING for cause in decision.refusals)
    codes = [cause.code for cause in decision.refusals]
    assert codes == sorted(codes)
    return [(cause.code, cause.value, cause.limit, cause.unit) for cause in decision.refusals]


def codes(bench: Bench, arm: Any = ARM, **changes: Any) -> list[str]:
    return [code for code, *_ in refusals(bench, arm, **changes)]


def test_with_everything_proven_arm_is_accepted_and_echoed() -> None:
    bench = ready()
    assert refusals(bench) == []
    assert bench.decision.armed is ARM
    assert (bench.decision.command.arm, bench.decision.command.session_id) == (ARM, 7)
    bench.run(10)
    assert (bench.decision.command.arm, bench.decision.command.session_id) == (None, 7)


def test_every_reason_is_named_at_once() -> None:
    bench = Bench()
    bench.run(1000)
    found = codes(bench, msgspec.structs.replace(permit_with(pseudonym=""), sets=9), host=Host())
    assert found == ["H03", "H07", "H23", "H28", "H30", "H31", "H33", "H34", "H34"]


# H07.


def test_h07_straps_not_proven() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(1900, straps=CLOSED)
    assert ("H07", 2, 4, "steps of strap proof") in refusals(bench)


@pytest.mark.parametrize("contacts", [OPEN, DISCREPANT, None])
def test_h07_straps_proven_but_not_closed_now(contacts: Contacts | None) -> None:
    told = [refusal for refusal in refusals(ready(), strap_right=contacts) if refusal[0] == "H07"]
    assert told == [("H07", 2 if contacts is OPEN else 4, 4, "steps of strap proof")]


def test_h07_straps_proven_but_not_confirmed() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(9000, straps=CLOSED)
    assert ("H07", 0, 1, "confirmed straps") in refusals(bench)


# H08, H12, H02: where the table is.


@pytest.mark.parametrize("sensor", ["angle_a_cdeg", "angle_b_cdeg"])
def test_h08_a_sensor_missing(sensor: str) -> None:
    assert "H08" in codes(ready(), **{sensor: None})


@pytest.mark.parametrize(("angle", "refused"), [(100, False), (101, True), (-100, False), (-101, True)])
def test_level_means_within_one_degree(angle: int, refused: bool) -> None:
    bench = ready()
    bench.glide(angle)
    bench.press("PRESENCE")
    bench.run(1500, level_switch=angle < 0)
    assert ("H12" in codes(bench)) is refused


def test_a_table_that_still_moves_is_not_armed() -> None:
    bench = ready()
    bench.glide(50)
    assert "H12" in codes(bench)
    bench.run(1000)
    assert codes(bench) == []


@pytest.mark.parametrize(
    ("switch", "angle", "agrees"),
    [
        (True, 250, True),
        (True, 251, False),
        (True, -50, True),
        (False, -350, True),
        (False, -351, False),
        (False, 50, True),
        (None, 0, False),
    ],
)
def test_h08_the_level_switch_within_three_degrees_of_its_threshold(
    switch: bool | None, angle: int, agrees: bool
) -> None:
    assert switch_agrees(switch, angle) is agrees


def test_h08_an_unknown_level_switch_refuses() -> None:
    assert "H08" in codes(ready(), level_switch=None)


@pytest.mark.parametrize("name", ["end_down", "end_up"])
@pytest.mark.parametrize("value", [True, None])
def test_h02_an_end_switch_reached_or_unknown_refuses(name: str, value: bool | None) -> None:
    assert ("H02", 1, 0, "end switches") in refusals(ready(), **{name: value})


# H16, H21: what feeds the drive.


@pytest.mark.parametrize(("extra", "refused"), [(0, False), (1, True)])
def test_h16_without_reserve_for_a_return_it_is_refused(extra: int, refused: bool) -> None:
    bench = ready()
    heat = bench.limits.thermal_budget_ma2_s * 40 // 100 + extra
    # Half of what the drive bears for ever cools a little in the tick of the request.
    cooled = bench.limits.thermal_leak_ma2 // 100
    bench.judged = msgspec.structs.replace(bench.judged, supply=Supply(heat=heat + cooled))
    assert ("H16" in codes(bench)) is refused


@pytest.mark.parametrize("fault", [True, None])
def test_h16_a_drive_fault_refuses(fault: bool | None) -> None:
    assert "H16" in codes(ready(), drive_fault=fault)


@pytest.mark.parametrize("mains", [False, None])
def test_h21_without_mains_it_is_refused(mains: bool | None) -> None:
    assert ("H21", 0, 1, "mains and battery") in refusals(ready(), mains=mains)


@pytest.mark.parametrize("battery", [False, None])
def test_h21_a_battery_that_did_not_pass_its_check_refuses(battery: bool | None) -> None:
    assert "H21" in codes(ready(), battery=battery)


def test_h21_a_table_without_a_battery_has_none_to_check() -> None:
    assert codes(ready(Limits(has_battery=False)), battery=None) == []


# H23, H25: buttons.


def test_h23_the_patients_button_not_tried() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(2100, straps=CLOSED)
    bench.run(3000)
    bench.press("CONFIRM")
    bench.run(1000)
    bench.press("CONFIRM")
    assert refusals(bench) == [("H23", 1, 3, "steps of button proof")]


@pytest.mark.parametrize("circuit", [True, None])
def test_h23_the_patients_circuit_open_now(circuit: bool | None) -> None:
    assert "H23" in codes(ready(), patient_button=circuit)


@pytest.mark.parametrize("name", ["TILT", "RAISE", "RETURN", "STOP", "PRESENCE", "ACK", "CONFIRM", "PLAN_UP"])
def test_h25_any_button_held_at_arming_refuses(name: str) -> None:
    assert "H25" in codes(ready().hold(name))


# H28, H30, H34: what the host knows of itself, and the permit.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"clock_ok": False}, "H28"),
        ({"config_ok": False}, "H30"),
        ({"started_table": False}, "H34"),
        ({"wall_s": 2001}, "H34"),
    ],
)
def test_what_the_host_does_not_know_refuses(change: dict[str, Any], code: str) -> None:
    assert codes(ready(), host=msgspec.structs.replace(HOST, **change)) == [code]


def test_h34_a_permit_is_valid_to_its_last_second() -> None:
    assert codes(ready(), host=msgspec.structs.replace(HOST, wall_s=2000)) == []


@pytest.mark.parametrize("session_id", [0, -1])
def test_h30_a_session_without_a_number_is_refused(session_id: int) -> None:
    assert codes(ready(), arm_with(session_id=session_id)) == ["H30"]


def test_h30_one_session_at_a_time() -> None:
    bench = armed()
    bench.run(10, arm=arm_with(session_id=8))
    assert bench.refused == ("H30",)
    assert bench.decision.armed is ARM


def test_h30_a_demand_in_force_refuses() -> None:
    bench = ready()
    bench.press("STOP")
    bench.run(1500)
    assert ("H30", int(Demand.STOP), 0, "demand still in force") in refusals(bench)


@pytest.mark.parametrize("issuer", [Issuer.CLINIC, Issuer.DECLARED])
def test_h34_only_issuers_that_the_profile_names(issuer: Issuer) -> None:
    assert codes(ready(), permit_with(issuer=issuer)) == ["H34"]
    assert codes(ready(Limits(issuers=(issuer.value,))), permit_with(issuer=issuer)) == []


def test_h34_simulated_people_only_on_a_table_that_the_command_itself_started() -> None:
    real = msgspec.structs.replace(HOST, started_table=False)
    limits = Limits(issuers=("simulated", "declared"))
    assert codes(ready(limits), host=real) == ["H34"]
    assert codes(ready(limits), permit_with(issuer=Issuer.DECLARED), host=real) == []


@pytest.mark.parametrize("change", [{"screening_version": 2}, {"screening_version": 0}, {"pseudonym": ""}])
def test_h34_another_screening_list_or_nobody_at_all(change: dict[str, Any]) -> None:
    assert codes(ready(), permit_with(**change)) == ["H34"]


# H01, H03, H13, H32: the plan against the table.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cap_cdeg": -6000}, None),
        ({"cap_cdeg": -6001}, "H01"),
        ({"cap_cdeg": -500}, None),
        ({"cap_cdeg": -499}, "H01"),
        ({"hold_s": 1}, None),
        ({"hold_s": 0}, "H03"),
        ({"hold_s": 300}, None),
        ({"hold_s": 301, "sets": 1}, "H03"),
        ({"set_limit_s": 540}, None),
        ({"set_limit_s": 541}, "H03"),
        ({"set_limit_s": 0}, "H03"),
        ({"sets": 1}, None),
        ({"sets": 0}, "H03"),
        ({"sets": 3}, None),
        ({"sets": 4}, "H03"),
        ({"used_today_s": 720}, None),
        ({"used_today_s": 721}, "H03"),
        ({"used_today_s": -1}, None),
        ({"speed_cdeg_s": 200}, None),
        ({"speed_cdeg_s": 201}, "H13"),
        ({"speed_cdeg_s": 50}, None),
        ({"speed_cdeg_s": 49}, "H13"),
        ({"rest_s": 60}, None),
        ({"rest_s": 59}, "H32"),
    ],
)
def test_a_plan_up_to_each_limit_is_accepted_and_none_beyond(change: dict[str, int], code: str | None) -> None:
    arm = msgspec.structs.replace(permit_with(prescribed_cdeg=-6500), **change)
    if change.get("hold_s", 0) > 300:
        arm = msgspec.structs.replace(arm, permit=msgspec.structs.replace(arm.permit, prescribed_hold_s=600))
    assert [found for found in codes(ready(), arm) if found != "H31"] == ([code] if code else [])


@pytest.mark.parametrize(
    ("limits", "change", "code"),
    [
        (Limits(cap_cdeg=-4499), {}, "H01"),
        (Limits(hold_limit_s=59), {}, "H03"),
        (Limits(set_limit_s=299), {}, "H03"),
        (Limits(sets_limit=2), {}, "H03"),
        (Limits(hold_a_day_s=179), {}, "H03"),
        (Limits(speed_cdeg_s=199), {}, "H13"),
        (Limits(rest_s=61), {}, "H32"),
    ],
)
def test_a_table_that_was_tightened_refuses_what_others_take(limits: Limits, change: dict[str, int], code: str) -> None:
    assert codes(ready(limits), arm_with(**change)) == [code]


@pytest.mark.parametrize(("today_s", "refused"), [(720, False), (721, True)])
def test_h03_the_permits_seconds_of_today_count_as_well(today_s: int, refused: bool) -> None:
    assert ("H03" in codes(ready(), permit_with(inverted_today_s=today_s))) is refused


def test_h03_seconds_below_none_are_nobodys() -> None:
    arm = msgspec.structs.replace(permit_with(inverted_today_s=-5), used_today_s=-5)
    assert "H03" in codes(ready(), arm)


# H31: the person against the plan.


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"plan_hash": "other"}, True),
        ({"prescribed_cdeg": -4500}, False),
        ({"prescribed_cdeg": -4499}, True),
        ({"prescribed_hold_s": 60}, False),
        ({"prescribed_hold_s": 59}, True),
        ({"last_cdeg": -4500}, False),
        ({"last_cdeg": -3500}, False),
        ({"last_cdeg": -3499}, True),
        ({"last_hold_s": 60}, False),
        ({"last_hold_s": 1}, False),
        ({"last_cdeg": -4400, "last_hold_s": 59}, True),
        ({"last_cdeg": None}, True),
        ({"last_hold_s": None}, True),
    ],
)
def test_h31_what_the_permit_allows(change: dict[str, Any], refused: bool) -> None:
    assert codes(ready(), permit_with(**change)) == (["H31"] if refused else [])


@pytest.mark.parametrize(("last_hold_s", "refused"), [(60, False), (59, True)])
def test_h31_one_step_of_hold_is_a_minute(last_hold_s: int, refused: bool) -> None:
    arm = msgspec.structs.replace(permit_with(last_hold_s=last_hold_s), hold_s=120)
    assert codes(ready(), arm) == (["H31"] if refused else [])


@pytest.mark.parametrize(
    ("cap", "hold", "found"),
    [(-2000, 120, []), (-2001, 120, ["H31"]), (-2000, 121, ["H31"]), (-2001, 121, ["H31", "H31"])],
)
def test_h31_without_a_history_twenty_degrees_and_two_minutes(cap: int, hold: int, found: list[str]) -> None:
    arm = msgspec.structs.replace(permit_with(last_cdeg=None, last_hold_s=None), cap_cdeg=cap, hold_s=hold)
    assert codes(ready(), arm) == found


def test_h31_a_plan_without_a_hash_is_nobodys() -> None:
    arm = msgspec.structs.replace(permit_with(plan_hash=""), plan_hash="")
    assert codes(ready(), arm) == ["H31"]


def test_h31_a_plan_that_was_not_read_back() -> None:
    bench = Bench()
    bench.run(1100)
    bench.run(2100, straps=CLOSED)
    bench.run(3000)
    bench.press("CONFIRM")
    bench.run(200, patient_button=True)
    bench.run(200, patient_button=False)
    assert refusals(bench) == [("H31", 0, 1, "plan read back")]


# Arming anew.


def test_h32_nobody_is_armed_out_of_an_inversion_without_the_rest() -> None:
    bench = tilted(-1000)
    state = bench.judged
    bench.judged = msgspec.structs.replace(state, armed=None)
    bench.run(10, arm=ARM)
    assert "H32" in bench.refused


def test_a_new_arm_starts_every_count_of_the_session_over() -> None:
    bench = ready()
    timing = msgspec.structs.replace(bench.judged.timing, sets=3, deepest_cdeg=-120)
    bench.judged = msgspec.structs.replace(bench.judged, timing=timing, over=True)
    assert refusals(bench) == []
    assert (bench.judged.timing.sets, bench.judged.timing.deepest_cdeg, bench.decision.over) == (0, 0, False)


def test_disarm_without_a_session_is_accepted_and_forgets_the_proofs() -> None:
    bench = ready()
    bench.run(10, disarm=True)
    assert bench.decision.command.disarm
    assert not bench.proved("straps_proven")


def test_arm_goes_before_disarm_in_one_tick() -> None:
    bench = ready()
    bench.run(10, arm=ARM, disarm=True)
    assert bench.decision.armed is ARM
    assert not bench.decision.command.disarm
