"""Whether it turns too fast (H13), driven or at rest.

(a) asks whether anything falls or runs away, over 100 ms; (b) whether it turns faster than the set-point explains, over
250 ms. Both need the word of both sensors, or of the only one left; 6°/s are believed of either.
"""

from itertools import pairwise
from typing import Final

from config.limits import Limits
from safety import track as tracking
from safety.angle import A, Angles, B
from safety.signals import Alarm, Cause, Demand, Readings
from safety.track import Sample, Track

OVERSPEED_CDEG_S: Final = 70
RUNAWAY_MS: Final = 100
RUNAWAY_CDEG_S: Final = 400
EACH_CDEG_S: Final = 300
EITHER_CDEG_S: Final = 600
# Without its largest step a sensor that turns still went three quarters of the way that is left of 100 ms.
REST_OF_WAY_MS: Final = 60
# Frames of 100 ms: a few after a gap tell noise, more than a sample every 4 ms nothing new.
LEAST_SAMPLES: Final = 6
MOST_SAMPLES: Final = 25


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


def overspeed(applied_cdeg_s: int, readings: Readings, angles: Angles, track: Track, limits: Limits) -> Cause | None:
    """H13: too fast whatever is applied (a), or faster than the set-point explains (b)."""
    return runaway(readings, angles, track) or faster_than_told(applied_cdeg_s, readings, angles, track, limits)


def runaway(readings: Readings, angles: Angles, track: Track) -> Cause | None:
    """H13 a: 4°/s over 100 ms, or 6°/s by either sensor, by the guard's figures.

    The mean of 4°/s needs 3°/s by each, and no sensor's largest step counts: one that steps is not taken for a fall.
    """
    samples = track.samples[-MOST_SAMPLES:]
    if len(samples) < LEAST_SAMPLES:
        return None
    since_ms = samples[-1][0] - RUNAWAY_MS
    window = [sample for sample in samples if sample[0] >= since_ms]
    span_ms = window[-1][0] - window[0][0]
    if len(window) < LEAST_SAMPLES or span_ms < REST_OF_WAY_MS:
        return None
    ways = [way_of(window, sensor) for sensor in (A, B) if not angles.lost & sensor]
    # All that is usual ends here: no sensor went from end to end as fast as even the least limit.
    if all(way is None or abs(way) * 1000 < EACH_CDEG_S * span_ms for way in ways):
        return None
    slopes = {sensor: tracking.slope_of(track, sensor, RUNAWAY_MS) for sensor in (A, B) if not angles.lost & sensor}
    for sensor, speed in slopes.items():
        if speed is not None and abs(speed) >= EITHER_CDEG_S and ran(window, sensor, EITHER_CDEG_S):
            return Cause("H13", caught_by(readings), Alarm.HIGH, abs(speed), EITHER_CDEG_S, "cdeg/s")
    speeds = [speed for speed in slopes.values() if speed is not None and abs(speed) >= EACH_CDEG_S]
    if len(speeds) < len(slopes) or abs(sum(speeds)) < RUNAWAY_CDEG_S * len(speeds):
        return None
    if not all(ran(window, sensor, EACH_CDEG_S) for sensor in slopes):
        return None
    return Cause("H13", caught_by(readings), Alarm.HIGH, abs(sum(speeds)) // len(speeds), RUNAWAY_CDEG_S, "cdeg/s")


def way_of(window: list[Sample], sensor: int) -> int | None:
    """How far one sensor went from end to end; None where either end is unknown."""
    first, last = window[0][sensor], window[-1][sensor]
    return None if first is None or last is None else last - first


def ran(window: list[Sample], sensor: int, limit_cdeg_s: int) -> bool:
    """Whether one sensor went so fast, and not in one step: without its largest the way is still long enough."""
    words = [word for sample in window if (word := sample[sensor]) is not None]
    if len(words) < LEAST_SAMPLES:
        return False
    way = words[-1] - words[0]
    step = max((later - earlier for earlier, later in pairwise(words)), key=abs)
    sign = 1 if way > 0 else -1
    return sign * (way - step) * 1000 >= limit_cdeg_s * REST_OF_WAY_MS


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
