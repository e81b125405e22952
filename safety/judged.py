"""All that the judge remembers from one step to the next, gathered from the files of each concern."""

from typing import Final

import msgspec

from config.limits import Limits
from safety import track
from safety.angle import Angles
from safety.echo import NOTHING_ASKED, Echo
from safety.link import Link
from safety.moving import Moving
from safety.people import People
from safety.signals import Arm, Cause, Proofs, Region
from safety.standing import Drive
from safety.straps import Straps
from safety.supply import Supply
from safety.timing import Timing
from safety.track import Track

NOTHING: Final[tuple[Cause, ...]] = ()


class Calm(msgspec.Struct, frozen=True, gc=False):
    """An armed table at rest, as the last step that made every check left it; see `safety.calm`.

    `seen` is everything that was read but counters, ages and angles. Between `low_cdeg` and `high_cdeg` neither
    sensor's reading changes what any check says.
    """

    seen: tuple[object, ...]
    limits: Limits
    low_cdeg: int
    high_cdeg: int
    set_limit_ms: int
    region: Region
    proofs: Proofs


class Judged(msgspec.Struct, frozen=True, gc=False):
    """One field for each concern; `calm` is None while anything moves, is pressed, counts down or is wrong."""

    angles: Angles = Angles()
    track: Track = track.UNKNOWN
    drive: Drive = Drive()
    supply: Supply = Supply()
    straps: Straps = Straps()
    people: People = People()
    timing: Timing = Timing()
    link: Link = Link()
    moving: Moving = Moving()
    latched: tuple[Cause, ...] = NOTHING
    armed: Arm | None = None
    over: bool = False
    unread_ms: int = 0
    strap_wait_ms: int = 0
    host_stop: bool = False
    at_cdeg: int | None = None
    switch_wrong: bool = False
    echo: Echo = NOTHING_ASKED
    calm: Calm | None = None


INITIAL: Final = Judged()
