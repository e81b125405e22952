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
from firmware_bridge import greeting
from firmware_bridge.asking import UNANSWERED, Asking
from firmware_bridge.bridge import Bridge
from firmware_bridge.errors import NoAnswerError
from firmware_bridge.ports import SerialPort, connect
from firmware_bridge.protocol import TableConstants
from firmware_bridge.serial_link import PATIENCE_MS, Clock, SerialLink
from safety.signals import Command, Host, Readings, Signals

STEP_MS: Final = 10
# So many commands of which none was taken, while telemetry comes: the table may have lost count of our numbers.
UNHEARD: Final = 50
NOT_HELD: Final = (
    "the controller does not hold this table's constants yet ({why}), and arms nothing before: it takes them when "
    "unarmed, at level and still, and refuses them if they are beyond its ceilings"
)


def random_nonce() -> int:
    """Return 32 bits that were hardly used before."""
    return secrets.randbits(32)


class SerialBridge(Bridge):
    """One table behind a serial line; `open` makes one that works.

    Attributes:
        link: the line; its `codec` counts what was refused, by reason.
    """

    def __init__(self, link: SerialLink, constants: TableConstants, clock: Clock) -> None:
        """Take over a line; see `open`."""
        self.link = link
        self._asking = Asking(link, constants, clock)
        self._clock = clock
        self._read_ms = clock.now_ms()
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

        `where` is written as `firmware_bridge.ports` says. This takes some 50 ms; each step `patience_ms` at the most.
        A table that is not at level refuses its constants: it is asked again until it takes them, and `notes` says so.

        Raises:
            DeviceMissingError: no port, no right to it, another program on it, no answer; each its own leaf.
            RefusedError: version or ceilings do not fit, or opening the port reset the board.
            ValueError: a constant is greater than the protocol can carry.
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
        """What could not be set, in sentences for people."""
        asking = self._asking
        if asking.holds:
            return self.link.notes
        why = "+".join(asking.not_held_because) or "not asked yet"
        return (*self.link.notes, NOT_HELD.format(why=why))

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
        asking = self._asking
        if command.arm is not None:
            asking.arm(command.arm)
        elif command.disarm:
            asking.disarm()
        else:
            asking.nothing()
        if command.send:
            link.send(link.frames.command(command, signals))
            self._unheard += 1
            if self._unheard > UNHEARD:
                self._unheard = 0
                link.greet()
        if asking.busy:
            asking.pursue()

    def close(self) -> None:
        """Leave the table at rest: velocity zero once, then the lease runs out. Doing so twice is allowed."""
        if not self._closed:
            last = self.link.last
            session_id = last.guard.session_id if last.guard else 0
            self.write(Command(echo=last.sequence, session_id=session_id), Signals())
            self._closed = True
            self.link.close()

    # Opening.

    def _begin(self, patience_ms: int) -> None:
        """Bring the line up and hand the table its constants, or raise what is in the way."""
        link, asking = self.link, self._asking
        link.start()
        self._await_telemetry(patience_ms)
        if link.reply is not None and link.reply.config_hash != asking.hash:
            asking.configure()
            asking.pursue()
            while not (asking.holds or asking.not_held_because):
                self._await_telemetry(patience_ms)
                asking.pursue()
            if asking.not_held_because == UNANSWERED:
                raise NoAnswerError(f"the controller at {link.name} does not answer to CONFIGURE: switch it off and on")
        link.required_hash = asking.hash
        self._read_ms = self._clock.now_ms()

    def _await_telemetry(self, patience_ms: int) -> None:
        link, host = self.link, Host()
        until_ms = self._clock.now_ms() + patience_ms
        while link.pump(STEP_MS, self._read_ms, host) is None:
            if link.trouble is not None:
                raise link.trouble
            if self._clock.now_ms() >= until_ms:
                raise link.unanswered()
