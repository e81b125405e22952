"""Whether ARM may be accepted: every reason against it, in the order of the hazard table.

The same rules judge what the table says now (straps, buttons, sensors, mains, heat), what the host knows of itself
(clock, configuration) and what the permit says of the person.
"""

from typing import Final

from config.limits import (
    DEEPEST_CAP_CDEG,
    FIRST_VISIT_CDEG,
    FIRST_VISIT_HOLD_S,
    INVERTED_CDEG,
    LEVEL_BAND_CDEG,
    LONGEST_SET_S,
    STEP_CDEG,
    STEP_HOLD_S,
    Limits,
)
from safety.angle import SWITCH_CDEG, Angles, switch_agrees
from safety.people import PROVEN, People
from safety.signals import Alarm, Arm, Cause, Demand, Issuer, Readings
from safety.straps import Straps
from safety.supply import Supply

START_HEAT_PERCENT: Final = 40


def refusal(code: str, value: int, limit: int, unit: str) -> Cause:
    """One reason why arming is refused; it holds nothing, so its demand is NO_DEEPENING."""
    return Cause(code, Demand.NO_DEEPENING, Alarm.LOW, value, limit, unit)


def of_table(
    readings: Readings,
    angles: Angles,
    switch_wrong: bool,
    straps: Straps,
    people: People,
    supply: Supply,
    still: bool,
    limits: Limits,
) -> list[Cause]:
    """What speaks against arming on the table itself: it must be level, still, proven and whole."""
    found = []
    if not straps.closed or not straps.proven:
        found.append(refusal("H07", straps.left.stage + straps.right.stage, 4, "steps of strap proof"))
    elif not straps.confirmed:
        found.append(refusal("H07", 0, 1, "confirmed straps"))
    angle = angles.angle_cdeg
    if angle is None or angles.doubtful:
        found.append(refusal("H08", 1, 2, "agreeing angle sensors"))
    else:
        if not -LEVEL_BAND_CDEG <= angle <= LEVEL_BAND_CDEG or not still:
            found.append(refusal("H12", angle, LEVEL_BAND_CDEG, "cdeg, level and still"))
        if switch_wrong or not switch_agrees(readings.level_switch, angle):
            found.append(refusal("H08", angle, SWITCH_CDEG, "cdeg by the level switch"))
    if readings.end_down is not False or readings.end_up is not False:
        found.append(refusal("H02", 1, 0, "end switches"))
    cool = supply.heat * 100 <= limits.thermal_budget_ma2_s * START_HEAT_PERCENT
    if not cool or readings.drive_fault is not False:
        heat_percent = supply.heat * 100 // limits.thermal_budget_ma2_s
        found.append(refusal("H16", heat_percent, START_HEAT_PERCENT, "% of the drive's heat"))
    if readings.mains is not True or (limits.has_battery and readings.battery is not True):
        found.append(refusal("H21", 0, 1, "mains and battery"))
    if people.patient != PROVEN or people.patient_open:
        found.append(refusal("H23", people.patient, PROVEN, "steps of button proof"))
    if people.raw:
        found.append(refusal("H25", people.raw, 0, "buttons held"))
    return found


def of_plan(arm: Arm, limits: Limits) -> list[Cause]:
    """What speaks against the plan on this table, whoever it is for."""
    found = []
    if not max(limits.cap_cdeg, DEEPEST_CAP_CDEG) <= arm.cap_cdeg <= INVERTED_CDEG:
        found.append(refusal("H01", arm.cap_cdeg, limits.cap_cdeg, "cdeg"))
    if not 1 <= arm.hold_s <= limits.hold_limit_s:
        found.append(refusal("H03", arm.hold_s, limits.hold_limit_s, "s of hold"))
    if not 1 <= arm.set_limit_s <= min(limits.set_limit_s, LONGEST_SET_S):
        found.append(refusal("H03", arm.set_limit_s, limits.set_limit_s, "s below −5°"))
    if not 1 <= arm.sets <= limits.sets_limit:
        found.append(refusal("H03", arm.sets, limits.sets_limit, "sets"))
    today_s = max(arm.used_today_s, arm.permit.inverted_today_s)
    if not (today_s >= 0 and today_s + arm.sets * arm.hold_s <= limits.hold_a_day_s):
        found.append(refusal("H03", today_s + arm.sets * arm.hold_s, limits.hold_a_day_s, "s of hold today"))
    if not limits.first_degree_cdeg_s <= arm.speed_cdeg_s <= limits.speed_cdeg_s:
        found.append(refusal("H13", arm.speed_cdeg_s, limits.speed_cdeg_s, "cdeg/s"))
    if not limits.rest_s <= arm.rest_s:
        found.append(refusal("H32", arm.rest_s, limits.rest_s, "s of rest"))
    return found


def of_person(arm: Arm, readings: Readings, straps: Straps, limits: Limits) -> list[Cause]:
    """What speaks against this plan for this person now: clock, configuration, records, read-back, permit."""
    permit, host = arm.permit, readings.host
    found = []
    if not host.clock_ok:
        found.append(refusal("H28", 0, 1, "clock synchronised"))
    if not host.config_ok or not arm.session_id > 0:
        found.append(refusal("H30", 0, 1, "configuration proven"))
    if not host.records_ok:
        found.append(refusal("H33", 0, 1, "not recorded"))
    if permit.plan_hash != arm.plan_hash or not arm.plan_hash:
        found.append(refusal("H31", 0, 1, "permit for this plan"))
    if not straps.read_back:
        found.append(refusal("H31", 0, 1, "plan read back"))
    if not permit.prescribed_cdeg <= arm.cap_cdeg:
        found.append(refusal("H31", arm.cap_cdeg, permit.prescribed_cdeg, "cdeg prescribed"))
    if not arm.hold_s <= permit.prescribed_hold_s:
        found.append(refusal("H31", arm.hold_s, permit.prescribed_hold_s, "s of hold prescribed"))
    found += beyond_history(arm)
    found += not_permitted(arm, readings, limits)
    return found


def beyond_history(arm: Arm) -> list[Cause]:
    """H31: one step (10° or 1 min) beyond what was last safely reached; without a history −20° for 2 min."""
    last_cdeg, last_hold_s = arm.permit.last_cdeg, arm.permit.last_hold_s
    if last_cdeg is None or last_hold_s is None:
        found = []
        if not FIRST_VISIT_CDEG <= arm.cap_cdeg:
            found.append(refusal("H31", arm.cap_cdeg, FIRST_VISIT_CDEG, "cdeg without a history"))
        if not arm.hold_s <= FIRST_VISIT_HOLD_S:
            found.append(refusal("H31", arm.hold_s, FIRST_VISIT_HOLD_S, "s of hold without a history"))
        return found
    deeper = not last_cdeg <= arm.cap_cdeg
    longer = not arm.hold_s <= last_hold_s
    if deeper and longer:
        return [refusal("H31", 2, 1, "steps at once")]
    if not last_cdeg - STEP_CDEG <= arm.cap_cdeg:
        return [refusal("H31", arm.cap_cdeg, last_cdeg - STEP_CDEG, "cdeg, one step")]
    if not arm.hold_s <= last_hold_s + STEP_HOLD_S:
        return [refusal("H31", arm.hold_s, last_hold_s + STEP_HOLD_S, "s of hold, one step")]
    return []


def not_permitted(arm: Arm, readings: Readings, limits: Limits) -> list[Cause]:
    """H34: no valid permit. Simulated people count only on a table that the command itself started."""
    permit, host = arm.permit, readings.host
    found = []
    if permit.issuer.value not in limits.issuers or (permit.issuer is Issuer.SIMULATED and not host.started_table):
        found.append(refusal("H34", 0, 1, "accepted issuer"))
    if permit.screening_version != limits.screening_version:
        found.append(refusal("H34", permit.screening_version, limits.screening_version, "screening list version"))
    if not host.wall_s <= permit.valid_until_s:
        found.append(refusal("H34", host.wall_s, permit.valid_until_s, "valid until"))
    if not permit.pseudonym:
        found.append(refusal("H34", 0, 1, "person"))
    return found
