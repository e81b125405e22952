"""A motion that the session begins by itself or at a press: a tone first, then the jerk-limited profile.

Nobody on the table is to be surprised. A return needs none of this: the judge sounds its tone itself.
"""

from config.limits import Limits
from controller.motion_profile import REACHED_CDEG, MotionProfile


class AnnouncedMotion:
    """The velocity of one motion after its tone; let go of for one tick, the next motion is announced anew.

    A motion that has come to its end stays there until it is let go of, or is to go elsewhere: noise about where it
    ended is no reason to move.

    Attributes:
        profile: the motion itself; used without a tone for the way back.
        sounding: whether the tone sounds in this tick. `left_ms` is what is left of it.
    """

    def __init__(self, limits: Limits) -> None:
        """Begin at rest; the tone lasts `limits.tone_ms`."""
        self.profile = MotionProfile(limits.deceleration_cdeg_s2, limits.first_degree_cdeg_s)
        self.sounding = False
        self._tone_ms = limits.tone_ms
        self._sounded_ms = 0
        self._wanted = False
        self._ended_cdeg: int | None = None

    @property
    def left_ms(self) -> int:
        """Milliseconds of the tone before the motion begins."""
        return self._tone_ms - self._sounded_ms if self.sounding else 0

    def begin_tick(self) -> None:
        """Forget what the tick before wanted."""
        self._wanted = self.sounding = False

    def toward(self, target_cdeg: int, angle_cdeg: int, speed_cdeg_s: int, elapsed_ms: int) -> int:
        """Return the velocity to wish on the way to a target: 0 while the tone sounds, and once it is reached."""
        begun = self._sounded_ms >= self._tone_ms
        if target_cdeg == self._ended_cdeg or abs(target_cdeg - angle_cdeg) <= REACHED_CDEG:
            # Where it is already there is nothing to announce.
            self._wanted = begun
            self._ended_cdeg = target_cdeg if begun else None
            return self.profile.rest()
        self._wanted = True
        if not begun:
            self.sounding = True
            self._sounded_ms += elapsed_ms
            return 0
        return self.profile.toward(target_cdeg, angle_cdeg, speed_cdeg_s, elapsed_ms)

    def end_tick(self) -> None:
        """Come to rest if nobody wanted a motion in this tick."""
        if not self._wanted and (self._sounded_ms or self.profile.start_cdeg is not None):
            self._sounded_ms = 0
            self._ended_cdeg = None
            self.profile.rest()

    def rest(self) -> int:
        """Forget the motion, not its tone: a new part of the same motion follows."""
        return self.profile.rest()
