"""What of a run is kept: every tick from 60 s before anything goes on to 60 s after, and a sample now and then between.

Something goes on while the table moves or is armed, and whenever a switch, a cause, the demand, the state or what the
panel waits for changes. An alarm that stands for days is no news: it would fill the disk. What is kept piles up in
`pending` until whoever writes it takes it away. Pure: no file, no clock but the ticks' own.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from controller.journal_chunks import pack
from controller.journal_visits import Visit, VisitBook
from controller.messages import Event
from safety.signals import Snapshot

BEFORE_MS: Final = 60_000
AFTER_MS: Final = 60_000
# On the disk a second late at most while something goes on; then ten of them are put together, which halves them.
SECOND_MS: Final = 1_000
MERGED: Final = 10
REST_SAMPLE_MS: Final = 10_000
REST_SAMPLES: Final = 60
# Longer than the judge's state is awaited, which ends a stretch at rest.
REST_STRETCH_MS: Final = 15_000
# Once a minute: its states come every ten seconds, and not to the tick.
JUDGED_EVERY_MS: Final = 55_000


class Chunk(NamedTuple):
    """A stretch of ticks, packed. `wall_ms` labels its first one; those of `rest` are samples of a table at rest."""

    first: int
    last: int
    t_ms: int
    until_ms: int
    wall_ms: int
    ticks: int
    rest: bool
    data: bytes


class Remembered(NamedTuple):
    """The judge's state just after a tick, as JSON."""

    tick: int
    judged: bytes


@dataclass(slots=True)
class Pending:
    """What waits to be written, in this order; a chunk takes the place of those that lie within it."""

    chunks: list[Chunk] = field(default_factory=list)
    remembered: list[Remembered] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    lost: int | None = None

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.chunks or self.remembered or self.events or self.visits or self.lost is not None)


class Keeper:
    """Takes every tick and event of one run, and says what of it is to be written.

    Attributes:
        pending: what is to be written; whoever has written it puts a new `Pending` in its place.
        tick: the newest that no longer waits for its second to be full. event: the newest.
        active: whether every tick is kept at present.
    """

    def __init__(self, tick: int = 0, visit: Visit | None = None) -> None:
        """Begin after `tick`, with the visit that is open, if any."""
        self.pending = Pending()
        self.tick = tick
        self.event = 0
        self.active = False
        self.visits = VisitBook(visit)
        self._before: tuple[object, ...] = ()
        self._quiet_since_ms = 0
        self._ticks: list[Snapshot] = []
        self._ticks_wall_ms = 0
        self._ten: list[tuple[Chunk, list[Snapshot]]] = []
        self._memory: deque[tuple[Chunk, Remembered | None]] = deque()
        self._remembered: Remembered | None = None
        self._written_judged: int | None = None
        self._samples: list[Snapshot] = []
        self._samples_wall_ms = 0
        self._lost = 0
        self._last = tick
        self._now_ms = 0

    @property
    def resting(self) -> bool:
        """Whether ticks were seen, nothing goes on, and there is no visit."""
        return self._now_ms > 0 and not self.active and self.visits.open is None

    @property
    def waits(self) -> bool:
        """Whether there are ticks that wait for their second to be full."""
        return self.active and bool(self._ticks)

    def happened(self, events: tuple[Event, ...]) -> None:
        """Take what happened; whatever happens makes the ticks around it worth keeping."""
        for event in events:
            if event.number > self.event:
                self.event = event.number
                self.pending.events.append(event)
                self.visits.happened(event)
        if self._last:
            self._begin(self._now_ms)

    def lost(self, ticks: int) -> None:
        """Take how many ticks of this run never came; the ones around the gap do not belong together."""
        if ticks > self._lost:
            self._lost = ticks
            self.pending.lost = ticks

    def take(self, snapshot: Snapshot, wall_ms: int) -> None:
        """Take the next tick."""
        if snapshot.number <= self._last:
            # Sent again, and here already.
            return
        t_ms = self._now_ms = snapshot.t_ms
        if snapshot.number != self._last + 1:
            self._gap()
        elif self._ticks and t_ms - self._ticks[0].t_ms >= (SECOND_MS if self.active else REST_STRETCH_MS):
            self.close_stretch()
        self._last = snapshot.number
        if not self._ticks:
            self._ticks_wall_ms = wall_ms
        self._ticks.append(snapshot)
        self._look(snapshot, t_ms)
        self.visits.take(snapshot, wall_ms)
        if not self.active:
            self._sample(snapshot, wall_ms)

    def remember(self, tick: int, judged: bytes) -> None:
        """Take what the judge remembers just after `tick`: from here on every tick can be judged anew."""
        if not self.active:
            # At rest a stretch begins where the judge's state is known, so that no tick of it is out of reach.
            self.close_stretch()
        self._remembered = Remembered(tick, judged)
        if self.active:
            self._write_judged()

    def close_stretch(self) -> None:
        """Let what has come go to the disk, or at rest into the memory of the last minute."""
        if not self._ticks:
            return
        ticks, self._ticks = self._ticks, []
        chunk = _packed(ticks, self._ticks_wall_ms, rest=False)
        self.tick = max(self.tick, chunk.last)
        if self.active:
            self.pending.chunks.append(chunk)
            self._merge(chunk, ticks)
            return
        self._memory.append((chunk, self._remembered))
        while len(self._memory) > 1 and self._memory[1][0].t_ms < chunk.until_ms - BEFORE_MS:
            self._memory.popleft()

    def settle(self) -> None:
        """Have visits that changed written, with everything else."""
        self.pending.visits = self.visits.changed()

    def end(self) -> None:
        """The run is over: whatever is still in memory is kept, for the last minute tells what happened."""
        self._begin(self._now_ms)
        self.close_stretch()
        self._merge_now()

    # ------------------------------------------------------------------------------------------------------------------

    def _gap(self) -> None:
        """Ticks are missing here: what the judge remembered before says nothing of what follows."""
        self.close_stretch()
        self._merge_now()
        self._remembered = self._written_judged = None

    def _look(self, snapshot: Snapshot, t_ms: int) -> None:
        """See whether something goes on."""
        readings, wish, decision = snapshot.readings, snapshot.wish, snapshot.decision
        guard = readings.guard
        now = (
            readings.buttons,
            readings.patient_button,
            readings.estop,
            readings.strap_left,
            readings.strap_right,
            readings.mains,
            readings.drive_fault,
            readings.brake_set,
            wish.state,
            wish.guide,
            wish.plan,
            decision.demand,
            decision.alarm,
            [cause.code for cause in decision.causes],
            decision.prompts,
            len(decision.refusals),
            None if guard is None else (guard.state, guard.demand, guard.causes),
        )
        goes_on = decision.armed is not None or decision.command.velocity_cdeg_s or readings.applied_cdeg_s
        if goes_on or now != self._before:
            self._before = now
            self._begin(t_ms)
        elif self.active and t_ms - self._quiet_since_ms >= AFTER_MS:
            self.close_stretch()
            self._merge_now()
            self.active = False
            self._samples = []

    def _begin(self, t_ms: int) -> None:
        """Keep every tick from now on, and those of the last minute."""
        self._quiet_since_ms = t_ms
        if self.active:
            return
        self.active = True
        follows = 0
        for chunk, remembered in self._memory:
            if chunk.first != follows and remembered is not None and remembered.tick + 1 == chunk.first:
                self.pending.remembered.append(remembered)
                self._written_judged = chunk.t_ms
                follows = chunk.first
            self.pending.chunks.append(chunk)
            follows = chunk.last + 1 if follows == chunk.first else 0
        self._memory.clear()
        self._write_judged()

    def _write_judged(self) -> None:
        """Write the judge's state, but not more often than once a minute while nothing is missing between."""
        known = self._remembered
        written_ms, now_ms = self._written_judged, self._now_ms
        if known is None or (written_ms is not None and now_ms - written_ms < JUDGED_EVERY_MS):
            return
        self.pending.remembered.append(known)
        self._written_judged = now_ms

    def _merge(self, chunk: Chunk, ticks: list[Snapshot]) -> None:
        if self._ten and self._ten[-1][0].last + 1 != chunk.first:
            self._merge_now()
        self._ten.append((chunk, ticks))
        if len(self._ten) >= MERGED:
            self._merge_now()

    def _merge_now(self) -> None:
        """Put the last seconds together into one chunk, which takes their place."""
        ten, self._ten = self._ten, []
        if len(ten) > 1:
            whole = [snapshot for _, ticks in ten for snapshot in ticks]
            self.pending.chunks.append(_packed(whole, ten[0][0].wall_ms, rest=False))

    def _sample(self, snapshot: Snapshot, wall_ms: int) -> None:
        """Keep one tick in ten seconds: a chunk that grows in its place."""
        samples = self._samples
        if samples and snapshot.t_ms - samples[-1].t_ms < REST_SAMPLE_MS:
            return
        if len(samples) >= REST_SAMPLES:
            self._samples = samples = []
        if not samples:
            self._samples_wall_ms = wall_ms
        samples.append(snapshot)
        self.pending.chunks.append(_packed(samples, self._samples_wall_ms, rest=True))


def _packed(ticks: list[Snapshot], wall_ms: int, rest: bool) -> Chunk:
    first, last = ticks[0], ticks[-1]
    return Chunk(first.number, last.number, first.t_ms, last.t_ms, wall_ms, len(ticks), rest, pack(ticks))
