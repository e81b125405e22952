"""Permits: leave to arm one plan for one person, by a supervisor's declaration or by simulated people.

A permit of the clinic comes from the console. All are judged alike, on their fields (H31, H34).
"""

import datetime as dt
from dataclasses import dataclass

from config.errors import RefusedError, shorten
from config.plan import Plan
from config.screening import Screening
from safety.signals import Issuer, Permit

VALID_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a supervisor declares at the panel or terminal.

    `answers` has True for every item of the screening list that applies to the person. The history is the deepest
    angle (degrees, negative) and longest hold (seconds) last reached safely, or None. `screening_version` and `date`
    are the list's and the day's of the answers, None where they were given this moment.
    """

    pseudonym: str
    answers: dict[str, bool]
    inverted_today_s: int = 0
    last_deg: float | None = None
    last_hold_s: int | None = None
    screening_version: int | None = None
    date: dt.date | None = None


def simulated(plan: Plan, screening_version: int, wall_s: int) -> Permit:
    """Return the permit of simulated people: it allows just this plan, and only a table started by the command."""
    return Permit(
        plan_hash=plan.hash,
        pseudonym="simulated",
        screening_version=screening_version,
        valid_until_s=wall_s + VALID_S,
        inverted_today_s=0,
        prescribed_cdeg=plan.cap_cdeg,
        prescribed_hold_s=plan.hold_s,
        last_cdeg=plan.cap_cdeg,
        last_hold_s=plan.hold_s,
        issuer=Issuer.SIMULATED,
    )


def declared(plan: Plan, screening: Screening, declaration: Declaration, wall_s: int) -> Permit:
    """Return the permit of a supervisor who answered the whole screening list for a person.

    Raises:
        RefusedError: an item was left out or applies to the person; the answers are another day's or another list's.
            Every reason is named.
    """
    reasons = []
    today = dt.date.fromtimestamp(wall_s)
    if declaration.date not in (None, today):
        reasons.append(f"the answers are of {declaration.date} and today is {today}: ask again")
    if declaration.screening_version not in (None, screening.version):
        reasons.append(
            f"version {declaration.screening_version} of the list was answered, and this is version"
            f" {screening.version}: ask again"
        )
    for item in screening.items:
        answer = declaration.answers.get(item.id)
        if answer is None:
            reasons.append(f"{item.id}: not answered")
        elif answer:
            reasons.append(f"{item.id}: applies to this person ({item.kind})")
    known = {item.id for item in screening.items}
    reasons += [f"{shorten(id_)}: is no item of the list" for id_ in declaration.answers if id_ not in known]
    if not declaration.pseudonym.strip():
        reasons.append("the person has no pseudonym")
    if reasons:
        raise RefusedError("no permit can be declared: " + "; ".join(reasons))
    last = declaration.last_deg
    return Permit(
        plan_hash=plan.hash,
        pseudonym=declaration.pseudonym.strip(),
        screening_version=screening.version,
        valid_until_s=wall_s + VALID_S,
        inverted_today_s=declaration.inverted_today_s,
        prescribed_cdeg=plan.cap_cdeg,
        prescribed_hold_s=plan.hold_s,
        last_cdeg=None if last is None else round(last * 100),
        last_hold_s=declaration.last_hold_s,
        issuer=Issuer.DECLARED,
    )
