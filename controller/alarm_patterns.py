"""How lamps flash and the buzzer pulses: patterns in time, pure, in whole milliseconds from where a pattern began.

The figures keep to the bands of IEC 60601-1-8:2006 with Amendments 1 and 2, with room for a tick of 25 ms at each edge:

- lights (6.3.2.2): high red, 1.4 to 2.8 Hz, lit 20 to 60 % of the time; medium yellow, 0.4 to 0.8 Hz, lit 20 to
  60 %; low cyan or yellow, steady;
- bursts (Table 3): high ten pulses, medium three, low one or two. Of a high burst the spacings are x, x, 2x + td, x,
  then 0.35 to 1.3 s, and the same again, with x from 50 to 125 ms; of a medium one y, from 125 to 250 ms. Between
  bursts 2.5 to 15 s (high), 2.5 to 30 s (medium), more than 15 s or no repetition (low);
- pulses (Table 4): td from 75 to 200 ms (high), from 125 to 250 ms (medium, low); fundamental from 150 to 1,000 Hz.

Public data sheets of parts made for that standard choose the same region; docs/alarms.md names them beside each
figure. Harmonics and rise times are the buzzer's own.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

FOREVER_MS: Final = 1 << 60


class Pattern(NamedTuple):
    """On and off in turn, on first.

    `edges_ms` are the moments at which it turns, from its beginning; it repeats every `period_ms`. `busy_ms` is the end
    of its last pulse: until then a burst is under way, between its pulses too. `pitch_hz` is what a buzzer sounds.
    """

    edges_ms: tuple[int, ...]
    period_ms: int
    pitch_hz: int = 0

    @property
    def busy_ms(self) -> int:
        """When the last pulse of one round ends."""
        return self.edges_ms[-1]

    def at(self, since_ms: int) -> tuple[bool, int]:
        """Whether it is on `since_ms` after its beginning, and for how many milliseconds it stays so."""
        if since_ms < 0:
            return False, -since_ms
        phase_ms = since_ms % self.period_ms
        turns = bisect_right(self.edges_ms, phase_ms)
        if turns == len(self.edges_ms):
            return False, self.period_ms - phase_ms
        return turns % 2 == 0, self.edges_ms[turns] - phase_ms

    def in_burst(self, since_ms: int) -> bool:
        """Whether its pulses, with the short silences between them, are under way."""
        return since_ms >= 0 and since_ms % self.period_ms < self.edges_ms[-1]


def flash(on_ms: int, period_ms: int) -> Pattern:
    """Return a lamp's pattern: lit for the first `on_ms` of each round."""
    return Pattern((on_ms,), period_ms)


def burst(pulse_ms: int, spacings_ms: Iterable[int], silence_ms: int, pitch_hz: int) -> Pattern:
    """Return a buzzer's pattern: pulses of one length, the spacings between them, and the silence after the last."""
    edges = [pulse_ms]
    for spacing_ms in spacings_ms:
        edges += [edges[-1] + spacing_ms, edges[-1] + spacing_ms + pulse_ms]
    return Pattern(tuple(edges), edges[-1] + silence_ms, pitch_hz)


# Alarm lamps: 2 Hz and 0.6 Hz, lit for half of the time.
RED: Final = flash(250, 500)
YELLOW: Final = flash(830, 1660)

# The lamp of a button that is waited for: 1 Hz, in neither alarm's band. A strap whose contacts disagree: 3.3 Hz.
WAITED_FOR: Final = flash(500, 1000)
DISCREPANT: Final = flash(150, 300)

# The patient's lamp: six breaths a minute, in while it is lit.
BREATH: Final = flash(4000, 10_000)

# Bursts. A pulse and x of 100 ms are 50 ms and more away from the fastest that an ear takes for one sound.
HIGH_PULSE_MS: Final = 100
X_MS: Final = 100
FIVE: Final = (X_MS, X_MS, 2 * X_MS + HIGH_PULSE_MS, X_MS)
BETWEEN_FIVES_MS: Final = 500
LOW_PULSE_MS: Final = 200
Y_MS: Final = 200
HIGH: Final = burst(HIGH_PULSE_MS, (*FIVE, BETWEEN_FIVES_MS, *FIVE), 4300, 800)
# Somebody hangs head-down, nothing moves and nobody has come for 30 s: as often as the standard allows, and higher.
ESCALATED: Final = burst(HIGH_PULSE_MS, (*FIVE, BETWEEN_FIVES_MS, *FIVE), 2600, 900)
MEDIUM: Final = burst(LOW_PULSE_MS, (Y_MS, Y_MS), 10_000, 600)
LOW: Final = burst(LOW_PULSE_MS, (), FOREVER_MS, 520)

# Before and during a motion: lower than any alarm, in a slow even beat.
MOTION: Final = burst(400, (), 400, 440)

# The lamp test: every pitch for 400 ms, then a pause, so that a buzzer that lost one is heard.
TEST_PITCHES_HZ: Final = (440, 520, 600, 800, 900)
TEST_ON_MS: Final = 400
TEST_EACH_MS: Final = 500
TEST: Final = burst(TEST_ON_MS, (TEST_EACH_MS - TEST_ON_MS,) * (len(TEST_PITCHES_HZ) - 1), 1100, 0)


def test_pitch_hz(since_ms: int) -> int:
    """Return the pitch of the lamp test at a moment at which its pattern is on."""
    return TEST_PITCHES_HZ[since_ms % TEST.period_ms // TEST_EACH_MS]
