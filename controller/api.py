"""The control process's local socket: everybody who may know is told, nobody who reads slowly is waited for.

A Unix socket of kind SOCK_SEQPACKET, one JSON object a packet; the kernel frames packets and names the peer's user.
All work is done in `poll`, once a tick, and is bounded: so many packets, so many new clients, one answer that costs
more than microseconds. A frame is encoded once for all who are to have it. Whoever has not read the last ones gets
none until they have, then the newest.
"""

import array
import contextlib
import fcntl
import itertools
import os
import select
import socket
import struct
import termios
from collections import deque
from pathlib import Path
from typing import Final

import msgspec

from config.errors import DeviceMissingError, UsageError
from controller import messages as say
from controller.messages import LONGEST_REPLY, LONGEST_REQUEST, QUICKEST_MS, SLOWEST_MS, VERSION, Answer, Event, Request
from controller.service import Service

MOST_CLIENTS: Final = 64
MOST_STRANGERS: Final = 16
"""Of all clients so many may be other users': these leave room for whoever works the table."""
PACKETS_A_TICK: Final = 16
NEW_A_TICK: Final = 4
SENT_A_TICK: Final = 128
"""Answers and events, to all together; who comes first changes from tick to tick."""
MOST_WAITING: Final = 256
"""Answers and events that a client does not take; then the oldest is dropped."""
MOST_GARBAGE: Final = 10
HELLO_MS: Final = 2_000
UNREAD_BYTES: Final = 16_384
"""A client with more unread than this gets no frame: about the last five."""
LONGEST_NAME: Final = 40
LONGEST_PATH: Final = 107
BUFFER_BYTES: Final = 2 * LONGEST_REPLY
CREDENTIALS: Final = struct.Struct("3i")
HEAVY: Final = (say.Offer, say.Configuration, say.Events)

FIRST_HELLO: Final = 'the first packet must be {"do": "hello", "version": 1, "name": "…"}'
FULL: Final = f"{MOST_CLIENTS} clients are connected already: close one"
STRANGERS: Final = f"{MOST_STRANGERS} clients of other users are connected already: close one"
TOO_LONG: Final = f"a request has at most {LONGEST_REQUEST} bytes"
TOO_MUCH: Final = "the answer is too long for one packet: ask for fewer events"


class _Client:
    """One connection, as the server has it."""

    __slots__ = (
        "by",
        "due_ms",
        "events",
        "every_ms",
        "garbage",
        "greeted",
        "line",
        "outbox",
        "since_ms",
        "trusted",
        "uid",
    )

    def __init__(self, line: socket.socket, uid: int, trusted: bool, since_ms: int) -> None:
        self.line, self.uid, self.trusted, self.since_ms = line, uid, trusted, since_ms
        self.by = f"uid {uid}"
        self.greeted = self.events = False
        self.every_ms = self.due_ms = self.garbage = 0
        self.outbox: deque[bytes] = deque(maxlen=MOST_WAITING)


class Server:
    """The socket of one service. Raises UsageError: it cannot be there.

    Attributes:
        garbage: packets that were no requests; refused: connections that were not taken; frames_left_out: frames that
            were due to somebody who had not read the ones before.
    """

    def __init__(self, path: Path, service: Service) -> None:
        """Listen; whoever may enter the folder may connect, what they may ask for is the service's to judge."""
        self.garbage = self.refused = self.frames_left_out = 0
        self._path, self._service = path, service
        self._us = os.geteuid()
        self._listening = _listen(path)
        self._inode = path.stat().st_ino
        self._epoll = select.epoll()
        self._door = self._listening.fileno()
        self._epoll.register(self._door, select.EPOLLIN)
        self._clients: dict[int, _Client] = {}
        self._talking: list[_Client] = []
        self._watching: list[_Client] = []
        self._ungreeted = self._turn = 0
        self._heavy: deque[tuple[_Client, Request]] = deque()
        self._told: list[Event] = []
        self._buffer = bytearray(LONGEST_REQUEST + 1)
        self._view = memoryview(self._buffer)
        self._unread = array.array("i", [0])
        self._greeting = msgspec.json.Decoder(say.Hello).decode
        self._decode = msgspec.json.Decoder(Request).decode
        # What a plan file has as a number is one here too.
        self._encode = msgspec.json.Encoder(decimal_format="number").encode

    def poll(self) -> None:
        """Serve whoever wants something; never waits, and raises nothing for what a client does."""
        for number, _ in self._epoll.poll(0, PACKETS_A_TICK):
            if number == self._door:
                self._let_in()
            elif (client := self._clients.get(number)) is not None:
                self._hear(client)
        if self._heavy:
            client, request = self._heavy.popleft()
            if client.line.fileno() >= 0:
                self._do(client, request)
                self._epoll.modify(client.line.fileno(), select.EPOLLIN)
        if self._clients:
            self._tell()

    def close(self) -> None:
        """Let everybody go and take the socket away; what they were still to be told is sent as far as they take it."""
        for client in list(self._clients.values()):
            self._send_waiting(client, MOST_WAITING)
        for client in list(self._clients.values()):
            self._drop(client)
        self._epoll.close()
        self._listening.close()
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    # Who comes --------------------------------------------------------------------------------------------------

    def _let_in(self) -> None:
        """Take a few of those who wait at the door."""
        for _ in range(NEW_A_TICK):
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            line.setblocking(False)
            try:
                _, uid, _ = CREDENTIALS.unpack(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            except OSError:
                line.close()
                continue
            trusted = uid in (0, self._us)
            if why := self._no_room(trusted):
                self.refused += 1
                with contextlib.suppress(OSError):
                    line.send(self._encode(Answer(0, False, (why,))))
                line.close()
                continue
            client = _Client(line, uid, trusted, self._t_ms)
            self._clients[line.fileno()] = client
            self._epoll.register(line.fileno(), select.EPOLLIN)
            self._counted()

    def _no_room(self, trusted: bool) -> str:
        if len(self._clients) >= MOST_CLIENTS:
            return FULL
        if not trusted and sum(not client.trusted for client in self._clients.values()) >= MOST_STRANGERS:
            return STRANGERS
        return ""

    def _drop(self, client: _Client) -> None:
        number = client.line.fileno()
        if self._clients.pop(number, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(number)
        client.line.close()
        self._counted()

    def _counted(self) -> None:
        """See who is there, who is told events, and who is sent frames."""
        clients = self._clients.values()
        self._watching = [client for client in clients if client.every_ms]
        self._talking = [client for client in clients if client.greeted]
        self._ungreeted = len(clients) - len(self._talking)
        if self._service.clients != len(self._talking):
            self._service.count_clients(len(self._talking))

    # What they say ----------------------------------------------------------------------------------------------

    def _hear(self, client: _Client) -> None:
        """Take one packet of a client."""
        try:
            length = client.line.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            length = 0
        if length == 0:
            self._drop(client)
            return
        if length > LONGEST_REQUEST:
            self._is_garbage(client, TOO_LONG)
            return
        try:
            if not client.greeted:
                self._greet(client, self._greeting(self._view[:length]))
                return
            request = self._decode(self._view[:length])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._is_garbage(client, f"not a request: {error}" if client.greeted else FIRST_HELLO)
            return
        if isinstance(request, HEAVY):
            # One a tick, whoever asks; nothing more is heard of its client before.
            self._heavy.append((client, request))
            self._epoll.modify(client.line.fileno(), 0)
        else:
            self._do(client, request)

    def _greet(self, client: _Client, hello: say.Hello) -> None:
        if hello.version != VERSION:
            why = f"this control process speaks version {VERSION}, not {hello.version}: install one version of both"
            self._answer(client, Answer(0, False, (why,)))
            self._send_waiting(client, 1)
            self._drop(client)
            return
        name = "".join(letter for letter in hello.name[:LONGEST_NAME] if letter.isprintable()).strip()
        client.by = f"{name or 'a client'} (uid {client.uid})"
        client.greeted = True
        client.outbox.append(self._encode(self._service.welcome))
        self._counted()

    def _do(self, client: _Client, request: Request) -> None:
        """Have a request done, and answer it."""
        if isinstance(request, say.Watch):
            every_ms = request.every_ms
            client.every_ms = every_ms and min(max(every_ms, QUICKEST_MS), SLOWEST_MS)
            client.events = bool(every_ms) and request.events
            client.due_ms = 0
            self._counted()
        self._answer(client, self._service.handle(request, client.by, client.trusted))

    def _is_garbage(self, client: _Client, why: str) -> None:
        self.garbage += 1
        client.garbage += 1
        self._answer(client, Answer(0, False, (why,)))
        if client.garbage >= MOST_GARBAGE or not client.greeted:
            self._send_waiting(client, 1)
            self._drop(client)

    def _answer(self, client: _Client, answer: Answer) -> None:
        data = self._encode(answer)
        if len(data) > LONGEST_REPLY:
            data = self._encode(Answer(answer.id, False, (TOO_MUCH,)))
        client.outbox.append(data)

    # What they are told -----------------------------------------------------------------------------------------

    @property
    def _t_ms(self) -> int:
        snapshot = self._service.snapshot
        return 0 if snapshot is None else snapshot.t_ms

    def _tell(self) -> None:
        """Send answers, events and frames to whoever takes them."""
        service, t_ms = self._service, self._t_ms
        if service.happened and service.happened is not self._told and self._watching:
            self._tell_events(service.happened)
        # Looked at twice in a tick, nothing is told twice.
        self._told = service.happened
        left, talking = SENT_A_TICK, self._talking
        self._turn = turn = (self._turn + 1) % max(len(talking), 1)
        for client in itertools.chain(talking[turn:], talking[:turn]):
            if client.outbox:
                left -= self._send_waiting(client, left)
        frame = b""
        for client in self._watching:
            if client.due_ms > t_ms:
                continue
            if not frame:
                if service.snapshot is None:
                    return
                frame = self._encode(say.Frame(service.snapshot, service.state))
            client.due_ms = t_ms + client.every_ms
            if not client.outbox and self._has_read(client):
                self._send(client, frame)
            else:
                self.frames_left_out += 1
        if self._ungreeted:
            for client in [one for one in self._clients.values() if not one.greeted]:
                if t_ms - client.since_ms > HELLO_MS:
                    self._drop(client)

    def _tell_events(self, events: list[Event]) -> None:
        told = [self._encode(say.News(event)) for event in events]
        for client in self._watching:
            if client.events:
                client.outbox.extend(told)

    def _has_read(self, client: _Client) -> bool:
        """Whether a client has taken all but the last few packets that it was sent."""
        try:
            fcntl.ioctl(client.line, termios.TIOCOUTQ, self._unread)
        except OSError:
            return False
        return self._unread[0] < UNREAD_BYTES

    def _send_waiting(self, client: _Client, most: int) -> int:
        """Send at most so many answers and events; return how many went."""
        sent = 0
        while client.outbox and sent < most and self._send(client, client.outbox[0]):
            client.outbox.popleft()
            sent += 1
        return sent

    def _send(self, client: _Client, data: bytes) -> bool:
        """Hand one packet to the kernel; false where it does not take it now."""
        try:
            client.line.send(data)
        except BlockingIOError:
            return False
        except OSError:
            # A peer that is gone is found when it is heard.
            client.every_ms = 0
            return False
        return True


def _listen(path: Path) -> socket.socket:
    """Listen at a path; what a process that was killed left there is taken away. Raises UsageError."""
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise UsageError(f"the socket's path has more than {LONGEST_PATH} bytes: {path}; choose another --state")
    if not hasattr(socket, "SOCK_SEQPACKET"):
        raise DeviceMissingError("serve runs on Linux only")
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        if path.is_socket():
            if _answers(path):
                raise UsageError(f"somebody else listens at {path}: end that process, or choose another --state")
            path.unlink()
        path.parent.mkdir(parents=True, exist_ok=True)
        line.bind(str(path))
        # Whoever is let into the folder may stop the table; a stranger may not do more (H35).
        path.chmod(0o666)
        line.listen(MOST_CLIENTS)
        line.setblocking(False)
    except OSError as error:
        line.close()
        raise UsageError(
            f"no socket can be made at {path} ({error.strerror or error}): choose another --state"
        ) from error
    except UsageError:
        line.close()
        raise
    return line


def _answers(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True
