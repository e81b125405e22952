"""Walking a plan: which set, which stage, how long still; a value of its own, without time or table."""

from dataclasses import dataclass

import msgspec

from config.plan import Plan


@dataclass(frozen=True, slots=True)
class Steps:
    """A plan as the state machine walks it: integers only, copied out of the plan once.

    `stages_cdeg` are the angles of one descent, the target last; `stage_wait_ms` the wait after each but the last.
    """

    name: str
    hash: str
    sets: int
    stages_cdeg: tuple[int, ...]
    stage_wait_ms: int
    hold_ms: int
    rest_ms: int
    speed_cdeg_s: int

    @property
    def target_cdeg(self) -> int:
        """The angle at which each set is held."""
        return self.stages_cdeg[-1]


def steps_of(plan: Plan) -> Steps:
    """Copy a plan's figures."""
    return Steps(
        name=plan.name,
        hash=plan.hash,
        sets=plan.sets,
        stages_cdeg=plan.stages_cdeg,
        stage_wait_ms=0 if plan.staged is None else plan.staged.wait_s * 1000,
        hold_ms=plan.hold_s * 1000,
        rest_ms=plan.rest_s * 1000,
        speed_cdeg_s=plan.speed_cdeg_s,
    )


class Walk(msgspec.Struct, frozen=True, gc=False):
    """Where a session stands in its plan.

    `number` counts sets from 1 (0 before the first), `stage` indexes the stages of this set's descent. Times count up
    in milliseconds within the present stage's wait, hold or rest.
    """

    number: int = 0
    stage: int = 0
    waited_ms: int = 0
    held_ms: int = 0
    rested_ms: int = 0

    def next_set(self) -> "Walk":
        """Begin the next set."""
        return Walk(number=self.number + 1)

    def next_stage(self) -> "Walk":
        """Go on to the next stage of this set."""
        return Walk(self.number, self.stage + 1)
