"""The control process's end of its recorder: hands over every tick and event, and knows whether they reach the disk.

In a tick `RecorderLink.observe` keeps a reference; each tenth tick it encodes ten of them and hands them to the kernel,
without waiting (about 3 µs a tick in all). What the recorder has not written is kept here for half a minute, so that a
recorder that was killed, or a disk that hesitates, loses nothing. Nothing here touches a disk or starts a process after
`start`.
"""

import contextlib
import errno
import select
import socket
import subprocess
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from controller.journal_rotation import LARGEST_BYTES
from controller.messages import Event
from controller.recorder_parent import parent_command
from controller.recorder_words import LONGEST_PACKET, Batch, Leaving, Resume, Word
from safety.judged import INITIAL, Judged
from safety.signals import Snapshot

TICKS_A_BATCH: Final = 10
JUDGED_EVERY_MS: Final = 10_000
# Half a minute of ticks, about 5 MB: an SD card may take seconds for one commit, and a new recorder half a second.
MOST_BATCHES: Final = 300
MOST_EVENTS_KEPT: Final = 1_000
# The trace is written each second; a second more and the disk, or the recorder, is in trouble (H33).
LATEST_MS: Final = 2_000
SEND_BUFFER_BYTES: Final = 4_000_000
CLOSING_S: Final = 10.0
LONGEST_WORD: Final = 16_384

STARTING: Final = (
    "the recorder has not begun yet: wait a moment; if this stays, see that the state folder can be written"
)
GONE: Final = "the recorder was ended from outside, so nothing is recorded: restart the service once the patient is off"
SLOW: Final = "the recorder writes too slowly: the disk may be failing, or too busy; end what else writes to it"
AGAIN: Final = "the recorder had ended, and was started again; what it had not written was sent to it once more"
LOST: Final = "the recorder could not take everything, and some of the trace is missing; see that the disk is not full"


class Sent(NamedTuple):
    """One message on its way: until `tick` and `event` are committed it may have to be sent again."""

    data: bytes
    tick: int
    event: int
    ticks: int
    at_ms: int


def journal_path(state: Path, table_id: str) -> Path:
    """Return where the journal of a table is."""
    return state / "journal" / f"{table_id}.sqlite3"


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class RecorderLink:
    """The recorder of one run, as the control process has it. Make one with `start`.

    Attributes:
        ok: whether everything up to two seconds ago is on the disk, as far as it is to be kept.
        trouble: why not, as a sentence that says what to do; empty while `ok`.
        committed: the newest tick up to which everything is on the disk.
        committed_event: the newest event that is.
        lost: how many ticks could not be handed over.
        path: of the journal.
        pid: of the recorder's parent; `worker_pid` of its worker, 0 before it began.
    """

    def __init__(
        self, line: socket.socket, process: "subprocess.Popen[bytes]", path: Path, now_ms: Callable[[], int]
    ) -> None:
        """Take one end of the socketpair, whose other end the process has."""
        self.ok = False
        self.trouble = STARTING
        self.committed = self.committed_event = 0
        self.lost = 0
        self.path = path
        self.pid = process.pid
        self.worker_pid = 0
        self._line = line
        self._process = process
        self._now_ms = now_ms
        self._encode = msgspec.msgpack.Encoder().encode
        self._encode_judged = msgspec.json.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Word).decode
        self._snapshots: list[Snapshot] = []
        self._last = 0
        self._judged_ms: int | None = None
        self._waiting: deque[Sent] = deque()
        self._flying: deque[Sent] = deque()
        self._resume = b""
        self._lost_told = 0
        self._said: list[str] = []
        self._gone = False
        self._theirs = STARTING
        self._written = False

    @classmethod
    def start(
        cls,
        state: Path,
        table_id: str,
        about: Mapping[str, Any],
        *,
        now_ms: Callable[[], int] = _monotonic_ms,
        largest_bytes: int = LARGEST_BYTES,
    ) -> "RecorderLink":
        """Start a recorder for one run of the control process; not to be called in a tick.

        `about` is kept with the run: `limits` (what the judge goes by, without which nothing can be replayed), and as
        text `profile`, `guard`, `program` and `boot`, which is new in each run; whatever else is there is kept too.
        `now_ms` is a monotonic clock. The journal never grows beyond `largest_bytes`.

        Raises:
            OSError: no process can be started.
        """
        path = journal_path(state, table_id)
        told = {"boot": uuid.uuid4().hex, **about, "table_id": table_id}
        if is_dataclass(limits := told.get("limits")) and not isinstance(limits, type):
            told["limits"] = asdict(limits)
        order = {
            "journal": str(path.absolute()),
            "largest_bytes": largest_bytes,
            "began_ms": time.time_ns() // 1_000_000,  # noqa: TID251 label: when the run began
            "about": told,
        }
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.setblocking(False)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            process = subprocess.Popen(
                parent_command(theirs.fileno(), 0, msgspec.json.encode(order).decode()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Out of the terminal's group: Ctrl-C is for whoever brings the patient back.
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return cls(ours, process, path, now_ms)

    def observe(self, snapshot: Snapshot, events: Sequence[Event], judged: Judged) -> None:
        """Take one tick, what happened in it, and the judge's state just after it; once a tick, never blocks."""
        self._snapshots.append(snapshot)
        if events or len(self._snapshots) >= TICKS_A_BATCH:
            self._hand_over(tuple(events), judged)
            self.attend()

    def attend(self) -> None:
        """Hear what the recorder says, and send what waits; never blocks. `observe` does it too, each tenth tick."""
        self._hear()
        self._send()
        self._look()

    def fileno(self) -> int:
        """Return the socket's number, to wait until the recorder has said something."""
        return self._line.fileno()

    def news(self) -> list[str]:
        """Return what people must be told of the journal, each sentence once."""
        said, self._said = self._said, []
        return said

    def close(self, because: str = "", within_s: float = CLOSING_S) -> bool:
        """Hand over what is left, wait for the recorder to write it, and return whether it has; not in a tick.

        A recorder that takes longer than `within_s` goes on by itself for a while. Doing so twice is allowed.
        """
        if self._line.fileno() < 0:
            return self._written
        self._hand_over((), None)
        self._waiting.append(Sent(self._encode(Leaving(because)), 0, 0, 0, self._now_ms()))
        until_s = time.monotonic() + within_s
        self.attend()
        # A worker that has just begun is still to be sent what the one before had read, and not written.
        while (self._waiting or self._flying) and self._wait(until_s):
            self.attend()
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        while not self._written and self._wait(until_s):
            self._hear()
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0 if self._written or self._gone else 0.0)
        # One that goes on without us is no mistake of ours, which is what a process that is left behind is taken for.
        self._process.returncode = self._process.returncode or 0
        self.ok = False
        self.trouble = "" if self._written else self._theirs or SLOW
        return self._written

    def _wait(self, until_s: float) -> bool:
        """Wait until the recorder has said something or takes more; return false when it is no use any more."""
        left_s = until_s - time.monotonic()
        if self._gone or left_s <= 0:
            return False
        takes = [self._line] if self._waiting and self.worker_pid else []
        select.select([self._line], takes, [], left_s)
        return True

    # ------------------------------------------------------------------------------------------------------------------

    def _hand_over(self, events: tuple[Event, ...], judged: Judged | None) -> None:
        """Put what has gathered into one message."""
        snapshots = tuple(self._snapshots)
        self._snapshots.clear()
        if not snapshots and not events:
            return
        wall_ms = time.time_ns() // 1_000_000  # noqa: TID251 label: when these ticks were
        after, state = 0, b""
        last = self._last
        if snapshots:
            newest = snapshots[-1]
            self._last = last = newest.number
            if snapshots[0].number == 1 and judged is not None:
                # The judge begins with nothing, so that the very first tick can be judged anew too.
                self._put(Batch((), wall_ms, judged=self._encode_judged(INITIAL)), 0, 0, 0)
            if judged is not None and (self._judged_ms is None or newest.t_ms - self._judged_ms >= JUDGED_EVERY_MS):
                self._judged_ms = newest.t_ms
                # What it keeps of a calm tick is only a short cut.
                after = newest.number
                state = self._encode_judged(msgspec.structs.replace(judged, calm=None))
        event = events[-1].number if events else 0
        self._put(Batch(snapshots, wall_ms, self.lost, events, after, state), last, event, len(snapshots))

    def _put(self, batch: Batch, tick: int, event: int, ticks: int) -> None:
        waiting = self._waiting
        data = self._encode(batch)
        if len(data) > LONGEST_PACKET:
            # Nothing that the control process says is so long; it must not stand in the way of the rest.
            self.lost += ticks
            self._judged_ms = None
            return
        waiting.append(Sent(data, tick, event, ticks, self._now_ms()))
        if len(waiting) + len(self._flying) <= MOST_BATCHES:
            return
        # What happened is worth more than how the angle was: of events a thousand messages wait.
        for index, sent in enumerate(waiting):
            if not sent.event or len(waiting) > MOST_EVENTS_KEPT:
                del waiting[index]
                self.lost += sent.ticks
                # Behind the gap nobody could judge anew without knowing what the judge remembers.
                self._judged_ms = None
                return

    def _hear(self) -> None:
        while not self._gone:
            try:
                packet = self._line.recv(LONGEST_WORD, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._gone = True
                return
            self._heard(self._decode(packet))

    def _heard(self, word: Word) -> None:
        self._theirs, self._written = word.trouble, word.ends
        self._said += word.said
        self.worker_pid = word.pid
        if word.begins:
            self.committed, self.committed_event = word.tick, word.event
        else:
            self.committed = max(self.committed, word.tick)
            self.committed_event = max(self.committed_event, word.event)
        flying = self._flying
        while flying and flying[0].tick <= self.committed and flying[0].event <= self.committed_event:
            flying.popleft()
        if word.begins:
            if word.generation > 1:
                self._said.append(AGAIN)
            # A new worker: whatever the last one had not written comes again, after the word that it is for this one.
            self._waiting.extendleft(reversed(flying))
            flying.clear()
            self._resume = self._encode(Resume(word.generation))
            self._judged_ms = None

    def _send(self) -> None:
        waiting, flying, send = self._waiting, self._flying, self._line.send
        if not self.worker_pid or self._gone:
            return
        flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
        try:
            if self._resume:
                send(self._resume, flags)
                self._resume = b""
            while waiting:
                send(waiting[0].data, flags)
                flying.append(waiting.popleft())
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in (errno.EPIPE, errno.ECONNRESET):
                self._gone = True
            elif error.errno == errno.EMSGSIZE and waiting:
                # A kernel that allows less than LONGEST_PACKET at once.
                self.lost += waiting.popleft().ticks

    def _look(self) -> None:
        """See whether all is well."""
        flying, waiting = self._flying, self._waiting
        oldest = flying[0] if flying else waiting[0] if waiting else None
        if self._gone:
            trouble = GONE
        elif self._theirs:
            trouble = self._theirs
        elif oldest is not None and self._now_ms() - oldest.at_ms > LATEST_MS:
            trouble = SLOW
        elif self.lost != self._lost_told and (waiting or flying):
            trouble = LOST
        else:
            trouble = ""
            self._lost_told = self.lost
        self.trouble = trouble
        self.ok = not trouble
