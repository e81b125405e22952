"""How fast the table turns: least-squares slopes of the angle over the last 250 and 500 ms, and how long it is still.

Differences of two samples trip on noise; slopes do not. The sums of a window slide with it, so that a
step costs a few additions; while the table rests within the noise of where it came to rest, only the samples
are kept and the sums are made anew when it leaves.
"""

from typing import Final

import msgspec

from safety.angle import BOTH, NONE, A, Angles

SHORT_MS: Final = 250
DIRECTION_MS: Final = 300
LONG_MS: Final = 500
STILL_CDEG_S: Final = 20
STILL_SPAN_MS: Final = 500
QUIET_CDEG: Final = 15
# A window is full when its own samples fill four fifths of it: what was before a pause without frames does not. Where
# stillness is judged it is full but for two frames.
FILLED_MS: Final = LONG_MS - 20
# Two samples are a difference, and trip on noise; four leave 0.3°/s of it over 250 ms, of the 0.7°/s that H13 allows.
LEAST_SAMPLES: Final = 4
LONGEST_MS: Final = 60_000
REBASE_MS: Final = 1 << 20

# One sample: time on the track's own clock, both angles, twice the believed angle, the set-point's size.
Sample = tuple[int, int | None, int | None, int, int]
NO_SUMS: Final = (0, 0, 0, 0, 0)
Sums = tuple[int, int, int, int, int]


class Track(msgspec.Struct, frozen=True, gc=False):
    """The samples of the last 500 ms and what follows from them.

    `short_cdeg_s` and `long_cdeg_s` are the slopes over 250 and 500 ms, None until their window is filled: at the
    start, and again after a pause without frames. `quiet_at` is twice the angle at which the table was
    found still, None while it is not.
    """

    samples: tuple[Sample, ...] = ()
    source: int = NONE
    short: Sums = NO_SUMS
    long: Sums = NO_SUMS
    quiet_at: int | None = None
    short_cdeg_s: int | None = None
    long_cdeg_s: int | None = None
    still_ms: int = 0


UNKNOWN: Final = Track()


def follow(was: Track, angles: Angles, applied_cdeg_s: int | None, elapsed_ms: int) -> Track:
    """Take in one new frame; `applied_cdeg_s` is the set-point that the drive follows, unknown it is not still."""
    source = angles.lost
    a, b = angles.a_cdeg, angles.b_cdeg
    if source == BOTH:
        # Nobody trusts them, but RESET after the manual return has to know whether the table is still.
        if a is None or b is None:
            return UNKNOWN
        source = NONE
    if source == NONE:
        twice = a + b  # type: ignore[operator]
    elif source == A:
        twice = b + b  # type: ignore[operator]
    else:
        twice = a + a  # type: ignore[operator]
    samples = was.samples
    time = samples[-1][0] + elapsed_ms if samples else 0
    if not time < REBASE_MS:
        start = samples[0][0]
        samples = tuple((s[0] - start, s[1], s[2], s[3], s[4]) for s in samples)
        time -= start
        was = Track(samples, -1, NO_SUMS, NO_SUMS, None, None, None, was.still_ms)
    new: Sample = (time, a, b, twice, abs(applied_cdeg_s) if applied_cdeg_s else 0)
    oldest = time - LONG_MS
    drop = 0
    for sample in samples:
        if sample[0] >= oldest:
            break
        drop += 1
    # Adding tuples copies once less than unpacking them.
    kept = samples[drop:] + (new,)  # noqa: RUF005
    quiet_at = was.quiet_at
    quiet = quiet_at is not None and applied_cdeg_s == 0 and source == was.source
    if quiet and -2 * QUIET_CDEG <= twice - quiet_at <= 2 * QUIET_CDEG:  # type: ignore[operator]
        still_ms = was.still_ms + elapsed_ms
        if still_ms > LONGEST_MS:
            still_ms = LONGEST_MS
        return Track(kept, source, NO_SUMS, NO_SUMS, quiet_at, 0, 0, still_ms)
    if quiet_at is None and source == was.source and was.short[0]:
        short = slide(was.short, samples, new, time - SHORT_MS)
        long = slide(was.long, samples, new, oldest)
    else:
        kept = tuple((s[0], s[1], s[2], believed(s, source), s[4]) for s in kept)
        short = total([s for s in kept if s[0] >= time - SHORT_MS])
        long = total(kept)
    return judged(was, kept, source, short, long, applied_cdeg_s, elapsed_ms)


def judged(
    was: Track,
    kept: tuple[Sample, ...],
    source: int,
    short: Sums,
    long: Sums,
    applied_cdeg_s: int | None,
    elapsed_ms: int,
) -> Track:
    """Work out the slopes, and whether the table is still: set-point zero and under 0.2°/s over 500 ms."""
    short_cdeg_s = slope(short) if is_full(kept, short[0], SHORT_MS * 4 // 5) else None
    long_cdeg_s = slope(long) if is_full(kept, long[0], FILLED_MS) else None
    still = applied_cdeg_s == 0 and long_cdeg_s is not None and -STILL_CDEG_S < long_cdeg_s < STILL_CDEG_S
    if not still:
        return Track(kept, source, short, long, None, short_cdeg_s, long_cdeg_s, 0)
    # The first time, the window itself was still.
    still_ms = min(was.still_ms + elapsed_ms if was.still_ms else STILL_SPAN_MS, LONGEST_MS)
    return Track(kept, source, NO_SUMS, NO_SUMS, long[3] // long[0], short_cdeg_s, long_cdeg_s, still_ms)


def is_full(samples: tuple[Sample, ...] | list[Sample], count: int, filled_ms: int) -> bool:
    """Whether the newest `count` samples are enough and reach back so far."""
    return count >= LEAST_SAMPLES and samples[-1][0] - samples[-count][0] >= filled_ms


def slide(sums: Sums, samples: tuple[Sample, ...], new: Sample, oldest_ms: int) -> Sums:
    """Add the newest sample to a window's sums and take out those that have left it."""
    n, st, stt, sx, stx = sums
    index = len(samples) - n
    while n and samples[index][0] < oldest_ms:
        t, _, _, x, _ = samples[index]
        n, st, stt, sx, stx = n - 1, st - t, stt - t * t, sx - x, stx - t * x
        index += 1
    t, _, _, x, _ = new
    return n + 1, st + t, stt + t * t, sx + x, stx + t * x


def total(samples: tuple[Sample, ...] | list[Sample]) -> Sums:
    """Make a window's sums from scratch."""
    n = st = stt = sx = stx = 0
    for t, _, _, x, _ in samples:
        n, st, stt, sx, stx = n + 1, st + t, stt + t * t, sx + x, stx + t * x
    return n, st, stt, sx, stx


def slope(sums: Sums) -> int | None:
    """The least-squares slope of twice the angle, halved: centidegrees a second."""
    n, st, stt, sx, stx = sums
    spread = n * stt - st * st
    return 500 * (n * stx - st * sx) // spread if spread > 0 else None


def believed(sample: Sample, source: int) -> int:
    """Twice the angle of one kept sample by the sensors that are believed now."""
    _, a, b, twice, _ = sample
    if source == NONE and a is not None and b is not None:
        return a + b
    if source == A and b is not None:
        return 2 * b
    if source not in (NONE, A) and a is not None:
        return 2 * a
    return twice


def slope_of(track: Track, sensor: int, window_ms: int) -> int | None:
    """One sensor's own slope over the last `window_ms`, for checks that need each sensor's word; None until full."""
    if not track.samples:
        return None
    oldest = track.samples[-1][0] - window_ms
    own = [(s[0], s[1], s[2], 2 * v, 0) for s in track.samples if s[0] >= oldest and (v := s[sensor]) is not None]
    return slope(total(own)) if is_full(own, len(own), window_ms * 4 // 5) else None


def fastest_applied(track: Track) -> int:
    """The largest set-point of the last 500 ms, centidegrees a second, without its sign."""
    return max((s[4] for s in track.samples), default=0)
