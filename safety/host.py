"""What the host knows of itself: that another run of it began this inversion (H29), that nothing is recorded (H33)."""

from config.limits import LEVEL_BAND_CDEG
from safety.signals import Alarm, Arm, Cause, Demand, Guard, Readings


def began_elsewhere(
    readings: Readings, guard: Guard | None, armed: Arm | None, asked: Arm | None, at_cdeg: int, now: list[Cause]
) -> None:
    """H29: below level in a session that this host did not begin: its guard brings the patient back.

    The guard is armed though this host armed nobody and has `asked` for nothing, or the last run's records end in the
    middle. Commands of this host carry no session, so they renew no lease.
    """
    if armed is not None or at_cdeg >= -LEVEL_BAND_CDEG:
        return
    if readings.host.unfinished or (guard is not None and guard.session_id and asked is None):
        now.append(Cause("H29", Demand.RETURN, Alarm.MEDIUM, at_cdeg, -LEVEL_BAND_CDEG, "cdeg"))


def unrecorded(readings: Readings, armed: Arm | None, below: bool, now: list[Cause]) -> None:
    """H33: the set under way goes on as planned, its return included; no other one begins."""
    if armed is not None and not readings.host.records_ok:
        demand = Demand.ALLOW if below else Demand.NO_DEEPENING
        now.append(Cause("H33", demand, Alarm.LOW, 0, 1, "not recorded"))
