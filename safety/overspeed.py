"""Whether it turns too fast (H13), driven or at rest.

(a) asks whether anything falls or runs away, over 100 ms; (b) whether it turns faster than the set-point explains, over
250 ms. Both need the word of both sensors, or of the only one left; 6°/s are believed of either.
"""

from itertools import pairwise
from typing import Final

from config.limits import Limits
from safety import springing
from safety import track as tracking
from safety.angle import A, Angles, B
from safety.signals import Alarm, Cause, Demand, Readings
from safety.springing import Spring
from safety.track import Sample, Track

OVERSPEED_CDEG_S: Final = 70
RUNAWAY_MS: Final = 100
RUNAWAY_CDEG_S: Final = 400
EACH_CDEG_S: Final = 300
EITHER_CDEG_S: Final = 600
# Without its largest step a sensor that turns still went three quarters of the way that is left of 100 ms.
REST_OF_WAY_MS: Final = 60
# Where frames are late the window may be as long as this. Fewer samples than four are differences; closer together than
# this (the squares of their times from the mean, added: 4,200 ms² for 8 samples every 10 ms) noise is more than 0.8°/s.
LATE_WINDOW_MS: Final = 150
LEAST_SAMPLES: Final = 4
LEAST_SPREAD_MS2: Final = 4000


def caught_by(readings: Readings) -> Demand:
    """HOLD where brake set and drive off can still be helped by powering the drive, else CUT."""
    return Demand.HOLD if readings.brake_set is True and readings.drive_power is False else Demand.CUT


def all_sensors_beyond(track: Track, angles: Angles, window_ms: int, limit_cdeg_s: int, direction: int = 0) -> bool:
    """Whether every believed sensor's own slope is beyond a limit; with a direction (±1), that way only."""
    for sensor in (A, B):
        if angles.lost & sensor:
            continue
        speed = tracking.slope_of(track, sensor, window_ms)
        if speed is None:
            return False
        if not (abs(speed) if direction == 0 else direction * speed) > limit_cdeg_s:
            return False
    return True


def overspeed(
    applied_cdeg_s: int, readings: Readings, angles: Angles, track: Track, spring: Spring, limits: Limits
) -> Cause | None:
    """H13: too fast whatever is applied (a), or faster than the set-point explains (b), and it does not spring back."""
    cause = runaway(readings, angles, track) or faster_than_told(applied_cdeg_s, readings, angles, track, limits)
    return None if cause is not None and springing.explains(spring, angles, limits) else cause


def runaway(readings: Readings, angles: Angles, track: Track) -> Cause | None:
    """H13 a: 4°/s over 100 ms, or 6°/s by either sensor, by the guard's figures.

    The mean of 4°/s needs 3°/s by each, and no sensor's largest step counts: one that steps is not taken for a fall.
    """
    window = lately(track.samples)
    span_ms = window[-1][0] - window[0][0] if window else 0
    if len(window) < LEAST_SAMPLES or span_ms < REST_OF_WAY_MS:
        return None
    # All that is usual ends here: no sensor went from end to end nearly as fast as even the least limit.
    if all(usual(window, sensor, span_ms) for sensor in (A, B) if not angles.lost & sensor):
        return None
    speeds = []
    for sensor in (A, B):
        if angles.lost & sensor:
            continue
        speed = speed_of(window, sensor)
        if speed is None:
            return None
        if abs(speed) >= EITHER_CDEG_S and ran(window, sensor, speed, EITHER_CDEG_S):
            return Cause("H13", caught_by(readings), Alarm.HIGH, abs(speed), EITHER_CDEG_S, "cdeg/s")
        if abs(speed) >= EACH_CDEG_S and ran(window, sensor, speed, EACH_CDEG_S):
            speeds.append(speed)
        else:
            speeds.append(0)
    if 0 in speeds or not abs(sum(speeds)) >= RUNAWAY_CDEG_S * len(speeds):
        return None
    return Cause("H13", caught_by(readings), Alarm.HIGH, abs(sum(speeds)) // len(speeds), RUNAWAY_CDEG_S, "cdeg/s")


def lately(samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """The samples of the last 100 ms, and where frames are late one or two before them, if they are not much older."""
    count = 0
    for sample in reversed(samples):
        age_ms = samples[-1][0] - sample[0]
        if age_ms > LATE_WINDOW_MS:
            break
        count += 1
        if age_ms >= RUNAWAY_MS and count >= LEAST_SAMPLES:
            break
    return samples[len(samples) - count :]


def usual(window: tuple[Sample, ...], sensor: int, span_ms: int) -> bool:
    """Whether one sensor went from end to end at less than three quarters of the least limit, or is not known there."""
    first, last = window[0][sensor], window[-1][sensor]
    return first is None or last is None or abs(last - first) * 4000 < 3 * EACH_CDEG_S * span_ms


def speed_of(window: tuple[Sample, ...], sensor: int) -> int | None:
    """One sensor's slope over these samples; None where they are too few, or too close together for it."""
    own = [(s[0], s[1], s[2], 2 * v, 0) for s in window if (v := s[sensor]) is not None]
    sums = tracking.total(own)
    n, st, stt, _, _ = sums
    if n < LEAST_SAMPLES or n * stt - st * st < LEAST_SPREAD_MS2 * n:
        return None
    return tracking.slope(sums)


def ran(window: tuple[Sample, ...], sensor: int, speed: int, limit_cdeg_s: int) -> bool:
    """Whether one sensor went that way, and not in one step: without its largest the way is still long enough.

    Only a step that way is taken off: a word that jumps out and back again went nowhere.
    """
    sign = 1 if speed > 0 else -1
    words = [sign * word for sample in window if (word := sample[sensor]) is not None]
    step = max(later - earlier for earlier, later in pairwise(words))
    return (words[-1] - words[0] - max(step, 0)) * 1000 >= limit_cdeg_s * REST_OF_WAY_MS


def faster_than_told(
    applied_cdeg_s: int, readings: Readings, angles: Angles, track: Track, limits: Limits
) -> Cause | None:
    """H13 b: over 250 ms faster than the greatest of 1.3 × applied and applied + 0.7°/s, one backlash allowed for."""
    speed = abs(track.short_cdeg_s or 0)
    applied = abs(applied_cdeg_s)
    if not speed > applied + OVERSPEED_CDEG_S:
        return None
    applied = tracking.fastest_applied(track)
    backlash_cdeg_s = limits.backlash_cdeg * 1000 // tracking.SHORT_MS
    limit = max(applied * 13 // 10, applied + OVERSPEED_CDEG_S) + backlash_cdeg_s
    if not speed > limit or not all_sensors_beyond(track, angles, tracking.SHORT_MS, limit):
        return None
    return Cause("H13", caught_by(readings), Alarm.HIGH, speed, limit, "cdeg/s")
