"""A service with its socket, in virtual time, and clients that say anything at all."""

import contextlib
import json
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from controller.api import Server
from tests.service.rig import Rig

Found = TypeVar("Found")
LONGEST = 1 << 20


class Served:
    """A service that nobody has to wait for: `pump` runs ticks, each with a look at the socket."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sim.sock"
        self.rig = Rig()
        self.server = Server(self.path, self.rig.service)
        self._peers: list[Peer] = []
        self.pump()

    def peer(self, *, greets: bool = True) -> "Peer":
        """A new client; one that greets has been welcomed."""
        made = Peer(self.path)
        self._peers.append(made)
        if greets:
            made.say(do="hello", version=1, name="peer")
            self.pump(2)
            made.welcome = made.hear()
        return made

    def leave_first(self, but: "Peer") -> None:
        """Close the client that is there for longest."""
        eldest = next(peer for peer in self._peers if peer is not but)
        self._peers.remove(eldest)
        eldest.close()

    def close(self) -> None:
        self.server.close()
        for peer in self._peers:
            peer.close()

    def pump(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.rig.tick()
            self.server.poll()

    def while_asking(self, ask: Callable[[], Found]) -> Found:
        """Serve, without any time passing, whoever asks and waits for the answer."""
        found: list[Found] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                found.append(ask())
            except Exception as error:  # noqa: BLE001 raised again below
                failed.append(error)

        asking = threading.Thread(target=run, daemon=True)
        asking.start()
        while asking.is_alive():
            self.server.poll()
        if failed:
            raise failed[0]
        return found[0]


class Peer:
    """A client of another make: it says what it is told to, and never waits."""

    def __init__(self, path: Path) -> None:
        self.welcome: list[dict[str, Any]] = []
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.line.connect(str(path))
        self.line.setblocking(False)

    def say(self, **message: Any) -> None:
        self.raw(json.dumps(message).encode())

    def raw(self, data: bytes) -> None:
        self.line.send(data)

    def hear(self) -> list[dict[str, Any]]:
        """Everything that has come; the last one is `{"it": "end"}` when the connection was closed."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(BlockingIOError):
            while data := self._next():
                found.append(json.loads(data))
            found.append({"it": "end"})
        return found

    def _next(self) -> bytes:
        try:
            return self.line.recv(LONGEST)
        except ConnectionResetError:
            return b""

    def of(self, it: str) -> list[dict[str, Any]]:
        return [one for one in self.hear() if one["it"] == it]

    def close(self) -> None:
        self.line.close()


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose sockets' paths are short, and which other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="api-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
