"""Profiles, plans and problems as a person reads them, and as JSON: the figures with their units.

It imports the models, so that only a subcommand that has begun its work imports it.
"""

from typing import Any

from config.declared import Declared
from config.errors import Problem
from config.limits import Limits
from config.plan import Plan
from config.profile import Profile
from config.quantities import deg
from config.screening import Screening


def described(loaded: Profile | Plan | Screening | Declared, limits: Limits | None) -> str:
    """Return one line that says what a file is."""
    if isinstance(loaded, Profile):
        return f"profile {loaded.name}: {profile_text(loaded)}"
    if isinstance(loaded, Plan):
        return f"plan {loaded.name}: {plan_text(loaded, limits or Limits())}"
    if isinstance(loaded, Declared):
        applies = sum(loaded.answers.values())
        return f"declaration of {loaded.date} for {loaded.pseudonym}: {len(loaded.answers)} answers, {applies} apply"
    return f"screening list, version {loaded.version}: {len(loaded.items)} questions"


def identity(loaded: Profile | Plan | Screening | Declared) -> dict[str, Any]:
    """Return what a file is, for JSON."""
    if isinstance(loaded, Declared):
        return {"format": loaded.format, "name": loaded.pseudonym}
    name = loaded.title if isinstance(loaded, Screening) else loaded.name
    return {"format": loaded.format, "name": name}


def plan_text(plan: Plan, limits: Limits) -> str:
    """Return a plan's figures with their units."""
    sets = "1 set" if plan.sets == 1 else f"{plan.sets} sets"
    staged = ""
    if plan.staged is not None:
        staged = f", staged by {deg(plan.staged.step_cdeg)}° with {plan.staged.wait_s} s between"
    return (
        f"{sets} of {deg(plan.angle_cdeg)}° for {plan.hold_s} s at {deg(plan.speed_cdeg_s)}°/s{staged},"
        f" rest {plan.rest_s} s; up to {plan.planned_inverted_s(limits)} s below -5° a set,"
        f" about {round(plan.planned_s / 60)} min altogether"
    )


def plan_json(plan: Plan, limits: Limits) -> dict[str, Any]:
    """Return a plan's figures, with units in their names."""
    staged = plan.staged
    return {
        "name": plan.name,
        "title": plan.title,
        "sets": plan.sets,
        "angle_deg": plan.angle_cdeg / 100,
        "hold_s": plan.hold_s,
        "rest_s": plan.rest_s,
        "speed_deg_s": plan.speed_cdeg_s / 100,
        "staged": None if staged is None else {"step_deg": staged.step_cdeg / 100, "wait_s": staged.wait_s},
        "planned_inverted_s": plan.planned_inverted_s(limits),
        "set_limit_s": plan.set_limit_s(limits),
        "planned_s": plan.planned_s,
        "hash": plan.hash,
    }


def profile_text(profile: Profile) -> str:
    """Return a profile's main figures with their units."""
    limits = profile.limits()
    angles = f"{deg(limits.cap_cdeg)}° … {deg(limits.boarding_cdeg)}°"
    return (
        f"{profile.bridge}; {angles}, up to {deg(limits.speed_cdeg_s)}°/s,"
        f" holds up to {limits.hold_limit_s} s, {limits.sets_limit} sets, rest {limits.rest_s} s or more;"
        f" {profile.drive.rated_load_kg} kg; permits: {', '.join(limits.issuers)}"
    )


def profile_json(profile: Profile) -> dict[str, Any]:
    """Return a profile's main figures, with units in their names."""
    limits = profile.limits()
    return {
        "name": profile.name,
        "title": profile.title,
        "table_id": profile.table_id,
        "bridge": profile.bridge,
        "cap_deg": limits.cap_cdeg / 100,
        "boarding_deg": limits.boarding_cdeg / 100,
        "speed_deg_s": limits.speed_cdeg_s / 100,
        "hold_s": limits.hold_limit_s,
        "sets": limits.sets_limit,
        "rest_s": limits.rest_s,
        "rated_load_kg": profile.drive.rated_load_kg,
        "issuers": list(limits.issuers),
        "hash": profile.hash,
        "problems": [],
    }


def problem_json(problem: Problem) -> dict[str, str]:
    """Return one mistake, for JSON."""
    return {
        "file": problem.file,
        "key": problem.key,
        "value": problem.value,
        "bound": problem.bound,
        "message": problem.message,
        "nearest": problem.nearest,
    }
