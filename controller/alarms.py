"""The alarm engine, after IEC 60601-1-8: from the judge's causes to lamps and buzzer as they are at each instant.

Five things are kept apart. A *condition* is a cause in the judge's decision, a latched one too. An *occurrence* is one
stay of it, from its first tick to its last, by code and by who found it. A *signal* is what lamps and buzzer do about
the highest priority in force. To *acknowledge* says that somebody took notice of an occurrence; it ends neither it nor
its lamp. The *audio pause* keeps the buzzer silent for a while, and nothing else.

- The highest priority flashes and sounds. Lower ones keep their lamps steadily lit and are silent: the colour that
  flashes says how urgent, the steady one that there is more to come.
- ACK held for 0.5 s, or the host's word, acknowledges every occurrence and pauses the sound for 120 s. A new
  occurrence, one that asks for more than before or is elsewhere too (the other strap), or a higher priority ends the
  pause at once. An open strap that comes out of the inverted region is the same one as before.
- *Critical* is a patient below −5° under HOLD or CUT: HIGH at once, whatever its cause says. After 30 s it escalates:
  denser and higher bursts, no pause any more; until then a pause ends there. An angle that nobody knows counts as where
  it was last, and from the start on as inverted.
- The tone of a motion sounds between bursts and in a pause. It sounds too while the table is moved in trouble: by a
  held button, or by the judge that backs off from what blocks it.

`step` is pure and knows time from `elapsed_ms` alone; ticks may be uneven. `Alarms` keeps its state for the loop and
asks it only where an input changed or something is due: between two flashes of a lamp a tick costs about 1 µs.
"""

from typing import Final

import msgspec

from controller.alarm_patterns import FOREVER_MS
from controller.alarm_signals import SOUNDS, put_together
from controller.alarm_state import ESCALATED, HELD_IN_VAIN, INITIAL, NEVER, RELEASED, Ack, AlarmState, Occurrence
from safety.signals import (
    ACK,
    DEMAND_ALLOW,
    DEMAND_CUT,
    DEMAND_HOLD,
    DEMAND_STOP,
    Alarm,
    Cause,
    Decision,
    Readings,
    Region,
    Signals,
    State,
    Wish,
)

ACK_MS: Final = 500
PAUSE_MS: Final = 120_000
ESCALATE_MS: Final = 30_000
# So long out of the inverted region before a critical alarm is no longer one: an angle at its edge is noisy.
OUT_MS: Final = 2000
# Between a burst that is no longer due and the first of a lower priority.
STEP_DOWN_MS: Final = 600
# A refusal holds nothing and stands in one tick only; its lamp is lit so long.
REFUSED_MS: Final = 10_000
BUTTONS_FRESH_MS: Final = 150
BOTH: Final = "both"
# One condition by two names: a strap that opened below -5° (H04) is open above it too (H05), and nothing new.
GOES_ON_AS: Final = {"H05": "H04"}
LONGEST_HELD_STEP_MS: Final = 50

NO_ALARM, LOW, MEDIUM, HIGH = Alarm
UNKNOWN, ABOVE, LEVEL, BELOW, INVERTED = Region
BREATHING: Final = (State.TILTING, State.HOLDING, State.RETURNING)
SILENT: Final = Signals()


def step(was: AlarmState, readings: Readings, wish: Wish, decision: Decision) -> tuple[AlarmState, Signals]:
    """Take in one tick. Returns what to remember, and lamps and buzzer as they are now."""
    t_ms = was.t_ms + max(readings.elapsed_ms, 0)
    occurrences, new = occurring(was.occurrences, decision.causes, t_ms)
    refused_until_ms = was.refused_until_ms
    if decision.refusals:
        refused_until_ms, new = t_ms + REFUSED_MS, True
    elif t_ms >= refused_until_ms or decision.armed is not None:
        refused_until_ms = NEVER

    inverted = was.inverted if decision.region is UNKNOWN else decision.region is INVERTED
    critical_at_ms, out_at_ms = critical(was, decision, inverted, t_ms)
    escalated = critical_at_ms != NEVER and t_ms - critical_at_ms >= ESCALATE_MS

    top = decision.alarm
    if critical_at_ms != NEVER:
        top = HIGH
    elif top is NO_ALARM and refused_until_ms != NEVER:
        top = LOW
    new = (
        new or top > was.top or (critical_at_ms != NEVER and (was.critical_at_ms == NEVER or escalated > was.escalated))
    )

    ack, acknowledged = pressed(was.ack, readings, new)
    acknowledged = (acknowledged or wish.acknowledge) and not new and top is not NO_ALARM
    if acknowledged:
        occurrences = tuple([msgspec.structs.replace(one, acknowledged=True) for one in occurrences])
    pause_until_ms = was.pause_until_ms
    if acknowledged and not escalated:
        pause_until_ms = t_ms + PAUSE_MS
        if critical_at_ms != NEVER:
            pause_until_ms = min(pause_until_ms, critical_at_ms + ESCALATE_MS)
    elif new or top is NO_ALARM:
        pause_until_ms = NEVER
    over = pause_until_ms != NEVER and t_ms >= pause_until_ms
    if over:
        pause_until_ms = NEVER

    sound = ESCALATED if escalated else int(top)
    sound_at_ms = sounding_since(was, sound, new or over, t_ms)
    guide_at_ms = was.guide_at_ms if wish.guide is was.guide else t_ms
    breath_at_ms = NEVER
    if wish.state in BREATHING:
        breath_at_ms = t_ms if was.breath_at_ms == NEVER else was.breath_at_ms
    tone_at_ms = NEVER
    if decision.tone or wish.tone or (decision.demand >= DEMAND_STOP and decision.command.velocity_cdeg_s):
        tone_at_ms = t_ms if was.tone_at_ms == NEVER else was.tone_at_ms

    state = AlarmState(
        t_ms,
        occurrences,
        refused_until_ms,
        top,
        was.top_at_ms if top is was.top else t_ms,
        sound,
        sound_at_ms,
        pause_until_ms,
        critical_at_ms,
        out_at_ms,
        inverted,
        ack,
        wish.guide,
        guide_at_ms,
        breath_at_ms,
        tone_at_ms,
        next_event_ms(t_ms, pause_until_ms, critical_at_ms, escalated, out_at_ms, refused_until_ms),
    )
    return put_together(state, readings, wish, decision)


def occurring(was: tuple[Occurrence, ...], causes: tuple[Cause, ...], t_ms: int) -> tuple[tuple[Occurrence, ...], bool]:
    """Return the occurrences in force, and whether there is anything new: another one, or one that asks for more.

    What was at one strap or sensor and is at the other too, or there instead, is new as well.
    """
    if not causes:
        return (), False
    new = False
    found = []
    for cause in causes:
        code, by, where = cause.code, cause.by, cause.where
        before = GOES_ON_AS.get(code, code)
        old = None
        for one in was:
            if one.by == by and (one.code == code or (one.code == before and one.where in (where, BOTH))):
                old = one
                if one.code == code:
                    break
        if old is None:
            new = True
            found.append(Occurrence(code, by, t_ms, cause.alarm, cause.demand, False, where))
            continue
        more = cause.alarm > old.alarm or cause.demand > old.demand
        more = more or bool(old.where and where and where != old.where and old.where != BOTH)
        new = new or more
        known = old.acknowledged and not more
        since_ms = old.since_ms if old.code == code else t_ms
        found.append(Occurrence(code, by, since_ms, cause.alarm, cause.demand, known, where))
    return tuple(found), new


def critical(was: AlarmState, decision: Decision, inverted: bool, t_ms: int) -> tuple[int, int]:
    """Since when a patient is inverted under HOLD or CUT, and since when the angle says otherwise; NEVER and NEVER."""
    if not (decision.demand is DEMAND_HOLD or decision.demand is DEMAND_CUT):
        return NEVER, NEVER
    if inverted:
        return (t_ms if was.critical_at_ms == NEVER else was.critical_at_ms), NEVER
    if was.critical_at_ms == NEVER:
        return NEVER, NEVER
    out_at_ms = t_ms if was.out_at_ms == NEVER else was.out_at_ms
    return (NEVER, NEVER) if t_ms - out_at_ms >= OUT_MS else (was.critical_at_ms, out_at_ms)


def pressed(was: Ack, readings: Readings, new: bool) -> tuple[Ack, bool]:
    """Follow the panel's ACK; also whether it acknowledges now. It counts from the first tick that finds it held."""
    buttons = readings.buttons
    if buttons is None or not 0 <= readings.slow_age_ms <= BUTTONS_FRESH_MS:
        # Nobody knows whether it is held: it does not count, and was not let go of either.
        return (was, False) if was.void or was.held_ms == NEVER else (Ack(was.held_ms, True), False)
    if not buttons & ACK:
        return RELEASED, False
    if was.void or new:
        return HELD_IN_VAIN, False
    if was.held_ms == NEVER:
        return Ack(0, False), False
    held_ms = was.held_ms + min(max(readings.elapsed_ms, 0), LONGEST_HELD_STEP_MS)
    return (HELD_IN_VAIN, True) if held_ms >= ACK_MS else (Ack(held_ms, False), False)


def sounding_since(was: AlarmState, sound: int, anew: bool, t_ms: int) -> int:
    """Where the present burst pattern begins: at once for what is new, a little later after a more urgent one."""
    if sound > was.sound:
        return t_ms
    if sound < was.sound:
        return t_ms + STEP_DOWN_MS
    pattern = SOUNDS[sound]
    if anew and pattern is not None and not (pattern.in_burst(t_ms - was.sound_at_ms) and not was.paused):
        return t_ms
    return was.sound_at_ms


def next_event_ms(
    t_ms: int, pause_until_ms: int, critical_at_ms: int, escalated: bool, out_at_ms: int, refused_until_ms: int
) -> int:
    """Return in how many milliseconds something is due whatever the inputs say."""
    due_ms = FOREVER_MS
    if pause_until_ms != NEVER:
        due_ms = pause_until_ms
    if critical_at_ms != NEVER and not escalated:
        due_ms = min(due_ms, critical_at_ms + ESCALATE_MS)
    if out_at_ms != NEVER:
        due_ms = min(due_ms, out_at_ms + OUT_MS)
    if refused_until_ms != NEVER:
        due_ms = min(due_ms, refused_until_ms)
    return due_ms - t_ms


class Alarms:
    """The engine of one control loop.

    What `signals` returns is what `step` returns tick by tick; where nothing changed and nothing is due, the last
    answer is given again and the time that passed is handed to the next step in one.
    """

    def __init__(self) -> None:
        """Begin without an alarm."""
        self.state = INITIAL
        self._signals = SILENT
        self._waited_ms = 0
        self._ack_free = False
        self._readings = Readings(0)
        self._wish = Wish()
        self._decision: Decision | None = None

    @property
    def pause_left_ms(self) -> int:
        """What is left of a pause of the sound; 0 while there is none."""
        return max(0, self.state.pause_until_ms - self.state.t_ms - self._waited_ms) if self.state.paused else 0

    def signals(self, readings: Readings, wish: Wish, decision: Decision) -> Signals:
        """Return lamps and buzzer for this tick."""
        elapsed_ms = readings.elapsed_ms
        waited_ms = self._waited_ms + elapsed_ms if elapsed_ms > 0 else self._waited_ms
        last, said = self._decision, self._readings
        if (
            self._ack_free
            and last is not None
            and waited_ms < self.state.steady_ms
            and decision.causes == last.causes
            and readings.buttons == said.buttons
            and wish.guide is self._wish.guide
            and wish.state is self._wish.state
            and wish.tone is self._wish.tone
            and decision.region is last.region
            and decision.demand is last.demand
            and decision.alarm is last.alarm
            and decision.tone is last.tone
            and (
                decision.demand is DEMAND_ALLOW
                or bool(decision.command.velocity_cdeg_s) is bool(last.command.velocity_cdeg_s)
            )
            and decision.returning is last.returning
            and decision.armed is last.armed
            and decision.prompts == last.prompts
            and readings.strap_left is said.strap_left
            and readings.strap_right is said.strap_right
            and not decision.refusals
            and not wish.acknowledge
        ):
            self._waited_ms = waited_ms
            return self._signals
        if self._waited_ms:
            readings = msgspec.structs.replace(readings, elapsed_ms=waited_ms)
        self._readings, self._wish, self._decision = readings, wish, decision
        self._waited_ms = 0
        self.state, self._signals = step(self.state, readings, wish, decision)
        self._ack_free = self.state.ack is RELEASED and not (readings.buttons or 0) & ACK
        return self._signals
