"""What speaks against a plan and a permit that are offered to a table: every reason at once, before anybody is asked.

The judge says the last word, at ARM; what can be known before the panel is told here, so that whoever offers hears it.
"""

from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from config.errors import ConfigurationError
from config.limits import Limits
from config.loading import plan_of
from config.mistakes import from_contradiction
from config.plan import Plan
from controller.sentences import refusal
from controller.session import arm_of
from safety import arming
from safety.signals import Permit, Readings
from safety.straps import Straps

READ_BACK: Final = Straps(read_back=True)


class Against(NamedTuple):
    """Why an offer is refused: sentences, and the codes of the hazards among the reasons."""

    why: tuple[str, ...]
    codes: tuple[str, ...]


def read(data: dict[str, Any]) -> Plan | Against:
    """Return the plan that an offer holds, or everything that is wrong in it."""
    try:
        return plan_of(data, "the plan")
    except ConfigurationError as error:
        return Against(tuple(str(problem) for problem in error.problems), ())
    except (ValidationError, TypeError, ValueError) as error:
        return Against((f"the plan cannot be read: {error}",), ())


def against(plan: Plan, permit: Permit, limits: Limits, readings: Readings) -> Against | None:
    """Return why this plan is not for this table or this person now; None where nothing speaks against it."""
    why = [str(from_contradiction(found, "the plan")) for found in plan.contradictions(limits, "this table's limit")]
    if why:
        return Against(tuple(why), ())
    arm = arm_of(plan, limits, permit, True, False, 1)
    found = arming.of_plan(arm, limits) + arming.of_person(arm, readings, READ_BACK, limits)
    if not found:
        return None
    found.sort(key=lambda cause: cause.code)
    return Against(tuple(refusal(cause) for cause in found), tuple(dict.fromkeys(cause.code for cause in found)))
