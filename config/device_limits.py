"""How far one table may go: the table `[limits]` of a profile, which may only tighten `config.limits`.

Every key may be left out; then the figure of `config.limits.Limits` holds. A test compares both ends of every key with
the ceilings.
"""

from typing import Annotated

from config.limits import BOUNDS, Limits
from config.quantities import Model, degrees, degrees_per_second, degrees_per_second2, whole

_DEFAULT = Limits()


class DeviceLimits(Model):
    """The limits of one table.

    `cap_cdeg` is the deepest plan angle; `speed_cdeg_s` the fastest automatic motion, `degraded_cdeg_s` the fastest
    return on a doubtful sensor, `slow_cdeg_s` the speed of a slow return, `above_cdeg_s` the fastest above level,
    `first_degree_cdeg_s` the speed of the first degree of a tilt; `set_limit_s` the longest time below −5° of one set;
    `hold_s`, `sets`, `hold_a_day_s` the most of each; `rest_s` the shortest rest; `lease_ms` how long a
    command lives; `deceleration_cdeg_s2` how hard motion slows down; `tone_ms` how long a tone sounds before a return.
    """

    cap_cdeg: Annotated[int, degrees(*BOUNDS["cap_cdeg"])] = _DEFAULT.cap_cdeg
    speed_cdeg_s: Annotated[int, degrees_per_second(*BOUNDS["speed_cdeg_s"])] = _DEFAULT.speed_cdeg_s
    degraded_cdeg_s: Annotated[int, degrees_per_second(*BOUNDS["degraded_cdeg_s"])] = _DEFAULT.degraded_cdeg_s
    slow_cdeg_s: Annotated[int, degrees_per_second(*BOUNDS["slow_cdeg_s"])] = _DEFAULT.slow_cdeg_s
    above_cdeg_s: Annotated[int, degrees_per_second(*BOUNDS["above_cdeg_s"])] = _DEFAULT.above_cdeg_s
    first_degree_cdeg_s: Annotated[int, degrees_per_second(*BOUNDS["first_degree_cdeg_s"])] = (
        _DEFAULT.first_degree_cdeg_s
    )
    set_limit_s: Annotated[int, whole("s", *BOUNDS["set_limit_s"])] = _DEFAULT.set_limit_s
    hold_s: Annotated[int, whole("s", *BOUNDS["hold_limit_s"])] = _DEFAULT.hold_limit_s
    sets: Annotated[int, whole("", *BOUNDS["sets_limit"])] = _DEFAULT.sets_limit
    hold_a_day_s: Annotated[int, whole("s", *BOUNDS["hold_a_day_s"])] = _DEFAULT.hold_a_day_s
    rest_s: Annotated[int, whole("s", *BOUNDS["rest_s"])] = _DEFAULT.rest_s
    lease_ms: Annotated[int, whole("ms", *BOUNDS["lease_ms"])] = _DEFAULT.lease_ms
    deceleration_cdeg_s2: Annotated[int, degrees_per_second2(*BOUNDS["deceleration_cdeg_s2"])] = (
        _DEFAULT.deceleration_cdeg_s2
    )
    tone_ms: Annotated[int, whole("ms", *BOUNDS["tone_ms"])] = _DEFAULT.tone_ms
