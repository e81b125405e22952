"""One serial line kept up: handshakes, silence noticed, connecting again; what comes of it is the bridge's matter.

`pump` is called all the time and never raises once `start` succeeded: what is wrong stands in `trouble`. A lost line
or a reset board comes back no sooner than both judges have latched the loss.
"""

import enum
import time
from collections.abc import Callable
from typing import Final, Protocol

from config.errors import InversionTableError, RefusedError
from firmware_bridge import greeting
from firmware_bridge.codec import Answer, HelloReply, HostCodec
from firmware_bridge.errors import GarbledLinkError, LinkLostError, NoAnswerError, SilentLinkError
from firmware_bridge.frames import HostFrames
from firmware_bridge.ports import SerialPort, holders
from safety.signals import Host, Readings

HELLO_EVERY_MS: Final = 100
SLOW_HELLO_MS: Final = 1000
# Telemetry comes every 10 ms: ten missing in a row ask for a handshake, fifteen are told.
SILENT_MS: Final = 100
TOLD_MS: Final = 150
# Both judges latch a loss after 1 s; before that no lost line and no reset board comes back.
LATCHED_MS: Final = 1200
AGAIN_MS: Final = 500
# An Arduino's boot loader takes up to 2 s; a board that opening resets must have the time to show it.
PATIENCE_MS: Final = 4000


class Clock(Protocol):
    """A monotonic clock."""

    def now_ms(self) -> int:
        """Milliseconds since some moment that does not change."""
        ...


class Phase(enum.Enum):
    """Where the line stands: no port; a port, and a handshake under way; telemetry comes, or should."""

    DOWN = enum.auto()
    GREETING = enum.auto()
    UP = enum.auto()


class SerialLink:
    """One line to one table.

    Args:
        where: the port, as `firmware_bridge.ports` writes it.
        clock: the loop's monotonic clock.
        connect: opens a port, usually `firmware_bridge.ports.connect`.
        nonce: returns 32 bits that it has not returned before.
        sleep: lets seconds pass.

    Attributes:
        trouble: what is wrong now, None while telemetry comes. last_trouble: what was wrong last.
        reply: what the table said of itself last. notes: what could not be set, in sentences.
        frame_ms: when telemetry was taken last. answers: those that nobody has taken away yet.
        required_hash: the constants that the table should still hold when it comes back, None while any will do.
    """

    def __init__(
        self,
        where: str,
        clock: Clock,
        connect: Callable[[str], SerialPort],
        nonce: Callable[[], int],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is opened before `start`."""
        self.trouble: InversionTableError | None = None
        self.last_trouble: InversionTableError | None = None
        self.reply: HelloReply | None = None
        self.notes: tuple[str, ...] = ()
        self.answers: list[Answer] = []
        self.required_hash: int | None = None
        self.codec = HostCodec()
        self.frames = HostFrames(nonce())
        self.last = Readings(0)
        self.frame_ms = clock.now_ms()
        self._where = where
        self._clock = clock
        self._connect = connect
        self._nonce = nonce
        self._sleep = sleep
        self._port: SerialPort | None = None
        self._phase = Phase.DOWN
        self._opened_ms = 0
        self._newly_opened = True  # no handshake has succeeded on this port
        self._came_bytes = 0  # since telemetry was taken last
        self._look_ms = 0  # when the line is to be looked after again

    @property
    def up(self) -> bool:
        """Whether the handshake was made and the port is open: then frames may be sent."""
        return self._phase is Phase.UP

    @property
    def name(self) -> str:
        """The port's path or URL, or what was asked for while there is none."""
        return self._where if self._port is None else self._port.name

    def start(self) -> None:
        """Open the port; the handshake begins with the next `pump`.

        Raises:
            WrongPortError, PortMissingError, PortDeniedError, PortBusyError: as `firmware_bridge.ports.connect`.
        """
        self._port = self._connect(self._where)
        self.notes = self._port.notes
        self._opened_ms = self._look_ms = self._clock.now_ms()
        self._came_bytes = 0
        self._newly_opened = True
        self._phase = Phase.GREETING

    def pump(self, wait_ms: int, read_ms: int, host: Host) -> Readings | None:
        """Look after the line, wait for bytes and take them; return the newest readings in them, if any.

        `read_ms` is when readings were returned last, so that `elapsed_ms` counts from there.
        """
        now_ms = self._clock.now_ms()
        if now_ms >= self._look_ms:
            self._look(now_ms)
        if self._port is None:
            self._sleep(wait_ms / 1000)
            return None
        try:
            data = self._port.wait(wait_ms)
        except LinkLostError as lost:
            self._lose(lost)
            return None
        return self._take(data, read_ms, host) if data else None

    def send(self, frame: bytes) -> None:
        """Send a frame if there is a port; a port that turns out to be gone is told by `trouble`."""
        if self._port is not None:
            try:
                self._port.send(frame)
            except LinkLostError as lost:
                self._lose(lost)

    def greet(self) -> None:
        """Shake hands anew; telemetry is taken meanwhile if it was before."""
        nonce = self._nonce()
        self.codec.expect(nonce)
        self.send(self.frames.hello(nonce))

    def close(self) -> None:
        """Let the port go."""
        if self._port is not None:
            self._port.close()
        self._port = None
        self._phase = Phase.DOWN
        self.codec.close()

    # What comes.

    def _take(self, data: bytes, read_ms: int, host: Host) -> Readings | None:
        now_ms = self._clock.now_ms()
        self._came_bytes += len(data)
        newest = None
        for event in self.codec.feed(data, now_ms, now_ms - read_ms, host):
            if isinstance(event, Readings):
                newest = event
            elif isinstance(event, Answer):
                self.answers.append(event)
            else:
                newest = None
                self._take_reply(event, now_ms)
        if newest is None or self._phase is not Phase.UP:
            return None
        self.last = newest
        self.frame_ms = now_ms
        self._look_ms = now_ms + SILENT_MS
        self._came_bytes = 0
        self.trouble = None
        return newest

    def _take_reply(self, reply: HelloReply, now_ms: int) -> None:
        """Judge what the table says of itself: it may be another one by now, or have been reset."""
        wrong: InversionTableError | None = greeting.misfit(reply)
        if wrong is None and self._newly_opened:
            wrong = greeting.reset_by_opening(reply, now_ms - self._opened_ms, self.name)
        known = self.reply
        self.reply = reply
        same = known is None or known.version != reply.version or reply.boot_count == known.boot_count
        if wrong is None and not same:
            self.last_trouble = greeting.board_reset(reply, self.last.angle_a_cdeg)
            # Behind a line that was lost both judges have latched the loss: there it need only be told.
            wrong = self.last_trouble if self.up else None
        if wrong is None:
            if self.required_hash not in (None, reply.config_hash):
                # Seen it has to be, if somebody lies on it; its guard arms nothing.
                self.last_trouble = greeting.other_constants(reply.config_hash, self.required_hash or 0)
            self._phase = Phase.UP
            self._newly_opened = False
            self._look_ms = now_ms + SILENT_MS
            return
        # A board that was reset may come back, as a new one; what does not fit is asked again now and then.
        self.codec.close()
        self._phase = Phase.GREETING
        self._tell(wrong)
        self._look_ms = max(now_ms + SLOW_HELLO_MS, self.frame_ms + LATCHED_MS)

    # Looking after the line.

    def _look(self, now_ms: int) -> None:
        """Do what is due: connect, shake hands, notice silence."""
        if self._port is None:
            self._look_ms = now_ms + AGAIN_MS
            try:
                self.start()
            except InversionTableError as error:
                self._tell(error)
            return
        silent_ms = now_ms - self.frame_ms
        self._look_ms = now_ms + HELLO_EVERY_MS
        if self.up:
            if silent_ms < TOLD_MS:
                self._look_ms = self.frame_ms + TOLD_MS
            elif self.trouble is None:
                self._tell(self._silence(silent_ms))
        elif isinstance(self.trouble, RefusedError):
            self._look_ms = now_ms + SLOW_HELLO_MS
        elif now_ms - self._opened_ms >= PATIENCE_MS and not isinstance(self.trouble, NoAnswerError):
            self._tell(self.unanswered())
        self.greet()

    def unanswered(self) -> NoAnswerError:
        """What it means that nobody answered the handshake; who else has the port open is named."""
        others = holders(self.name)
        beside = f"; {' and '.join(others)} has the port open too: end it" if others else ""
        if not self._came_bytes:
            return NoAnswerError(
                f"nothing answers at {self.name}: check that the controller has power and this project's firmware, "
                f"and that it is the right port{beside}"
            )
        return NoAnswerError(
            f"{self._came_bytes} bytes came from {self.name} and no answer to the handshake was in them: it is another "
            f"device, or another firmware{beside}"
        )

    def _silence(self, silent_ms: int) -> InversionTableError:
        if self._came_bytes:
            refused = ", ".join(f"{count} {reason}" for reason, count in self.codec.rejected.items() if count)
            return GarbledLinkError(
                f"{self._came_bytes} bytes came from {self.name} in {silent_ms} ms and no new frame (refused: "
                f"{refused or 'none'}): check cable and earth, and that no other program reads this port"
            )
        return SilentLinkError(
            f"nothing has come from {self.name} for {silent_ms} ms though it is open: look whether the controller's "
            "lights are on; the table stops, and comes back to level, by itself"
        )

    def _lose(self, lost: LinkLostError) -> None:
        """Let a port go that is gone, and open it again when the loss has been latched on both sides."""
        self.close()
        self._tell(lost)
        self._look_ms = max(self._clock.now_ms() + AGAIN_MS, self.frame_ms + LATCHED_MS)

    def _tell(self, trouble: InversionTableError) -> None:
        self.trouble = self.last_trouble = trouble
