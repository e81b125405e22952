"""What the alarm engine remembers from one tick to the next; see `controller.alarms`."""

from typing import Final

import msgspec

from safety.signals import Alarm, Demand, Guide

NEVER: Final = -1
NO_ALARM: Final = Alarm.NONE
# The places in `SOUNDS` of `controller.alarm_signals`: those below are the priorities themselves.
ESCALATED: Final = 4


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """One stay of one cause: since when on the engine's clock, how urgent at its worst, whether acknowledged, where."""

    code: str
    by: str
    since_ms: int
    alarm: Alarm
    demand: Demand
    acknowledged: bool = False
    where: str = ""


class Ack(msgspec.Struct, frozen=True, gc=False):
    """The panel's ACK: how long it has been held, and whether this press may still count.

    A press that an alarm came into answers nothing, for whoever began it could not know of that alarm.
    """

    held_ms: int = NEVER
    void: bool = True


class AlarmState(msgspec.Struct, frozen=True, gc=False):
    """All that the engine remembers; moments are on its own clock `t_ms`, `NEVER` where there is none.

    `sound` is a priority, or `ESCALATED`. `steady_ms` is how long the signals stay as they are if no input changes.
    """

    t_ms: int = 0
    occurrences: tuple[Occurrence, ...] = ()
    refused_until_ms: int = NEVER
    top: Alarm = NO_ALARM
    top_at_ms: int = 0
    sound: int = 0
    sound_at_ms: int = 0
    pause_until_ms: int = NEVER
    critical_at_ms: int = NEVER
    out_at_ms: int = NEVER
    inverted: bool = True
    ack: Ack = Ack()
    guide: Guide = Guide.NOTHING
    guide_at_ms: int = 0
    breath_at_ms: int = NEVER
    tone_at_ms: int = NEVER
    steady_ms: int = 0

    @property
    def paused(self) -> bool:
        """Whether the sound of alarms is paused."""
        return self.pause_until_ms != NEVER

    @property
    def escalated(self) -> bool:
        """Whether a patient is inverted, unmoved and unhelped for so long that no pause is granted any more."""
        return self.sound == ESCALATED


RELEASED: Final = Ack(NEVER, False)
HELD_IN_VAIN: Final = Ack(0, True)
INITIAL: Final = AlarmState()
