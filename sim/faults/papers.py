"""Faults that touch no part of a table, but what is brought to it: the permit, and where it stands when switched on."""

from collections.abc import Iterable

import msgspec

from safety.signals import Permit
from sim.faults.kinds import Fault, active_faults
from sim.table import TableParts


def tamper(permit: Permit, table: TableParts) -> Permit:
    """Return the permit as the faults of `table` leave it; called when a `FaultSchedule` has been made for it."""
    return tampered(permit, active_faults(table))


def tampered(permit: Permit, faults: Iterable[Fault]) -> Permit:
    """Return the permit as some faults leave it."""
    for fault in faults:
        if fault.name == "wrong-plan":
            permit = msgspec.structs.replace(permit, prescribed_cdeg=round(float(fault.values["prescribed_deg"]) * 100))
        elif fault.name == "permit-expired":
            permit = msgspec.structs.replace(permit, valid_until_s=0)
    return permit


def boot_angle_deg(faults: Iterable[Fault], otherwise_deg: float) -> float:
    """Return where the table stands when it is switched on: as the last `boots-below` says, or `otherwise_deg`."""
    for fault in faults:
        if fault.name == "boots-below":
            otherwise_deg = float(fault.values["at_deg"])
    return otherwise_deg
