"""Whether a real table was proven at commissioning (H30), told before anybody is asked anything and anything moves."""

import datetime as dt

from config.commissioning import outdated, unproven
from config.errors import RefusedError
from config.profile import Profile


def reasons(profile: Profile, wall_s: int | None, *, pins: bool) -> list[str]:
    """Return every reason why what was proven on this table does not suffice to arm a person.

    `wall_s` is the date, in seconds since 1970, as it is judged once; None judges everything but the age. With `pins`
    the table is on the Pi's own pins.
    """
    found = [*unproven(profile, pins)]
    if wall_s is not None:
        found += outdated(profile, dt.date.fromtimestamp(wall_s))
    return found


def require(profile: Profile, wall_s: int | None, *, pins: bool) -> None:
    """Refuse a table that was not proven.

    Raises:
        RefusedError: with every reason.
    """
    found = reasons(profile, wall_s, pins=pins)
    if found:
        raise RefusedError(f"the table {profile.table_id} arms nobody: " + "; ".join(found))
