"""The bridge to a table behind a serial line: one frame a tick each way, and nothing resumed by itself.

`read` returns as soon as a telemetry frame has come, at its deadline at the latest. When the line fails it goes on
returning what was known last, older every time, so that the judge stops by its own rules (H18); `trouble` says in words
what is wrong and what to do.
"""

import secrets
import time
from collections.abc import Callable
from typing import Final, Self

import msgspec

from config.errors import InversionTableError
from firmware_bridge import greeting, protocol
from firmware_bridge.bridge import Bridge
from firmware_bridge.errors import MismatchError, NoAnswerError
from firmware_bridge.ports import SerialPort, connect
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_link import PATIENCE_MS, Clock, SerialLink
from safety.signals import Command, Host, Readings, Signals

STEP_MS: Final = 10
# Requests are asked this often, and for this long.
ASK_EVERY_MS: Final = 50
ASK_FOR_MS: Final = 1000
# So many commands of which none was taken, while telemetry comes: the table may have lost count of our numbers.
UNHEARD: Final = 50
UNANSWERED: Final = ("H18",)
DOES_NOT_FIT: Final = ("H30",)


def random_nonce() -> int:
    """Return 32 bits that were hardly used before."""
    return secrets.randbits(32)


class Request:
    """One ARM, DISARM or CONFIGURE, asked until it is answered.

    `make` builds its frame, given the telemetry number to echo.
    """

    __slots__ = ("asked_ms", "kind", "make", "numbers", "sent_ms", "what")

    def __init__(self, kind: int, what: object, make: Callable[[int], bytes], now_ms: int) -> None:
        """Begin to ask at `now_ms`."""
        self.kind = kind
        self.what = what
        self.make = make
        self.asked_ms = now_ms
        self.sent_ms = now_ms - ASK_EVERY_MS
        self.numbers: set[int] = set()


class SerialBridge(Bridge):
    """One table behind a serial line; `open` makes one that works.

    Attributes:
        link: the line; its `codec` counts what was refused, by reason.
    """

    def __init__(self, link: SerialLink, constants: TableConstants, clock: Clock) -> None:
        """Take over a line; see `open`."""
        self.link = link
        self._constants = constants
        self._hash = constants.hash
        self._clock = clock
        self._read_ms = clock.now_ms()
        self._request: Request | None = None
        self._refused: tuple[str, ...] = ()  # what spoke against the last request
        self._echo = -1
        self._unheard = 0
        self._closed = False

    @classmethod
    def open(
        cls,
        where: str,
        constants: TableConstants,
        clock: Clock,
        *,
        connect: Callable[[str], SerialPort] = connect,
        nonce: Callable[[], int] = random_nonce,
        sleep: Callable[[float], None] = time.sleep,
        patience_ms: int = PATIENCE_MS,
    ) -> Self:
        """Open a port, shake hands, give the table its constants, and wait for its first telemetry.

        `where` is written as `firmware_bridge.ports` says. This takes some 50 ms, `patience_ms` at the most.

        Raises:
            DeviceMissingError: no port, no right to it, another program on it, no answer; each its own leaf.
            RefusedError: version, ceilings or constants do not fit, or opening the port reset the board.
            WrongPortError: `where` is no port.
        """
        bridge = cls(SerialLink(where, clock, connect, nonce, sleep), constants, clock)
        try:
            bridge._begin(patience_ms)
        except BaseException:
            bridge.close()
            raise
        return bridge

    @property
    def trouble(self) -> InversionTableError | None:
        """What is wrong with the line now and what to do, None while telemetry comes."""
        return self.link.trouble

    @property
    def last_trouble(self) -> InversionTableError | None:
        """What was wrong with the line last, None if nothing ever was."""
        return self.link.last_trouble

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be set when the port was opened, in sentences for people."""
        return self.link.notes

    @property
    def firmware(self) -> str:
        """The firmware's version."""
        return greeting.firmware(self.link.reply) if self.link.reply else ""

    def read(self, deadline_ms: int, host: Host) -> Readings:
        """Return what the table says at a new frame, or at the deadline what is known, with its age."""
        link, now = self.link, self._clock.now_ms
        wait_ms = deadline_ms - now()
        while True:
            readings = link.pump(wait_ms if wait_ms > 0 else 0, self._read_ms, host)
            now_ms = now()
            if readings is not None:
                self._read_ms = now_ms
                if link.codec.echo != self._echo:
                    self._echo = link.codec.echo
                    self._unheard = 0
                return readings
            wait_ms = deadline_ms - now_ms
            if wait_ms <= 0:
                break
        last = link.last
        age_ms = last.age_ms + now_ms - link.frame_ms
        elapsed_ms, self._read_ms = now_ms - self._read_ms, now_ms
        return msgspec.structs.replace(last, elapsed_ms=elapsed_ms, age_ms=age_ms, slow_age_ms=age_ms, host=host)

    def write(self, command: Command, signals: Signals) -> None:
        """Send a COMMAND, and see to it that ARM and DISARM are asked until they are answered.

        Nothing is sent while the line is down. RESET is the table's own ACK button and has no frame.
        """
        link = self.link
        if not link.up or self._closed:
            return
        if command.arm is not None:
            self._ask_to_arm(command)
        elif command.disarm:
            self._ask_to_disarm()
        if command.send:
            link.send(link.frames.command(command, signals))
            self._unheard += 1
            if self._unheard > UNHEARD:
                self._unheard = 0
                link.greet()
        if self._request is not None:
            self._pursue(self._request)

    def close(self) -> None:
        """Leave the table at rest: velocity zero once, then the lease runs out. Doing so twice is allowed."""
        if not self._closed:
            last = self.link.last
            session_id = last.guard.session_id if last.guard else 0
            self.write(Command(echo=last.sequence, session_id=session_id), Signals())
            self._closed = True
            self.link.close()

    # Requests.

    def _ask_to_arm(self, command: Command) -> None:
        arm = command.arm
        if arm is None or (self._request is not None and self._request.what == arm):
            return
        frames, table_hash = self.link.frames, self._hash
        self._ask(protocol.ARM, arm, lambda echo: frames.arm(arm, table_hash, echo))

    def _ask_to_disarm(self) -> None:
        guard = self.link.last.guard
        session_id = guard.session_id if guard else 0
        if not session_id or (self._request is not None and self._request.what == session_id):
            return
        frames = self.link.frames
        self._ask(protocol.DISARM, session_id, lambda echo: frames.disarm(session_id, echo))

    def _ask(self, kind: int, what: object, make: Callable[[int], bytes]) -> None:
        self.link.codec.refuse(())
        self.link.answers.clear()
        self._request = Request(kind, what, make, self._clock.now_ms())

    def _pursue(self, request: Request) -> None:
        """Look for the answer; ask again when it is time, and give up when it has been long enough."""
        link = self.link
        for answer in link.answers:
            if answer.request == request.kind and answer.sequence in request.numbers:
                self._end(() if answer.accepted else answer.refused or DOES_NOT_FIT)
                return
        link.answers.clear()
        now_ms = self._clock.now_ms()
        if now_ms - request.asked_ms >= ASK_FOR_MS:
            self._end(UNANSWERED)
        elif now_ms - request.sent_ms >= ASK_EVERY_MS:
            request.sent_ms = now_ms
            try:
                frame = request.make(link.last.sequence)
            except ValueError:
                self._end(DOES_NOT_FIT)
                return
            request.numbers.add(link.frames.sequence)
            link.send(frame)

    def _end(self, refused: tuple[str, ...]) -> None:
        self._request = None
        self._refused = refused
        self.link.answers.clear()
        self.link.codec.refuse(refused)

    # Opening.

    def _begin(self, patience_ms: int) -> None:
        """Bring the line up, or raise what is in the way."""
        link = self.link
        link.start()
        until_ms = self._clock.now_ms() + patience_ms
        self._await_telemetry(until_ms)
        reply = link.reply
        if reply is not None and reply.config_hash != self._hash:
            self._configure()
        link.required_hash = self._hash
        self._read_ms = self._clock.now_ms()

    def _await_telemetry(self, until_ms: int) -> None:
        link, host = self.link, Host()
        while link.pump(STEP_MS, self._read_ms, host) is None:
            if link.trouble is not None:
                raise link.trouble
            if self._clock.now_ms() >= until_ms:
                raise link.unanswered()

    def _configure(self) -> None:
        """Give the table its constants; it takes them only unarmed, at level and still.

        Raises:
            MismatchError: it refused them.
            NoAnswerError: it did not answer.
            DeviceMissingError: the line was lost meanwhile.
        """
        link, constants = self.link, self._constants
        self._ask(protocol.CONFIGURE, constants, lambda echo: link.frames.configure(constants, echo))
        while self._request is not None:
            self._pursue(self._request)
            self._await_telemetry(self._clock.now_ms() + ASK_FOR_MS)
        if self._refused == UNANSWERED:
            raise NoAnswerError(f"the controller at {link.name} does not answer to CONFIGURE: switch it off and on")
        if self._refused:
            raise MismatchError(
                f"the controller at {link.name} refused this table's constants ({', '.join(self._refused)}): it takes "
                "them only unarmed, at level and still, and none beyond its ceilings"
            )
