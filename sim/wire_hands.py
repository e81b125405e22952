"""The `hands` socket of a simulated table: people in other processes work its switches here.

Whatever a client sends, fails to read or leaves half done changes nothing but what it asked for in so many words; and a
hand whose owner is gone lets go within the lease.
"""

import contextlib
import os
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from config.errors import InversionTableError, UsageError
from firmware_bridge.hands import known_button
from firmware_bridge.hands_messages import (
    LEASE_MS,
    LONGEST_LINE,
    WATCH_MS,
    Crank,
    Estop,
    Inject,
    Look,
    Press,
    Release,
    Reply,
    Request,
    Strap,
    Truth,
    Watch,
)
from safety.signals import LAMPS
from sim.table import TableParts

MOST_CLIENTS: Final = 16
# So much may wait for a client that does not read; then what it watches is left out, and at twice that it is let go.
MOST_UNREAD: Final = 32_768
_READ_AT_ONCE: Final = 4096
# What a socket's path may be on every system, its closing zero left out: 104 bytes on macOS, 108 on Linux.
_LONGEST_PATH: Final = 103
_CRANK: Final = "the crank"
_CDEG_A_RADIAN: Final = 100 * 57.29577951308232


class _Client:
    """One who is connected: what came and is no whole line yet, what waits to be read, and whether it watches."""

    __slots__ = ("coming", "going", "line", "watches")

    def __init__(self, line: socket.socket) -> None:
        self.line = line
        self.coming = b""
        self.going = b""
        self.watches = False


class HandsServer:
    """The socket and everybody who is connected to it.

    `serve` takes what came on one of `descriptors`, `end_leases` lets go of what nobody holds any more, `tell` is to be
    called in every millisecond of the table's time; none of them waits. `now_ms` is the clock of the leases: they are
    about the processes that hold, so it is a real one where the table's own time may be late.

    Raises:
        UsageError: the path is too long, or nothing can be made there.
    """

    def __init__(self, path: Path, table: TableParts, now_ms: Callable[[], int]) -> None:
        """Make the socket; one that nobody listens to any more is replaced."""
        self.path = path
        self._now_ms = now_ms
        self._table = table
        self._clients: dict[int, _Client] = {}
        self._leases: dict[tuple[int, str], int] = {}
        self._decode: Callable[[bytes], Request] = msgspec.json.Decoder(Request).decode
        self._encode = msgspec.json.Encoder().encode
        if len(os.fsencode(path)) > _LONGEST_PATH:
            raise UsageError(
                f"{path} is too long for a socket ({_LONGEST_PATH} bytes at most): choose a shorter place with --state,"
                " or set RUNTIME_DIRECTORY"
            )
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        try:
            path.unlink(missing_ok=True)
            before = os.umask(0o177)
            try:
                self._socket.bind(str(path))
            finally:
                os.umask(before)
            self._socket.listen(MOST_CLIENTS)
        except OSError as error:
            self._socket.close()
            raise UsageError(f"no socket can be made at {path}: {error.strerror or error}") from error

    @property
    def descriptors(self) -> list[int]:
        """What to wait on."""
        return [self._socket.fileno(), *self._clients]

    def end_leases(self) -> None:
        """Let go of what nobody holds any more; to be called when everybody has been served."""
        if self._leases:
            now_ms = self._now_ms()
            for key in [key for key, until_ms in self._leases.items() if now_ms >= until_ms]:
                self._end(key)

    def tell(self, table_ms: int) -> None:
        """Tell those who watch what the simulation knows."""
        if table_ms % WATCH_MS == 0 and any(client.watches for client in self._clients.values()):
            line = self._encode(Reply(simulated_truth=self._truth())) + b"\n"
            for number, client in list(self._clients.items()):
                if client.watches and len(client.going) < MOST_UNREAD:
                    self._send(number, client, line)

    def serve(self, descriptor: int) -> bool:
        """Take what came on one of `descriptors`; false if it is none of them."""
        if descriptor == self._socket.fileno():
            self._welcome()
            return True
        client = self._clients.get(descriptor)
        if client is None:
            return False
        try:
            data = client.line.recv(_READ_AT_ONCE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            self._dismiss(descriptor)
            return True
        *lines, client.coming = (client.coming + data).split(b"\n")
        for line in lines:
            if line.strip() and descriptor in self._clients:
                self._answer(descriptor, client, line)
        if len(client.coming) > LONGEST_LINE and descriptor in self._clients:
            client.coming = b""
            self._reply(descriptor, client, Reply(ok=False, error=f"a line has {LONGEST_LINE} bytes at most"))
            self._dismiss(descriptor)
        return True

    def close(self) -> None:
        """Let everybody go and take the socket away."""
        for descriptor in list(self._clients):
            self._dismiss(descriptor)
        self._socket.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    # Clients.

    def _welcome(self) -> None:
        with contextlib.suppress(OSError):
            line, _ = self._socket.accept()
            line.setblocking(False)
            if len(self._clients) >= MOST_CLIENTS:
                line.close()
                return
            self._clients[line.fileno()] = _Client(line)

    def _dismiss(self, descriptor: int) -> None:
        """Let a client go; its leases run out by themselves, as where a process hangs."""
        client = self._clients.pop(descriptor)
        client.line.close()
        # Another client may get this number: what the one that left still holds gets one of its own.
        for number, name in [key for key in self._leases if key[0] == descriptor]:
            until_ms = self._leases.pop((number, name))
            self._leases[(-1 - number, name)] = max(until_ms, self._leases.get((-1 - number, name), 0))

    def _send(self, descriptor: int, client: _Client, data: bytes) -> None:
        client.going += data
        try:
            client.going = client.going[client.line.send(client.going) :]
        except BlockingIOError:
            if len(client.going) > 2 * MOST_UNREAD:
                self._dismiss(descriptor)
        except OSError:
            self._dismiss(descriptor)

    # Requests.

    def _answer(self, descriptor: int, client: _Client, line: bytes) -> None:
        try:
            if len(line) >= LONGEST_LINE:
                raise UsageError(f"a line has {LONGEST_LINE} bytes at most")
            reply = self._done(descriptor, client, self._decode(line))
        except msgspec.DecodeError as error:
            reply = Reply(ok=False, error=f"this is no request: {error}; see docs/hands.md")
        except InversionTableError as error:
            reply = Reply(ok=False, error=str(error))
        self._reply(descriptor, client, reply)

    def _reply(self, descriptor: int, client: _Client, reply: Reply) -> None:
        self._send(descriptor, client, self._encode(reply) + b"\n")

    def _done(self, descriptor: int, client: _Client, request: Request) -> Reply:
        """Do what is asked. Raises InversionTableError."""
        hands = self._table.hands
        if isinstance(request, Press):
            hands.press(request.button)
            self._hold(descriptor, request.button)
        elif isinstance(request, Release):
            known_button(request.button)
            self._end((descriptor, request.button))
        elif isinstance(request, Strap):
            hands.strap(request.side, request.closed)
        elif isinstance(request, Estop):
            hands.estop(request.pressed)
        elif isinstance(request, Crank):
            if request.turning:
                hands.crank(True)
                self._hold(descriptor, _CRANK)
            else:
                self._end((descriptor, _CRANK))
        elif isinstance(request, Inject):
            hands.inject(request.fault)
        elif isinstance(request, Look):
            return Reply(ok=True, simulated_truth=self._truth())
        elif isinstance(request, Watch):
            client.watches = True
        return Reply(ok=True)

    def _hold(self, descriptor: int, name: str) -> None:
        self._leases[(descriptor, name)] = self._now_ms() + LEASE_MS

    def _end(self, key: tuple[int, str]) -> None:
        """Let go; what another client still holds stays held. Raises InversionTableError for what there is not."""
        self._leases.pop(key, None)
        name = key[1]
        if any(other == name for _, other in self._leases):
            return
        if name == _CRANK:
            self._table.hands.crank(False)
        else:
            self._table.hands.release(name)

    def _truth(self) -> Truth:
        table = self._table
        motion = table.plant.motion
        lamps, buzzer_hz = table.panel.lights()
        return Truth(
            table.clock.ms,
            round(motion.angle_rad * _CDEG_A_RADIAN, 2),
            round(motion.speed_rad_s * _CDEG_A_RADIAN, 2),
            table.injected,
            tuple(sorted(table.hands.held())),
            _names_of(lamps),
            buzzer_hz,
        )


@lru_cache(maxsize=256)
def _names_of(lamps: int) -> tuple[str, ...]:
    """Return the lamps of a set by name, in the order of their bits."""
    return tuple(name for name, bit in LAMPS.items() if lamps & bit)
