"""What was proven when a table was put into service: the table `[commissioning]` of a profile, written by hand.

Without it nobody is armed on a real table. A figure that does not suffice is no mistake in the file: it is what was
measured, and it is told as the reason why the table refuses.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from config.limits import LONGEST_COMMISSIONING_DAYS, LONGEST_RELAY_DROP_MS
from config.quantities import Model, whole
from config.words import Name, Title

if TYPE_CHECKING:
    from config.profile import Profile


class Commissioning(Model):
    """What was proven on this one table, when and by whom.

    `date` is the day and `by` the person. `table_id` is the table's, so that no other table's proof is taken for it.
    `valid_days` is how long the proof holds. Only a table on the Pi's own pins needs the other two: `relay_drop_ms`,
    how long after the last edge of the safety relay's pin drive and brake were dropped, at the worst of ten times; and
    `self_locking_kg`, the load, at the rated distance from the pivot, that the unpowered drive held without its brake.
    """

    date: dt.date
    by: Title
    table_id: Name
    valid_days: Annotated[int, whole("days", 1, LONGEST_COMMISSIONING_DAYS)] = LONGEST_COMMISSIONING_DAYS
    relay_drop_ms: Annotated[int | None, whole("ms", 1, 60_000)] = None
    self_locking_kg: Annotated[int | None, whole("kg", 0, 1000)] = None


def unproven(profile: "Profile", pins: bool) -> Iterator[str]:
    """Yield in words every reason but its age why this profile's commissioning does not suffice to arm a person.

    With `pins` the table is on the Pi's own pins, where nothing but the safety relay and a self-locking drive is left
    when this computer hangs.
    """
    proof = profile.commissioning
    if pins and not profile.drive.self_locking:
        yield (
            "drive.self_locking = false: on the Pi's own pins the drive has to hold the rated load by itself, since "
            "nothing else does when this computer hangs"
        )
    if proof is None:
        yield "[commissioning] is missing: prove the table as docs/gpio.md says, and write down date, by whom and what"
        return
    if proof.table_id != profile.table_id:
        yield f'commissioning.table_id = "{proof.table_id}": is another table; this one is "{profile.table_id}"'
    if not pins:
        return
    drop_ms, held_kg, rated_kg = proof.relay_drop_ms, proof.self_locking_kg, profile.drive.rated_load_kg
    if drop_ms is None:
        yield f"commissioning.relay_drop_ms is missing: measure it; {LONGEST_RELAY_DROP_MS} ms at the most"
    elif not drop_ms <= LONGEST_RELAY_DROP_MS:
        most = f"({LONGEST_RELAY_DROP_MS} ms at the most)"
        yield f"commissioning.relay_drop_ms = {drop_ms}: the safety relay is too slow {most}"
    if held_kg is None:
        yield f"commissioning.self_locking_kg is missing: see that the table stands with {rated_kg} kg or more"
    elif not held_kg >= rated_kg:
        yield f"commissioning.self_locking_kg = {held_kg}: less than the rated load of {rated_kg} kg"


def outdated(profile: "Profile", today: dt.date) -> Iterator[str]:
    """Yield in words why the day of this profile's commissioning does not suffice, if it does not."""
    proof = profile.commissioning
    if proof is None:
        return
    days = (today - proof.date).days
    if days < 0:
        yield f"commissioning.date = {proof.date}: lies in the future, or this computer's date ({today}) is wrong"
    elif not days <= proof.valid_days:
        why = f"{days} days ago, and it holds for {proof.valid_days}: prove the table again"
        yield f"commissioning.date = {proof.date}: {why}"
