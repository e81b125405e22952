"""The recorder's worker, `python -m controller.recorder_worker`: reads what control sends, and writes the journal.

Events are on the disk at once, the trace each second while anything goes on. What cannot be written is kept and tried
again, and said; meanwhile nothing more is read, so that the control process sees it wait. It ends when the other end of
the socket is closed, after writing everything; the signals that its parent ignores it ignores too. If its parent is
gone it becomes the parent itself, so that somebody is there to start the next worker.
"""

import os
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from controller.journal_file import JournalFile, WriteError
from controller.journal_keeping import Keeper, Pending
from controller.journal_visits import CUT_OFF
from controller.recorder_parent import parent_command
from controller.recorder_words import LONGEST_PACKET, Batch, Leaving, Resume, ToRecorder, Word

SECOND_S: Final = 1.0
TRY_AGAIN_S: Final = 0.5
# How long a disk that takes nothing is tried after the control process has left; a service manager waits 90 s.
LAST_TRIES_S: Final = 20.0
ROTATION_EVERY_S: Final = 600.0
# Between two steps of a rotation, so that it takes a fiftieth of the disk's time.
ROTATION_STEP_S: Final = 0.25
LEFT: Final = "left"


class Order(msgspec.Struct):
    """What the recorder is started with, as one JSON argument: where to write, and what is known of the run."""

    journal: str
    largest_bytes: int
    began_ms: int
    about: dict[str, Any]


class Worker:
    """One worker's life: from its first word to the end of the control process, or its own."""

    def __init__(self, line: socket.socket, generation: int, order: str, parent: int) -> None:
        """Take the inherited end of the socketpair; nothing is read or written yet."""
        self._line = line
        self._generation = generation
        self._order_text = order
        self._order = msgspec.json.decode(order, type=Order)
        self._parent = parent
        self._decode = msgspec.msgpack.Decoder(ToRecorder).decode
        self._encode = msgspec.msgpack.Encoder().encode
        self._journal = JournalFile(
            Path(self._order.journal), self._order.about, self._order.began_ms, self._order.largest_bytes
        )
        self._keeper: Keeper | None = None
        self._trouble = ""
        self._told: tuple[object, ...] = ()
        self._comes, self._ends = select.poll(), select.poll()
        self._comes.register(line, select.POLLIN)
        # Nothing but that the other end was closed.
        self._ends.register(line, 0)
        # What is on the disk, or is not to be kept; what only waits to be written is not among it.
        self._done_tick = self._done_event = 0
        self._mine = False
        self._of_another: list[Batch] = []
        self._waits_since: float | None = None
        self._wall_ms: int | None = None
        self._clock_ok = False
        self._ending = CUT_OFF
        self._rotates_at = time.monotonic()

    def run(self) -> None:
        """Work until the control process is gone and everything is written, or cannot be."""
        self._open()
        ended = False
        gone_at: float | None = None
        while True:
            if self._trouble:
                if self._pause(gone_at is not None) and gone_at is None:
                    gone_at = time.monotonic()
                self._open()
            elif not ended:
                ended = not self._read()
            if ended and self._finished():
                return
            now = time.monotonic()
            if gone_at is not None and now > gone_at + LAST_TRIES_S:
                return
            if self._waits_since is not None and now >= self._waits_since + SECOND_S:
                self._settle()
            self._rotate(now)
            if os.getppid() != self._parent:
                self._take_over()

    def tell_defect(self, error: Exception) -> None:
        """Say that this worker ends by a defect of its own, and where the traceback is."""
        from controller.places import keep_traceback

        where = keep_traceback(error, str(Path(self._order.journal).parent.parent))
        kept = f"; the traceback is in {where}" if where else ""
        self._trouble = f"the recorder ended by a defect ({type(error).__name__}: {error}){kept}; it is started again"
        self._tell()

    # What comes -------------------------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Take one message, if one comes within a second; return false at the end of all."""
        if not self._comes.poll(1000 * SECOND_S):
            return True
        try:
            packet = self._line.recv(LONGEST_PACKET)
        except ConnectionError:
            return False
        if not packet:
            # Nobody is there any more to send again what was sent to the worker before this one.
            for batch in self._of_another:
                self._take(batch)
            return False
        message = self._decode(packet)
        if isinstance(message, Resume):
            self._mine = self._mine or message.generation == self._generation
            self._of_another.clear()
        elif isinstance(message, Leaving):
            self._ending = LEFT
            if self._mine:
                # The control process waits for this before it goes, even where there is nothing to be written.
                self._told = ()
                self._settle()
        elif self._mine:
            self._take(message)
        else:
            self._of_another.append(message)
        return True

    def _take(self, batch: Batch) -> None:
        keeper = self._keeper
        assert keeper is not None
        if batch.lost:
            keeper.lost(batch.lost)
        if batch.snapshots:
            last = batch.snapshots[-1]
            for snapshot in batch.snapshots:
                keeper.take(snapshot, batch.wall_ms - (last.t_ms - snapshot.t_ms))
            self._clock_ok = last.readings.host.clock_ok
        self._wall_ms = batch.wall_ms
        if batch.judged:
            keeper.remember(batch.judged_after, batch.judged)
        if batch.events:
            keeper.happened(batch.events)
        if keeper.pending.events or keeper.pending.chunks:
            self._write()
        elif not keeper.active:
            # Nothing of this is to be written, so that it is done with.
            self._done_tick = max(self._done_tick, batch.snapshots[-1].number if batch.snapshots else 0)
            self._tell()
        self._waits_since = (self._waits_since or time.monotonic()) if keeper.waits else None

    # What is written --------------------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Open the journal, or write what waits; what goes wrong is told and tried again later."""
        if self._keeper is not None:
            self._write()
            return
        try:
            self._journal.write(Pending())
        except WriteError as error:
            self._troubled(error)
            return
        self._trouble = ""
        self._keeper = Keeper(self._journal.tick, self._journal.open_visit)
        self._keeper.event = self._journal.event
        self._done_tick, self._done_event = self._journal.tick, self._journal.event
        self._tell(begins=True)

    def _settle(self) -> None:
        """Write the second that is not full: nothing more has come."""
        assert self._keeper is not None
        self._keeper.close_stretch()
        self._waits_since = None
        self._write()

    def _write(self) -> None:
        keeper = self._keeper
        assert keeper is not None
        keeper.settle()
        try:
            self._journal.write(keeper.pending)
        except WriteError as error:
            self._troubled(error)
            return
        keeper.pending = Pending()
        self._trouble = ""
        self._done_tick, self._done_event = max(self._done_tick, keeper.tick), keeper.event
        self._tell()

    def _finished(self) -> bool:
        """Write the last of it, after the control process has gone; return whether that went well."""
        keeper = self._keeper
        if keeper is None:
            return False
        self._waits_since = None
        keeper.end()
        self._write()
        if self._trouble:
            return False
        try:
            self._journal.end_run(self._wall_ms or self._order.began_ms, self._ending)
        except WriteError as error:
            self._troubled(error)
            return False
        self._journal.close()
        self._tell(ends=True)
        return True

    def _rotate(self, now: float) -> None:
        """Take out what is old, a little at a time, while the table rests."""
        keeper = self._keeper
        if now < self._rotates_at or keeper is None or self._trouble or not keeper.resting:
            return
        try:
            more = self._journal.rotate(self._wall_ms if self._clock_ok else None)
        except WriteError as error:
            self._troubled(error)
            more = False
        self._rotates_at = now + (ROTATION_STEP_S if more else ROTATION_EVERY_S)

    # What is said -----------------------------------------------------------------------------------------------------

    def _troubled(self, error: Exception) -> None:
        self._trouble = str(error)
        self._tell()

    def _tell(self, begins: bool = False, ends: bool = False) -> None:
        """Say how far everything is written, and what is wrong; a control process that does not listen misses it."""
        said = tuple(self._journal.said)
        tick, event = self._done_tick, self._done_event
        now = (tick, event, self._trouble, said, begins, ends)
        if now == self._told:
            return
        word = Word(self._generation, os.getpid(), tick, event, begins, self._trouble, said, ends)
        try:
            self._line.send(self._encode(word), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:
            return
        self._told = now
        self._journal.said.clear()

    def _pause(self, gone: bool) -> bool:
        """Wait a little before the next try; return whether the control process is gone."""
        if gone:
            # Of an end that is closed poll would tell at once, again and again.
            time.sleep(TRY_AGAIN_S)
            return True
        return bool(self._ends.poll(1000 * TRY_AGAIN_S))

    def _take_over(self) -> None:
        """The parent is gone: be the parent, and start a worker; what is not written comes to it again."""
        if self._keeper is not None:
            self._write()
        self._journal.close()
        os.execv(sys.executable, parent_command(self._line.fileno(), self._generation, self._order_text))


def main(words: list[str]) -> int:
    """Run one worker: its end of the socketpair, its generation, its order as JSON."""
    # What is written here is nobody else's business.
    os.umask(0o077)
    parent = os.getppid()
    with socket.socket(fileno=int(words[0])) as line:
        worker = Worker(line, int(words[1]), words[2], parent)
        try:
            worker.run()
        except Exception as error:  # noqa: BLE001 a defect is told, whatever it is, and the next worker tries again
            worker.tell_defect(error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
