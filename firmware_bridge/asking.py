"""ARM, DISARM and CONFIGURE over a serial link: asked again and again until the table answers.

One request is under way at a time. ARM and DISARM are asked as long as the judge asks for them, and the last answer
counts: a button that was let go this moment may still be in the way. CONFIGURE is asked until the table holds this
table's constants; it takes them only unarmed, at level and still.
"""

from collections.abc import Callable
from typing import Final

from firmware_bridge import protocol
from firmware_bridge.codec import Answer
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_link import Clock, SerialLink
from safety.signals import Arm

ASK_EVERY_MS: Final = 50
# So long without an answer is one too.
ASK_FOR_MS: Final = 1000
CONFIGURE_EVERY_MS: Final = 1000
UNANSWERED: Final = ("H18",)
DOES_NOT_FIT: Final = ("H30",)


class Request:
    """One request under way. `make` builds its frame, given the telemetry number to echo."""

    __slots__ = ("heard_ms", "kind", "make", "numbers", "sent_ms")

    def __init__(self, kind: int, make: Callable[[int], bytes], now_ms: int) -> None:
        """Begin to ask at `now_ms`."""
        self.kind = kind
        self.make = make
        self.heard_ms = now_ms
        self.sent_ms = now_ms - ASK_EVERY_MS
        self.numbers: set[int] = set()

    def asked(self, answer: Answer) -> bool:
        """Whether this is the answer to this request."""
        return answer.request == self.kind and answer.sequence in self.numbers


class Asking:
    """What one host asks one table.

    Attributes:
        busy: whether `pursue` has something to do.
        holds: whether the table holds this table's constants. not_held_because: what spoke against them last.
    """

    def __init__(self, link: SerialLink, constants: TableConstants, clock: Clock) -> None:
        """Ask nothing yet.

        Raises:
            ValueError: a constant is greater than the frame can carry.
        """
        self.hash = constants.hash
        self.holds = True
        self.not_held_because: tuple[str, ...] = ()
        self.busy = False
        self._link = link
        self._clock = clock
        self._constants = constants
        self._wanted: Arm | int | None = None
        self._request: Request | None = None
        self._configure_ms = 0

    def configure(self) -> None:
        """See to it that the table gets this table's constants."""
        self.holds = False
        self.busy = True
        self._configure_ms = self._clock.now_ms()

    def arm(self, arm: Arm) -> None:
        """Ask for this ARM until it is accepted or no longer asked for."""
        # The judge repeats it until it hears the echo.
        if arm != self._wanted:
            frames = self._link.frames
            self._want(arm, Request(protocol.ARM, lambda echo: frames.arm(arm, self.hash, echo), self._clock.now_ms()))

    def disarm(self) -> None:
        """Ask for the DISARM of the session that the guard holds, if it holds one."""
        guard = self._link.last.guard
        session_id = guard.session_id if guard else 0
        if session_id and session_id != self._wanted:
            frames = self._link.frames
            make: Callable[[int], bytes] = lambda echo: frames.disarm(session_id, echo)  # noqa: E731
            self._want(session_id, Request(protocol.DISARM, make, self._clock.now_ms()))

    def nothing(self) -> None:
        """Neither ARM nor DISARM is asked for any more; what was answered stays told until the next one."""
        if self._wanted is not None:
            self._wanted = None
            if self._request is not None and self._request.kind != protocol.CONFIGURE:
                self._request = None

    def pursue(self) -> None:
        """Take the answers that came, and ask what is due."""
        now_ms = self._clock.now_ms()
        answers, self._link.answers = self._link.answers, []
        request = self._request
        if request is None:
            self.busy = not self.holds
            if not self.holds and now_ms >= self._configure_ms:
                self._ask_to_configure(now_ms)
            return
        for answer in answers:
            if request.asked(answer):
                request.heard_ms = now_ms
                self._told(request, () if answer.accepted else answer.refused or DOES_NOT_FIT)
        if self._request is not request:
            return
        if now_ms - request.heard_ms >= ASK_FOR_MS:
            self._told(request, UNANSWERED)
            self._request = None
        elif now_ms - request.sent_ms >= ASK_EVERY_MS:
            self._send(request, now_ms)

    def _want(self, wanted: Arm | int, request: Request) -> None:
        self._wanted = wanted
        self._request = request
        self._link.codec.refuse(())
        self.busy = True

    def _ask_to_configure(self, now_ms: int) -> None:
        frames, constants = self._link.frames, self._constants
        self._configure_ms = now_ms + CONFIGURE_EVERY_MS
        self._request = Request(protocol.CONFIGURE, lambda echo: frames.configure(constants, echo), now_ms)
        self._send(self._request, now_ms)

    def _send(self, request: Request, now_ms: int) -> None:
        request.sent_ms = now_ms
        try:
            frame = request.make(self._link.last.sequence)
        except ValueError:
            self._told(request, DOES_NOT_FIT)
            self._request = None
            return
        request.numbers.add(self._link.frames.sequence)
        self._link.send(frame)

    def _told(self, request: Request, refused: tuple[str, ...]) -> None:
        """Take one answer to heart; a refused ARM or DISARM is asked on, a refused CONFIGURE a second later."""
        if request.kind != protocol.CONFIGURE:
            self._link.codec.refuse(refused)
            if refused:
                return
        else:
            self.holds = not refused
            self.not_held_because = refused
        self._request = None
