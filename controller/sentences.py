"""What an operator reads: for each hazard what is wrong, what the table does about it, and what to do now.

One sentence each, in plain words, by the codes of the hazard table. What the table does follows from the demand
alone; where a hazard needs other words than its demand, the second table below has them.
"""

from typing import Final, NamedTuple

from controller.recording import limit_of, measure
from safety.signals import Cause, Decision, Demand, Region, Snapshot, State


class Words(NamedTuple):
    """What is wrong, and what to do about it beside what the demand asks for."""

    wrong: str
    do: str


CLEAR: Final = "Then hold ACK for 2 s, with everything still."
CLEAR_ELSE: Final = {
    "H11": "",
    "H20": "Then hold ACK for half a second, and for 2 s.",
    "H25": "Then press a button afresh.",
    "H26": "Then press a button afresh.",
    "STOP": "To go on, press TILT afresh.",
}
# Figures that say no more than yes.
PLAIN_FACTS: Final = ("pressed", "asked", "circuit open", "drive fault")

WORDS: Final[dict[str, Words]] = {
    "H01": Words("The table is deeper than this session's cap", "Have the drive and the angle sensors looked at."),
    "H02": Words("The table is deeper than this device allows", "Have the drive and the end switch looked at."),
    "H03": Words("The patient was inverted longer than this set allows", "Let the patient rest at level."),
    "H04": Words("A strap opened while the patient was inverted", "Support the patient; touch no other strap."),
    "H05": Words("A strap opened", "Close the strap and look at the buckle before going on."),
    "H06": Words(
        "The two contacts of a strap disagree", "Check the buckle: at level open the strap fully, then close it."
    ),
    "H07": Words(
        "The straps are not proven", "Open each strap for 1 s, close it, wait 5 s, then press CONFIRM afresh."
    ),
    "H08": Words("The angle sensors disagree, or one is lost", "Have the angle sensors looked at."),
    "H09": Words("Both angle sensors are lost", "Have the angle sensors looked at."),
    "H10": Words("The table is driven, but its angle does not change", "Have sensors, gear and drive looked at."),
    "H11": Words("The table turned against its command", "The table stays locked until service has looked at it."),
    "H12": Words("The table moved without a command", "Have the brake looked at before anybody else uses the table."),
    "H13": Words("The table turned too fast", "Have drive and brake looked at before anybody else uses the table."),
    "H14": Words("Something blocks the table", "Look for what is in the way, and take it away."),
    "H15": Words("Something blocks the way back", "Look for what is in the way, and take it away."),
    "H16": Words("The drive is too hot, or reports a fault", "Let the drive cool down before the next session."),
    "H17": Words("The controlling computer does not answer", "Have the computer looked at before the next session."),
    "H18": Words("The table's messages came late or not at all", "Check the cable between the table and the computer."),
    "H19": Words("The table was switched on while below level", "At level hold ACK for 2 s."),
    "H20": Words(
        "The emergency stop is pressed", "When the danger is over, pull it out and hold ACK for half a second."
    ),
    "H21": Words("The mains supply is lost", "Check plug and fuse; charge the battery before the next session."),
    "H22": Words("The patient asked to come back", "Ask the patient why, and how they feel."),
    "H23": Words("The patient's own button is not proven", "Let the patient press the own button and let go of it."),
    "H24": Words("Nobody showed presence at the table", "Somebody must stay at the table and press PRESENCE."),
    "H25": Words("A button is held too long, or stuck", "Let go of the button; if it stays down, have it replaced."),
    "H26": Words("Two buttons that contradict each other are pressed", "Let go of both, then press the one you mean."),
    "H27": Words("The controller was late", "Close other programs on this computer."),
    "H28": Words("This computer's date or time cannot be trusted", "Set the clock, then start again."),
    "H29": Words("The controller was started again during a session", "Watch the patient until level."),
    "H30": Words("This table's configuration is wrong or not proven", "Have the table commissioned anew."),
    "H31": Words("The plan does not fit this patient", "Check who is on the table, and choose a plan that is allowed."),
    "H32": Words(
        "The patient has not rested long enough to be moved again",
        "Raise by held button, in two parts, and watch the patient.",
    ),
    "H33": Words("The session cannot be recorded", "Make room on the disk, or repair the recorder."),
    "H34": Words("There is no valid permit for this person", "Answer the screening list first."),
    "H35": Words("Somebody without the right to it gave a command", "Log in, or call somebody who may."),
    "H36": Words("The table is raised beyond its boarding angle", "Hold TILT to lower it."),
    "STOP": Words("Somebody asked for a stop", ""),
}

DOES: Final[dict[Demand, str]] = {
    Demand.ALLOW: "The table goes on.",
    Demand.NO_DEEPENING: "The table goes no deeper; holding, and going toward level, continue.",
    Demand.STOP: "The table stops and brakes.",
    Demand.RETURN: "The table returns to level by itself.",
    Demand.HOLD: "The table stands still, powered and watched.",
    Demand.CUT: "Drive power is cut and the brake is set.",
}
DOES_SLOWLY: Final = "The table returns to level by itself, slowly."
DOES_ELSE: Final[dict[tuple[str, Demand], str]] = {
    ("H15", Demand.HOLD): "The table stops, may give way a little, and stands still, powered and watched.",
    ("H36", Demand.STOP): "The table stops and cannot be raised.",
}

DO: Final[dict[Demand, str]] = {
    Demand.ALLOW: "",
    Demand.NO_DEEPENING: "",
    Demand.STOP: "To bring the patient back, press RETURN.",
    Demand.RETURN: "Stay with the patient until level.",
    Demand.HOLD: "Hold RETURN: the table goes slowly to level while it is held.",
    Demand.CUT: "There is no electric return: bring the patient back by hand.",
}
DO_ELSE: Final[dict[tuple[str, Demand], str]] = {
    ("H05", Demand.STOP): "",
    ("H20", Demand.CUT): "",
    ("H20", Demand.HOLD): "Hold RETURN: the table goes slowly to level while it is held.",
    ("H36", Demand.STOP): "",
}
PROMPTS: Final[dict[str, str]] = {
    "H06": "Check the buckle: the two contacts of a strap disagree.",
    "H22": "The patient asked to come back.",
    "H24": "Press PRESENCE: somebody must be at the table.",
    "H25": "A button is held that moves nothing now: let go of it.",
}


def wrong(code: str) -> str:
    """Return what is wrong, without a full stop; an unknown code says itself."""
    return WORDS[code].wrong if code in WORDS else code


def figures(cause: Cause) -> str:
    """Return what was measured against which limit, with units."""
    if cause.unit in PLAIN_FACTS:
        return cause.unit
    return f"{measure(cause.value, cause.unit)}, limit {limit_of(cause)}"


def what_the_table_does(cause: Cause) -> str:
    """Return what the table does about a cause, as a sentence."""
    slowly = DOES_SLOWLY if cause.slow and cause.demand is Demand.RETURN else DOES[cause.demand]
    return DOES_ELSE.get((cause.code, cause.demand), slowly)


def what_to_do(cause: Cause, manual_return_text: str = "", home: bool = False) -> str:
    """Return what people have to do about a cause: first what its demand asks for, then what the hazard does.

    `manual_return_text` is the table's own way back without power. With `home`, at level or above, nobody has to be
    brought back: what mends it, and what clears the alarm.
    """
    mends = WORDS[cause.code].do if cause.code in WORDS else ""
    if home:
        return " ".join(part for part in (mends, CLEAR_ELSE.get(cause.code, CLEAR)) if part)
    first = DO_ELSE.get((cause.code, cause.demand), DO[cause.demand])
    by_hand = manual_return_text if cause.demand is Demand.CUT and first else ""
    return " ".join(part for part in (first, by_hand, mends) if part)


def message(cause: Cause, manual_return_text: str = "", in_force: Demand = Demand.ALLOW) -> str:
    """Return the whole message of a cause: what is wrong with its figures, what the table does, what to do.

    Where a worse demand is `in_force`, that is what the table does.
    """
    told = f"{wrong(cause.code)} ({figures(cause)})."
    if in_force > cause.demand:
        return f"{told} A worse demand, {in_force.name}, stays in force."
    return " ".join((told, what_the_table_does(cause), what_to_do(cause, manual_return_text))).strip()


def refusal(cause: Cause) -> str:
    """Return why the table does not arm, or starts no set, and what mends it."""
    told = f"{wrong(cause.code)} ({figures(cause)})."
    return f"{told} {WORDS[cause.code].do}" if cause.code in WORDS else told


def prompt(code: str) -> str:
    """Return what a prompt asks for; it demands nothing yet."""
    return PROMPTS.get(code) or (WORDS[code].do if code in WORDS else code)


def what_now(snapshot: Snapshot, manual_return_text: str = "") -> str:
    """Return the one thing that people have to do now: about the worst cause, a prompt, or the plan's next step."""
    decision = snapshot.decision
    trouble = [cause for cause in decision.causes if cause.demand >= Demand.STOP]
    if trouble:
        home = decision.region in (Region.LEVEL, Region.ABOVE)
        return what_to_do(max(trouble, key=_demand), manual_return_text, home)
    if decision.prompts:
        return prompt(decision.prompts[0])
    if decision.refusals:
        return refusal(decision.refusals[0])
    if snapshot.wish.state is State.IDLE and snapshot.wish.set_number:
        return "The session is over: open the straps and let the patient off slowly."
    return _next_step(snapshot.wish.state, decision)


def _demand(cause: Cause) -> Demand:
    return cause.demand


def _next_step(state: State, decision: Decision) -> str:
    """Return what the plan waits for, in a session without trouble."""
    if state is State.IDLE:
        return _on_the_way_to_arming(decision)
    return {
        State.STRAPPED: "Hold TILT when the table has stood still for 5 s.",
        State.TILTING: "Keep TILT held until the target; let go to stop.",
        State.HOLDING: "Stay with the patient; press PRESENCE from time to time.",
        State.RETURNING: "Stay with the patient until level.",
        State.RESTING: "Let the patient rest at level, straps closed.",
        State.EMERGENCY_RETURN: "Stay with the patient until level.",
        State.STOPPED: "To bring the patient back, press RETURN.",
    }[state]


def _on_the_way_to_arming(decision: Decision) -> str:
    proofs = decision.proofs
    if not proofs.straps_proven:
        return "Close both straps, each seen open first."
    if not proofs.straps_confirmed:
        return "Look at both straps, bring the table to level and press CONFIRM."
    if not proofs.patient_button:
        return "Let the patient press the own button and let go of it."
    if not proofs.read_back:
        return "Read name and plan back, then press CONFIRM afresh."
    return "Wait: the table arms."
